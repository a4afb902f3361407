// SPDX-License-Identifier: Apache-2.0
// Layers of one part each, as a pattern has them, and the kernels of Mamba-2 mixers and latent experts.
#include "block_kernels.hpp"
#include "presets.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace chokepoint::work {
namespace {

using hw::KernelClass;
using hw::Operator;
using test::preset;

constexpr double kTiny = 1e-12;

ModelArch nano() { return preset("nemotron-3-nano"); }

/// A hybrid without experts, on one GPU.
ParallelPlan plan_of(int tensor = 1) {
    ParallelPlan plan;
    plan.sequence = 4096;
    plan.tensor = tensor;
    return plan;
}

BlockKernels mixer(const ModelArch& model, const ParallelPlan& plan) {
    return block_kernels(model, plan, {BlockKind::dense_layer, static_cast<int>(model.pattern.find('M'))});
}

double bytes_of(const std::vector<Operator>& operators, KernelClass kernel) {
    return std::accumulate(operators.begin(), operators.end(), 0.0, [&](double sum, const Operator& op) {
        return sum + (op.kernel == kernel ? (op.read + op.written).value() : 0.0);
    });
}

bool runs(const BlockKernels& block, KernelClass kernel) {
    return std::ranges::count(test::all_operators(block), kernel, &Operator::kernel) > 0;
}

TEST(Pattern, SaysWhatEachLayerHas) {
    ModelArch model = nano();
    model.pattern = "M*-E";
    model.layers = 4;
    model.dense_ffn_hidden = 1856;
    EXPECT_EQ(layer_parts(model, 0), (LayerParts{Mixer::state_space, Ffn::none}));
    EXPECT_EQ(layer_parts(model, 1), (LayerParts{Mixer::attention, Ffn::none}));
    EXPECT_EQ(layer_parts(model, 2), (LayerParts{Mixer::none, Ffn::dense}));
    EXPECT_EQ(layer_parts(model, 3), (LayerParts{Mixer::none, Ffn::experts}));
    EXPECT_EQ(layer_parts(model, 4), (LayerParts{Mixer::attention, Ffn::experts})); // of an MTP module
    EXPECT_TRUE(faults(model).empty());
}

TEST(Pattern, RunsTheKernelsOfItsPartsAlone) {
    ModelArch model = nano();
    model.pattern = "M*-E";
    model.layers = 4;
    model.dense_ffn_hidden = 1856;
    for (int layer = 0; layer < model.layers; ++layer) {
        const BlockKind kind = has_experts(model, layer) ? BlockKind::moe_layer : BlockKind::dense_layer;
        const BlockKernels block = block_kernels(model, plan_of(), {kind, layer});
        EXPECT_EQ(runs(block, KernelClass::scan), layer == 0) << layer;
        EXPECT_EQ(runs(block, KernelClass::attention_fwd), layer == 1) << layer;
        EXPECT_EQ(runs(block, KernelClass::grouped_gemm), layer == 3) << layer;
        EXPECT_EQ(block.ffn_forward.operators.empty(), layer < 2) << layer;
        // One norm in front of the part, and one behind the scan.
        const auto forward =
            std::ranges::count(block.attention_forward.operators, KernelClass::norm_fwd, &Operator::kernel);
        EXPECT_EQ(forward, layer == 0 ? 2 : 1) << layer;
    }
}

TEST(Pattern, OfWholeLayersIsAModelWithoutOne) {
    // Attention and an FFN in turn cost what layers of both cost, and hold what they hold.
    const ModelArch whole = preset("llama-3-8b");
    ModelArch parts = whole;
    parts.dense_layers = 0;
    parts.layers = 2 * whole.layers;
    for (int layer = 0; layer < whole.layers; ++layer) {
        parts.pattern += "*-";
    }
    ASSERT_TRUE(faults(parts).empty());
    EXPECT_EQ(count_parameters(parts).total, count_parameters(whole).total);
    EXPECT_DOUBLE_EQ(training_flops_per_token(parts, 4096, true).value(),
                     training_flops_per_token(whole, 4096, true).value());
    const ParallelPlan plan = plan_of();
    std::vector<Operator> one = test::all_operators(block_kernels(whole, plan, {BlockKind::dense_layer, 0}));
    std::vector<Operator> two = test::all_operators(block_kernels(parts, plan, {BlockKind::dense_layer, 0}));
    const auto ffn = test::all_operators(block_kernels(parts, plan, {BlockKind::dense_layer, 1}));
    two.insert(two.end(), ffn.begin(), ffn.end());
    std::ranges::sort(one, {}, &Operator::name);
    std::ranges::sort(two, {}, &Operator::name);
    EXPECT_EQ(one, two);
}

TEST(Pattern, GroupsLayersThatAreAlike) {
    const auto counts = [](const ModelArch& model) {
        std::vector<int> all;
        for (const LikeLayers& group : like_layers(model)) {
            all.push_back(group.count);
        }
        return all;
    };
    EXPECT_THAT(counts(nano()), testing::ElementsAre(23, 23, 6));
    EXPECT_THAT(counts(preset("gpt-oss-120b")), testing::ElementsAre(18, 18)); // with and without a window
    EXPECT_THAT(counts(preset("llama-4-maverick")), testing::ElementsAre(24, 24));
    EXPECT_THAT(counts(preset("deepseek-v3")), testing::ElementsAre(3, 58));
}

TEST(StateSpace, TakesAsLongForEachTokenOfAnySequence) {
    ParallelPlan half = plan_of();
    half.sequence = 2048;
    const auto whole = test::all_operators(mixer(nano(), plan_of()));
    const auto part = test::all_operators(mixer(nano(), half));
    for (const KernelClass kernel : {KernelClass::scan, KernelClass::conv}) {
        EXPECT_NEAR(bytes_of(whole, kernel) / bytes_of(part, kernel), 2.0, kTiny);
    }
}

TEST(StateSpace, IsSharedOutOverTensorParallelGpus) {
    const auto one = test::all_operators(mixer(nano(), plan_of(1)));
    const auto two = test::all_operators(mixer(nano(), plan_of(2)));
    for (const KernelClass kernel : {KernelClass::scan, KernelClass::conv}) {
        EXPECT_NEAR(bytes_of(one, kernel) / bytes_of(two, kernel), 2.0, kTiny); // heads and groups halve
    }
    EXPECT_NEAR(test::products(one) / test::products(two), 2.0, kTiny);
}

TEST(StateSpace, RunsConvolutionAndChunkStatesAgainInItsBackward) {
    const BlockKernels block = mixer(nano(), plan_of());
    const auto count = [](const KernelSequence& sequence, std::string_view name) {
        return std::ranges::count(sequence.operators, name, &Operator::name);
    };
    EXPECT_EQ(count(block.attention_forward, "ssm convolution"), 1);
    EXPECT_EQ(count(block.attention_backward, "recompute ssm convolution"), 1);
    EXPECT_EQ(count(block.attention_backward, "recompute ssm chunk states"), 1);
    EXPECT_EQ(count(block.attention_backward, "recompute ssm chunk scan"), 0);
}

TEST(StateSpace, KeepsTheProjectionsOutputAndThreeTensorsOfChannels) {
    // mamba_ssm saves the projection's output and the scan's; the norm its input, the product out its own.
    const ModelArch model = nano();
    const ParallelPlan plan = plan_of();
    const double channels = 64.0 * 64.0;
    const double projected = 2.0 * channels + 2.0 * 8 * 128 + 64;
    const double kept = 2.0 * 4096.0 * (2.0 * model.hidden + projected + 3.0 * channels);
    EXPECT_DOUBLE_EQ(activation_bytes(model, plan, {BlockKind::dense_layer, 0}).value(), kept);
}

TEST(StateSpace, HasNoCacheThatGrowsWithTheSequence) {
    ModelArch model = nano();
    const double six = kv_bytes_per_token(model).value();
    EXPECT_DOUBLE_EQ(six, 2.0 * 6 * 2 * 2 * 128); // six layers of attention, two heads of keys and of values
    std::ranges::replace(model.pattern, '*', 'M');
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(model).value(), 0.0);
}

TEST(LatentExperts, SendAndMultiplyRowsOfTheirOwnWidth) {
    const ModelArch latent = preset("nemotron-3-super");
    ModelArch plain = latent;
    plain.moe.latent = 0;
    const ParallelPlan plan = test::small_plan(latent, Precision::bf16);
    EXPECT_NEAR(dispatch_bytes_per_token(plain, plan) / dispatch_bytes_per_token(latent, plan), 4.0, kTiny);
    EXPECT_NEAR(combine_bytes_per_token(plain, plan) / combine_bytes_per_token(latent, plan), 4.0, kTiny);
    EXPECT_EQ(count_parameters(plain).expert, 4 * count_parameters(latent).expert);
    const auto grouped = [&](const ModelArch& model) {
        double sum = 0.0;
        for (const Operator& op :
             test::all_operators(block_kernels(model, plan, {BlockKind::moe_layer, 1}))) {
            const bool experts =
                op.kernel == KernelClass::grouped_gemm || op.kernel == KernelClass::grouped_wgrad;
            sum += experts ? hw::arithmetic(op).value() : 0.0;
        }
        return sum;
    };
    EXPECT_NEAR(grouped(plain) / grouped(latent), 4.0, kTiny);
}

TEST(ModelFaults, NameWhatIsWrongWithAPattern) {
    ModelArch model = nano();
    model.pattern = "MEX";
    model.dense_layers = 1;
    model.state_space.groups = 7;
    EXPECT_THAT(
        faults(model),
        testing::ElementsAre(testing::HasSubstr("pattern has 'X' at layer 2"),
                             testing::HasSubstr("pattern has 3 letters; expected one for each of the 52"),
                             testing::HasSubstr("dense_layers is given beside a pattern"),
                             testing::HasSubstr("mamba.groups (7) does not divide mamba.heads (64)")));
}

} // namespace
} // namespace chokepoint::work
