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

TEST(Memory, OfPairsThatInterleaveIsOneLayerMoreThanOfOneMicroBatch) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    plan.schedule = "1f1b";
    plan.pipeline = 1;
    plan.data = 2048;
    plan.split = {};
    plan.overlap_expert = true;
    const double paired = memory_per_rank(model, plan, schedule(plan))[0].activations.value();
    plan.overlap_expert = false;
    const double alone = memory_per_rank(model, plan, schedule(plan))[0].activations.value();
    EXPECT_NEAR(paired / alone, 1.0 + 1.0 / (model.layers + model.mtp_modules), 1e-9);
}

TEST(Memory, OfMxfp8ParametersIsTheirCastsAlone) {
    const ModelArch& model = preset("llama-3-8b");
    ParallelPlan plan;
    plan.schedule = "1f1b";
    plan.data = 8;
    plan.micro_batch = 1;
    plan.global_batch = 8;
    plan.sequence = 4096;
    plan.precision = Precision::mxfp8;
    const auto parameters = [&](hw::DType kept) {
        plan.parameter_dtype = kept;
        return memory_per_rank(model, plan, schedule(plan))[0].parameters.value();
    };
    const auto matrices =
        static_cast<double>(stage_parameters(model, plan, split_stages(model, plan, 1)[0]).matrices);
    EXPECT_NEAR(parameters(hw::DType::bf16) - parameters(hw::DType::fp8), 2.0 * matrices, 1.0);
    EXPECT_EQ(plan.gathered_dtype(), hw::DType::bf16) << "the two directions are scaled apart";
    plan.precision = Precision::fp8_tensor;
    EXPECT_EQ(plan.gathered_dtype(), hw::DType::fp8);
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
    // FSDP shares out FP32 parameters instead of BF16 ones, and keeps no other master weights.
    EXPECT_NEAR(use(2).parameters / use(3).parameters, 16.0 * 2.0 / 4.0, 1e-9);
    EXPECT_NEAR(use(2).optimizer / use(3).optimizer, 12.0 / 8.0, 1e-9);
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
    const double workspaces = 3.0 * 32.0 * 1024.0 * 1024.0;
    EXPECT_NEAR(memory_per_rank(model, plan, schedule(plan)).front().buffers.value(),
                workspaces + 2.0 * (h * (h + 2 * kv) + h * h + 3 * h * ffn), 1e6);
}

/// Bytes that the last rank needs for each word more, whose vocabulary decides the fullest moment.
double bytes_per_word(const ModelArch& arch, ParallelPlan plan) {
    const auto buffers = [&](int vocabulary) {
        ModelArch model = arch;
        model.vocabulary = vocabulary;
        return memory_per_rank(model, plan, schedule(plan)).back().buffers.value();
    };
    return (buffers(401'000) - buffers(400'000)) / 1000.0;
}

TEST(Loss, HoldsAsManyBytesOfALogitAsItsKernelsMake) {
    const ModelArch& model = preset("llama-3-8b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const double tokens = 15.0 * 1024;
    const auto of = [&](CrossEntropy kernel) {
        plan.cross_entropy = kernel;
        return bytes_per_word(model, plan) / tokens;
    };
    EXPECT_NEAR(of(CrossEntropy::fused), 4.0 + 2.0 * 4096 / tokens, 1e-6); // beside the weight's gradient
    EXPECT_NEAR(of(CrossEntropy::in_place), 6.0, 1e-6);
    EXPECT_NEAR(of(CrossEntropy::compiled), 10.0, 1e-6);
    EXPECT_NEAR(of(CrossEntropy::eager), 12.0, 1e-6);
    plan.tensor = 8;
    EXPECT_NEAR(of(CrossEntropy::eager), 16.0 / 8.0, 1e-6);
}

TEST(Loss, OfTokenPredictionModulesWaitsForItsBackward) {
    ModelArch model = preset("llama-3-8b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    plan.cross_entropy = CrossEntropy::in_place;
    const double alone = bytes_per_word(model, plan);
    model.mtp_modules = 2;
    EXPECT_NEAR(bytes_per_word(model, plan) - alone, 2.0 * 4.0 * 15 * 1024, 1e-6);
}

TEST(Loss, WrittenEagerlyLeavesABlockTooSmallForWhatFollows) {
    const ModelArch& model = preset("llama-3-8b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const auto use = [&](CrossEntropy kernel) {
        plan.cross_entropy = kernel;
        return memory_per_rank(model, plan, schedule(plan)).front();
    };
    const MemoryUse eager = use(CrossEntropy::eager), compiled = use(CrossEntropy::compiled);
    const double logits = 15.0 * 1024 * model.vocabulary;
    EXPECT_NEAR((eager.fragmentation - compiled.fragmentation).value(), (2.0 + 0.03 * 2.0) * logits, 1.0);
    EXPECT_EQ(eager.reserved(), eager.allocated() + eager.fragmentation);
    EXPECT_GT(eager.total(), eager.reserved());
}

TEST(Dropout, KeepsAByteOfEachElementThatItPasses) {
    const ModelArch& model = preset("gpt3-175b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const auto kept = [&](BlockKind kind) {
        const hw::Bytes without = activation_bytes(model, plan, {kind, 0});
        plan.dropout = true;
        const hw::Bytes with = activation_bytes(model, plan, {kind, 0});
        plan.dropout = false;
        return (with - without).value();
    };
    const double elements = 15.0 * 1024 * model.hidden;
    EXPECT_EQ(kept(BlockKind::dense_layer), 2.0 * elements); // behind attention and behind the FFN
    EXPECT_EQ(kept(BlockKind::embedding), elements);
    EXPECT_EQ(kept(BlockKind::head), 0.0);
}

TEST(Experts, WithoutAGateKeepWhatTheirRoutingWeightMultiplies) {
    ModelArch model = preset("mixtral-8x7b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    plan.dispatcher = Dispatcher::all_to_all;
    model.gated_ffn = false;
    const hw::Bytes everything = activation_bytes(model, plan, {BlockKind::moe_layer, 0});
    plan.recompute.activation = true;
    const double rows = 2.0 * 15 * 1024; // top-2
    EXPECT_EQ((everything - activation_bytes(model, plan, {BlockKind::moe_layer, 0})).value(),
              2.0 * 2.0 * rows * model.moe.ffn_hidden); // output, and output times weight
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

TEST(Recomputation, OfEverySecondProductKeepsTheOthersOutputs) {
    const ModelArch& model = preset("llama-3-8b");
    ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const hw::Bytes everything = activation_bytes(model, plan, {BlockKind::dense_layer, 0});
    plan.recompute = {.norm = true, .activation = true, .every_second_product = true};
    const hw::Bytes kept = activation_bytes(model, plan, {BlockKind::dense_layer, 0});
    // Input, q, v, attention's output, gate and down; and a sum for each head.
    EXPECT_EQ(kept.value(), 15.0 * 1024 * (2.0 * (4 * 4096 + 1024 + 14336) + 4.0 * 32));
    EXPECT_LT(kept, 0.6 * everything);
}

} // namespace
} // namespace chokepoint::work
