// SPDX-License-Identifier: Apache-2.0
// Laws of the whole chain, from DeepSeek-V3's scenario to its step time.
#include <chokepoint/sim/run.hpp>

#include <gtest/gtest.h>

#include <filesystem>

using namespace chokepoint;
using hw::Seconds;

namespace {

sim::Scenario scenario(const std::vector<std::string>& overrides = {}) {
    return sim::load_scenario(
        std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios/deepseek-v3-h800.toml", {overrides, {}});
}

/// Collectives that start at once: their kernels' start does not go with any rate.
hw::TransferRates rates_without_start() {
    hw::TransferRates rates = hw::load_transfer_rates();
    for (hw::CollectiveCurve& curve : rates.collectives) {
        for (hw::CollectiveRegime& regime : curve.regimes) {
            regime.start = Seconds();
        }
    }
    for (hw::NetworkProtocol& protocol : rates.between_nodes) {
        protocol.start = protocol.nvlink_step = protocol.network_step = Seconds();
    }
    return rates;
}

Seconds step(const sim::Scenario& s, const hw::Cluster& cluster, Seconds kernel_launch) {
    const work::ParallelPlan& plan = s.plan();
    const work::Schedule schedule = work::make_schedule(plan);
    const work::TaskGraph graph = work::build_step(s.model(), plan, schedule, cluster.node.gpus);
    hw::CalibrationOptions options;
    options.kernel_launch = kernel_launch;
    const auto model = hw::make_calibrated_model(cluster.node.gpu, options);
    return sim::simulate(graph,
                         sim::cost_step(graph, s.model(), plan, cluster, *model, rates_without_start()))
        .makespan;
}

hw::Cluster without_latency(hw::Cluster cluster) {
    cluster.node.nvlink_latency = Seconds();
    cluster.fabric.latency_same_leaf = Seconds();
    cluster.fabric.latency_cross_leaf = Seconds();
    return cluster;
}

hw::Cluster with_network(hw::Cluster cluster, hw::BytesPerSecond each) {
    cluster.node.gpu.nvlink = each;
    cluster.node.gpu.nvlink_achievable = each / 2.0;
    cluster.node.nic = each;
    return cluster;
}

} // namespace

TEST(WholeStep, TwiceEveryRateHalvesTheTime) {
    const sim::Scenario s = scenario();
    hw::Cluster once = without_latency(s.cluster());
    once.node.host_call = Seconds(0.0); // no rate of the GPU's
    // A part of twice the rates needs more power; where none is stated, none is missing.
    once.node.gpu.tdp = hw::Watts(0.0);
    hw::Cluster twice = once;
    for (auto& [dtype, peak] : twice.node.gpu.dense_peak) {
        peak *= 2.0;
    }
    twice.node.gpu.memory_bandwidth *= 2.0;
    twice.node.gpu.nvlink *= 2.0;
    twice.node.gpu.nvlink_achievable *= 2.0;
    twice.node.nic *= 2.0;
    EXPECT_NEAR(step(s, once, Seconds()) / step(s, twice, Seconds()), 2.0, 1e-9);
}

TEST(WholeStep, InfiniteNetworkMakesH800EqualToH100) {
    const hw::BytesPerSecond plenty(1e18);
    const sim::Scenario h800 = scenario();
    const sim::Scenario h100 = scenario({"cluster.gpu=h100-sxm"});
    const hw::Cluster a = with_network(without_latency(h800.cluster()), plenty);
    const hw::Cluster b = with_network(without_latency(h100.cluster()), plenty);
    EXPECT_DOUBLE_EQ(step(h800, a, Seconds(-1.0)).value(), step(h100, b, Seconds(-1.0)).value());
    EXPECT_LT(step(h800, a, Seconds(-1.0)), step(h800, h800.cluster(), Seconds(-1.0)));
}

TEST(WholeStep, IsNeverFasterThanWithoutContentionNorThanAnyRanksWork) {
    const sim::Scenario s = scenario();
    const sim::StepRun run = sim::run_step(s, s.plan());
    EXPECT_GE(run.timeline.makespan, sim::longest_path(run.graph, run.costs).makespan * (1.0 - 1e-9));
    std::vector<Seconds> compute(static_cast<std::size_t>(run.graph.ranks()));
    for (std::size_t i = 0; i < run.graph.tasks().size(); ++i) {
        const work::Task& task = run.graph.tasks()[i];
        if (task.kind == work::TaskKind::compute && task.stream == work::Stream::compute) {
            compute[static_cast<std::size_t>(task.rank)] +=
                run.costs.compute[static_cast<std::size_t>(task.work)];
        }
    }
    for (const Seconds busy : compute) {
        EXPECT_GE(run.timeline.makespan, busy);
    }
}

TEST(WholeStep, TighterCapsNeverMakeItFaster) {
    Seconds previous;
    for (const char* cap : {"900 GB/s", "400 GB/s", "200 GB/s", "100 GB/s"}) {
        const sim::Scenario s = scenario({"cluster.gpu=h100-sxm", std::string("cluster.caps.nvlink=") + cap});
        const Seconds now = sim::run_step(s, s.plan()).timeline.makespan;
        EXPECT_GE(now, previous * (1.0 - 1e-3)) << cap; // a later transfer can meet less contention
        previous = now;
    }
}

TEST(WholeStep, PhasesOfEveryRankAddUpToTheStepAndNoneIsNegative) {
    for (const char* plan :
         {"plan.pipeline_send=blocking", "plan.pipeline_send=overlapped", "plan.overlap=false"}) {
        const sim::Scenario s = scenario({plan});
        const sim::StepRun run = sim::run_step(s, s.plan());
        for (const sim::Phases& p : sim::phases_per_rank(run.graph, run.timeline)) {
            EXPECT_NEAR(p.total().value(), run.timeline.makespan.value(), 1e-9);
            for (const Seconds phase :
                 {p.f, p.b, p.w, p.fb, p.bubble, p.optimizer, p.exposed_communication}) {
                EXPECT_GE(phase.value(), -1e-9) << plan;
            }
        }
    }
}

TEST(Campaign, RampCostsTheIntegralOfStepTimeOverTokens) {
    const sim::Scenario s = scenario();
    const double sequence = static_cast<double>(s.plan().sequence);
    const double gpus = s.cluster().gpus();
    // A step whose time is proportional to its batch costs the same per token at every batch: the ramp is
    // free.
    const sim::CampaignReport free_ramp =
        sim::campaign_report(s, {{3072, Seconds(4.0), {}}, {15360, Seconds(20.0), {}}});
    EXPECT_NEAR(free_ramp.gpu_hours, 20.0 / (15360 * sequence) * 14.8e12 * gpus / 3600.0, 1.0);
    // A step of constant time: hours are T x integral of dtokens / b = T x tokens / sequence x ln(b1/b0) /
    // (b1 - b0).
    const sim::CampaignReport constant =
        sim::campaign_report(s, {{3072, Seconds(20.0), {}}, {15360, Seconds(20.0), {}}});
    const double ramp_seconds = 20.0 * 469e9 / sequence * std::log(5.0) / (15360 - 3072);
    EXPECT_NEAR(constant.ramp_gpu_hours, ramp_seconds * gpus / 3600.0, 1.0);
    EXPECT_NEAR(constant.gpu_hours - free_ramp.gpu_hours, constant.ramp_gpu_hours - free_ramp.ramp_gpu_hours,
                1.0);
}

TEST(Campaign, PointsBetweenDoNotChangeALine) {
    const sim::Scenario s = scenario();
    const auto line = [](int batch) { return sim::RampPoint{batch, Seconds(1.0 + 1e-3 * batch), {}}; };
    EXPECT_NEAR(sim::campaign_report(s, {line(3072), line(4096), line(9000), line(15360)}).gpu_hours,
                sim::campaign_report(s, {line(3072), line(15360)}).gpu_hours, 1.0);
}

TEST(Campaign, StepTimeIsLinearInMicroBatchesAboveTheThreshold) {
    const sim::Scenario s = scenario();
    const auto at = [&](int micro_batches) {
        work::ParallelPlan plan = s.plan();
        plan.global_batch = micro_batches * plan.data * plan.micro_batch;
        return sim::run_step(s, plan).timeline.makespan;
    };
    const Seconds between = at(76);
    EXPECT_NEAR(between / ((at(32) + at(120)) / 2.0), 1.0, 0.005);
}

TEST(Uncertainty, DriversCombineAsIndependentErrors) {
    const sim::RunReport report = sim::run(scenario({"campaign.tokens=1e12"}));
    double variance = 0.0;
    for (const sim::Driver& driver : report.uncertainty.drivers) {
        variance += driver.effect.step.value() * driver.effect.step.value();
    }
    EXPECT_NEAR(std::sqrt(variance) / report.step.seconds.value(), report.uncertainty.relative_sigma, 1e-12);
    EXPECT_TRUE(std::ranges::is_sorted(report.uncertainty.drivers, std::greater{},
                                       [](const sim::Driver& driver) { return driver.effect.step; }));
}

TEST(Uncertainty, ARooflineHasNoCalibrationError) {
    const sim::Scenario s = scenario({"simulation.compute=roofline", "plan.routing_imbalance=0"});
    for (const sim::Driver& driver : sim::run(s).uncertainty.drivers) {
        EXPECT_EQ(driver.input, "transfer rates");
    }
}

TEST(MemoryOverTime, PeaksAtWhatTheScheduleHoldsAndEndsAtNothing) {
    const std::vector<std::string> paired{"plan.virtual_stages=2", "plan.overlap_expert=true"};
    for (const auto& [schedule, more] : {std::pair<std::string, std::vector<std::string>>{"1f1b", {}},
                                         {"zb-h1", {}},
                                         {"zb-v", {}},
                                         {"dualpipe", {}},
                                         {"dualpipev", {}},
                                         {"interleaved-1f1b", paired}}) {
        std::vector<std::string> overrides{"plan.schedule=" + schedule, "plan.split=[]"};
        overrides.insert(overrides.end(), more.begin(), more.end());
        const sim::Scenario s = sim::load_scenario(
            std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios/small-16-gpus.toml", {overrides, {}});
        const sim::StepRun step = sim::run_step(s, s.plan());
        const sim::RunReport report = sim::report(s, step);
        const auto held = sim::activations_over_time(s, step);
        ASSERT_EQ(report.peaks.size(), report.memory.size());
        for (std::size_t rank = 0; rank < report.peaks.size(); ++rank) {
            const double peak = report.memory[rank].activations.value();
            EXPECT_NEAR(report.peaks[rank].activations.value(), peak, 1e-9 * peak) << schedule;
            EXPECT_LT(report.peaks[rank].from.value(), report.peaks[rank].until.value());
            EXPECT_LE(report.peaks[rank].until.value(), step.timeline.makespan.value());
            EXPECT_NEAR(held[rank].back().bytes.value(), 0.0, 1e-9 * peak);
        }
    }
}
