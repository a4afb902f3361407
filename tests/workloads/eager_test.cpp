// SPDX-License-Identifier: Apache-2.0
// PyTorch's own operations one by one, and recomputation as PyTorch does it.
#include "block_kernels.hpp"
#include "presets.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

using namespace chokepoint;
using namespace chokepoint::work;

namespace {

ModelArch llama() { return test::preset("llama-3-8b"); }
ModelArch gpt() {
    ModelArch model = llama();
    model.norm = NormKind::layernorm;
    model.activation = Activation::gelu;
    model.gated_ffn = false;
    model.positions = 2048;
    return model;
}

ParallelPlan plan_of(Elementwise elementwise) {
    ParallelPlan plan;
    plan.sequence = 8192;
    plan.elementwise = elementwise;
    return plan;
}

BlockKernels layer_of(const ModelArch& model, const ParallelPlan& plan) {
    return block_kernels(model, plan, {BlockKind::dense_layer, 0});
}

double moved(const hw::Operator& op) { return (op.read + op.written).value(); }

double streamed(const BlockKernels& block) {
    double bytes = 0.0;
    for (const hw::Operator& op : test::all_operators(block)) {
        bytes += hw::is_memory_bound(op.kernel) ? moved(op) : 0.0;
    }
    return bytes;
}

std::map<std::string, double> by_name(const BlockKernels& block) {
    std::map<std::string, double> bytes;
    for (const hw::Operator& op : test::all_operators(block)) {
        bytes[op.name] += moved(op);
    }
    return bytes;
}

double multiplied_again(const BlockKernels& block) {
    double sum = 0.0;
    for (const hw::Operator& op : test::all_operators(block)) {
        sum += test::is_matrix_product(op) && test::is_recomputation(op) ? hw::arithmetic(op).value() : 0.0;
    }
    return sum;
}

} // namespace

TEST(Eager, MovesMoreBytesForTheSameProducts) {
    for (const ModelArch& model : {llama(), gpt()}) {
        for (const BlockKind kind : {BlockKind::dense_layer, BlockKind::head}) {
            const Block block{kind, kind == BlockKind::head ? -1 : 0};
            const BlockKernels fused = block_kernels(model, plan_of(Elementwise::fused), block);
            const BlockKernels eager = block_kernels(model, plan_of(Elementwise::eager), block);
            EXPECT_DOUBLE_EQ(test::counted_flops(eager), test::counted_flops(fused));
            EXPECT_GT(streamed(eager), streamed(fused));
            const auto before = by_name(fused);
            for (const auto& [name, bytes] : by_name(eager)) {
                if (const auto same = before.find(name); same != before.end()) {
                    EXPECT_GE(bytes, same->second) << name;
                }
            }
        }
    }
}

/// What of PyTorch is one kernel already costs no more: GELU, and LayerNorm but for the residual sum in
/// front.
TEST(Eager, LeavesSingleKernelsAlone) {
    const auto fused = by_name(layer_of(gpt(), plan_of(Elementwise::fused)));
    const auto eager = by_name(layer_of(gpt(), plan_of(Elementwise::eager)));
    EXPECT_DOUBLE_EQ(eager.at("ffn activation"), fused.at("ffn activation"));
    const double stream = 2.0 * 8192 * gpt().hidden; // bytes of the hidden states
    EXPECT_DOUBLE_EQ(eager.at("ffn norm") - fused.at("ffn norm"), stream) << "the sum is read once more";
}

/// An RMSNorm in FP32 out of ATen's operations: nine times a fused one's traffic, forward.
TEST(Eager, CountsEveryTensorOfAnRmsNorm) {
    ParallelPlan plan = plan_of(Elementwise::eager);
    plan.recompute.norm = true;
    const double elements = 8192.0 * llama().hidden;
    EXPECT_DOUBLE_EQ(by_name(layer_of(llama(), plan)).at("recompute ffn norm"), 36.0 * elements);
    plan.elementwise = Elementwise::fused;
    EXPECT_DOUBLE_EQ(by_name(layer_of(llama(), plan)).at("recompute ffn norm"), 4.0 * elements);
}

TEST(Eager, SumsTheGradientsOfBiases) {
    ModelArch model = gpt();
    const double without = streamed(layer_of(model, plan_of(Elementwise::eager)));
    model.biases = true;
    const double with = streamed(layer_of(model, plan_of(Elementwise::eager)));
    const double outputs = 2.0 * model.hidden + model.attention.heads * model.attention.head_dim +
                           2.0 * model.attention.kv_heads * model.attention.head_dim + model.dense_ffn_hidden;
    EXPECT_DOUBLE_EQ(with - without, 2.0 * 8192 * outputs);
}

TEST(EverySecondProduct, IsKOutputAndOneInputOfTheFfn) {
    ParallelPlan plan = plan_of(Elementwise::fused);
    const double kept = multiplied_again(layer_of(llama(), plan));
    const hw::Bytes all = activation_bytes(llama(), plan, {BlockKind::dense_layer, 0});
    plan.recompute.every_second_product = true;
    const ModelArch model = llama();
    const double weights = static_cast<double>(model.hidden) *
                           (model.attention.kv_heads * model.attention.head_dim +
                            model.attention.heads * model.attention.head_dim + model.dense_ffn_hidden);
    EXPECT_DOUBLE_EQ(multiplied_again(layer_of(model, plan)) - kept, 2.0 * 8192 * weights);
    const double narrower =
        2.0 *
        8192 * // the key, one input of the activation; the last output stands for the stream behind attention
        (model.attention.kv_heads * model.attention.head_dim + model.dense_ffn_hidden);
    EXPECT_DOUBLE_EQ((all - activation_bytes(model, plan, {BlockKind::dense_layer, 0})).value(), narrower);
}

/// A layer that runs again and stops early leaves out its last product: a fifth to a quarter of its forward.
TEST(RecomputeEarlyStop, LeavesOutTheLastProduct) {
    ParallelPlan plan = plan_of(Elementwise::fused);
    EXPECT_TRUE(layer_of(llama(), plan).ffn_forward_again.empty());
    plan.recompute.layer = true;
    plan.recompute_early_stop = true;
    const BlockKernels layer = layer_of(llama(), plan);
    const double down =
        2.0 * 8192 * static_cast<double>(llama().hidden) * static_cast<double>(llama().dense_ffn_hidden);
    EXPECT_DOUBLE_EQ(test::products(layer.ffn_forward) - test::products(layer.ffn_forward_again), down);
}

/// Bytes of a logit, forward and backward, from the kernels of each implementation.
TEST(Loss, MovesTheBytesOfItsKernels) {
    ParallelPlan plan = plan_of(Elementwise::fused);
    const double logits = 8192.0 * llama().vocabulary;
    const auto bytes = [&](CrossEntropy kernel) {
        plan.cross_entropy = kernel;
        const auto moved = by_name(block_kernels(llama(), plan, {BlockKind::head, -1}));
        return std::array{moved.at("cross-entropy") / logits, moved.at("cross-entropy backward") / logits};
    };
    EXPECT_EQ(bytes(CrossEntropy::fused), (std::array{6.0, 4.0}));
    EXPECT_EQ(bytes(CrossEntropy::in_place), (std::array{38.0, 14.0}));
    EXPECT_EQ(bytes(CrossEntropy::compiled), (std::array{30.0, 18.0}));
    EXPECT_EQ(bytes(CrossEntropy::eager), (std::array{14.0, 22.0}));
}
