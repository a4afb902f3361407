// SPDX-License-Identifier: Apache-2.0
// The command `import kineto`: a profile of real training, by operator class and against a scenario.
#include "kineto_command.hpp"

#include "json.hpp"
#include "result.hpp"
#include "simulation.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/profile_trace.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace chokepoint::cli {

namespace {

Json json_of(const sim::ProfiledTime& time) {
    return {
        {"launches", time.launches}, {"seconds", seconds(time.sum)}, {"busy_seconds", seconds(time.busy)}};
}

Json json_of(const sim::ProfileSummary& summary) {
    Json classes = Json::array();
    for (const sim::ClassTime& row : summary.classes) {
        Json entry{{"class", row.id}, {"duty", hw::name(row.duty)}};
        entry.update(json_of(row.time));
        classes.push_back(std::move(entry));
    }
    Json streams = Json::array();
    for (const sim::StreamTime& row : summary.streams) {
        Json entry{{"stream", row.stream}};
        entry.update(json_of(row.time));
        streams.push_back(std::move(entry));
    }
    Json segments = Json::array();
    for (const sim::SegmentTime& row : summary.segments) {
        Json entry{{"segment", row.name.empty() ? Json(nullptr) : Json(row.name)}, {"count", row.count}};
        entry.update(json_of(row.time));
        entry["compute_seconds"] = seconds(row.compute);
        entry["communication_seconds"] = seconds(row.communication);
        segments.push_back(std::move(entry));
    }
    Json unknown = Json::array();
    for (const sim::UnknownKernel& row : summary.unknown) {
        Json entry{{"kernel", row.kernel.name}, {"category", row.kernel.category}};
        entry.update(json_of(row.time));
        unknown.push_back(std::move(entry));
    }
    return {{"span_seconds", seconds(summary.span)},
            {"busy_seconds", seconds(summary.all.busy)},
            {"idle_seconds", seconds(summary.idle())},
            {"compute_seconds", seconds(summary.compute)},
            {"communication_seconds", seconds(summary.communication)},
            {"overlap_seconds", seconds(summary.overlap)},
            {"launches", summary.all.launches},
            {"classes", std::move(classes)},
            {"streams", std::move(streams)},
            {"segments", std::move(segments)},
            {"unclassified", std::move(unknown)}};
}

Json prediction_json(const KinetoReport& report) {
    if (!report.predicted) {
        return nullptr;
    }
    Json rows = Json::array();
    for (const sim::ComparedRow& row : report.rows) {
        rows.push_back({{"classes", row.classes},
                        {"works", row.works},
                        {"measured_seconds", seconds(row.measured)},
                        {"predicted_seconds", row.predicted.value()}});
    }
    const auto optional = [](const std::optional<int>& value) {
        return value ? Json(*value) : Json(nullptr);
    };
    return {{"scenario", report.scenario},
            {"pair_layers", optional(report.scope.pair_layers)},
            {"rank", optional(report.scope.rank)},
            {"count", report.scope.count},
            {"span_seconds", report.predicted->span.value()},
            {"compute_seconds", report.predicted->compute.value()},
            {"communication_seconds", report.predicted->communication.value()},
            {"overlap_seconds", report.predicted->overlap.value()},
            {"rows", std::move(rows)}};
}

Json to_json(const KinetoReport& report, const std::string& catalog_hash) {
    const auto optional = [](const std::optional<std::int64_t>& value) {
        return value ? Json(*value) : Json(nullptr);
    };
    return {{"schema", "chokepoint/import-kineto/1"},
            {"program", program_json(catalog_hash)},
            {"file", report.profile.file},
            {"device", report.profile.device},
            {"rank", optional(report.profile.rank)},
            {"world_size", optional(report.profile.world_size)},
            {"events", report.profile.events},
            {"steps", report.profile.steps},
            {"measured", json_of(report.measured)},
            {"against", prediction_json(report)}};
}

void check(const KinetoOptions& options, const Common& common) {
    if (options.against.empty() && (options.pair || options.rank || options.count)) {
        throw UsageError(
            "--pair, --rank and --count say what a scenario is asked for: name it with --against");
    }
    if (options.against.empty() && !common.overrides.empty()) {
        throw UsageError("--set changes a scenario: name it with --against");
    }
    if (options.pair && options.rank) {
        throw UsageError("a pair is the same on every rank: leave --rank or --pair out");
    }
    if ((options.csv == "-" ? 1 : 0) + (options.trace == "-" ? 1 : 0) + (common.json == "-" ? 1 : 0) > 1) {
        throw UsageError("only one of --csv, --trace and --json can go to standard output");
    }
}

void compare(KinetoReport& report, const KinetoOptions& options, const sim::Scenario& scenario,
             const hw::KernelRules& rules) {
    report.scenario = options.against;
    report.scope = {.pair_layers = options.pair,
                    .rank = options.rank,
                    .count = options.count.value_or(options.pair ? 1 : std::max(1, report.profile.steps))};
    try {
        report.predicted = sim::predict_profile(scenario, report.scope);
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("{}: {}", options.against, error.what()));
    }
    report.rows = sim::compare_profile(report.profile, rules, *report.predicted);
}

} // namespace

int import_kineto_command(const KinetoOptions& options, const Common& common) {
    check(options, common);
    const hw::KernelRules rules = hw::load_kernel_rules(options.rules);
    std::optional<sim::Scenario> scenario;
    if (!options.against.empty()) {
        scenario = load_with_warnings(options.against, common);
    }
    const auto csv = open_output(options.csv);
    const auto trace = open_output(options.trace);
    KinetoReport report;
    try {
        report.profile = sim::read_profile(options.file, {.device = options.device});
    } catch (const sim::ProfileError& error) {
        fmt::print(stderr, "{}\n", error.what());
        return kWrongInput;
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
    report.measured = sim::summarize(report.profile, rules);
    if (scenario) {
        compare(report, options, *scenario, rules);
    }
    if (csv) {
        csv->commit(to_csv(report));
    }
    if (trace) {
        trace->commit(sim::to_trace_json(report.profile, rules));
    }
    const std::string hash =
        scenario ? scenario->catalog_hash() : hw::Catalog::load(common.catalog_directories).content_hash();
    emit(common, to_json(report, hash), options.csv == "-" || options.trace == "-" ? "" : to_text(report));
    return kFine;
}

} // namespace chokepoint::cli
