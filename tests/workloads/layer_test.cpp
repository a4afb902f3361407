// SPDX-License-Identifier: Apache-2.0
// The kernels of a layer must add up to the model's arithmetic and look like those DeepSeek's profile shows.
#include "block_kernels.hpp"
#include "presets.hpp"

#include <gmock/gmock.h>

#include <map>
#include <numeric>

namespace chokepoint::work {
namespace {

using hw::KernelClass;
using hw::Operator;
using Operators = std::vector<Operator>;
using test::is_matrix_product;
using test::is_recomputation;
using test::is_router;
using test::preset;
using test::products;

Operators all(const BlockKernels& block) { return test::all_operators(block); }

std::vector<Block> all_blocks(const ModelArch& model, const ParallelPlan& plan) {
    return split_stages(model, plan, 1).front();
}

template <typename Sequence> int launches(const Sequence& operators) {
    return std::transform_reduce(operators.begin(), operators.end(), 0, std::plus<>(),
                                 [](const Operator& op) { return op.launches; });
}

std::map<KernelClass, double> streamed_bytes(const KernelSequence& operators) {
    std::map<KernelClass, double> bytes;
    for (const Operator& op : operators) {
        if (hw::is_memory_bound(op.kernel)) {
            bytes[op.kernel] += (op.read + op.written).value();
        }
    }
    return bytes;
}

BlockKernels deepseek_layer() {
    return block_kernels(preset("deepseek-v3"), test::deepseek_plan(), {BlockKind::moe_layer, 10});
}

TEST(Kernels, OfAllBlocksAddUpToTheModelsTrainingFlops) {
    for (const ModelArch& model : test::presets()) {
        for (const Precision precision : {Precision::bf16, Precision::fp8_block}) {
            ParallelPlan plan = test::small_plan(model, precision);
            plan.recompute = {true, true, true};
            double sum = 0.0;
            for (const Block& block : all_blocks(model, plan)) {
                sum += test::counted_flops(block_kernels(model, plan, block));
                if (block.kind == BlockKind::head) {
                    break; // MTP follows and does not count
                }
            }
            // Scans are counted as a recurrence and run as something else, in kernels that memory limits.
            const double scans = 6.0 * 3.5 * static_cast<double>(inner_width(model.state_space)) *
                                 model.state_space.state *
                                 static_cast<double>(std::ranges::count(model.pattern, 'M'));
            const double expected = (training_flops_per_token(model, plan.sequence, true).value() - scans) *
                                    static_cast<double>(plan.micro_batch_tokens());
            EXPECT_NEAR(sum / expected, 1.0, 1e-12) << model.id << " " << name(precision);
        }
    }
}

TEST(Kernels, GradientsCostAsMuchAsTheForwardEach) {
    for (const ModelArch& model : test::presets()) {
        const ParallelPlan plan = test::small_plan(model, Precision::fp8_block);
        for (const Block& block : all_blocks(model, plan)) {
            const BlockKernels kernels = block_kernels(model, plan, block);
            EXPECT_DOUBLE_EQ(products(kernels.attention_backward), products(kernels.attention_forward));
            EXPECT_DOUBLE_EQ(products(kernels.attention_weight_gradient),
                             products(kernels.attention_forward));
            EXPECT_DOUBLE_EQ(products(kernels.ffn_backward), products(kernels.ffn_forward));
            EXPECT_DOUBLE_EQ(products(kernels.ffn_weight_gradient), products(kernels.ffn_forward));
        }
    }
}

TEST(Kernels, OfADeepSeekLayerAreAsManyAsInItsProfile) {
    // Kernels per layer and segment on the compute streams: deepseek-ai/profile-data, train.json.
    const BlockKernels layer = deepseek_layer();
    EXPECT_EQ(launches(layer.attention_forward), 69);
    EXPECT_EQ(launches(layer.ffn_forward), 20); // one layer of the four lacks a tiny scaling kernel
    EXPECT_EQ(launches(layer.ffn_backward), 29);
    EXPECT_EQ(launches(layer.ffn_weight_gradient), 12);
    EXPECT_EQ(launches(layer.attention_backward), 101);
    EXPECT_EQ(launches(layer.attention_weight_gradient), 5);
    EXPECT_EQ(launches(layer.gradient_payload), 1);
}

struct Measured {
    KernelClass kernel;
    double microseconds; ///< per layer, mean of four
};

/// Every class of streaming kernel in its segment, against what the same kernels took on an H800
/// (deepseek-ai/ profile-data, train.json) beside transfers. More than the memory's bandwidth would be
/// traffic that cannot have been; under a quarter of it would be traffic forgotten.
void expect_plausible(const KernelSequence& operators, const std::vector<Measured>& profile) {
    constexpr double kBandwidth = 3.35e12;
    const auto bytes = streamed_bytes(operators);
    for (const Measured& row : profile) {
        const double share = bytes.at(row.kernel) / kBandwidth / (row.microseconds * 1e-6);
        EXPECT_LT(share, 1.0) << name(row.kernel);
        EXPECT_GT(share, 0.25) << name(row.kernel);
    }
}

TEST(StreamedBytes, NodeLimitedRoutingFollowsTheNodesSize) {
    const auto permuted = [](int gpus_per_node) {
        ParallelPlan plan = test::deepseek_plan();
        plan.gpus_per_node = gpus_per_node;
        const BlockKernels layer = block_kernels(preset("deepseek-v3"), plan, {BlockKind::moe_layer, 10});
        return streamed_bytes(layer.ffn_forward).at(KernelClass::permute);
    };
    EXPECT_GT(permuted(64), permuted(8)) << "one node holds all experts: their limit to four nodes is none";
    EXPECT_GT(permuted(8), permuted(4)) << "four nodes of four GPUs hold fewer ranks than four of eight";
}

TEST(StreamedBytes, FitTheTimesOfTheProfile) {
    const BlockKernels layer = deepseek_layer();
    expect_plausible(layer.attention_forward, {{KernelClass::norm_fwd, 269},
                                               {KernelClass::quantize, 464},
                                               {KernelClass::rope, 128},
                                               {KernelClass::copy, 249},
                                               {KernelClass::add, 41}});
    expect_plausible(layer.ffn_forward, {{KernelClass::permute, 192},
                                         {KernelClass::unpermute, 318},
                                         {KernelClass::swiglu_fwd, 160},
                                         {KernelClass::quantize, 207},
                                         {KernelClass::copy, 182}});
    expect_plausible(layer.ffn_backward, {{KernelClass::swiglu_bwd, 466},
                                          {KernelClass::quantize, 514},
                                          {KernelClass::quantize_transpose, 393},
                                          {KernelClass::norm_fwd, 123},
                                          {KernelClass::permute, 173},
                                          {KernelClass::unpermute, 342},
                                          {KernelClass::copy, 90}});
    expect_plausible(layer.ffn_weight_gradient, {{KernelClass::quantize_transpose, 578}});
    expect_plausible(layer.attention_backward, {{KernelClass::attention_aux, 476},
                                                {KernelClass::quantize, 591},
                                                {KernelClass::quantize_transpose, 534},
                                                {KernelClass::norm_bwd, 341},
                                                {KernelClass::norm_fwd, 129},
                                                {KernelClass::rope, 250},
                                                {KernelClass::add, 264},
                                                {KernelClass::copy, 601}});
}

TEST(StreamedBytes, GrowWithTheTokensAlone) {
    for (const ModelArch& model : test::presets()) {
        ParallelPlan plan = test::small_plan(model, Precision::fp8_block);
        plan.recompute = {true, true, true};
        for (const Block& block : all_blocks(model, plan)) {
            ParallelPlan doubled = plan;
            doubled.micro_batch *= 2;
            const Operators one = all(block_kernels(model, plan, block));
            const Operators two = all(block_kernels(model, doubled, block));
            ASSERT_EQ(one.size(), two.size());
            for (std::size_t i = 0; i < one.size(); ++i) {
                ASSERT_EQ(one[i].name, two[i].name);
                if (hw::is_memory_bound(one[i].kernel)) {
                    const double expected = one[i].name.ends_with("weight transpose") ? 1.0 : 2.0;
                    // One received row more or less by rounding.
                    EXPECT_NEAR((two[i].read + two[i].written) / (one[i].read + one[i].written), expected,
                                1e-3)
                        << one[i].name;
                }
            }
        }
    }
}

TEST(Precision, Bf16QuantisesNothing) {
    for (const ModelArch& model : test::presets()) {
        const ParallelPlan plan = test::small_plan(model, Precision::bf16);
        for (const Block& block : all_blocks(model, plan)) {
            for (const Operator& op : all(block_kernels(model, plan, block))) {
                EXPECT_NE(op.kernel, KernelClass::quantize) << op.name;
                EXPECT_NE(op.kernel, KernelClass::quantize_transpose) << op.name;
                EXPECT_EQ(op.dtype, hw::DType::bf16) << op.name;
            }
        }
    }
}

TEST(Precision, OfTransformerEngineCastsEveryOperandOnce) {
    // Six operands of a linear map's three products are three tensors; weights are cast once in a step.
    const ModelArch& model = preset("llama-3.1-405b");
    for (const Precision precision :
         {Precision::fp8_tensor, Precision::fp8_delayed, Precision::mxfp8, Precision::nvfp4}) {
        const BlockKernels layer =
            block_kernels(model, test::small_plan(model, precision), {BlockKind::dense_layer, 0});
        int casts = 0;
        int products = 0;
        for (const Operator& op : all(layer)) {
            casts += op.kernel == KernelClass::quantize_transpose ? 1 : 0;
            products += op.kernel == KernelClass::gemm || op.kernel == KernelClass::gemm_wgrad ? 1 : 0;
            if (op.kernel == KernelClass::gemm) {
                EXPECT_EQ(op.dtype, precision == Precision::nvfp4 ? hw::DType::fp4 : hw::DType::fp8);
            }
        }
        EXPECT_EQ(products, 3 * 4); // qkv, o, up, down
        EXPECT_EQ(casts, 2 * 4) << name(precision);
    }
}

TEST(Precision, Fp8LeavesEmbeddingHeadRouterAndAttentionInBf16) {
    // arXiv 2412.19437, 3.3.1
    const ModelArch& model = preset("deepseek-v3");
    const auto stages = split_stages(model, test::deepseek_plan(), 16);
    for (const Block& block : stages.back()) {
        for (const Operator& op : all(block_kernels(model, test::deepseek_plan(), block))) {
            if (!is_matrix_product(op)) {
                EXPECT_EQ(op.dtype, hw::DType::bf16) << op.name;
                continue;
            }
            const bool layer = block.kind == BlockKind::moe_layer && !is_router(op);
            EXPECT_EQ(op.dtype, layer ? hw::DType::fp8 : hw::DType::bf16) << op.name;
        }
    }
}

TEST(Recomputation, RunsOnlyWhatThePlanDrops) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    plan.recompute = {};
    const BlockKernels plain = block_kernels(model, plan, {BlockKind::moe_layer, 10});
    EXPECT_TRUE(std::ranges::none_of(all(plain), is_recomputation));

    plan.recompute = {.attention_up_projection = true};
    const BlockKernels up = block_kernels(model, plan, {BlockKind::moe_layer, 10});
    double recomputed = 0.0;
    for (const Operator& op : up.attention_backward) {
        recomputed += is_recomputation(op) ? hw::arithmetic(op).value() : 0.0;
    }
    // q_b: 1,536 to 128 heads of 192; kv_b: 512 to 128 heads of 128 + 128.
    EXPECT_DOUBLE_EQ(recomputed, 2.0 * 4096 * (1536.0 * 128 * 192 + 512.0 * 128 * 256));
    EXPECT_EQ(up.ffn_backward, plain.ffn_backward);
}

TEST(ExpertParallelism, LeavesTheRoutedArithmeticOfAGpuAlone) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    const double at_64 = products(block_kernels(model, plan, {BlockKind::moe_layer, 10}).ffn_forward);
    plan.expert = 32;
    const double at_32 = products(block_kernels(model, plan, {BlockKind::moe_layer, 10}).ffn_forward);
    EXPECT_DOUBLE_EQ(at_64, at_32);
}

TEST(ExpertParallelism, SendsNothingWithinOneRank) {
    ParallelPlan plan = test::small_plan(preset("moe-tiny"), Precision::fp8_block);
    plan.expert = 1;
    const BlockKernels alone = block_kernels(preset("moe-tiny"), plan, {BlockKind::moe_layer, 3});
    EXPECT_FALSE(alone.routed);
    EXPECT_TRUE(alone.gradient_payload.empty());
    plan.expert = 2;
    const BlockKernels spread = block_kernels(preset("moe-tiny"), plan, {BlockKind::moe_layer, 3});
    EXPECT_TRUE(spread.routed);
    EXPECT_EQ(launches(all(alone)),
              launches(all(spread)) + launches(alone.ffn_weight_gradient) -
                  launches(spread.ffn_weight_gradient)); // one wgrad kernel per local expert
}

// Transformer Engine's fused grouped MLP (pytorch/ops/fused/grouped_mlp.py): no kernel between an expert's
// two products, forward or backward, and neither of them does less.
TEST(FusedExperts, DoTheSameProductsWithNothingBetweenThem) {
    ParallelPlan plan = test::small_plan(preset("gpt-oss-120b"), Precision::mxfp8);
    const auto layer = [&] { return block_kernels(preset("gpt-oss-120b"), plan, {BlockKind::moe_layer, 3}); };
    const BlockKernels apart = layer();
    plan.fused_experts = true;
    const BlockKernels fused = layer();
    EXPECT_DOUBLE_EQ(test::counted_flops(fused), test::counted_flops(apart));
    const auto names_of = [](const Operators& operators) {
        std::vector<std::string> names;
        for (const Operator& op : operators) {
            names.push_back(op.name);
        }
        return names;
    };
    const std::vector<std::string> after = names_of(all(fused));
    std::vector<std::string> gone;
    for (const std::string& name : names_of(all(apart))) {
        if (std::ranges::find(after, name) == after.end()) {
            gone.push_back(name);
        }
    }
    EXPECT_THAT(gone, testing::UnorderedElementsAre("routing weights", "expert activation",
                                                    "expert down cast", "expert down bias",
                                                    "expert activation backward", "routing weight gradient",
                                                    "routing weights backward", "expert up gradient cast"));
    const auto written = [](const BlockKernels& block, std::string_view name) {
        const Operators operators = all(block);
        return std::ranges::find(operators, name, &Operator::name)->written.value();
    };
    EXPECT_GT(written(fused, "expert up"), written(apart, "expert up")) << "the next product's operand";
    EXPECT_GT(written(fused, "expert down dgrad"), written(apart, "expert down dgrad"));
}

TEST(ExpertParallelism, ThatDoesNotDivideIsRefused) {
    ParallelPlan plan = test::deepseek_plan();
    plan.expert = 48;
    EXPECT_THROW(block_kernels(preset("deepseek-v3"), plan, {BlockKind::moe_layer, 10}),
                 std::invalid_argument);
    plan = test::deepseek_plan();
    plan.tensor = 48;
    EXPECT_THROW(block_kernels(preset("deepseek-v3"), plan, {BlockKind::moe_layer, 10}),
                 std::invalid_argument);
}

TEST(PlainFfn, HasTwoMatricesWhereAGatedOneHasThree) {
    ModelArch model = preset("llama-3.1-405b");
    const ParallelPlan plan = test::small_plan(model, Precision::bf16);
    const double gated = products(block_kernels(model, plan, {BlockKind::dense_layer, 0}).ffn_forward);
    model.gated_ffn = false;
    const double plain = products(block_kernels(model, plan, {BlockKind::dense_layer, 0}).ffn_forward);
    EXPECT_DOUBLE_EQ(gated / plain, 1.5);
}

TEST(Payload, IsDeepSeeksFp8DispatchAndBf16Combine) {
    const ModelArch& model = preset("deepseek-v3");
    ParallelPlan plan = test::deepseek_plan();
    EXPECT_EQ(dispatch_bytes_per_token(model, plan).value(), 7168 + 4 * 56); // a scale for every 128 elements
    EXPECT_EQ(combine_bytes_per_token(model, plan).value(), 2 * 7168);
    EXPECT_EQ(boundary_bytes(model, plan).value(), 2.0 * 4096 * 7168);
    plan.precision = Precision::bf16;
    EXPECT_EQ(dispatch_bytes_per_token(model, plan), combine_bytes_per_token(model, plan));
}

} // namespace
} // namespace chokepoint::work
