// SPDX-License-Identifier: Apache-2.0
// `compare`: scenarios held against the first of them.
#include "compare_command.hpp"

#include "simulation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chokepoint::cli {

namespace {

/// The same file with another number of nodes; nothing if that is not a valid scenario.
sim::Resize resize(const std::string& file, const Common& common) {
    return [&file, &common](int nodes) -> std::optional<sim::Scenario> {
        std::vector<std::string> overrides = common.overrides;
        overrides.push_back(fmt::format("cluster.nodes={}", nodes));
        try {
            return sim::load_scenario(file, {overrides, common.catalog_directories});
        } catch (const sim::ScenarioError&) {
            return std::nullopt;
        }
    };
}

/// What the library cannot compare is wrong input.
template <class Work> auto as_usage(Work work) {
    try {
        return work();
    } catch (const std::invalid_argument& wrong) {
        throw UsageError(wrong.what());
    }
}

} // namespace

sim::Comparison compare_files(const CompareOptions& options, const Common& common,
                              const sim::RunOptions& run_options) {
    if (options.scenarios.size() > sim::kMostSides) {
        throw UsageError(
            fmt::format("{} scenarios; expected at most {}", options.scenarios.size(), sim::kMostSides));
    }
    std::vector<sim::Side> sides;
    for (const std::string& file : options.scenarios) {
        sides.push_back({load_with_warnings(file, common), {}, std::nullopt});
    }
    return as_usage([&] {
        for (std::size_t i = 1; options.match && i < sides.size(); ++i) {
            sides[i].matched = sim::match(sides[0].scenario, sides[i].scenario, *options.match,
                                          resize(options.scenarios[i], common), run_options);
            sides[i].scenario = sides[i].matched->scenario;
        }
        return sim::compare(std::move(sides), options.measure, run_options);
    });
}

int compare_command(const CompareOptions& options, const Common& common) {
    const bool quiet = one_on_stdout({options.markdown, options.csv, common.json, options.charts.svg,
                                      options.charts.png, options.charts.description});
    const auto json = open_output(common.json);
    const auto markdown = open_output(options.markdown);
    const auto csv = open_output(options.csv);
    ChartOutput charts(options.charts);
    Progress progress(common.progress);
    const sim::Comparison comparison = compare_files(options, common, run_options(progress, common));
    if (json) {
        json->commit(sim::to_json(comparison));
    }
    if (markdown) {
        markdown->commit(sim::to_markdown(comparison));
    }
    if (csv) {
        csv->commit(sim::to_csv(comparison));
    }
    charts.write(waterfall_chart(comparison));
    if (!quiet) {
        fmt::print("{}", sim::to_text(comparison));
    }
    return kFine;
}

} // namespace chokepoint::cli
