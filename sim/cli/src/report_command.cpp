// SPDX-License-Identifier: Apache-2.0
// `report`: one page on a scenario, or on several.
#include "compare_command.hpp"

#include "simulation.hpp"
#include "sweep_commands.hpp"

#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/sim/html_report.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace chokepoint::cli {

namespace {

std::vector<sim::NearRun> near_runs(const sim::Comparison& comparison) {
    constexpr std::size_t kMost = 6;
    const std::vector<sim::PublishedRun> runs =
        sim::nearest_runs(comparison, sim::load_published_runs(sim::published_runs_file()), kMost);
    const std::vector<sim::Prediction> predictions = sim::predict_all(runs);
    std::vector<sim::NearRun> near;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        near.push_back({runs[i], predictions[i]});
    }
    return near;
}

/// What the author wrote beside the values; of what came from standard input, nothing.
sim::Annotations annotations_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return in && file != "-" ? sim::read_annotations(std::string(std::istreambuf_iterator<char>(in), {}))
                             : sim::Annotations{};
}

} // namespace

int report_command(const ReportOptions& options, const Common& common) {
    if (options.html == "-" && common.json == "-") {
        throw UsageError("only one of --html and --json can go to standard output");
    }
    std::vector<nlohmann::ordered_json> curves;
    std::ranges::transform(options.stores, std::back_inserter(curves), store_chart);
    const auto json = open_output(common.json);
    OutputFile page(options.html);
    require_plotter();
    sim::HtmlReport report;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        report.curves.push_back(
            {"The last sweep of " + options.stores[i] + ", with the 5th to 95th percentile.",
             draw_svg(curves[i], fmt::format("curve{}-", i))});
    }
    Progress progress(common.progress);
    report.comparison = compare_files(options.comparison, common, run_options(progress, common));
    const sim::Comparison& comparison = report.comparison;
    if (comparison.sides.size() > 1) {
        report.waterfall.push_back({"From the first scenario to each of the others, resource by resource.",
                                    draw_svg(waterfall_chart(comparison), "waterfall-")});
    }
    report.tornado.push_back(
        {"The inputs that make the first scenario's figure least sure.",
         draw_svg(tornado_chart(comparison.sides[0].report, comparison.headline), "tornado-")});
    report.near = near_runs(comparison);
    std::ranges::transform(options.comparison.scenarios, std::back_inserter(report.annotations),
                           annotations_of);
    report.program = fmt::format("chokepoint {} ({})", hw::version(), hw::commit());
    if (json) {
        const sim::Side& first = comparison.sides.front();
        json->commit(comparison.sides.size() > 1 ? sim::to_json(comparison)
                                                 : sim::to_json(first.report, first.scenario));
    }
    page.commit(sim::to_html(report));
    if (!page.is_stdout() && common.json != "-") {
        fmt::print("{}: open it in a browser\n", options.html);
    }
    return kFine;
}

} // namespace chokepoint::cli
