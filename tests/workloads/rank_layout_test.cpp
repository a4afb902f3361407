// SPDX-License-Identifier: Apache-2.0
// Groups must cut the GPUs up without rest, and lie where Megatron-Core's documentation says they do.
#include <chokepoint/workloads/rank_layout.hpp>

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace chokepoint::work {
namespace {

using testing::ElementsAre;

constexpr std::array kGroups{Group::pipeline, Group::tensor,        Group::context,         Group::data,
                             Group::expert,   Group::expert_tensor, Group::expert_data,     Group::shard,
                             Group::replicas, Group::expert_shard,  Group::expert_replicas, Group::own};

ParallelPlan plan_of(int pipeline, int tensor, int context, int data, int expert_tensor, int expert) {
    ParallelPlan plan;
    plan.pipeline = pipeline;
    plan.tensor = tensor;
    plan.context = context;
    plan.data = data;
    plan.expert_tensor = expert_tensor;
    plan.expert = expert;
    return plan;
}

int extent(const ParallelPlan& plan, Group group) {
    switch (group) {
    case Group::pipeline:
        return plan.pipeline;
    case Group::tensor:
        return plan.tensor;
    case Group::context:
        return plan.context;
    case Group::data:
        return plan.context * plan.data;
    case Group::expert:
        return plan.expert;
    case Group::expert_tensor:
        return plan.expert_tensor;
    case Group::expert_data:
        return plan.tensor * plan.context * plan.data / (plan.expert * plan.expert_tensor);
    case Group::shard:
        return plan.shard_group.value_or(plan.context * plan.data);
    case Group::replicas:
        return plan.context * plan.data / extent(plan, Group::shard);
    case Group::expert_shard:
        return extent(plan, Group::expert_data) / extent(plan, Group::replicas);
    case Group::expert_replicas:
        return extent(plan, Group::replicas);
    case Group::own:
        return 1;
    }
    return 0;
}

/// Expert groups divide what attention spreads over; pp comes last, where both agree on pipeline ranks, or
/// anywhere if no expert is spread over GPUs.
ParallelPlan random_plan() {
    const auto size = [] { return *rc::gen::element(1, 2, 3, 4); };
    ParallelPlan plan = plan_of(size(), size(), size(), size(), 1, 1);
    plan.expert_tensor = *rc::gen::element(1, plan.tensor);
    plan.expert = *rc::gen::element(1, plan.data, plan.data * plan.context);
    plan.rank_order = *rc::gen::element<std::string>("tp-cp-ep-dp-pp", "ep-tp-dp-cp-pp", "dp-tp-cp-ep-pp");
    if (plan.expert * plan.expert_tensor == 1) {
        plan.rank_order =
            *rc::gen::element<std::string>("tp-cp-ep-dp-pp", "tp-cp-ep-pp-dp", "pp-dp-tp-ep-cp");
    }
    if (*rc::gen::arbitrary<bool>() && plan.data == 4 && plan.expert * plan.expert_tensor <= plan.tensor) {
        plan.shard_group = plan.context * 2; // neighbours in the order that has context first
        plan.rank_order = "tp-cp-ep-dp-pp";
    }
    return plan;
}

RC_GTEST_PROP(RankLayout, CutsTheGpusIntoGroupsOfThePlansSizes, ()) {
    const ParallelPlan plan = random_plan();
    const RankLayout layout(plan, *rc::gen::element(1, 4, 8));
    RC_ASSERT(layout.gpus() == plan.pipeline * plan.tensor * plan.context * plan.data);
    for (const Group group : kGroups) {
        for (int gpu = 0; gpu < layout.gpus(); ++gpu) {
            const std::vector<int> members = layout.members(group, gpu);
            RC_ASSERT(static_cast<int>(members.size()) == extent(plan, group));
            RC_ASSERT(std::ranges::is_sorted(members));
            RC_ASSERT(std::ranges::count(members, gpu) == 1);
            for (const int member : members) {
                RC_ASSERT(layout.members(group, member) == members);
                RC_ASSERT(group == Group::pipeline ||
                          layout.pipeline_rank(member) == layout.pipeline_rank(gpu));
            }
        }
    }
}

RC_GTEST_PROP(RankLayout, JoinsTheGroupsOfCounterpartsOnHosts, ()) {
    const ParallelPlan plan = random_plan();
    const RankLayout layout(plan, 8);
    const int gpu = *rc::gen::inRange(0, layout.gpus());
    const std::array hosts{Rank{0}, Rank{plan.pipeline - 1}};
    std::set<int> expected;
    for (const Rank host : hosts) {
        for (const int member : layout.members(Group::data, layout.counterpart(gpu, host))) {
            expected.insert(member);
        }
    }
    if (plan.pipeline > 1) {
        const std::vector<int> joined = layout.members(Group::data, gpu, hosts);
        RC_ASSERT(std::vector<int>(expected.begin(), expected.end()) == joined);
    }
}

TEST(RankLayout, NumbersSixteenGpusAsMegatronsDocumentation) {
    // The example in the docstring of Megatron-Core's initialize_model_parallel: tensor 2, pipeline 4.
    const RankLayout layout(plan_of(4, 2, 1, 2, 1, 1), 8);
    EXPECT_THAT(layout.members(Group::tensor, 3), ElementsAre(2, 3));
    EXPECT_THAT(layout.members(Group::data, 5), ElementsAre(5, 7));
    EXPECT_THAT(layout.members(Group::pipeline, 1), ElementsAre(1, 5, 9, 13));
}

TEST(RankLayout, NumbersADenseModelsPipelineBeforeItsReplicas) {
    // As MLPerf's GPT-3 runs do (NeMo's use_tp_pp_dp_mapping): replicas of tensor 2 x pipeline 2 lie side by
    // side, and a data group's members four GPUs apart.
    ParallelPlan plan = plan_of(2, 2, 1, 3, 1, 1);
    plan.rank_order = "tp-cp-ep-pp-dp";
    const RankLayout layout(plan, 4);
    EXPECT_THAT(layout.members(Group::tensor, 3), ElementsAre(2, 3));
    EXPECT_THAT(layout.members(Group::pipeline, 5), ElementsAre(5, 7));
    EXPECT_THAT(layout.members(Group::data, 6), ElementsAre(2, 6, 10));
    EXPECT_THAT(layout.members(Group::expert_data, 6), ElementsAre(2, 3, 6, 7, 10, 11));
    EXPECT_FALSE(layout.remote(Rank{0}, Rank{1}));
    plan.rank_order = "tp-cp-ep-dp-pp";
    EXPECT_TRUE(RankLayout(plan, 4).remote(Rank{0}, Rank{1}));
}

TEST(RankLayout, FoldsExpertsOverTheGpusOfAttention) {
    // Tensor 4 x data 2 for attention; experts over all 8 GPUs without a tensor split.
    const RankLayout layout(plan_of(1, 4, 1, 2, 1, 8), 8);
    EXPECT_THAT(layout.members(Group::tensor, 6), ElementsAre(4, 5, 6, 7));
    EXPECT_THAT(layout.members(Group::expert, 6), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    EXPECT_THAT(layout.members(Group::expert_data, 6), ElementsAre(6));
}

TEST(RankLayout, CountsTheMembersOfEveryNode) {
    const RankLayout layout(plan_of(16, 1, 1, 128, 1, 64), 8); // DeepSeek-V3: arXiv 2412.19437, 3.2
    EXPECT_EQ(layout.shape(Group::expert, Rank{3}).ranks_per_node, 8);
    EXPECT_EQ(layout.shape(Group::expert_data, Rank{3}).ranks, 2);
    EXPECT_EQ(layout.shape(Group::expert_data, Rank{3}).ranks_per_node, 1);
    const std::array hosts{Rank{3}, Rank{12}};
    EXPECT_EQ(layout.shape(Group::data, Rank{3}, hosts).ranks, 256);

    // Tensor groups of 6 on nodes of 4: two nodes, of which one is full and the other half full.
    EXPECT_EQ(RankLayout(plan_of(1, 6, 1, 2, 1, 1), 4).shape(Group::tensor, Rank{0}).ranks_per_node, 2);
    // Data outermost: every member of a data group lies on a node of its own.
    const RankLayout tensor_first(plan_of(1, 8, 1, 4, 1, 1), 8);
    EXPECT_EQ(tensor_first.shape(Group::data, Rank{0}).ranks_per_node, 1);
    ParallelPlan data_first = plan_of(1, 8, 1, 4, 1, 1);
    data_first.rank_order = "dp-tp-cp-ep-pp";
    EXPECT_EQ(RankLayout(data_first, 8).shape(Group::data, Rank{0}).ranks_per_node, 4);
    EXPECT_EQ(RankLayout(data_first, 8).shape(Group::tensor, Rank{0}).ranks_per_node, 2);
}

TEST(RankLayout, CallsANeighbourRemoteIfAnyGpuMustLeaveItsNode) {
    const RankLayout two_per_node(plan_of(4, 1, 1, 4, 1, 1), 8);
    EXPECT_FALSE(two_per_node.remote(Rank{0}, Rank{1}));
    EXPECT_TRUE(two_per_node.remote(Rank{1}, Rank{2}));
}

TEST(RankLayout, RefusesOrdersThatAreNone) {
    for (const char* order :
         {"", "tp", "tp-cp-ep-dp", "tp-tp-cp-dp-pp", "tp-cp-ep-dp-pp-pp", "tp_cp_ep_dp_pp"}) {
        ParallelPlan plan;
        plan.rank_order = order;
        EXPECT_THROW(RankLayout(plan, 8), std::invalid_argument) << order;
    }
    // Experts narrower than attention, with the pipeline between them.
    ParallelPlan plan = plan_of(2, 4, 1, 2, 1, 2);
    plan.rank_order = "tp-cp-ep-pp-dp";
    EXPECT_THROW(RankLayout(plan, 8), std::invalid_argument);
    EXPECT_THROW(RankLayout(plan_of(1, 1, 1, 6, 1, 4), 8), std::invalid_argument);
}

} // namespace
} // namespace chokepoint::work
