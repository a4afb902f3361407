// SPDX-License-Identifier: Apache-2.0
// Scenarios between two others begin at one, end at the other, and carry each group alone.
#include "clusters.hpp"

#include <chokepoint/sim/resource_group.hpp>
#include <chokepoint/sim/run.hpp>

#include <gmock/gmock.h>

using namespace chokepoint;
using sim::ResourceGroup;
using testing::ElementsAre;

namespace {

sim::GroupSet of(std::initializer_list<ResourceGroup> groups) {
    sim::GroupSet set;
    for (const ResourceGroup group : groups) {
        set.set(static_cast<std::size_t>(group));
    }
    return set;
}

const std::vector<std::string> kA100{"cluster.gpu=a100-sxm"};

} // namespace

TEST(Hybrid, OfNothingIsTheOneAndOfEverythingTheOther) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small({"cluster.gpu=h20-sxm", "cluster.nodes=4",
                                         "plan.recompute=[\"norm\"]", "campaign.price=3 USD/GPU-h"});
    const double left = sim::run_headline(a).cost->campaign->value();
    const double right = sim::run_headline(b).cost->campaign->value();
    EXPECT_DOUBLE_EQ(sim::run_headline(hybrid(a, b, {})).cost->campaign->value(), left);
    EXPECT_DOUBLE_EQ(sim::run_headline(hybrid(a, b, sim::GroupSet().set())).cost->campaign->value(), right);
    EXPECT_NE(left, right);
}

TEST(Hybrid, IsTheSameFromBothEnds) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small({"cluster.gpu=h20-sxm", "cluster.nic=200 Gb/s", "cluster.nodes=4"});
    const sim::GroupSet some = of({ResourceGroup::compute, ResourceGroup::size});
    const double there = sim::run_headline(hybrid(a, b, some)).step.seconds.value();
    EXPECT_DOUBLE_EQ(there, sim::run_headline(hybrid(b, a, ~some)).step.seconds.value());
}

TEST(Hybrid, TakesOnlyWhatItIsAskedFor) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small({"cluster.gpu=a100-sxm"});
    const hw::Node linked = hybrid(a, b, of({ResourceGroup::nvlink})).cluster().node;
    EXPECT_EQ(linked.gpu.nvlink, b.cluster().node.gpu.nvlink);
    EXPECT_EQ(linked.gpu.memory_bandwidth, a.cluster().node.gpu.memory_bandwidth);
    EXPECT_EQ(linked.gpu.dense_peak, a.cluster().node.gpu.dense_peak);
    const hw::Node stacked = hybrid(a, b, of({ResourceGroup::memory})).cluster().node;
    EXPECT_EQ(stacked.gpu.memory_bandwidth, b.cluster().node.gpu.memory_bandwidth);
    EXPECT_EQ(stacked.gpu.nvlink, a.cluster().node.gpu.nvlink);
}

TEST(Hybrid, DifferingGroupsAreThoseThatKeysBelongTo) {
    const sim::Scenario a = test::small();
    const auto groups = [&](std::vector<std::string> keys) {
        return differing(a, test::small(std::move(keys)));
    };
    EXPECT_THAT(groups({}), ElementsAre());
    EXPECT_THAT(groups({"title=another"}), ElementsAre());
    EXPECT_THAT(groups({"cluster.caps.nvlink=200 GB/s"}), ElementsAre(ResourceGroup::nvlink));
    EXPECT_THAT(groups({"cluster.caps.memory_bandwidth=2 TB/s"}), ElementsAre(ResourceGroup::memory));
    EXPECT_THAT(groups({"cluster.caps.tpp=4800"}), ElementsAre(ResourceGroup::compute));
    EXPECT_THAT(groups({"cluster.caps.nic=100 Gb/s"}), ElementsAre(ResourceGroup::nic));
    EXPECT_THAT(groups({"cluster.nodes=4"}), ElementsAre(ResourceGroup::size));
    EXPECT_THAT(groups({"plan.zero=0"}), ElementsAre(ResourceGroup::plan));
    EXPECT_THAT(groups({"campaign.tokens=2e11"}), ElementsAre(ResourceGroup::plan));
    EXPECT_THAT(groups({"campaign.price=3 USD/GPU-h"}), ElementsAre(ResourceGroup::price));
    EXPECT_THAT(groups({"reliability.gpu_mtbf=50000 h", "reliability.checkpoint_time=30 s"}),
                ElementsAre(ResourceGroup::failures));
}

TEST(Hybrid, AFormatThatAPartLacksGoesWithIt) {
    const sim::Scenario a = test::small({"plan.precision=fp8-block"});
    const sim::Scenario b = test::small(kA100);
    const std::vector<ResourceGroup> groups = differing(a, b);
    EXPECT_THAT(groups, testing::Not(testing::Contains(ResourceGroup::plan)));
    const sim::Scenario made = hybrid(a, b, of({ResourceGroup::compute}));
    EXPECT_EQ(made.plan().precision, work::Precision::bf16);
    EXPECT_EQ(made.cluster().node.gpu.id, "a100-sxm");
    EXPECT_GT(sim::run_headline(made).step.seconds, sim::run_headline(a).step.seconds);
}

TEST(Hybrid, AnotherLayoutTakesItsNumberOfGpusAlong) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small({"cluster.nodes=4", "plan.pipeline=4", "plan.split=[2, 2, 2, 2]"});
    EXPECT_THAT(differing(a, b), ElementsAre(ResourceGroup::plan));
    EXPECT_EQ(hybrid(a, b, of({ResourceGroup::plan})).cluster().nodes, 4);
}
