// SPDX-License-Identifier: Apache-2.0
// The command `validate`: published runs beside what the program predicts for them.
#include "chart_output.hpp"
#include "commands.hpp"

#include "json.hpp"
#include "output_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/campaign_figures.hpp>
#include <chokepoint/sim/validation_report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <span>

namespace chokepoint::cli {

namespace {

std::vector<sim::PublishedRun> all_runs(const ValidateOptions& options) {
    if (options.campaigns) {
        return sim::load_published_runs(sim::published_campaigns_file());
    }
    if (!options.runs.empty()) {
        return sim::load_published_runs(options.runs);
    }
    std::vector<sim::PublishedRun> runs = sim::load_published_runs(sim::published_runs_file());
    std::ranges::move(sim::load_published_runs(sim::published_memory_file()), std::back_inserter(runs));
    return runs;
}

/// @throws UsageError for keys that no run says
void forget(std::span<const std::string> keys, std::vector<sim::PublishedRun>& runs) {
    for (const std::string& key : keys) {
        std::size_t said = 0;
        for (sim::PublishedRun& run : runs) {
            said += std::erase_if(run.keys, [&](const auto& pair) { return pair.first == key; });
        }
        if (said == 0) {
            throw UsageError(
                fmt::format("--without: no published run says '{}'; expected a scenario key such as "
                            "plan.attention_kernel",
                            key));
        }
    }
}

/// Runs that pass every filter.
std::vector<sim::PublishedRun> chosen_runs(const ValidateOptions& options) {
    std::vector<sim::PublishedRun> runs = all_runs(options);
    try {
        std::erase_if(runs, [&](const sim::PublishedRun& run) {
            return !std::ranges::all_of(options.filters,
                                        [&](const std::string& filter) { return sim::matches(run, filter); });
        });
    } catch (const std::invalid_argument& unknown_field) {
        throw UsageError(fmt::format("--filter: {}", unknown_field.what()));
    }
    if (runs.empty()) {
        throw UsageError("--filter leaves no published run");
    }
    forget(options.without, runs);
    return runs;
}

bool on_stdout(const ChartFiles& files) {
    return files.svg == "-" || files.png == "-" || files.description == "-";
}

/// Predicted against measured seconds, a series for each part.
Json scatter(const sim::ValidationReport& report) {
    std::map<std::string, Json> series;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const sim::Prediction& prediction = report.predictions[i];
        if (prediction.error()) {
            const std::string part = report.runs[i].key("cluster.gpu");
            if (!series.contains(part)) {
                series[part] = {{"name", part}, {"points", Json::array()}};
            }
            series[part]["points"].push_back({prediction.measured->value(), prediction.predicted->value()});
        }
    }
    Json all = Json::array();
    for (auto& [part, entry] : series) {
        all.push_back(std::move(entry));
    }
    constexpr double kMargin = 0.1;
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "scatter"},
            {"title", "Published training runs: seconds per step"},
            {"x", {{"label", "measured (s)"}, {"log", true}}},
            {"y", {{"label", "predicted (s)"}, {"log", true}}},
            {"diagonal_margin", kMargin},
            {"series", std::move(all)}};
}

/// Without filters also the trainings whose plan is published.
std::vector<sim::CampaignFigure> whole_campaigns(const ValidateOptions& options,
                                                 std::span<const sim::PublishedRun> runs,
                                                 std::span<const sim::Prediction> predictions,
                                                 Progress& progress) {
    std::vector<sim::CampaignFigure> figures;
    if (!options.campaigns) {
        return figures;
    }
    if (options.filters.empty()) {
        figures = sim::campaign_figures([&](double share) { progress.tell("campaigns", share); });
    }
    std::ranges::copy(sim::campaign_figures(runs, predictions), std::back_inserter(figures));
    return figures;
}

/// What runs with a step time ask for, predicted with two overheads.
sim::Overheads asked_for(const ValidateOptions& options, std::span<const sim::PublishedRun> runs,
                         const hw::Catalog& catalog, Progress& progress) {
    const std::vector<sim::PublishedRun> none = sim::with_overhead(runs, 0.0);
    const auto predicted = [&](std::span<const sim::PublishedRun> all) {
        return sim::predict_all(all, {options.jobs, [&](double share) { progress.tell("overhead", share); }});
    };
    return sim::overheads(none, predicted(none), predicted(sim::with_overhead(runs, sim::kTrialOverhead)),
                          catalog);
}

int print_scenario(const ValidateOptions& options) {
    const auto runs = all_runs(options);
    const auto run = std::ranges::find(runs, options.scenario, &sim::PublishedRun::id);
    if (run == runs.end()) {
        throw UsageError(
            fmt::format("--scenario: no published run is called '{}'; `chokepoint validate` lists them",
                        options.scenario));
    }
    if (run->score == sim::Score::hold) {
        throw UsageError(fmt::format("--scenario: '{}' is not a scenario: {}", options.scenario, run->note));
    }
    fmt::print("{}", sim::scenario_text(*run));
    return kFine;
}

} // namespace

int validate_command(const ValidateOptions& options, const Common& common) {
    if (!options.scenario.empty()) {
        return print_scenario(options);
    }
    std::vector<sim::PublishedRun> runs = chosen_runs(options);
    const std::array outputs{options.csv, common.json, options.charts.svg, options.charts.png,
                             options.charts.description};
    const auto to_stdout = std::ranges::count(outputs, "-");
    if (to_stdout > 1) {
        throw UsageError("only one of --csv, --json, --svg, --png and --chart can go to standard output");
    }
    const auto open = [](const std::string& file) {
        return file.empty() ? nullptr : std::make_unique<OutputFile>(file);
    };
    const auto json = open(common.json);
    const auto csv = open(options.csv);
    ChartOutput charts(options.charts);
    Progress progress(common.progress);
    std::vector<sim::Prediction> predictions =
        sim::predict_all(runs, {options.jobs, [&](double share) { progress.tell("validate", share); }});
    const std::vector<sim::CampaignFigure> campaigns = whole_campaigns(options, runs, predictions, progress);
    sim::ValidationReport report = sim::validation_report(std::move(runs), std::move(predictions));
    if (options.overhead) {
        report.overheads =
            asked_for(options, report.runs, hw::Catalog::load(common.catalog_directories), progress);
    }
    if (json) {
        json->commit(
            sim::to_json(report, hw::Catalog::load(common.catalog_directories).content_hash(), campaigns));
    }
    if (csv) {
        csv->commit(options.campaigns ? sim::to_csv(campaigns) : sim::to_csv(report));
    }
    charts.write(scatter(report));
    if (common.json != "-" && options.csv != "-" && !on_stdout(options.charts)) {
        fmt::print("{}", options.campaigns ? sim::to_text(campaigns) : sim::to_text(report, options.summary));
    }
    return kFine;
}

} // namespace chokepoint::cli
