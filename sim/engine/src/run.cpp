// SPDX-License-Identifier: Apache-2.0
// From a scenario to its report.
#include "fold/conditions.hpp"

#include <chokepoint/sim/run.hpp>

#include "extrapolation.hpp"
#include "kernel_mix.hpp"
#include "replay.hpp"
#include "step_outcome.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

void tell(const RunOptions& options, std::string_view phase, double share) {
    if (options.progress) {
        options.progress(phase, share);
    }
}

/// The batches a ramp is interpolated from: its start, where the published DualPipe order begins to apply
/// (two micro-batches per rank), and the full batch. Between them the step time is linear in the
/// micro-batches.
std::vector<int> ramp_batches(const Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    const Campaign& campaign = scenario.campaign();
    std::vector<int> batches;
    if (campaign.ramp_from && campaign.ramp_tokens > 0.0 && *campaign.ramp_from < plan.global_batch) {
        const int per_micro_batch = plan.data * plan.micro_batch;
        batches.push_back(*campaign.ramp_from);
        const int threshold = 2 * plan.pipeline * per_micro_batch;
        if (threshold > *campaign.ramp_from && threshold < plan.global_batch &&
            work::schedule_fault(plan, 2 * plan.pipeline).empty()) {
            batches.push_back(threshold);
        }
    }
    batches.push_back(plan.global_batch);
    return batches;
}

/// A single stretch: the batch ramp, then the full batch.
CampaignReport simulate_stretch(const Scenario& scenario, StepCache& cache, const RunOptions& options) {
    std::vector<RampPoint> points;
    std::string note;
    BusyShares full;
    const std::vector<int> batches = ramp_batches(scenario);
    for (std::size_t i = 0; i < batches.size(); ++i) {
        tell(options, "campaign", static_cast<double>(i) / static_cast<double>(batches.size()));
        work::ParallelPlan plan = scenario.plan();
        plan.global_batch = batches[i];
        const StepOutcome& step =
            cache.outcome(scenario, plan, [&] { return simulate_outcome(scenario, plan, options); });
        points.push_back({batches[i], step.seconds, spent(step.phases)});
        full = busy_shares(step.phases); // the last batch is the full one
        if (!step.schedule_note.empty() && batches[i] != scenario.plan().global_batch) {
            note +=
                fmt::format("{}{} sequences: {}", note.empty() ? "" : "; ", batches[i], step.schedule_note);
        }
    }
    CampaignReport report = campaign_report(scenario, points);
    report.ramp_note = std::move(note);
    report.shares = full;
    return report;
}

CampaignReport simulate_campaign(const Scenario& scenario, StepCache& cache, const RunOptions& options) {
    if (scenario.phases().empty()) {
        return simulate_stretch(scenario, cache, options);
    }
    std::vector<CampaignReport> simulated;
    std::vector<PhaseReport> phases;
    for (const Phase& phase : scenario.phases()) {
        if (phase.gpu_time) {
            phases.push_back(given_phase(scenario, phase));
        } else {
            simulated.push_back(simulate_stretch(*phase.scenario, cache, options));
            phases.push_back(simulated_phase(phase, simulated.back()));
        }
    }
    return add_up(scenario, simulated, std::move(phases));
}

/// Campaign, energy and dollars, from steps of the cache.
void add_economy(const Scenario& scenario, StepCache& cache, const RunOptions& options, RunReport& report) {
    if (scenario.campaign().tokens > 0.0 || !scenario.phases().empty()) {
        report.campaign = simulate_campaign(scenario, cache, options);
        if (const auto& settings = scenario.failures()) {
            report.campaign->failures = failure_report(
                scenario, options.draw != nullptr ? drawn(*settings, *options.draw) : *settings,
                *report.campaign);
            report.campaign->goodput = report.campaign->failures->expected.goodput;
        }
    }
    report.energy = energy_report(scenario, report.step, report.campaign);
    report.cost = cost_report(scenario, report.step, report.campaign, report.energy);
}

hw::TransferRates transfer_rates(const Scenario& scenario) {
    return scenario.transfer_rates() ? *scenario.transfer_rates() : hw::load_transfer_rates();
}

} // namespace

Percentiles step_percentiles(const Scenario& scenario, const StepRun& step) {
    EvenDraws draws;
    return percentiles(step_seconds(step_response(step, scenario.cluster().node.gpu.architecture), draws));
}

hw::Seconds busiest_host(const StepRun& step) {
    std::vector<Seconds> of_rank(static_cast<std::size_t>(step.graph.ranks()));
    for (const work::Task& task : step.graph.tasks()) {
        if (task.kind == work::TaskKind::compute && task.stream == work::Stream::compute) {
            of_rank[static_cast<std::size_t>(task.rank)] +=
                step.costs.host[static_cast<std::size_t>(task.work)];
        }
    }
    return *std::ranges::max_element(of_rank);
}

namespace {

std::unique_ptr<hw::CostModel>
cost_model_with(const Scenario& scenario, hw::FitLibrary* library,
                const std::function<hw::KernelMix(const hw::CostModel&)>& mix_of) {
    const hw::GpuSpec& gpu = scenario.cluster().node.gpu;
    if (scenario.compute_model() == ComputeModel::roofline) {
        return hw::make_roofline_model(gpu);
    }
    hw::CalibrationOptions options;
    options.sustained_clock = scenario.sustained_clock();
    options.library = library;
    if (const auto& fits = scenario.own_fits()) {
        options.own_fits = fits->folder;
    }
    return hw::make_calibrated_model(gpu, options, mix_of);
}

} // namespace

std::unique_ptr<hw::CostModel> cost_model(const Scenario& scenario, hw::FitLibrary* library) {
    return cost_model_with(scenario, library,
                           [&](const hw::CostModel& at_full) { return kernel_mix(scenario, at_full); });
}

std::unique_ptr<hw::CostModel> full_clock_cost_model(const Scenario& scenario) {
    return cost_model_with(scenario, nullptr, [](const hw::CostModel&) { return hw::KernelMix{0.0, 0.0}; });
}

namespace {

hw::FitLibrary* library_of(const RunOptions& options) {
    return options.cache != nullptr ? &options.cache->fits() : nullptr;
}

} // namespace

FoldReport fold_report(const StepRun& step) {
    FoldReport report{.mode = std::string(name(step.fold)), .classes = {}};
    for (const GpuClass& gpu_class : step.classes) {
        report.classes.push_back(
            {work::index(gpu_class.rank), gpu_class.representative, gpu_class.gpus, gpu_class.why});
    }
    return report;
}

std::vector<std::vector<MemoryLevel>> activations_over_time(const Scenario& scenario, const StepRun& step) {
    const int stages = work::make_schedule(scenario.plan()).stages;
    return activations_over_time(step.graph, step.timeline, scenario.plan(),
                                 work::stage_activations(scenario.model(), scenario.plan(), stages));
}

StepRun run_step(const Scenario& scenario, const work::ParallelPlan& plan, const RunOptions& options) {
    tell(options, "build", 0.0);
    const work::Schedule schedule = work::make_schedule(plan);
    work::TaskGraph graph = options.cache != nullptr ? options.cache->graph(scenario, plan, schedule)
                                                     : work::build_step(scenario.model(), plan, schedule,
                                                                        scenario.cluster().node.gpus);
    work::ParallelPlan costed = plan;
    hw::Cluster cluster = scenario.cluster();
    if (scenario.compute_model() == ComputeModel::roofline) {
        // A bound on the time takes the best software there could be.
        costed.framework_overhead = 0.0;
        cluster.node.host_call = hw::Seconds(0.0);
    }
    const work::RankLayout layout(plan, scenario.cluster().node.gpus);
    StepCosts costs =
        cost_step(graph, scenario.model(), costed, cluster, *cost_model(scenario, library_of(options)),
                  transfer_rates(scenario), group_distances(graph, layout, cluster));
    if (scenario.compute_model() != ComputeModel::roofline) {
        pace_by_slowest(costs, graph, scenario.gpu_variation(), cluster.gpus());
    }
    SimulateOptions simulate_options;
    if (options.progress) {
        simulate_options.progress = [&](double share) { options.progress("simulate", share); };
    }
    FoldedStep step =
        fold_step(std::move(graph), std::move(costs), layout,
                  make_conditions(scenario.perturbations(), scenario.cluster(), plan), options.fold);
    Timeline timeline = simulate(step.graph, step.costs, step.network, simulate_options);
    return {std::move(step.graph),   std::move(step.costs), std::move(timeline),    schedule.note,
            std::move(step.network), options.fold,          std::move(step.classes)};
}

namespace {

/// Of the classes of a pipeline rank, which hold the same at almost the same times, the first.
std::vector<MemoryPeak> memory_peaks(const Scenario& scenario, const StepRun& step, std::size_t ranks) {
    const std::vector<std::vector<MemoryLevel>> held = activations_over_time(scenario, step);
    std::vector<std::optional<MemoryPeak>> found(ranks);
    for (std::size_t c = 0; c < held.size(); ++c) {
        auto& peak = found.at(static_cast<std::size_t>(work::index(step.classes[c].rank)));
        peak = peak.value_or(peak_of(held[c]));
    }
    std::vector<MemoryPeak> peaks;
    for (const std::optional<MemoryPeak>& peak : found) {
        peaks.push_back(peak.value_or(MemoryPeak{}));
    }
    return peaks;
}

} // namespace

StepRun run_pair(const Scenario& scenario, int layers) {
    work::TaskGraph graph =
        work::build_pair(scenario.model(), scenario.plan(), layers, scenario.cluster().node.gpus);
    StepCosts costs = cost_step(graph, scenario.model(), scenario.plan(), scenario.cluster(),
                                *cost_model(scenario), transfer_rates(scenario));
    Timeline timeline = simulate(graph, costs);
    return {std::move(graph), std::move(costs), std::move(timeline), {}, {}, Fold::none, {}};
}

/// "nvlink = 100 GB/s".
std::vector<std::string> caps_in_force(const Scenario& scenario) {
    constexpr std::string_view kTable = "cluster.caps.";
    std::vector<std::string> caps;
    for (const ResolvedValue& value : scenario.resolved()) {
        if (value.key.starts_with(kTable) &&
            (value.origin == Origin::file || value.origin == Origin::override_)) {
            caps.push_back(fmt::format("{} = {}", value.key.substr(kTable.size()), value.text));
        }
    }
    return caps;
}

RunReport report(const Scenario& scenario, const StepRun& step_run, const RunOptions& options) {
    RunReport report;
    report.title = scenario.title();
    report.gpu = scenario.cluster().node.gpu.id;
    report.gpus = scenario.cluster().gpus();
    report.caps = caps_in_force(scenario);
    report.fold = fold_report(step_run);
    report.step = step_report(scenario, step_run.graph, step_run.timeline, report.fold);
    report.memory =
        work::memory_per_rank(scenario.model(), scenario.plan(), work::make_schedule(scenario.plan()));
    report.memory_capacity = scenario.cluster().node.gpu.memory;
    report.peaks = memory_peaks(scenario, step_run, report.memory.size());
    report.critical_path =
        critical_path(step_run.graph, step_run.costs, step_run.timeline, step_run.costs.operator_seconds);
    report.schedule_note = step_run.schedule_note;
    report.tasks = static_cast<std::int64_t>(step_run.graph.tasks().size());
    report.engine = step_run.timeline.engine;
    if (!scenario.estimates().empty()) {
        report.estimates = scenario.estimates();
        report.warnings.push_back(
            fmt::format("note: estimates, without a good source: {}", fmt::join(report.estimates, "; ")));
    }
    if (const auto& fits = scenario.own_fits()) {
        report.warnings.push_back(
            fmt::format("note: kernel times rest on '{}': {} curves of own runs, the others "
                        "as shipped",
                        fits->folder.string(), fits->curves));
    }
    for (const Diagnostic& warning : scenario.warnings()) {
        report.warnings.push_back(to_text(warning, "warning"));
    }
    report.extrapolated =
        extrapolated_kernels(step_run.graph, step_run.costs, *cost_model(scenario, library_of(options)));
    for (const std::string& warning : extrapolation_warnings(step_run.graph, report.extrapolated)) {
        report.warnings.push_back(fmt::format("{}: warning: {}", scenario.file(), warning));
    }
    StepCache own;
    StepCache& cache = options.cache != nullptr ? *options.cache : own;
    cache.outcome(scenario, scenario.plan(), [&] { return outcome_of(step_run); });
    add_economy(scenario, cache, options, report);
    report.uncertainty =
        uncertainty(scenario, report, step_response(step_run, scenario.cluster().node.gpu.architecture));
    return report;
}

RunReport run_headline(const Scenario& scenario, const RunOptions& options) {
    StepCache own;
    StepCache& cache = options.cache != nullptr ? *options.cache : own;
    const StepOutcome& step = cache.outcome(
        scenario, scenario.plan(), [&] { return simulate_outcome(scenario, scenario.plan(), options); });
    RunReport report;
    report.title = scenario.title();
    report.gpu = scenario.cluster().node.gpu.id;
    report.gpus = scenario.cluster().gpus();
    report.step.seconds = step.seconds;
    report.step.phases = step.phases;
    report.step.tokens =
        static_cast<double>(scenario.plan().global_batch) * static_cast<double>(scenario.plan().sequence);
    add_economy(scenario, cache, options, report);
    return report;
}

RunReport run(const Scenario& scenario, const RunOptions& options) {
    return report(scenario, run_step(scenario, scenario.plan(), options), options);
}

} // namespace chokepoint::sim
