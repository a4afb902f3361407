// SPDX-License-Identifier: Apache-2.0
// Axes as users write them, and the points that they span.
#include "small_sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chokepoint;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::vector<std::string> texts(const sim::Axis& axis) {
    std::vector<std::string> out;
    for (const auto& position : axis.positions) {
        out.push_back(position.front().text);
    }
    return out;
}

std::string fault_of(const std::string& axis) {
    try {
        (void)test::small_template().axis(axis);
    } catch (const sim::ScenarioError& error) {
        return error.what();
    }
    return {};
}

std::string sweep_fault(const std::string& section) {
    try {
        (void)test::small_template(section).axes();
    } catch (const sim::ScenarioError& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST(Axis, ListsRangesAndLogarithmicRangesKeepTheUnit) {
    const auto source = test::small_template();
    EXPECT_THAT(texts(source.axis("plan.schedule=1f1b, zb-h1")), ElementsAre("1f1b", "zb-h1"));
    EXPECT_THAT(texts(source.axis("cluster.caps.nvlink=50GB/s:250 GB/s:3")),
                ElementsAre("50 GB/s", "150 GB/s", "250 GB/s"));
    EXPECT_THAT(texts(source.axis("cluster.caps.nvlink=log:100 GB/s:400 GB/s:3")),
                ElementsAre("100 GB/s", "200 GB/s", "400 GB/s"));
    EXPECT_THAT(texts(source.axis("plan.pipeline=log:1:16:5")), ElementsAre("1", "2", "4", "8", "16"));
    EXPECT_THAT(texts(source.axis("plan.recompute=[\"norm\", \"activation\"],[\"layer\"],[]")).size(), 3);
    const sim::Axis mixed = source.axis("cluster.caps.nvlink=500 MB/s:1 GB/s:2");
    EXPECT_THAT(texts(mixed), ElementsAre("500 MB/s", "1000 MB/s")) << "the start's unit";
    EXPECT_EQ(mixed.positions[1][0].number, 1e9);
}

TEST(Axis, EveryValueIsOneThatSetTakes) {
    const auto source = test::small_template();
    for (const char* text : {"cluster.caps.nic=log:50 Gb/s:400 Gb/s:7", "plan.recompute=[],[\"norm\"]",
                             "cluster.gpu=h100-sxm,h800-sxm", "plan.global_batch=16:64:4"}) {
        const sim::Grid grid({source.axis(text)}, 100);
        for (std::int64_t i = 0; i < grid.points(); ++i) {
            EXPECT_NO_THROW((void)source.with(grid.overrides(i))) << grid.overrides(i).front();
        }
    }
}

TEST(Axis, KeysThatChangeTogetherAreOneAxis) {
    const auto source = test::small_template();
    const sim::Axis axis = source.axis("plan.pipeline=1,2; plan.schedule=1f1b,zb-h1; labels=plain,clever");
    ASSERT_EQ(axis.positions.size(), 2U);
    EXPECT_EQ(axis.label(1), "clever");
    EXPECT_THAT(sim::Grid({axis}, 10).overrides(1), ElementsAre("plan.pipeline=2", "plan.schedule=zb-h1"));
}

TEST(Axis, OfAScenarioAreWhatTheCommandLineWouldSay) {
    const auto source = test::small_template(R"(
[sweep]
"plan.pipeline" = [1, 2]
cluster.caps.nvlink = "100 GB/s:300 GB/s:3"
[[sweep.zip]]
plan.schedule = ["1f1b", "zb-h1"]
"plan.zero" = [0, 1]
labels = ["plain", "clever"]
)");
    std::vector<std::string> names;
    for (const sim::Axis& axis : source.axes()) {
        names.push_back(axis.name());
    }
    EXPECT_THAT(names, testing::UnorderedElementsAre("plan.pipeline", "cluster.caps.nvlink",
                                                     "plan.schedule; plan.zero"));
    EXPECT_EQ(sim::Grid(source.axes(), 100).points(), 12);
    EXPECT_NO_THROW((void)source.with({})) << "a scenario with axes runs without them";
}

TEST(Axis, FaultsNameTheKeyTheValueAndWhatWasExpected) {
    EXPECT_THAT(fault_of("cluster.cap.nvlink=1 GB/s"), HasSubstr("did you mean 'cluster.caps.nvlink'?"));
    EXPECT_THAT(fault_of("tensor=1,2"), HasSubstr("did you mean 'plan.tensor'?"));
    EXPECT_THAT(fault_of("plan.pipeline="), HasSubstr("the axis is empty"));
    EXPECT_THAT(fault_of("plan.pipeline=1:9:3:4"), HasSubstr("is no range"));
    EXPECT_THAT(fault_of("plan.pipeline=1:9:0"), HasSubstr("has the count \"0\""));
    EXPECT_THAT(fault_of("plan.pipeline=1:4:3"), HasSubstr("found 2.5; expected a whole number"));
    EXPECT_THAT(fault_of("cluster.caps.nvlink=1:9:3"), HasSubstr("a start that is not a bandwidth"));
    EXPECT_THAT(fault_of("cluster.caps.nvlink=log:0 GB/s:9 GB/s:3"), HasSubstr("no logarithm"));
    EXPECT_THAT(fault_of("cluster.gpu=h900"), HasSubstr("no part is called \"h900\""));
    EXPECT_THAT(fault_of("plan.zero=0,1; plan.pipeline=2"),
                HasSubstr("plan.zero has 2, plan.pipeline has 1"));
    EXPECT_THAT(sweep_fault("[sweep]\nplan.zero = 1\n"),
                HasSubstr("small.toml:15:13: error: plan.zero: found 1; "
                          "expected a list of values"));
    EXPECT_THAT(sweep_fault("[sweep]\nplan.zero = []\n"), HasSubstr("plan.zero: the axis is empty"));
    EXPECT_THAT(sweep_fault("[sweep]\nplan.zeroo = [1]\n"), HasSubstr("did you mean 'plan.zero'?"));
    EXPECT_THAT(sweep_fault("[sweep]\nplan.zero = [1]\n[[sweep.zip]]\nplan.zero = [1]\n"),
                HasSubstr("plan.zero: is on two axes"));
}

TEST(Grid, CountsEveryCombinationOnceAndTheLastAxisMovesFastest) {
    const auto source = test::small_template();
    const sim::Grid grid = test::grid_over(source, {"plan.pipeline=1,2", "plan.zero=0,1,2"});
    EXPECT_EQ(grid.points(), 6);
    EXPECT_THAT(grid.overrides(0), ElementsAre("plan.pipeline=1", "plan.zero=0"));
    EXPECT_THAT(grid.overrides(1), ElementsAre("plan.pipeline=1", "plan.zero=1"));
    EXPECT_THAT(grid.overrides(5), ElementsAre("plan.pipeline=2", "plan.zero=2"));
}

TEST(Grid, RefusesToExplodeAndSaysHowFar) {
    const auto source = test::small_template();
    const std::vector<sim::Axis> axes{source.axis("plan.pipeline=1:1000:1000"),
                                      source.axis("plan.expert=1:1000:1000")};
    try {
        const sim::Grid grid(axes, sim::kMostPoints);
        FAIL() << "a million points were accepted";
    } catch (const std::length_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("1000 x 1000 = 1,000,000 points, more than the 100,000"));
    }
    EXPECT_EQ(sim::Grid(axes, 1'000'000).points(), 1'000'000);
}
