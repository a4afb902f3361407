// SPDX-License-Identifier: Apache-2.0
// What goes to the host comes back in time, frees what it says, and runs on streams of its own.
#include "step_fixture.hpp"

#include <chokepoint/workloads/memory.hpp>

#include <gmock/gmock.h>

namespace chokepoint::work {
namespace {

constexpr int kLayers = 6;
constexpr int kMicroBatches = 3;

ParallelPlan plan_with(int offload_layers) {
    ParallelPlan plan = test::small_plan(1, kMicroBatches);
    plan.expert = 1;
    plan.offload_layers = offload_layers;
    return plan;
}

TaskGraph step(const ParallelPlan& plan) {
    return build_step(test::small_dense(kLayers), plan,
                      test::make_schedule("1f1b", plan.pipeline, plan.micro_batches()), 8);
}

double bytes_of(const TaskGraph& graph, std::string_view name) {
    double sum = 0.0;
    for (const TaskId id : test::tasks_named(graph, name)) {
        sum += graph.transfers()[static_cast<std::size_t>(graph.tasks()[id].work)].bytes.value();
    }
    return sum;
}

class Offload : public testing::TestWithParam<int> {};

TEST_P(Offload, CopiesEachLayerOutAndBackOncePerMicroBatch) {
    const TaskGraph graph = step(plan_with(GetParam()));
    const auto copies = static_cast<std::size_t>(std::min(GetParam(), kLayers - 1)); // not the last layer
    EXPECT_EQ(test::tasks_named(graph, "offload").size(), copies * kMicroBatches);
    EXPECT_EQ(test::tasks_named(graph, "reload").size(), copies * kMicroBatches);
    const double layer =
        activation_bytes(test::small_dense(kLayers), plan_with(0), {BlockKind::dense_layer, 0}).value();
    EXPECT_DOUBLE_EQ(bytes_of(graph, "offload"), static_cast<double>(copies) * kMicroBatches * layer);
}

TEST_P(Offload, LeavesAfterItsForwardAndIsBackBeforeItsBackward) {
    const TaskGraph graph = step(plan_with(GetParam()));
    const auto follows = [&](TaskId from, std::string_view name, auto layer, auto micro_batch) {
        const std::vector<bool> after = test::reached_from(graph, from);
        for (const TaskId id : test::tasks_named(graph, name)) {
            const Task& task = graph.tasks()[id];
            if (task.layer == layer && task.micro_batch == micro_batch && !after[id]) {
                return false;
            }
        }
        return true;
    };
    for (const TaskId forward : test::tasks_named(graph, "mlp(F)")) {
        const Task& task = graph.tasks()[forward];
        EXPECT_TRUE(follows(forward, "offload", task.layer, task.micro_batch));
    }
    for (const TaskId offload : test::tasks_named(graph, "offload")) {
        const Task& task = graph.tasks()[offload];
        EXPECT_TRUE(follows(offload, "reload", task.layer, task.micro_batch));
    }
    for (const TaskId reload : test::tasks_named(graph, "reload")) {
        const Task& task = graph.tasks()[reload];
        EXPECT_TRUE(follows(reload, "mlp(B)", task.layer, task.micro_batch)) << task.layer;
    }
}

TEST_P(Offload, FreesWhatItTookButForTwoCopies) {
    const auto activations = [](const ParallelPlan& plan) {
        const MemoryUse use = memory_per_rank(test::small_dense(kLayers), plan,
                                              test::make_schedule("1f1b", 1, kMicroBatches))[0];
        return use.activations + use.buffers;
    };
    const double layer =
        activation_bytes(test::small_dense(kLayers), plan_with(0), {BlockKind::dense_layer, 0}).value();
    EXPECT_DOUBLE_EQ((activations(plan_with(0)) - activations(plan_with(GetParam()))).value(),
                     (std::min(GetParam(), kLayers - 1) - 2) * layer);
}

INSTANTIATE_TEST_SUITE_P(Layers, Offload, testing::Values(1, 2, 3, 4, 5, 6, 100));

TEST(Offload, RunsBesideTheLayersOfItsWindow) {
    // Two copies among six layers: each has three layers' compute to hide behind.
    const TaskGraph graph = step(plan_with(2));
    const auto offloads = test::tasks_named(graph, "offload");
    const auto forwards = test::tasks_named(graph, "attn(F)");
    EXPECT_FALSE(test::reached_from(graph, offloads[0])[forwards[2]]);
    EXPECT_TRUE(test::reached_from(graph, offloads[0])[forwards[3]]);
    EXPECT_TRUE(test::reached_from(graph, forwards[2])[offloads[1]]);
}

TEST(OffloadedOptimizer, LeavesTheGpuItsShareAndTheHostTheRest) {
    const auto read_by_gpu = [](const TaskGraph& graph) {
        const Task& task = graph.tasks()[test::tasks_named(graph, "optimizer").front()];
        return graph.computes()[static_cast<std::size_t>(task.work)].operators[0].read.value();
    };
    ParallelPlan plan = plan_with(0);
    const double all = read_by_gpu(step(plan));
    plan.offload_optimizer = 0.25;
    const TaskGraph shared = step(plan);
    EXPECT_DOUBLE_EQ(read_by_gpu(shared), 0.75 * all);
    const double quarter = bytes_of(shared, "gradients to the host");
    plan.offload_optimizer = 1.0;
    const TaskGraph offloaded = step(plan);
    EXPECT_TRUE(test::tasks_named(offloaded, "optimizer").empty());
    EXPECT_DOUBLE_EQ(bytes_of(offloaded, "gradients to the host"), 4.0 * quarter);
    const auto update = test::tasks_named(offloaded, "optimizer on the host").front();
    const std::vector<bool> after = test::reached_from(offloaded, update);
    EXPECT_TRUE(after[test::tasks_named(offloaded, "parameters from the host").front()]);
    EXPECT_TRUE(after[test::tasks_named(offloaded, "parameter gathering").back()]);
}

TEST(OffloadedOptimizer, TakesItsStatesOffTheGpu) {
    const auto states = [](const ParallelPlan& plan) {
        return memory_per_rank(test::small_dense(kLayers), plan,
                               test::make_schedule("1f1b", 1, kMicroBatches))[0]
            .optimizer.value();
    };
    ParallelPlan plan = plan_with(0);
    const double all = states(plan);
    plan.offload_optimizer = 0.5;
    EXPECT_DOUBLE_EQ(states(plan), all / 2.0);
}

} // namespace
} // namespace chokepoint::work
