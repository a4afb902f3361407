// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <QCoreApplication>
#include <QFileInfo>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

// docs/sweeps.md
constexpr int kApplicationId = 0x434b5054;
constexpr int kFormat = 1;
constexpr int kBusyMilliseconds = 2000;

QString tr(const char* text) { return QCoreApplication::translate("SweepStore", text); }

std::runtime_error fault(const QString& text) { return std::runtime_error(text.toStdString()); }

QString text_of(const SQLite::Column& column) { return QString::fromStdString(column.getString()); }

SQLite::Database open_store(const QString& file) {
    if (!QFileInfo(file).isFile()) {
        throw fault(tr("cannot read '%1': there is no such file").arg(file));
    }
    try {
        SQLite::Database database(file.toStdString(), SQLite::OPEN_READONLY, kBusyMilliseconds);
        if (database.execAndGet("PRAGMA application_id").getInt() != kApplicationId) {
            throw fault(tr("'%1' is a database, but not a result store of `chokepoint sweep`").arg(file));
        }
        const int format = database.execAndGet("PRAGMA user_version").getInt();
        if (format != kFormat) {
            throw fault(tr("'%1' is a result store of format %2; this program reads format %3. Open it with "
                           "the version of Chokepoint that wrote it.")
                            .arg(file)
                            .arg(format)
                            .arg(kFormat));
        }
        return database;
    } catch (const SQLite::Exception& error) {
        throw fault(tr("cannot read '%1' as a result store: %2").arg(file, error.what()));
    }
}

std::optional<Figure> figure_at(SQLite::Statement& row, const char* value, const char* p5, const char* p95) {
    const SQLite::Column figure = row.getColumn(value);
    if (figure.isNull()) {
        return std::nullopt;
    }
    Figure found{figure.getDouble(), {}};
    if (!row.getColumn(p5).isNull() && !row.getColumn(p95).isNull()) {
        found.interval = {row.getColumn(p5).getDouble(), row.getColumn(p95).getDouble()};
    }
    return found;
}

RunResult figures_at(SQLite::Statement& row, const QString& title) {
    RunResult run;
    run.title = title;
    run.gpu = text_of(row.getColumn("gpu"));
    run.gpus = row.getColumn("gpus").getDouble();
    run.step_seconds = figure_at(row, "step_seconds", "step_p5", "step_p95").value_or(Figure{});
    run.gpu_hours = figure_at(row, "gpu_hours", "gpu_hours_p5", "gpu_hours_p95");
    run.usd = figure_at(row, "usd", "usd_p5", "usd_p95");
    run.mfu = row.getColumn("mfu").getDouble();
    run.tokens_per_second_per_gpu = row.getColumn("tokens_per_second_per_gpu").getDouble();
    run.memory_peak = row.getColumn("peak_memory_bytes").getDouble();
    return run;
}

} // namespace

struct SweepStore::Content {
    SQLite::Database database;
};

SweepStore::SweepStore(const QString& file)
    : content_(std::make_unique<Content>(Content{open_store(file)})) {}

SweepStore::~SweepStore() = default;

std::optional<StoredSweep> SweepStore::sweep(std::optional<qint64> id) const {
    try {
        SQLite::Statement row(content_->database,
                              id ? "SELECT id, title, points FROM sweep WHERE id = ?"
                                 : "SELECT id, title, points FROM sweep ORDER BY id DESC LIMIT 1");
        if (id) {
            row.bind(1, static_cast<std::int64_t>(*id));
        }
        if (!row.executeStep()) {
            return std::nullopt;
        }
        StoredSweep sweep{row.getColumn("id").getInt64(),
                          row.getColumn("points").getInt64(),
                          text_of(row.getColumn("title")),
                          {}};
        SQLite::Statement axis(content_->database,
                               "SELECT a.axis, a.name, a.stride, v.part, v.key, v.value, v.number, v.label "
                               "FROM axis a JOIN axis_value v ON v.sweep = a.sweep AND v.axis = a.axis "
                               "WHERE a.sweep = ? ORDER BY a.axis, v.step, v.part");
        axis.bind(1, static_cast<std::int64_t>(sweep.id));
        while (axis.executeStep()) {
            if (axis.getColumn("axis").getInt() == static_cast<int>(sweep.axes.size())) {
                sweep.axes.push_back({.name = text_of(axis.getColumn("name")),
                                      .key = text_of(axis.getColumn("key")),
                                      .one = true,
                                      .stride = axis.getColumn("stride").getInt64(),
                                      .steps = {}});
            }
            StoredAxis& last = sweep.axes.back();
            const QString label = text_of(axis.getColumn("label"));
            if (axis.getColumn("part").getInt() == 0) {
                const SQLite::Column number = axis.getColumn("number");
                last.steps.push_back({text_of(axis.getColumn("value")), label,
                                      number.isNull() ? std::nullopt : std::optional(number.getDouble())});
            } else {
                last.one = false; // the label speaks of all keys
            }
        }
        return sweep;
    } catch (const SQLite::Exception& error) {
        throw fault(tr("cannot read the result store: %1").arg(error.what()));
    }
}

std::vector<StoredPoint> SweepStore::points(const StoredSweep& sweep, const std::vector<bool>& known,
                                            std::size_t most) const {
    try {
        std::vector<qint64> fresh;
        SQLite::Statement position(content_->database,
                                   "SELECT position FROM sweep_point WHERE sweep = ? ORDER BY position");
        position.bind(1, static_cast<std::int64_t>(sweep.id));
        while (fresh.size() < most && position.executeStep()) {
            const qint64 at = position.getColumn(0).getInt64();
            if (static_cast<std::size_t>(at) < known.size() && !known[static_cast<std::size_t>(at)]) {
                fresh.push_back(at);
            }
        }
        std::vector<StoredPoint> points;
        SQLite::Statement row(content_->database, "SELECT p.* FROM sweep_point sp JOIN point p ON p.key = "
                                                  "sp.point WHERE sp.sweep = ? AND sp.position = ?");
        for (const qint64 at : fresh) {
            row.reset();
            row.bind(1, static_cast<std::int64_t>(sweep.id));
            row.bind(2, static_cast<std::int64_t>(at));
            if (!row.executeStep()) {
                continue;
            }
            const bool done = row.getColumn("status").getString() == "done";
            StoredPoint point{at, {}, {}};
            if (done) {
                point.run = figures_at(row, sweep.title);
            } else {
                point.error = text_of(row.getColumn("error"));
            }
            points.push_back(std::move(point));
        }
        return points;
    } catch (const SQLite::Exception& error) {
        throw fault(tr("cannot read the result store: %1").arg(error.what()));
    }
}

} // namespace chokepoint::gui
