// SPDX-License-Identifier: Apache-2.0
// Fused causal attention, forward and backward, BF16: softmax(q k^T / sqrt(dim_qk)) v, with its log-sum
// statistics.
#pragma once

#include "attention/cudnn_graph.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// Tensors lie [batch][seq][heads][dim]; statistics [batch][heads][seq], FP32.
struct AttentionForwardGraph {
    AttentionForwardGraph(const CudnnLibrary&, const Shape&);
    CudnnGraph graph;
    CudnnGraph::Tensor q{}, k{}, v{}, o{}, statistics{};
};

struct AttentionBackwardGraph {
    AttentionBackwardGraph(const CudnnLibrary&, const Shape&);
    CudnnGraph graph;
    CudnnGraph::Tensor q{}, k{}, v{}, o{}, d_o{}, statistics{}, dq{}, dk{}, dv{};
    CudnnGraph::Tensor row_sum{}; ///< scratch, [batch][heads][seq]
    CudnnGraph::Tensor dq_sum{};  ///< scratch, FP32, [batch][heads][seq][dim_qk]; see clears_dq_sum
};

/// Whether a cuDNN of this version zeroes dq_sum itself; for an older one it has to be done before each run.
bool clears_dq_sum(std::size_t cudnn_version);

/// One query row against all keys up to it, in double precision.
struct AttentionRow {
    std::vector<double> output;
    double log_sum = 0.0; ///< log of the sum of exp(scores)
};
using Matrix = std::vector<std::vector<double>>; ///< rows of values
AttentionRow attention_row_reference(const std::vector<double>& query, const Matrix& keys,
                                     const Matrix& values, std::int64_t visible, double scale);
/// Gradient of one query row, given the output's and the row's statistics.
std::vector<double> attention_dq_reference(const std::vector<double>& query, const Matrix& keys,
                                           const Matrix& values, std::int64_t visible, double scale,
                                           const std::vector<double>& output,
                                           const std::vector<double>& d_output, double log_sum);
/// What queries from `first` on contribute to the gradients of one key row and value row.
struct KeyGradient {
    std::vector<double> key, value;
};
KeyGradient attention_dkv_reference(const std::vector<double>& key, const std::vector<double>& value,
                                    const Matrix& queries, const Matrix& outputs, const Matrix& d_outputs,
                                    const std::vector<double>& log_sums, std::int64_t first, double scale);
double attention_scale(const Shape&);

Work attention_forward_work(const Case&);
Work attention_backward_work(const Case&);
std::unique_ptr<Workload> make_attention_forward(const Case&, Device&);
std::unique_ptr<Workload> make_attention_backward(const Case&, Device&);

} // namespace chokepoint::kref
