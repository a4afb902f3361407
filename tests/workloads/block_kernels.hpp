// SPDX-License-Identifier: Apache-2.0
// What the kernels of a block add up to, for tests.
#pragma once

#include <chokepoint/workloads/layer.hpp>

#include <vector>

namespace chokepoint::work::test {

inline std::vector<const KernelSequence*> sequences(const BlockKernels& block) {
    return {&block.attention_forward,   &block.ffn_forward,        &block.ffn_backward,
            &block.ffn_weight_gradient, &block.attention_backward, &block.attention_weight_gradient,
            &block.input_norm_backward, &block.gradient_payload};
}

inline std::vector<hw::Operator> all_operators(const BlockKernels& block) {
    std::vector<hw::Operator> joined;
    for (const KernelSequence* sequence : sequences(block)) {
        joined.insert(joined.end(), sequence->begin(), sequence->end());
    }
    return joined;
}

inline bool is_recomputation(const hw::Operator& op) { return op.name.starts_with("recompute "); }
inline bool is_router(const hw::Operator& op) { return op.name.starts_with("router "); }
inline bool is_matrix_product(const hw::Operator& op) { return op.kernel <= hw::KernelClass::grouped_wgrad; }

/// Arithmetic of matrix products that training counts.
template <typename Operators> double products(const Operators& operators) {
    double sum = 0.0;
    for (const hw::Operator& op : operators) {
        if (is_matrix_product(op) && !is_recomputation(op) && !is_router(op)) {
            sum += hw::arithmetic(op).value();
        }
    }
    return sum;
}

template <typename Operators> double forward_attention(const Operators& operators) {
    double sum = 0.0;
    for (const hw::Operator& op : operators) {
        const bool counted = op.kernel == hw::KernelClass::attention_fwd && !is_recomputation(op);
        sum += counted ? hw::arithmetic(op).value() : 0.0;
    }
    return sum;
}

/// As training counts a block's kernels on one GPU. The fused attention backward recomputes the scores;
/// training counts the backward as twice the forward.
inline double counted_flops(const BlockKernels& block) {
    const std::vector<hw::Operator> operators = all_operators(block);
    return products(operators) + 3.0 * forward_attention(operators);
}

} // namespace chokepoint::work::test
