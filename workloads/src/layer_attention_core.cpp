// SPDX-License-Identifier: Apache-2.0
// Cuts attention over the tokens of a context-parallel group so that every member computes as much.
#include "layer_attention_core.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

hw::KernelLibrary library(AttentionKernel kernel) {
    using enum hw::KernelLibrary;
    switch (kernel) {
    case AttentionKernel::flash_attention_2:
        return flash_attention_2;
    case AttentionKernel::flash_attention_1:
        return flash_attention_1;
    case AttentionKernel::flash_attention_triton:
        return flash_attention_triton;
    case AttentionKernel::fused:
    case AttentionKernel::unfused:
        break;
    }
    return usual;
}

/// Attention of `queries` tokens of each sequence to `keys`, of which a causal kernel computes half.
hw::Operator kernel(const LayerShape& shape, KernelClass kernel, std::int64_t queries, std::int64_t keys,
                    int heads, int kv_heads, bool causal) {
    hw::Operator op =
        hw::attention(kernel == KernelClass::attention_fwd ? "attention" : "attention backward", kernel,
                      shape.plan.micro_batch, queries, heads, kv_heads, shape.head_qk, shape.head_v, causal);
    op.library = library(shape.plan.attention_kernel);
    // As long as the triangle (or rectangle) of so many keys is what a window leaves of it.
    const auto sequence = static_cast<double>(shape.plan.sequence);
    const double window = 2.0 * mean_keys(shape.window, shape.plan.sequence) / sequence;
    op.seq_kv = std::llround(window * static_cast<double>(keys));
    if (keys != queries) {
        const double key_value = 2.0 * static_cast<double>(shape.plan.micro_batch * kv_heads) *
                                 (shape.head_qk + shape.head_v) * static_cast<double>(keys - queries);
        op.read += hw::Bytes(key_value);
        op.written += hw::Bytes(kernel == KernelClass::attention_bwd ? key_value : 0.0);
    }
    return op;
}

/// Keys and values of `tokens` tokens, or their gradients.
hw::Bytes key_value_bytes(const LayerShape& shape, std::int64_t tokens) {
    return bf16_bytes(tokens * shape.kv_heads * (shape.head_qk + shape.head_v));
}

InnerTransfer context_transfer(std::string name, TransferKind kind, hw::Bytes bytes) {
    return {.name = std::move(name), .kind = kind, .group = Group::context, .bytes = bytes};
}

/// Every member holds two pieces of each sequence, the i-th from the front and from the back. Against its own
/// keys it computes a causal triangle, against any other member's half of all pairs: equal work in every step
/// (zigzag, as Transformer Engine's ring). Keys and values of the next step arrive beside each block; in the
/// backward their gradients travel with them.
void ring(Operators& out, const LayerShape& shape, KernelClass of) {
    const int members = shape.plan.context;
    const std::int64_t queries = shape.plan.sequence / members;
    const bool backward = of == KernelClass::attention_bwd;
    const hw::Bytes sent = (backward ? 2.0 : 1.0) * key_value_bytes(shape, shape.tokens);
    for (int step = 0; step < members; ++step) {
        const bool last = step + 1 == members;
        std::size_t arriving = 0;
        if (!last) {
            arriving = out.start(
                context_transfer(backward ? "ring kv gradients" : "ring kv", TransferKind::ring_shift, sent));
        }
        out.push_back(kernel(shape, of, queries, step == 0 ? queries : queries / 2, shape.heads,
                             shape.kv_heads, step == 0));
        if (!last) {
            out.finish(arriving);
        }
    }
    if (backward) { // the gradients' last step home
        out.transfer(context_transfer("ring kv gradients", TransferKind::ring_shift,
                                      key_value_bytes(shape, shape.tokens)));
    }
}

/// The whole sequence's keys and values beside the member's own queries.
void gathered(Operators& out, const LayerShape& shape, KernelClass of) {
    const hw::Bytes whole = key_value_bytes(shape, shape.plan.micro_batch_tokens());
    out.transfer(context_transfer("gather kv", TransferKind::all_gather, whole));
    out.push_back(kernel(shape, of, shape.plan.sequence / shape.plan.context, shape.plan.sequence,
                         shape.heads, shape.kv_heads, true));
    if (of == KernelClass::attention_bwd) {
        out.transfer(context_transfer("reduce kv gradients", TransferKind::reduce_scatter, whole));
    }
}

/// All tokens of a share of the heads.
void exchanged(Operators& out, const LayerShape& shape, KernelClass of) {
    const int members = shape.plan.context;
    const hw::Bytes qkv = bf16_bytes(shape.tokens * shape.query_dim) + key_value_bytes(shape, shape.tokens);
    const hw::Bytes output = bf16_bytes(shape.tokens * shape.value_dim);
    const bool backward = of == KernelClass::attention_bwd;
    out.transfer(context_transfer(backward ? "exchange output gradient" : "exchange qkv",
                                  TransferKind::all_to_all, backward ? output : qkv));
    out.push_back(kernel(shape, of, shape.plan.sequence, shape.plan.sequence, shape.heads / members,
                         shape.kv_heads / members, true));
    out.transfer(context_transfer(backward ? "exchange qkv gradients" : "exchange output",
                                  TransferKind::all_to_all, backward ? qkv : output));
}

/// Scores of all pairs, also those that the mask drops, in memory: a batched product, scale, mask and softmax
/// in one kernel, dropout with its mask, a batched product (Megatron-LM before FlashAttention; arXiv
/// 2205.05198, figure 3).
void unfused_forward(Operators& out, const LayerShape& shape) {
    const std::int64_t s = shape.plan.sequence;
    const int batch = shape.plan.micro_batch * shape.heads;
    const std::int64_t pairs = s * s * batch;
    const auto product = [&](std::string name, std::int64_t n, std::int64_t k) {
        return hw::gemm(std::move(name), KernelClass::gemm, hw::DType::bf16, hw::Scaling::none, s, n, k,
                        batch);
    };
    out.push_back(product("attention scores", s, shape.head_qk));
    out.push_back(pass("attention softmax", KernelClass::add, bf16_bytes(pairs)));
    out.push_back(hw::streaming("attention dropout", KernelClass::add, bf16_bytes(pairs),
                                bf16_bytes(pairs) + hw::Bytes(static_cast<double>(pairs))));
    out.push_back(product("attention context", shape.head_v, s));
}

void unfused_backward(Operators& out, const LayerShape& shape) {
    const std::int64_t s = shape.plan.sequence;
    const int batch = shape.plan.micro_batch * shape.heads;
    const std::int64_t pairs = s * s * batch;
    const auto product = [&](std::string name, std::int64_t n, std::int64_t k) {
        return hw::gemm(std::move(name), KernelClass::gemm, hw::DType::bf16, hw::Scaling::none, s, n, k,
                        batch);
    };
    out.push_back(product("attention v gradient", shape.head_v, s));
    out.push_back(product("attention context dgrad", s, shape.head_v));
    out.push_back(hw::streaming("attention dropout backward", KernelClass::add,
                                bf16_bytes(pairs) + hw::Bytes(static_cast<double>(pairs)),
                                bf16_bytes(pairs)));
    out.push_back(hw::streaming("attention softmax backward", KernelClass::add, 2.0 * bf16_bytes(pairs),
                                bf16_bytes(pairs)));
    out.push_back(product("attention q gradient", shape.head_qk, s));
    out.push_back(product("attention k gradient", shape.head_qk, s));
}

bool unfused(const LayerShape& shape) {
    return shape.plan.attention_kernel == AttentionKernel::unfused && shape.plan.context == 1;
}

void core(Operators& out, const LayerShape& shape, KernelClass of) {
    if (shape.plan.context == 1) {
        out.push_back(
            kernel(shape, of, shape.plan.sequence, shape.plan.sequence, shape.heads, shape.kv_heads, true));
        return;
    }
    switch (shape.plan.context_kind) {
    case ContextKind::ring:
        return ring(out, shape, of);
    case ContextKind::all_gather:
        return gathered(out, shape, of);
    case ContextKind::all_to_all:
        return exchanged(out, shape, of);
    }
    throw std::logic_error("context parallelism of unknown kind");
}

} // namespace

void attention_core(Operators& out, const LayerShape& shape) {
    if (unfused(shape)) {
        unfused_forward(out, shape);
    } else {
        core(out, shape, KernelClass::attention_fwd);
    }
}

/// What surrounds the fused backward: row sums of output times its gradient and a cleared FP32 gradient of q;
/// then that gradient's conversion to BF16 (FlashAttention-3's preprocess and postprocess kernels).
void attention_core_backward(Operators& out, const LayerShape& shape) {
    const std::int64_t query = shape.tokens * shape.query_dim;
    const std::int64_t value = shape.tokens * shape.value_dim;
    const std::int64_t row_sums = shape.tokens * shape.heads;
    if (shape.plan.recompute.core_attention) {
        Operators again;
        attention_core(again, shape);
        run_again(out, again);
    }
    if (unfused(shape)) {
        unfused_backward(out, shape);
        return;
    }
    out.push_back(hw::streaming("attention preprocess", KernelClass::attention_aux, 2.0 * bf16_bytes(value),
                                fp32_bytes(query) + fp32_bytes(row_sums)));
    core(out, shape, KernelClass::attention_bwd);
    out.push_back(hw::streaming("attention dq convert", KernelClass::attention_aux, fp32_bytes(query),
                                bf16_bytes(query)));
}

} // namespace chokepoint::work
