// SPDX-License-Identifier: Apache-2.0
// Memory must account for every parameter once, follow the schedule's in-flight count, and let DeepSeek-V3
// fit.
#include "presets.hpp"

#include <chokepoint/workloads/memory.hpp>

#include <gmock/gmock.h>

namespace chokepoint::work {
namespace {

using test::preset;

Schedule schedule(const ParallelPlan& plan) { return make_schedule(plan); }

std::vector<MemoryUse> deepseek_memory(const ParallelPlan& plan) {
    return memory_per_rank(preset("deepseek-v3"), plan, schedule(plan));
}

hw::Bytes stage_activations(const ModelArch& model, const ParallelPlan& plan,
                            const std::vector<Block>& blocks) {
    hw::Bytes sum;
    for (const Block& block : blocks) {
        sum += activation_bytes(model, plan, block);
    }
    return sum;
}

TEST(StageParameters, OfAllStagesAddUpToTheModel) {
    for (const ModelArch& model : test::presets()) {
        const ParallelPlan plan = test::small_plan(model, Precision::bf16);
        const ParameterCount count = count_parameters(model);
        for (const int stages : {1, 2, 4, 8}) {
            std::int64_t sum = 0;
            for (const auto& blocks : split_stages(model, plan, stages)) {
                const StageParameters stage = stage_parameters(model, plan, blocks);
                sum += stage.expert * plan.expert + stage.replicated;
            }
            // A tied head in another stage than the embedding has a copy of it.
            const std::int64_t copy = model.tied_embeddings && stages > 1 ? count.embedding : 0;
            EXPECT_EQ(sum, count.total + count.mtp + copy) << model.id << " in " << stages;
        }
    }
}

TEST(StageParameters, OfATiedModelHoldTheTableOnBothEnds) {
    ModelArch model = preset("llama-3.1-405b");
    model.tied_embeddings = true;
    const ParallelPlan plan;
    const ParameterCount count = count_parameters(model);
    const auto sum = [&](int stages) {
        std::int64_t all = 0;
        for (const auto& blocks : split_stages(model, plan, stages)) {
            all += stage_parameters(model, plan, blocks).replicated;
        }
        return all;
    };
    EXPECT_EQ(sum(1), count.total);
    EXPECT_EQ(sum(2), count.total + count.embedding);
}

TEST(Memory, OfDeepSeekV3FitsTheH800OnEveryRank) {
    // 80 GB: arXiv 2412.19437, 3.1 trains on H800 without tensor parallelism.
    for (const MemoryUse& rank : deepseek_memory(test::deepseek_plan())) {
        EXPECT_LT(rank.total().value(), 80e9);
        EXPECT_GT(rank.total().value(), 40e9); // DualPipe's second copy and PP + 1 micro-batches are there
    }
}

TEST(Memory, WithoutRecomputationDeepSeekV3DoesNotFit) {
    // What recomputation buys: arXiv 2412.19437, 3.2.3.
    ParallelPlan plan = test::deepseek_plan();
    plan.recompute = {};
    EXPECT_GT(deepseek_memory(plan)[1].total().value(), 80e9);
}

TEST(Memory, OfDualPipeHoldsEveryParameterTwice) {
    // arXiv 2412.19437, 3.2.1
    ParallelPlan plan = test::deepseek_plan();
    const auto gradients = [&](const char* id) {
        plan.schedule = id;
        hw::Bytes sum;
        for (const MemoryUse& rank : deepseek_memory(plan)) {
            sum += rank.gradients;
        }
        return sum.value();
    };
    const ParameterCount count = count_parameters(preset("deepseek-v3"));
    const double once =
        gradients("1f1b") - 4.0 * static_cast<double>(count.embedding); // its MTP needs a copy
    EXPECT_DOUBLE_EQ(gradients("dualpipe"), 2.0 * once);
}

TEST(Memory, OfActivationsIsTheInFlightCountTimesTheStage) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    plan.schedule = "1f1b";
    const Schedule order = schedule(plan);
    const auto in_flight = peak_in_flight(order);
    const auto stages = split_stages(model, plan, plan.pipeline);
    const auto use = memory_per_rank(model, plan, order);
    for (std::size_t rank = 0; rank < use.size(); ++rank) {
        EXPECT_NEAR(use[rank].activations / stage_activations(model, plan, stages[rank]), in_flight[rank],
                    1e-9);
    }
}

TEST(Memory, OfDualPipeActivationsIsPipelinePlusOneAtEqualStages) {
    // arXiv 2412.19437, table 2: PP + 1.
    const ModelArch& model = preset("deepseek-v3");
    const ParallelPlan plan = test::deepseek_plan();
    const auto blocks = split_stages(model, plan, plan.pipeline)[7];
    EXPECT_LE(deepseek_memory(plan)[7].activations / stage_activations(model, plan, blocks),
              plan.pipeline + 1 + 1e-9);
}

TEST(Memory, OfZeroOneDividesTheOptimizerByTheCopiesOfAParameter) {
    ParallelPlan plan = test::deepseek_plan();
    const MemoryUse sharded = deepseek_memory(plan)[3];
    plan.zero = 0;
    const MemoryUse whole = deepseek_memory(plan)[3];
    EXPECT_EQ(sharded.gradients, whole.gradients);
    EXPECT_EQ(sharded.parameters, whole.parameters);
    const auto stages = split_stages(preset("deepseek-v3"), plan, 16);
    double expected = 0.0;
    for (const int stage : {3, 12}) {
        const StageParameters own =
            stage_parameters(preset("deepseek-v3"), plan, stages[static_cast<std::size_t>(stage)]);
        // 8 bytes: FP32 master, two BF16 moments. Experts have 128 / 64 copies, the rest 128; DualPipe
        // doubles both.
        expected +=
            8.0 * (static_cast<double>(own.expert) / 4.0 + static_cast<double>(own.replicated) / 256.0);
    }
    EXPECT_NEAR(sharded.optimizer.value() / expected, 1.0, 1e-12);
    EXPECT_NEAR(whole.optimizer / whole.gradients, 2.0, 1e-12); // 8 bytes against the gradient's 4
}

TEST(Memory, OfZeroThreeDividesEveryStateByItsCopies) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    plan.data = 16;
    const auto use = [&](int zero) {
        plan.zero = zero;
        return memory_per_rank(model, plan, schedule(plan)).front();
    };
    EXPECT_NEAR(use(0).optimizer / use(1).optimizer, 16.0, 1e-9);
    EXPECT_NEAR(use(1).gradients / use(2).gradients, 16.0, 1e-9);
    EXPECT_NEAR(use(2).parameters / use(3).parameters, 16.0, 1e-9);
    EXPECT_GT(use(3).buffers, use(2).buffers); // the blocks that are gathered
}

TEST(Memory, IsDividedByTensorParallelGpus) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const MemoryUse whole = memory_per_rank(model, plan, schedule(plan)).front();
    plan.tensor = 8;
    const MemoryUse part = memory_per_rank(model, plan, schedule(plan)).front();
    EXPECT_NEAR(whole.gradients / part.gradients, 8.0, 0.01); // norms are whole everywhere
    EXPECT_NEAR(whole.activations / part.activations, 8.0, 0.01);
    plan.sequence_parallel = false;
    EXPECT_GT(memory_per_rank(model, plan, schedule(plan)).front().activations, 1.5 * part.activations);
}

/// Buffers of two pipeline ranks with two layers each, the second with the head.
std::vector<MemoryUse> two_ranks(int vocabulary, int layers = 4) {
    ModelArch model = preset("llama-3-8b");
    model.layers = model.dense_layers = layers;
    model.vocabulary = vocabulary;
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    plan.pipeline = 2;
    plan.split = {layers / 2, layers / 2};
    return memory_per_rank(model, plan, schedule(plan));
}

TEST(WorkingMemory, IsThatOfTheHeadOrOfALayerWhicheverIsMore) {
    const std::vector<MemoryUse> small = two_ranks(1'000);
    EXPECT_EQ(small[1].buffers, small[0].buffers);
    const hw::Bytes large = two_ranks(400'000)[1].buffers;
    EXPECT_GT(large, small[1].buffers);
    // For each word: logits and their gradient of all tokens, and a row of the head's weight gradient.
    const double per_word = (two_ranks(401'000)[1].buffers - large).value() / 1000.0;
    EXPECT_NEAR(per_word, 2.0 * 2.0 * 15 * 1024 + 2.0 * 4096, 1e-6);
}

TEST(WorkingMemory, HoldsAWeightGradientForEachShapeNotForEachLayer) {
    EXPECT_EQ(two_ranks(1'000, 4)[0].buffers, two_ranks(1'000, 16)[0].buffers);
    ModelArch model = preset("llama-3-8b");
    ParallelPlan plan;
    plan.sequence = 1; // next to no activations
    model.vocabulary = 1;
    const double h = 4096.0, ffn = 14336.0, kv = 1024.0;
    EXPECT_NEAR(memory_per_rank(model, plan, schedule(plan)).front().buffers.value(),
                2.0 * (h * (h + 2 * kv) + h * h + 3 * h * ffn), 1e6);
}

TEST(Recomputation, OfLayersKeepsTheirInputsAlone) {
    const ModelArch& model = preset("llama-3.1-405b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    plan.global_batch = plan.data * plan.micro_batch;
    const auto kept = [&] { return memory_per_rank(model, plan, schedule(plan)).front().activations; };
    const hw::Bytes everything = kept();
    plan.recompute.layer = true;
    const hw::Bytes inputs = kept();
    const double input = 2.0 * static_cast<double>(plan.micro_batch_tokens()) * model.hidden;
    EXPECT_NEAR(inputs.value() / (input * model.layers), 1.0, 0.05); // the head keeps its own
    plan.recompute_layers = model.layers / 2;
    EXPECT_NEAR((kept() - inputs) / (everything - inputs), 0.5, 0.01);
}

TEST(Recomputation, OfEachKindKeepsLess) {
    const ModelArch& model = preset("deepseek-v3");
    for (const Precision precision : {Precision::bf16, Precision::fp8_block}) {
        ParallelPlan plan = test::deepseek_plan();
        plan.precision = precision;
        const auto kept = [&](Recompute recompute) {
            plan.recompute = recompute;
            return activation_bytes(model, plan, {BlockKind::moe_layer, 10});
        };
        const hw::Bytes everything = kept({});
        EXPECT_LT(kept({.norm = true}), everything);
        EXPECT_LT(kept({.activation = true}), everything);
        EXPECT_LT(kept({.core_attention = true}), everything);
        EXPECT_LT(kept({.moe = true}), kept({.shared_experts = true}));
        EXPECT_LT(kept({.shared_experts = true}), everything);
        // q, k and v in BF16: 128 heads of 192, 192 and 128.
        EXPECT_EQ((everything - kept({.attention_up_projection = true})).value(),
                  2.0 * 4096 * 128 * (192 + 192 + 128));
    }
}

TEST(Recomputation, KeepsLessInFp8ThanInBf16) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    const hw::Bytes fp8 = activation_bytes(model, plan, {BlockKind::moe_layer, 10});
    plan.precision = Precision::bf16;
    EXPECT_LT(fp8, activation_bytes(model, plan, {BlockKind::moe_layer, 10}));
}

} // namespace
} // namespace chokepoint::work
