// SPDX-License-Identifier: Apache-2.0
// One overlapped forward and backward of four MoE layers against the published H800 profile: first with the
// profile's own kernel times (is the stream scheduling right?), then with modelled times (is the cost
// model?).
#include "cli/run_cli.hpp"
#include "validation/scoreboard.hpp"

#include <chokepoint/sim/engine.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/sim/step_costs.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <numeric>

using namespace chokepoint;
using chokepoint::test::read_file;
using chokepoint::test::Scoreboard;

namespace {

constexpr int kLayers = 4;
constexpr double kMs = 1e-3;

nlohmann::json profile() {
    return nlohmann::json::parse(
        read_file(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "tests/validation/data/dsv3_trace.json"));
}

double mean_us(const nlohmann::json& list) {
    double sum = 0.0;
    for (const auto& value : list) {
        sum += value.get<double>();
    }
    return sum / static_cast<double>(list.size());
}

sim::Scenario scenario() {
    return sim::load_scenario(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) /
                              "scenarios/deepseek-v3-h800.toml");
}

work::TaskGraph pair_of(const sim::Scenario& s, double imbalance) {
    work::ParallelPlan plan = s.plan();
    plan.routing_imbalance = imbalance;
    return work::build_pair(s.model(), plan, kLayers, s.cluster().node.gpus);
}

struct Busy {
    double compute = 0.0, communication = 0.0;
};

Busy busy(const work::TaskGraph& graph, const sim::Timeline& timeline) {
    Busy result;
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const double duration = (timeline.finish[i] - timeline.start[i]).value();
        const work::Task& task = graph.tasks()[i];
        if (task.kind == work::TaskKind::compute && task.stream == work::Stream::compute) {
            result.compute += duration;
        } else if (task.kind != work::TaskKind::marker) {
            result.communication += duration; // the gradient payload's cast runs there too
        }
    }
    return result;
}

} // namespace

TEST(PublishedPair, SchedulingWithTheProfilesOwnKernelTimes) {
    const auto truth = profile();
    const sim::Scenario s = scenario();
    const work::TaskGraph graph = pair_of(s, 0.0);
    sim::StepCosts costs;
    costs.nvlink = s.cluster().node.gpu.nvlink / 2.0;
    costs.nic = s.cluster().node.nic;
    for (const work::ComputeWork& work : graph.computes()) {
        const auto& segment = truth.at("segments").at(work.name);
        // The second weight-gradient stream runs inside mlp(W)'s span; every other segment has one stream.
        costs.compute.emplace_back(1e-6 * mean_us(segment.at(work.name == "mlp(W)" ? "span_us" : "busy_us")));
    }
    for (const work::TransferWork& work : graph.transfers()) {
        hw::TransferShape shape;
        double busy_us = mean_us(truth.at("segments").at(work.name).at("busy_us"));
        if (work.name == "combine(B)") {
            busy_us -= mean_us(truth.at("segments").at("payload(B)").at("busy_us")); // a task of its own here
        }
        shape.latency = hw::Seconds(1e-6 * busy_us);
        costs.transfer.push_back(shape);
        costs.straggler_wait.emplace_back(0.0);
    }
    const sim::Timeline timeline = sim::simulate(graph, costs);
    const Busy b = busy(graph, timeline);
    Scoreboard board("Pair of 4 MoE layers, the profile's own kernel times");
    board.add({"pair", "ms", timeline.makespan.value() / kMs, truth.at("pair_ms").get<double>(), 0.05, {}});
    board.add({"compute busy, both wgrad streams",
               "ms",
               b.compute / kMs,
               truth.at("compute_busy_with_second_wgrad_stream_ms").get<double>(),
               0.02,
               {}});
    board.add({"communication busy",
               "ms",
               b.communication / kMs,
               truth.at("communication_busy_ms").get<double>(),
               0.02,
               {}});
    board.print_and_judge();
}

TEST(PublishedPair, CostModelWithTheOtherPublishedFigures) {
    const auto truth = profile();
    const sim::Scenario s = scenario();
    hw::CalibrationOptions options;
    options.in_training = false; // GEMM and attention as benchmarked elsewhere, nothing from the profile
    const auto model = hw::make_calibrated_model(s.cluster().node.gpu, options);
    const work::TaskGraph graph = pair_of(s, s.plan().routing_imbalance);
    const sim::StepCosts costs = sim::cost_step(graph, s.model(), s.plan(), s.cluster(), *model);
    const sim::Timeline timeline = sim::simulate(graph, costs);
    const Busy b = busy(graph, timeline);
    double waiting = 0.0;
    for (const work::Task& task : graph.tasks()) {
        if (task.kind == work::TaskKind::transfer) {
            waiting += costs.straggler_wait[static_cast<std::size_t>(task.work)].value();
        }
    }
    Scoreboard board("Pair of 4 MoE layers, modelled from published kernels and transfers");
    board.add({"pair", "ms", timeline.makespan.value() / kMs, truth.at("pair_ms").get<double>(), 0.08, {}});
    board.report_only({"compute busy",
                       "ms",
                       b.compute / kMs,
                       truth.at("compute_busy_with_second_wgrad_stream_ms").get<double>(),
                       0.0,
                       {}});
    board.report_only({"communication busy",
                       "ms",
                       b.communication / kMs,
                       truth.at("communication_busy_ms").get<double>(),
                       0.0,
                       {}});
    board.report_only({"of which transfers",
                       "ms",
                       (b.communication - waiting) / kMs,
                       truth.at("transfer_ms").get<double>(),
                       0.0,
                       {}});
    board.report_only(
        {"of which waiting",
         "ms",
         waiting / kMs,
         truth.at("communication_busy_ms").get<double>() - truth.at("transfer_ms").get<double>(),
         0.0,
         {}});
    for (std::size_t w = 0; w < graph.computes().size(); ++w) {
        const std::string& name = graph.computes()[w].name;
        board.report_only(
            {name + " per layer",
             "ms",
             costs.compute[w].value() / kMs,
             mean_us(truth.at("segments").at(name).at(name == "mlp(W)" ? "span_us" : "busy_us")) * 1e-3,
             0.0,
             {}});
    }
    board.print_and_judge();
}
