// SPDX-License-Identifier: Apache-2.0
// Results in SQLite: write-ahead logging lets others read meanwhile, and a killed writer loses nothing it
// committed.
#include "plain.hpp"
#include "store_lock.hpp"
#include "store_tables.hpp"

#include <chokepoint/hwmodels/build_info.hpp>

#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <algorithm>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::json;
using SQLite::Statement;

constexpr int kBusyMilliseconds = 10'000;

void bind_optional(Statement& statement, const char* name, std::optional<double> value) {
    value ? statement.bind(name, *value) : statement.bind(name);
}

template <class Quantity>
void bind_band(Statement& statement, const std::string& name, const std::string& stem,
               const std::optional<Banded<Quantity>>& band) {
    const auto part = [&](Quantity Banded<Quantity>::* member) {
        return band ? std::optional(plain((*band).*member)) : std::nullopt;
    };
    bind_optional(statement, (":" + name).c_str(), part(&Banded<Quantity>::value));
    bind_optional(statement, (":" + stem + "_p5").c_str(), part(&Banded<Quantity>::p5));
    bind_optional(statement, (":" + stem + "_p95").c_str(), part(&Banded<Quantity>::p95));
}

template <class Quantity>
std::optional<Banded<Quantity>> read_band(Statement& row, const char* name, const char* p5, const char* p95) {
    if (row.getColumn(name).isNull()) {
        return std::nullopt;
    }
    const auto at = [&](const char* column) { return Quantity(row.getColumn(column).getDouble()); };
    return Banded<Quantity>{at(name), at(p5), at(p95)};
}

std::vector<std::string> texts(const std::string& json) {
    return Json::parse(json).get<std::vector<std::string>>();
}

std::string list_text(const std::vector<std::string>& items) { return Json(items).dump(); }

std::string list_text(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::string> items;
    for (const std::filesystem::path& path : paths) {
        items.push_back(path.string());
    }
    return list_text(items);
}

std::string why(const std::filesystem::path& file, const char* what, const SQLite::Exception& error) {
    return fmt::format("cannot {} '{}': {}", what, file.string(), error.what());
}

[[noreturn]] void not_opened(const std::filesystem::path& file, const char* what,
                             const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) {
        throw StoreFormatError(fmt::format("'{}' is not a result store: {}", file.string(), error.what()));
    }
    throw std::runtime_error(why(file, what, error));
}

std::string program(std::string_view version = hw::version(), std::string_view commit = hw::commit()) {
    return fmt::format("{} ({})", version, commit);
}

std::vector<Axis> read_axes(SQLite::Database& database, std::int64_t sweep) {
    std::vector<Axis> axes;
    Statement row(database, "SELECT v.axis, v.step, v.part, v.key, v.value, v.number, v.label, a.labelled "
                            "FROM axis_value v JOIN axis a USING (sweep, axis) WHERE sweep = ? "
                            "ORDER BY v.axis, v.step, v.part");
    row.bind(1, sweep);
    while (row.executeStep()) {
        const auto axis = static_cast<std::size_t>(row.getColumn(0).getInt());
        const auto step = static_cast<std::size_t>(row.getColumn(1).getInt());
        axes.resize(std::max(axes.size(), axis + 1));
        Axis& a = axes[axis];
        a.positions.resize(std::max(a.positions.size(), step + 1));
        if (step == 0) {
            a.keys.push_back(row.getColumn(3).getString());
        }
        if (row.getColumn(2).getInt() == 0 && row.getColumn(7).getInt() != 0) {
            a.labels.push_back(row.getColumn(6).getString());
        }
        const SQLite::Column number = row.getColumn(5);
        a.positions[step].push_back({row.getColumn(4).getString(),
                                     number.isNull() ? std::nullopt : std::optional(number.getDouble())});
    }
    return axes;
}

} // namespace

bool operator==(const SweepRecord& a, const SweepRecord& b) {
    return a.file == b.file && a.text == b.text && a.options.overrides == b.options.overrides &&
           a.options.catalog_directories == b.options.catalog_directories && a.axes == b.axes &&
           a.catalog_hash == b.catalog_hash && a.program == b.program;
}

SweepRecord sweep_record(const ScenarioTemplate& source, const LoadOptions& options, const Grid& grid) {
    std::error_code ignored;
    const std::filesystem::path whole = std::filesystem::absolute(source.file(), ignored);
    return {.title = source.title(),
            .file = whole.empty() ? source.file() : whole.lexically_normal().string(),
            .text = source.text(),
            .options = options,
            .axes = grid.axes(),
            .points = grid.points(),
            .catalog_hash = source.catalog_hash(),
            .program = program()};
}

struct ResultStore::Content {
    std::filesystem::path file;
    std::unique_ptr<StoreLock> lock;
    SQLite::Database database;
    std::unique_ptr<SQLite::Transaction> gathered = nullptr;

    /// Does what changes the file. A full disk is told as what it is.
    template <class Change> void write(Change change) {
        try {
            change();
        } catch (const SQLite::Exception& error) {
            gathered.reset();
            throw std::runtime_error(why(file, "write", error));
        }
    }
};

ResultStore::ResultStore(std::unique_ptr<Content> content) : content_(std::move(content)) {}
ResultStore::~ResultStore() = default;
ResultStore::ResultStore(ResultStore&&) noexcept = default;
ResultStore& ResultStore::operator=(ResultStore&&) noexcept = default;

ResultStore ResultStore::open_to_write(const std::filesystem::path& file) {
    if (std::filesystem::is_directory(file)) {
        throw std::runtime_error(fmt::format("cannot write '{}': it is a directory", file.string()));
    }
    auto lock = std::make_unique<StoreLock>(file);
    try {
        SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                  kBusyMilliseconds);
        make_tables(database);
        check_tables(database, file);
        database.exec("PRAGMA journal_mode = WAL");
        // A process that dies loses nothing; a machine that does may lose the last points, but not the file.
        database.exec("PRAGMA synchronous = NORMAL");
        database.exec("BEGIN IMMEDIATE; ROLLBACK"); // a file that cannot be written shows now
        return ResultStore(std::make_unique<Content>(Content{file, std::move(lock), std::move(database)}));
    } catch (const SQLite::Exception& error) {
        not_opened(file, "write", error);
    }
}

ResultStore ResultStore::open_to_read(const std::filesystem::path& file) {
    if (!std::filesystem::is_regular_file(file)) {
        throw std::runtime_error(
            fmt::format("cannot read '{}': {}", file.string(),
                        std::filesystem::exists(file) ? "it is not a file" : "no such file"));
    }
    try {
        SQLite::Database database(file.string(), SQLite::OPEN_READONLY, kBusyMilliseconds);
        check_tables(database, file);
        return ResultStore(std::make_unique<Content>(Content{file, nullptr, std::move(database)}));
    } catch (const SQLite::Exception& error) {
        not_opened(file, "read", error);
    }
}

std::vector<SweepRecord> ResultStore::sweeps() const {
    std::vector<SweepRecord> sweeps;
    Statement row(content_->database, "SELECT * FROM sweep ORDER BY id");
    while (row.executeStep()) {
        SweepRecord sweep;
        sweep.id = row.getColumn("id").getInt64();
        sweep.title = row.getColumn("title").getString();
        sweep.file = row.getColumn("file").getString();
        sweep.text = row.getColumn("scenario").getString();
        sweep.options.overrides = texts(row.getColumn("overrides").getString());
        for (const std::string& directory : texts(row.getColumn("catalogs").getString())) {
            sweep.options.catalog_directories.emplace_back(directory);
        }
        sweep.points = row.getColumn("points").getInt64();
        sweep.catalog_hash = row.getColumn("catalog_hash").getString();
        sweep.program =
            program(row.getColumn("version").getString(), row.getColumn("program_commit").getString());
        sweep.created = row.getColumn("created").getString();
        sweep.axes = read_axes(content_->database, sweep.id);
        sweeps.push_back(std::move(sweep));
    }
    return sweeps;
}

std::int64_t ResultStore::enter(const SweepRecord& wanted) {
    const std::vector<SweepRecord> known = sweeps();
    if (const auto same = std::ranges::find(known, wanted); same != known.end()) {
        return same->id;
    }
    SQLite::Database& database = content_->database;
    std::int64_t id = 0;
    content_->write([&] {
        SQLite::Transaction whole(database);
        Statement sweep(
            database, "INSERT INTO sweep (title, file, scenario, overrides, catalogs, points, catalog_hash, "
                      "version, program_commit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        SQLite::bind(sweep, wanted.title, wanted.file, wanted.text, list_text(wanted.options.overrides),
                     list_text(wanted.options.catalog_directories), wanted.points, wanted.catalog_hash,
                     std::string(hw::version()), std::string(hw::commit()));
        sweep.exec();
        id = database.getLastInsertRowid();
        Statement axis(database, "INSERT INTO axis VALUES (?, ?, ?, ?, ?, ?)");
        Statement value(database, "INSERT INTO axis_value VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        std::int64_t stride = wanted.points;
        for (std::size_t i = 0; i < wanted.axes.size(); ++i) {
            const Axis& a = wanted.axes[i];
            const auto length = static_cast<std::int64_t>(a.positions.size());
            stride /= length;
            axis.reset();
            SQLite::bind(axis, id, static_cast<std::int64_t>(i), a.name(), length, stride,
                         a.labels.empty() ? 0 : 1);
            axis.exec();
            for (std::size_t step = 0; step < a.positions.size(); ++step) {
                for (std::size_t part = 0; part < a.keys.size(); ++part) {
                    const AxisValue& v = a.positions[step][part];
                    value.reset();
                    SQLite::bind(value, id, static_cast<std::int64_t>(i), static_cast<std::int64_t>(step),
                                 static_cast<std::int64_t>(part), a.keys[part], v.text);
                    v.number ? value.bind(7, *v.number) : value.bind(7);
                    value.bind(8, a.label(step));
                    value.exec();
                }
            }
        }
        whole.commit();
    });
    return id;
}

std::vector<std::int64_t> ResultStore::finished(std::int64_t sweep) const {
    std::vector<std::int64_t> positions;
    Statement row(content_->database, "SELECT position FROM sweep_point WHERE sweep = ? ORDER BY position");
    row.bind(1, sweep);
    while (row.executeStep()) {
        positions.push_back(row.getColumn(0).getInt64());
    }
    return positions;
}

std::optional<PointStatus> ResultStore::status(const std::string& key) const {
    Statement row(content_->database, "SELECT status FROM point WHERE key = ?");
    row.bind(1, key);
    return row.executeStep() ? std::optional(point_status_from(row.getColumn(0).getString())) : std::nullopt;
}

void ResultStore::record(std::int64_t sweep, std::int64_t position, const std::string& key,
                         const PointResult& result) {
    content_->write([&] {
        std::optional<SQLite::Transaction> own;
        if (!content_->gathered) {
            own.emplace(content_->database);
        }
        Statement row(
            content_->database,
            "INSERT OR REPLACE INTO point (key, status, feasible, error, gpu, gpus, step_seconds, step_p5, "
            "step_p95, gpu_hours, gpu_hours_p5, gpu_hours_p95, usd, usd_p5, usd_p95, mfu, "
            "tokens_per_second_per_gpu, peak_memory_bytes, wall_seconds, version, program_commit, json) "
            "VALUES (:key, :status, :feasible, :error, :gpu, :gpus, :step_seconds, :step_p5, :step_p95, "
            ":gpu_hours, :gpu_hours_p5, :gpu_hours_p95, :usd, :usd_p5, :usd_p95, :mfu, :tokens, :memory, "
            ":wall, :version, :commit, :json)");
        const bool done = result.status == PointStatus::done;
        const Headline& h = result.headline;
        row.bind(":key", key);
        row.bind(":status", std::string(name(result.status)));
        row.bind(":feasible", done ? 1 : 0);
        row.bind(":error", result.error);
        row.bind(":wall", result.wall.value());
        row.bind(":version", std::string(hw::version()));
        row.bind(":commit", std::string(hw::commit()));
        row.bind(":json", result.json);
        bind_band(row, "step_seconds", "step", done ? std::optional(h.step) : std::nullopt);
        bind_band(row, "gpu_hours", "gpu_hours", h.gpu_hours);
        bind_band(row, "usd", "usd", h.usd);
        if (done) {
            row.bind(":gpu", h.gpu);
            row.bind(":gpus", h.gpus);
            row.bind(":mfu", h.mfu);
            row.bind(":tokens", h.tokens_per_second_per_gpu);
            row.bind(":memory", h.peak_memory.value());
        }
        row.exec();
        link(sweep, position, key);
        if (own) {
            own->commit();
        }
    });
}

void ResultStore::link(std::int64_t sweep, std::int64_t position, const std::string& key) {
    content_->write([&] {
        Statement row(content_->database, "INSERT OR REPLACE INTO sweep_point VALUES (?, ?, ?)");
        SQLite::bind(row, sweep, position, key);
        row.exec();
    });
}

void ResultStore::forget_failed(std::int64_t sweep) {
    content_->write([&] {
        SQLite::Transaction whole(content_->database);
        Statement failed(content_->database, "DELETE FROM sweep_point WHERE sweep = ? AND point IN "
                                             "(SELECT key FROM point WHERE status = 'failed')");
        failed.bind(1, sweep);
        failed.exec();
        content_->database.exec("DELETE FROM point WHERE status = 'failed' AND key NOT IN "
                                "(SELECT point FROM sweep_point)");
        whole.commit();
    });
}

std::vector<StoredPoint> ResultStore::points(std::int64_t sweep) const {
    std::vector<StoredPoint> points;
    Statement row(
        content_->database,
        "SELECT sp.position, p.key, status, error, gpu, gpus, step_seconds, step_p5, step_p95, gpu_hours, "
        "gpu_hours_p5, gpu_hours_p95, usd, usd_p5, usd_p95, mfu, tokens_per_second_per_gpu, "
        "peak_memory_bytes, wall_seconds FROM sweep_point sp JOIN point p ON p.key = sp.point "
        "WHERE sp.sweep = ? ORDER BY sp.position");
    row.bind(1, sweep);
    while (row.executeStep()) {
        StoredPoint& point = points.emplace_back();
        point.position = row.getColumn("position").getInt64();
        point.key = row.getColumn("key").getString();
        point.result.status = point_status_from(row.getColumn("status").getString());
        point.result.error = row.getColumn("error").getString();
        point.result.wall = hw::Seconds(row.getColumn("wall_seconds").getDouble());
        if (point.result.status != PointStatus::done) {
            continue;
        }
        Headline& h = point.result.headline;
        h.step = read_band<hw::Seconds>(row, "step_seconds", "step_p5", "step_p95").value_or(h.step);
        h.gpu_hours = read_band<double>(row, "gpu_hours", "gpu_hours_p5", "gpu_hours_p95");
        h.usd = read_band<hw::Usd>(row, "usd", "usd_p5", "usd_p95");
        h.mfu = row.getColumn("mfu").getDouble();
        h.tokens_per_second_per_gpu = row.getColumn("tokens_per_second_per_gpu").getDouble();
        h.peak_memory = hw::Bytes(row.getColumn("peak_memory_bytes").getDouble());
        h.gpu = row.getColumn("gpu").getString();
        h.gpus = row.getColumn("gpus").getInt();
    }
    return points;
}

std::string ResultStore::json(const std::string& key) const {
    Statement row(content_->database, "SELECT json FROM point WHERE key = ?");
    row.bind(1, key);
    return row.executeStep() ? row.getColumn(0).getString() : std::string();
}

void ResultStore::gather() {
    content_->write([&] { content_->gathered = std::make_unique<SQLite::Transaction>(content_->database); });
}

void ResultStore::settle() {
    content_->write([&] {
        if (content_->gathered) {
            content_->gathered->commit();
            content_->gathered.reset();
        }
    });
}

} // namespace chokepoint::sim
