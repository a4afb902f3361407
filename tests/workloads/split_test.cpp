// SPDX-License-Identifier: Apache-2.0
// The split into stages must be a partition: even where layers divide, else with the cheapest costliest
// stage.
#include "presets.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::work {
namespace {

using test::preset;

std::vector<int> layers_per_stage(const std::vector<std::vector<Block>>& stages) {
    std::vector<int> counts;
    for (const auto& stage : stages) {
        counts.push_back(static_cast<int>(std::ranges::count_if(stage, [](const Block& block) {
            return block.kind == BlockKind::dense_layer || block.kind == BlockKind::moe_layer;
        })));
    }
    return counts;
}

/// Training arithmetic of a stage, summed from its kernels.
double cost(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& stage) {
    double sum = 0.0;
    for (const Block& block : stage) {
        const BlockKernels kernels = block_kernels(model, plan, block);
        for (const auto* part : {&kernels.attention_forward, &kernels.ffn_forward}) {
            for (const hw::Operator& op : *part) {
                sum += op.name.starts_with("router ") ? 0.0 : 3.0 * hw::arithmetic(op).value();
            }
        }
    }
    return sum;
}

double costliest(const ModelArch& model, const ParallelPlan& plan,
                 const std::vector<std::vector<Block>>& stages) {
    double most = 0.0;
    for (const auto& stage : stages) {
        most = std::max(most, cost(model, plan, stage));
    }
    return most;
}

TEST(Split, OfDeepSeekV3LeavesOneLayerBesideTheHeads) {
    std::vector<int> expected(16, 4);
    expected.back() = 1 + 1; // and the layer of the MTP module
    EXPECT_EQ(layers_per_stage(split_stages(preset("deepseek-v3"), test::deepseek_plan(), 16)), expected);
}

TEST(Split, PutsMtpBehindTheHeadOfTheLastStage) {
    const auto stages = split_stages(preset("deepseek-v3"), test::deepseek_plan(), 16);
    EXPECT_EQ(stages.front().front(), (Block{BlockKind::embedding, -1}));
    EXPECT_THAT(stages.back(),
                testing::ElementsAre(Block{BlockKind::moe_layer, 60}, Block{BlockKind::head, -1},
                                     Block{BlockKind::mtp_projection, -1}, Block{BlockKind::moe_layer, 61},
                                     Block{BlockKind::head, -1}));
}

TEST(Split, HoldsEveryLayerOnceInOrder) {
    for (const ModelArch& model : test::presets()) {
        for (int stages = 1; stages <= std::min(model.layers, 20); ++stages) {
            int next = 0;
            for (const auto& stage : split_stages(model, ParallelPlan{}, stages)) {
                EXPECT_FALSE(stage.empty());
                for (const Block& block : stage) {
                    if (block.layer >= 0) {
                        EXPECT_EQ(block.layer, next++);
                        EXPECT_EQ(block.kind, has_experts(model, block.layer) ? BlockKind::moe_layer
                                                                              : BlockKind::dense_layer);
                    }
                }
            }
            EXPECT_EQ(next, model.layers + model.mtp_modules);
        }
    }
}

RC_GTEST_PROP(Split, HasTheCheapestCostliestStageWhereLayersDoNotDivide, ()) {
    ModelArch model = preset("moe-tiny");
    const int stages = 4;
    model.layers = *rc::gen::inRange(4, 10);
    model.dense_layers = *rc::gen::inRange(0, 3);
    model.dense_ffn_hidden = 1024 * *rc::gen::inRange(1, 40);
    model.vocabulary = 1000 * *rc::gen::inRange(1, 200);
    // Of 5 and 9 layers neither they nor one or two more divide; MTP modules keep the others from it.
    model.mtp_modules = model.layers % stages == 1 ? *rc::gen::inRange(0, 2) : 1;
    const ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const double chosen = costliest(model, plan, split_stages(model, plan, stages));
    for (int first = 1; first < model.layers; ++first) {
        for (int second = 1; first + second < model.layers; ++second) {
            for (int third = 1; first + second + third <= model.layers; ++third) {
                ParallelPlan other = plan;
                other.split = {first, second, third, model.layers - first - second - third};
                RC_ASSERT(chosen <=
                          costliest(model, plan, split_stages(model, other, stages)) * (1.0 + 1e-6));
            }
        }
    }
}

TEST(Split, SpreadsWhatIsLeftAndGivesEarlierStagesMore) {
    ModelArch model = preset("llama-3.1-405b");
    model.layers = model.dense_layers = 9;
    model.vocabulary = 1;
    EXPECT_THAT(layers_per_stage(split_stages(model, ParallelPlan{}, 4)), testing::ElementsAre(3, 2, 2, 2));
}

TEST(Split, IsEvenWhereLayersDivideWithOrWithoutTheEnds) {
    // However large the head: 126 layers of Llama 3.1 405B on 9 stages, on 16 and 128 as Megatron-LM's
    // account_for_… flags place them, and 63 with the head alone.
    ModelArch model = preset("llama-3.1-405b");
    EXPECT_EQ(layers_per_stage(split_stages(model, ParallelPlan{}, 9)), std::vector<int>(9, 14));
    std::vector<int> ends(16, 8);
    ends.front() = ends.back() = 7;
    EXPECT_EQ(layers_per_stage(split_stages(model, ParallelPlan{}, 16)), ends);
    ends.assign(128, 1);
    ends.front() = ends.back() = 0;
    EXPECT_EQ(layers_per_stage(split_stages(model, ParallelPlan{}, most_stages(model))), ends);
    model.layers = model.dense_layers = 63;
    EXPECT_THAT(layers_per_stage(split_stages(model, ParallelPlan{}, 4)),
                testing::ElementsAre(16, 16, 16, 15));
}

TEST(Split, FollowsThePlansList) {
    ParallelPlan plan;
    plan.split = {1, 5, 2};
    EXPECT_EQ(layers_per_stage(split_stages(preset("moe-tiny"), plan, 3)), plan.split);
}

TEST(Split, RefusesListsThatDoNotFit) {
    const ModelArch& model = preset("moe-tiny"); // 8 layers
    ParallelPlan plan;
    for (const std::vector<int>& split : {std::vector{4, 4}, {4, 4, 1}, {9, -1, 0}}) {
        plan.split = split;
        EXPECT_THROW(split_stages(model, plan, 3), std::invalid_argument);
    }
    EXPECT_THROW(split_stages(model, ParallelPlan{}, most_stages(model) + 1), std::invalid_argument);
    EXPECT_THROW(split_stages(model, ParallelPlan{}, 0), std::invalid_argument);
}

std::vector<int> layers_per_stage(const ModelArch& model, const ParallelPlan& plan, int stages) {
    std::vector<int> counts;
    for (const auto& blocks : split_stages(model, plan, stages)) {
        counts.push_back(static_cast<int>(
            std::ranges::count_if(blocks, [](const Block& block) { return block.layer >= 0; })));
    }
    return counts;
}

TEST(Split, MayLeaveAnyStageWithoutLayers) {
    ParallelPlan plan;
    plan.split = {4, 0, 4};
    EXPECT_THAT(layers_per_stage(preset("moe-tiny"), plan, 3), testing::ElementsAre(4, 0, 4));
}

TEST(Split, CountsEmbeddingAndHeadAsLayersWhereThePlanSays) {
    // 8 layers, embedding and head over 5 stages: Megatron-LM's account_for_… flags.
    ParallelPlan plan;
    plan.account_for_embedding = plan.account_for_loss = true;
    EXPECT_THAT(layers_per_stage(preset("moe-tiny"), plan, 5), testing::ElementsAre(1, 2, 2, 2, 1));
    EXPECT_THAT(layers_per_stage(preset("moe-tiny"), plan, 10),
                testing::ElementsAre(0, 1, 1, 1, 1, 1, 1, 1, 1, 0));
    EXPECT_THROW(split_stages(preset("moe-tiny"), plan, 4), std::invalid_argument);
}

} // namespace
} // namespace chokepoint::work
