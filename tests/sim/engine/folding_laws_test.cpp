// SPDX-License-Identifier: Apache-2.0
// The law of folding, tried on random clusters: one GPU of each class tells the story of every GPU.
#include "random_cluster.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace chokepoint::test {
namespace {

constexpr double kRelative = 1e-6;

struct Outcome {
    sim::FoldedStep step;
    sim::Timeline timeline;
    std::vector<std::vector<work::TaskId>> tasks; ///< by rank of the graph, in the order of the original

    Outcome(const RandomCluster& cluster, sim::Fold fold) : step(folded(cluster, fold)) {
        timeline = sim::simulate(step.graph, step.costs, step.network);
        tasks.resize(static_cast<std::size_t>(step.graph.ranks()));
        for (work::TaskId id = 0; id < step.graph.tasks().size(); ++id) {
            if (const int rank = step.graph.tasks()[id].rank; rank >= 0) {
                tasks[static_cast<std::size_t>(rank)].push_back(id);
            }
        }
    }

    static sim::FoldedStep folded(const RandomCluster& cluster, sim::Fold fold) {
        work::TaskGraph graph = cluster.graph();
        sim::StepCosts costs = cluster.costs(graph);
        return sim::fold_step(std::move(graph), std::move(costs), cluster.layout(), cluster.conditions, fold);
    }

    [[nodiscard]] const std::vector<work::TaskId>& tasks_of(std::size_t gpu) const {
        return tasks[static_cast<std::size_t>(step.class_of[gpu])];
    }
    /// Bytes through one direction of the GPU's port.
    [[nodiscard]] double bytes(std::size_t gpu, hw::Port port, hw::Way way) const {
        double sum = 0.0;
        for (const work::TaskId id : tasks_of(gpu)) {
            const work::Task& task = step.graph.tasks()[id];
            if (task.kind == work::TaskKind::transfer) {
                for (const hw::PortFlow& flow :
                     step.costs.transfer[static_cast<std::size_t>(task.work)].flows) {
                    sum += flow.port == port && (flow.way == way || flow.way == hw::Way::both)
                               ? flow.bytes.value()
                               : 0.0;
                }
            }
        }
        return sum;
    }
};

bool near(hw::Seconds a, hw::Seconds b, hw::Seconds scale) {
    return std::abs((a - b).value()) <= kRelative * scale.value();
}

void expect_same(const RandomCluster& cluster, const Outcome& folded, const Outcome& full) {
    const hw::Seconds makespan = full.timeline.makespan;
    RC_ASSERT(near(folded.timeline.makespan, makespan, makespan));
    for (std::size_t gpu = 0; gpu < full.step.class_of.size(); ++gpu) {
        const auto& own = full.tasks_of(gpu);
        const auto& of_class = folded.tasks_of(gpu);
        RC_ASSERT(own.size() == of_class.size());
        for (std::size_t i = 0; i < own.size(); ++i) {
            if (!near(folded.timeline.finish[of_class[i]], full.timeline.finish[own[i]], makespan) ||
                !near(folded.timeline.start[of_class[i]], full.timeline.start[own[i]], makespan)) {
                RC_FAIL("GPU " + std::to_string(gpu) + ": " + full.step.graph.describe(own[i]) + " ends at " +
                        std::to_string(full.timeline.finish[own[i]].value()) + " s, folded at " +
                        std::to_string(folded.timeline.finish[of_class[i]].value()) + " s, schedule " +
                        cluster.plan.schedule);
            }
        }
    }
}

RC_GTEST_PROP(Folding, EveryGpusTimesAreThoseOfItsClass, ()) {
    const RandomCluster cluster = random_cluster();
    const Outcome folded(cluster, sim::Fold::automatic);
    const Outcome full(cluster, sim::Fold::none);
    RC_TAG(folded.step.classes.size() < full.step.classes.size() ? "folded" : "nothing alike");
    expect_same(cluster, folded, full);
}

RC_GTEST_PROP(Folding, ChangesNoBytesThroughAnyPort, ()) {
    const RandomCluster cluster = random_cluster();
    const Outcome folded(cluster, sim::Fold::automatic);
    const Outcome full(cluster, sim::Fold::none);
    for (std::size_t gpu = 0; gpu < full.step.class_of.size(); ++gpu) {
        for (const hw::Port port : {hw::Port::nvlink, hw::Port::nic}) {
            for (const hw::Way way : {hw::Way::out, hw::Way::in}) {
                const double expected = full.bytes(gpu, port, way);
                RC_ASSERT(std::abs(folded.bytes(gpu, port, way) - expected) <= kRelative * expected);
            }
        }
    }
}

RC_GTEST_PROP(Folding, TakesOneClassForEachRankWhereNothingSetsGpusApart, ()) {
    RandomCluster cluster = random_cluster();
    cluster.conditions = {};
    const Outcome folded(cluster, sim::Fold::automatic);
    RC_ASSERT(static_cast<int>(folded.step.classes.size()) == cluster.plan.pipeline);
    expect_same(cluster, folded, Outcome(cluster, sim::Fold::none));
}

RC_GTEST_PROP(Folding, RoutedBytesComeInAsOftenAsTheyGoOut, ()) {
    const RandomCluster cluster = random_cluster();
    const Outcome full(cluster, sim::Fold::none);
    double out = 0.0;
    double in = 0.0;
    for (std::size_t gpu = 0; gpu < full.step.class_of.size(); ++gpu) {
        for (const hw::Port port : {hw::Port::nvlink, hw::Port::nic}) {
            out += full.bytes(gpu, port, hw::Way::out);
            in += full.bytes(gpu, port, hw::Way::in);
        }
    }
    RC_ASSERT(std::abs(out - in) <= kRelative * out);
}

} // namespace
} // namespace chokepoint::test
