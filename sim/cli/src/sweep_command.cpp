// SPDX-License-Identifier: Apache-2.0
// The command `sweep`.
#include "sweep_commands.hpp"

#include "interrupt.hpp"
#include "output_file.hpp"
#include "sweep_team.hpp"
#include "sweep_text.hpp"

#include <chokepoint/sim/run_sweep.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace chokepoint::cli {

namespace {

/// What is to be swept: from a file, or from the store's own record.
struct Request {
    sim::ScenarioTemplate source;
    sim::LoadOptions options;
    std::vector<sim::Axis> axes;
};

bool share_a_key(const sim::Axis& a, const sim::Axis& b) {
    return std::ranges::any_of(
        a.keys, [&](const std::string& key) { return std::ranges::find(b.keys, key) != b.keys.end(); });
}

Request from_file(const SweepCommandOptions& options, const Common& common) {
    const sim::LoadOptions load{common.overrides, common.catalog_directories};
    Request request{sim::ScenarioTemplate::load(options.scenario, load), load, {}};
    std::vector<sim::Axis> given;
    std::vector<sim::Diagnostic> faults;
    for (const std::string& text : options.axes) {
        try {
            given.push_back(request.source.axis(text));
        } catch (const sim::ScenarioError& error) {
            faults.insert(faults.end(), error.faults().begin(), error.faults().end());
        }
    }
    if (!faults.empty()) {
        throw sim::ScenarioError(std::move(faults));
    }
    for (const sim::Axis& own : request.source.axes()) {
        if (std::ranges::none_of(given, [&](const sim::Axis& other) { return share_a_key(own, other); })) {
            request.axes.push_back(own);
        }
    }
    request.axes.insert(request.axes.end(), given.begin(), given.end());
    if (request.axes.empty()) {
        throw UsageError(fmt::format("'{}' has no [sweep] and no --axis is given: there is nothing to vary",
                                     options.scenario));
    }
    return request;
}

Request from_store(const SweepCommandOptions& options, const Common& common) {
    if (!options.axes.empty() || !common.overrides.empty() || !common.catalog_directories.empty()) {
        throw UsageError(
            "--resume without SCENARIO goes on with the store's own sweep, so that --axis, --set and "
            "--catalog have nothing to change; leave them out, or name the scenario");
    }
    const sim::SweepRecord record = chosen_sweep(open_results(options.store), options.store, 0);
    return {sim::ScenarioTemplate::parse(record.text, record.file, record.options), record.options,
            record.axes};
}

Request request_of(const SweepCommandOptions& options, const Common& common) {
    if (!options.scenario.empty()) {
        return from_file(options, common);
    }
    if (!options.resume) {
        throw UsageError("no SCENARIO is given; only --resume does without");
    }
    return from_store(options, common);
}

sim::Grid grid_of(const Request& request, std::int64_t most) {
    try {
        return {request.axes, most > 0 ? most : sim::kMostPoints};
    } catch (const std::length_error& error) {
        throw UsageError(fmt::format("{}; --max-points allows more", error.what()));
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
}

sim::WorkerLimits limits_of(const SweepCommandOptions& options) {
    return {option_quantity<hw::Seconds>(options.time_out, hw::Dimension::seconds, "--time-out"),
            option_quantity<hw::Bytes>(options.memory, hw::Dimension::bytes, "--memory")};
}

void check_resumes(const sim::ResultStore& store, const sim::SweepRecord& record, const std::string& file) {
    const std::vector<sim::SweepRecord> known = store.sweeps();
    const bool same_request = std::ranges::any_of(known, [&](sim::SweepRecord other) {
        other.program = record.program; // another program goes on with it too, but finds nothing done
        return other == record;
    });
    if (!same_request) {
        throw UsageError(
            fmt::format("'{}' has no sweep of this scenario over these axes to go on with: it, or an "
                        "option, is not as it was; leave --resume out to begin anew",
                        file));
    }
}

sim::ResultStore open_store(const std::string& file) {
    try {
        return sim::ResultStore::open_to_write(file);
    } catch (const sim::StoreFormatError& error) {
        throw UsageError(error.what());
    }
}

void tell(Progress& progress, std::int64_t id, const sim::SweepProgress& sweep) {
    const double share = static_cast<double>(sweep.finished) / static_cast<double>(sweep.points);
    const std::string left = sweep.left ? fmt::format(", {} left", hw::to_text(*sweep.left)) : "";
    progress.tell(
        "sweep", share,
        {.text = fmt::format("{}/{} points, {:.1f} a second{}", sweep.finished, sweep.points,
                             sweep.points_per_second, left),
         .json = fmt::format(
             R"("id":{},"points":{},"finished":{},"simulated":{},"infeasible":{},"failed":{},)"
             R"("points_per_second":{:.3f},"left_seconds":{})",
             id, sweep.points, sweep.finished, sweep.simulated, sweep.infeasible, sweep.failed,
             sweep.points_per_second, sweep.left ? fmt::format("{:.1f}", sweep.left->value()) : "null")});
}

} // namespace

int sweep_command(const SweepCommandOptions& options, const Common& common) {
    SweepTeam team(options.jobs);
    if (team.serves()) {
        const InterruptGuard guard; // the one that hands out decides when to end
        team.serve();
        return kFine;
    }
    const Request request = request_of(options, common);
    const sim::Grid grid = grid_of(request, options.max_points);
    const sim::WorkerLimits limits = limits_of(options);
    if (const std::vector<sim::Diagnostic> faults = sim::common_faults(request.source, grid);
        !faults.empty()) {
        throw sim::ScenarioError(faults);
    }
    if (options.resume && !std::filesystem::exists(options.store)) {
        throw UsageError(fmt::format("--resume: there is no '{}' to go on with", options.store));
    }
    const auto json = common.json.empty() ? nullptr : std::make_unique<OutputFile>(common.json);
    FinishedSweep sweep{.record = sim::sweep_record(request.source, request.options, grid),
                        .store = options.store};
    sim::ResultStore store = open_store(options.store);
    if (options.resume) {
        check_resumes(store, sweep.record, options.store);
    }
    sweep.record.id = store.enter(sweep.record);
    if (options.retry) {
        store.forget_failed(sweep.record.id);
    }
    const InterruptGuard guard;
    const auto workers = team.workers(request.source, request.options, limits, grid.points());
    sweep.workers = workers->count();
    {
        Progress progress(common.progress);
        sweep.outcome =
            sim::run_sweep(request.source, grid, store, sweep.record.id, *workers,
                           {[&](const sim::SweepProgress& now) { tell(progress, sweep.record.id, now); },
                            [] { return InterruptGuard::interrupted(); }});
    }
    sweep.points = store.points(sweep.record.id);
    if (json) {
        json->commit(sweep_json(sweep).dump(2) + "\n");
    }
    if (common.json != "-") {
        fmt::print("{}", sweep_text(sweep, hw::Catalog::load(common.catalog_directories)));
    }
    if (sweep.outcome.stopped) {
        fmt::print(
            stderr,
            "stopped: {} of {} points are in '{}'; go on with\n  chokepoint sweep --resume --store '{}'\n",
            sweep.outcome.progress.finished, grid.points(), options.store, options.store);
    }
    return sweep.outcome.stopped || sweep.outcome.progress.failed > 0 ? kFailed : kFine;
}

} // namespace chokepoint::cli
