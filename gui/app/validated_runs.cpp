// SPDX-License-Identifier: GPL-3.0-or-later
#include "validated_runs.hpp"

#include <QCoreApplication>
#include <QJsonArray>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace chokepoint::gui {

namespace {

constexpr double kMargin = 0.1;

std::optional<double> number_of(const QJsonValue& json) {
    return json.isDouble() ? std::optional(json.toDouble()) : std::nullopt;
}

std::optional<std::pair<double, double>> interval_of(const QJsonValue& json) {
    const QJsonArray ends = json.toArray();
    return ends.size() == 2 ? std::optional(std::pair(ends[0].toDouble(), ends[1].toDouble())) : std::nullopt;
}

bool within(const ValidatedRun& run, double share) { return run.error && std::abs(*run.error) <= share; }
bool beyond(const ValidatedRun& run, double share) { return run.error && std::abs(*run.error) > share; }
bool covered(const ValidatedRun& run) {
    return run.error && run.interval && run.interval->first <= *run.measured &&
           *run.measured <= run.interval->second;
}

constexpr std::array<ErrorBand, 9> kBands{{
    {QT_TRANSLATE_NOOP("RunFilter", "any error"), [](const ValidatedRun&) { return true; }},
    {QT_TRANSLATE_NOOP("RunFilter", "within 5%"), [](const ValidatedRun& run) { return within(run, 0.05); }},
    {QT_TRANSLATE_NOOP("RunFilter", "within 10%"), [](const ValidatedRun& run) { return within(run, 0.1); }},
    {QT_TRANSLATE_NOOP("RunFilter", "within 20%"), [](const ValidatedRun& run) { return within(run, 0.2); }},
    {QT_TRANSLATE_NOOP("RunFilter", "beyond 10%"), [](const ValidatedRun& run) { return beyond(run, 0.1); }},
    {QT_TRANSLATE_NOOP("RunFilter", "beyond 20%"), [](const ValidatedRun& run) { return beyond(run, 0.2); }},
    {QT_TRANSLATE_NOOP("RunFilter", "inside 5% to 95%"), covered},
    {QT_TRANSLATE_NOOP("RunFilter", "outside 5% to 95%"),
     [](const ValidatedRun& run) { return run.error.has_value() && !covered(run); }},
    {QT_TRANSLATE_NOOP("RunFilter", "not predicted"),
     [](const ValidatedRun& run) { return !run.predicted.has_value(); }},
}};

struct Weighted {
    double value = 0.0, weight = 1.0;
};

/// The value below which this share of the weight lies; half-way between two where it falls between them.
double quantile(std::vector<Weighted> values, double share) {
    constexpr double kRounding = 1e-9; // thirds do not add up to one
    std::ranges::sort(values, {}, &Weighted::value);
    double all = 0.0;
    for (const Weighted& one : values) {
        all += one.weight;
    }
    double below = 0.0;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        below += values[i].weight;
        if (std::abs(below - share * all) <= kRounding * all) {
            return (values[i].value + values[i + 1].value) / 2.0;
        }
        if (below > share * all) {
            return values[i].value;
        }
    }
    return values.back().value;
}

} // namespace

std::vector<ValidatedRun> validated_runs(const QJsonObject& validate) {
    std::vector<ValidatedRun> runs;
    for (const QJsonValue& row : validate.value("rows").toArray()) {
        const auto text = [&](const char* field) { return row[QLatin1String(field)].toString(); };
        runs.push_back({.id = text("id"),
                        .model = text("model"),
                        .kind = text("kind"),
                        .gpu = text("gpu"),
                        .scale = text("scale"),
                        .precision = text("precision"),
                        .stack = text("stack"),
                        .software = text("software"),
                        .source = text("source"),
                        .published = text("published"),
                        .assumed = text("assumed"),
                        .note = text("note"),
                        .reason = text("reason"),
                        .gpus = row["gpus"].toDouble(),
                        .layout = row["layout"].toInt(),
                        .measured = number_of(row["measured_seconds"]),
                        .predicted = number_of(row["predicted_seconds"]),
                        .error = number_of(row["error"]),
                        .interval = interval_of(row["interval"])});
    }
    return runs;
}

std::span<const ErrorBand> error_bands() { return kBands; }

bool admits(const RunFilter& filter, const ValidatedRun& run) {
    const std::array choices{std::pair(&filter.gpu, &run.gpu), std::pair(&filter.kind, &run.kind),
                             std::pair(&filter.software, &run.software), std::pair(&filter.scale, &run.scale),
                             std::pair(&filter.precision, &run.precision)};
    const QStringList said{run.id, run.model, run.kind, run.gpu, run.precision, run.stack, run.source};
    const QStringList words = filter.words.split(' ', Qt::SkipEmptyParts);
    return std::ranges::all_of(
               choices, [](const auto& one) { return one.first->isEmpty() || *one.first == *one.second; }) &&
           std::ranges::all_of(words,
                               [&](const QString& word) {
                                   return std::ranges::any_of(said, [&](const QString& text) {
                                       return text.contains(word, Qt::CaseInsensitive);
                                   });
                               }) &&
           error_bands()[filter.band].admits(run);
}

RunSummary summary_of(const std::vector<ValidatedRun>& all, const std::vector<const ValidatedRun*>& shown) {
    std::map<int, int> copies;
    for (const ValidatedRun& run : all) {
        copies[run.layout] += run.error ? 1 : 0;
    }
    std::vector<Weighted> absolute;
    std::set<int> layouts;
    double sum = 0.0;
    double weights = 0.0;
    for (const ValidatedRun* run : shown) {
        if (run->error && run->published == "time") {
            const double weight = 1.0 / copies[run->layout];
            absolute.push_back({std::abs(*run->error), weight});
            layouts.insert(run->layout);
            sum += weight * *run->error;
            weights += weight;
        }
    }
    if (absolute.empty()) {
        return {};
    }
    constexpr double kMedian = 0.5;
    constexpr double kP90 = 0.9;
    return {static_cast<int>(absolute.size()), static_cast<int>(layouts.size()), quantile(absolute, kMedian),
            quantile(absolute, kP90), sum / weights};
}

Chart validation_chart(const std::vector<ValidatedRun>& all, const std::vector<const ValidatedRun*>& shown,
                       const ValidatedRun* chosen) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.title = "Step time of published runs, and 10% around it";
    chart.x = {.label = "measured, s", .log = true};
    chart.y = {.label = "predicted, s", .log = true};
    chart.diagonal_margin = kMargin;
    chart.legend_right = true;
    std::map<QString, Series> parts;
    for (const ValidatedRun& run : all) {
        if (run.measured && run.predicted) {
            parts.try_emplace(run.gpu, Series{.name = run.gpu.toStdString()});
        }
    }
    std::size_t number = 0;
    for (auto& [name, series] : parts) {
        series.style = number++;
    }
    for (const ValidatedRun* run : shown) {
        if (run->measured && run->predicted) {
            Series& series = parts[run->gpu];
            series.points.push_back({*run->measured, *run->predicted});
            series.notes.push_back(run->id.toStdString());
        }
    }
    for (auto& [name, series] : parts) {
        if (!series.points.empty()) {
            chart.series.push_back(std::move(series));
        }
    }
    // The last are drawn on top: those with few points.
    std::ranges::stable_sort(chart.series, std::ranges::greater{},
                             [](const Series& series) { return series.points.size(); });
    if (chosen != nullptr && chosen->measured && chosen->predicted) {
        chart.series.push_back({.name = "chosen",
                                .points = {{*chosen->measured, *chosen->predicted}},
                                .labels = {chosen->id.toStdString()},
                                .plain = true,
                                .ringed = true});
    }
    return chart;
}

} // namespace chokepoint::gui
