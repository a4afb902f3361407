// SPDX-License-Identifier: Apache-2.0
// No simulation undercuts a bound, and a pruned search finds what an exhaustive one finds.
#include "small_sweep.hpp"

#include <chokepoint/sim/optimize.hpp>
#include <chokepoint/sim/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace chokepoint;
using testing::HasSubstr;

namespace {

struct Simulated {
    std::int64_t position = 0;
    hw::Seconds step;
    sim::StepBound bound;
};

std::vector<Simulated> simulate_all(const sim::ScenarioTemplate& source, const sim::Grid& grid) {
    sim::StepBounder bounder;
    std::vector<Simulated> all;
    for (std::int64_t i = 0; i < grid.points(); ++i) {
        try {
            const sim::Scenario scenario = source.with(grid.overrides(i));
            all.push_back(
                {i, sim::run_step(scenario, scenario.plan()).timeline.makespan, bounder.bound(scenario)});
        } catch (const sim::ScenarioError&) {
            continue; // infeasible
        }
    }
    return all;
}

sim::Grid varied(const sim::ScenarioTemplate& source, const std::vector<std::string>& keys) {
    const sim::Scenario given = source.with({});
    std::vector<sim::Axis> axes;
    for (const std::string& key : keys) {
        axes.push_back(sim::vary_axis(source, given, key));
    }
    return {axes, sim::kMostPoints};
}

sim::OptimizeOutcome optimized(const sim::ScenarioTemplate& source, const sim::Grid& grid,
                               const sim::OptimizeOptions& options = {}) {
    const auto workers = sim::process_workers(2, sim::optimize_work(source));
    return sim::optimize(grid, *workers, options);
}

} // namespace

TEST(StepBound, NoSimulationUndercutsIt) {
    for (const char* cap : {"400 GB/s", "40 GB/s"}) {
        const auto source = test::small_template(std::string("\n[cluster.caps]\nnvlink = \"") + cap + "\"\n");
        const sim::Grid grid =
            varied(source, {"plan.pipeline", "plan.expert=4,8,16", "plan.schedule", "plan.tensor=1,2",
                            "plan.micro_batch=1,2", "plan.recompute=[],[\"layer\"]"});
        const std::vector<Simulated> all = simulate_all(source, grid);
        ASSERT_GT(all.size(), 100U);
        for (const Simulated& plan : all) {
            EXPECT_LE(plan.bound.seconds().value(), plan.step.value())
                << testing::PrintToString(grid.overrides(plan.position));
        }
        const bool starved = std::string(cap) == "40 GB/s";
        const auto by_ports = std::ranges::count_if(
            all, [](const Simulated& plan) { return plan.bound.bandwidth > plan.bound.work; });
        EXPECT_EQ(by_ports > 0, starved) << "ports bound a step where they are slow";
    }
}

TEST(StepBound, IsNearTheStepOfDeepSeekV3) {
    const auto source = sim::ScenarioTemplate::load(CHOKEPOINT_SOURCE_DIR "/scenarios/deepseek-v3-h800.toml");
    const sim::Scenario scenario = source.with({});
    const hw::Seconds bound = sim::StepBounder().bound(scenario).seconds();
    const hw::Seconds step = sim::run_step(scenario, scenario.plan()).timeline.makespan;
    EXPECT_LE(bound, step);
    EXPECT_GE(bound, step * 0.7) << "a bound this far off prunes little";
}

TEST(StepBound, AnIdealPipelineTakesWhatItsBubbleSays) {
    work::ParallelPlan plan;
    plan.pipeline = 4;
    plan.schedule = "1f1b";
    plan.global_batch = 12;
    const std::vector<sim::StageSeconds> stages(4,
                                                {hw::Seconds(1.0), hw::Seconds(1.0), hw::Seconds(1.0), {}});
    // The fill, the last rank's work, and the last gradient's way up, which leaves that rank before its
    // weight gradient: (p - 1) F + m (F + I + W) - W + (p - 1) I. Narayanan et al., arXiv 2104.04473, 2.2,
    // have it with I + W for I.
    EXPECT_NEAR(sim::scheduled_seconds(work::make_schedule(plan), stages).value(),
                3 * 1.0 + 12 * 3.0 - 1.0 + 3 * 1.0, 1e-9);
}

TEST(Optimize, FindsWhatExhaustiveSearchFinds) {
    const auto source = test::small_template();
    const sim::Grid grid =
        varied(source, {"plan.pipeline", "plan.expert=4,8,16", "plan.schedule", "plan.micro_batch=1,2"});
    const sim::OptimizeOutcome pruned = optimized(source, grid);
    const sim::OptimizeOutcome front = optimized(source, grid, {.whole_front = true});
    const std::vector<Simulated> all = simulate_all(source, grid);
    const auto best = std::ranges::min_element(all, {}, &Simulated::step);
    ASSERT_TRUE(pruned.best);
    EXPECT_EQ(*pruned.best->step, best->step);
    EXPECT_LT(pruned.simulated, static_cast<std::int64_t>(all.size())) << "nothing was pruned";
    EXPECT_EQ(pruned.infeasible + static_cast<std::int64_t>(pruned.candidates.size()), grid.points());
    ASSERT_TRUE(pruned.rest_bound);
    EXPECT_GE(*pruned.rest_bound, pruned.best->value) << "the certificate";

    for (const sim::Candidate& candidate : front.front) {
        for (const Simulated& other : all) {
            EXPECT_FALSE(other.step < *candidate.step && other.bound.memory < candidate.bound.memory)
                << "the front leaves out " << testing::PrintToString(grid.overrides(other.position));
        }
    }
}

TEST(Optimize, KeepsToTheMemoryItIsAllowed) {
    const auto source = test::small_template();
    const sim::Grid grid =
        varied(source, {"plan.pipeline", "plan.expert=4,8,16", "plan.schedule=1f1b,gpipe"});
    const sim::OptimizeOutcome free = optimized(source, grid);
    const hw::Bytes allowed = free.best->bound.memory * 0.9;
    const sim::OptimizeOutcome bounded = optimized(source, grid, {.max_memory = allowed});
    EXPECT_GT(bounded.too_large, 0);
    ASSERT_TRUE(bounded.best);
    EXPECT_LE(bounded.best->bound.memory, allowed);
}

TEST(VaryAxes, EverySchedulesStagesComeWithIt) {
    const auto source = test::small_template();
    const sim::Scenario given = source.with({});
    const auto alone = sim::vary_axes(source, given, {"plan.schedule"});
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_EQ(alone.front().keys, (std::vector<std::string>{"plan.schedule", "plan.virtual_stages"}));
    for (const auto& position : alone.front().positions) {
        const bool asks = position.at(0).text.starts_with("interleaved");
        EXPECT_EQ(position.at(1).text, asks ? "2" : "1") << position.at(0).text;
    }
    EXPECT_EQ(sim::vary_axes(source, given, {"plan.schedule", "plan.virtual_stages"}).front().keys.size(),
              1U);
}

TEST(VaryAxis, RefusesAKeyThatHasNoValuesOfItsOwn) {
    const auto source = test::small_template();
    const sim::Scenario given = source.with({});
    EXPECT_THROW((void)sim::vary_axis(source, given, "plan.pipelin"), sim::ScenarioError);
    EXPECT_THAT([&] { (void)sim::vary_axis(source, given, "plan.communication_sms"); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr("say which values to try")));
    EXPECT_THAT([&] { (void)sim::vary_axis(source, given, "plan.dispatcher"); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr("say which values to try")));
    EXPECT_EQ(sim::vary_axis(source, given, "plan.expert").positions.size(), 5U) << "divisors of 16 experts";
}
