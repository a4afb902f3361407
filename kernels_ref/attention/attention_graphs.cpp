// SPDX-License-Identifier: Apache-2.0
// Attention spelt out in cuDNN's operations; the library recognises the pattern and runs one fused kernel.
#include "attention/attention.hpp"

#include <limits>
#include <utility>

namespace chokepoint::kref {
namespace {

using Extents = CudnnGraph::Extents;
using Tensor = CudnnGraph::Tensor;
constexpr cudnnDataType_t kBf16 = CUDNN_DATA_BFLOAT16;
constexpr cudnnDataType_t kFloat = CUDNN_DATA_FLOAT;
constexpr cudnnDataType_t kInt = CUDNN_DATA_INT32;
constexpr cudnnDataType_t kBool = CUDNN_DATA_BOOLEAN;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

Extents transposed(Extents e) {
    std::swap(e[2], e[3]);
    return e;
}

/// Extents and strides of the tensors of one shape.
struct Layouts {
    const Shape& s;

    [[nodiscard]] Extents dims(int heads, int dim) const { return {s.batch, heads, s.seq, dim}; }
    /// Heads of a token side by side.
    [[nodiscard]] Extents packed(int heads, int dim) const {
        const std::int64_t token = static_cast<std::int64_t>(heads) * dim;
        return {s.seq * token, dim, token, 1};
    }
    /// Tokens of a head side by side.
    [[nodiscard]] Extents by_head(int heads, int dim) const {
        const std::int64_t head = s.seq * dim;
        return {heads * head, head, dim, 1};
    }
    [[nodiscard]] Extents scores() const { return {s.batch, s.heads, s.seq, s.seq}; }
    [[nodiscard]] Extents score_strides() const { return {s.heads * s.seq * s.seq, s.seq * s.seq, s.seq, 1}; }
    [[nodiscard]] Extents rows() const { return {s.batch, s.heads, s.seq, 1}; }
    [[nodiscard]] Extents row_strides() const { return {s.heads * s.seq, s.seq, 1, 1}; }
};

/// Adds operations on score-shaped intermediates, each with a tensor of its own for the result.
struct Scores {
    CudnnGraph& graph;
    Layouts layouts;

    [[nodiscard]] Tensor make(cudnnDataType_t type) const {
        return graph.inner(layouts.scores(), layouts.score_strides(), type);
    }
    [[nodiscard]] Tensor apply(cudnnPointwiseMode_t mode, Tensor x, std::optional<Tensor> b = {},
                               cudnnDataType_t type = kFloat) const {
        const Tensor y = make(type);
        CudnnGraph::Pointwise more;
        more.b = b;
        graph.pointwise(mode, x, y, more);
        return y;
    }
    /// Keys after the query get minus infinity.
    [[nodiscard]] Tensor causal(Tensor x) const {
        const Tensor minus_infinity = graph.scalar(kMinusInfinity);
        const Tensor row = make(kInt);
        const Tensor column = make(kInt);
        const Tensor visible = make(kBool);
        const Tensor masked = make(kFloat);
        CudnnGraph::Pointwise more;
        more.axis = 2;
        graph.pointwise(CUDNN_POINTWISE_GEN_INDEX, x, row, more);
        more.axis = 3;
        graph.pointwise(CUDNN_POINTWISE_GEN_INDEX, x, column, more);
        CudnnGraph::Pointwise compare;
        compare.b = column;
        compare.compute = kBool;
        graph.pointwise(CUDNN_POINTWISE_CMP_GE, row, visible, compare);
        CudnnGraph::Pointwise select;
        select.b = minus_infinity;
        select.mask = visible;
        graph.pointwise(CUDNN_POINTWISE_BINARY_SELECT, x, masked, select);
        return masked;
    }
    /// Rows become columns: the left operand of the products for keys and values.
    [[nodiscard]] Tensor flipped(Tensor x) const {
        const Shape& s = layouts.s;
        const Tensor y =
            graph.inner(layouts.scores(), {s.heads * s.seq * s.seq, s.seq * s.seq, 1, s.seq}, kBf16);
        graph.reshape(x, y);
        return y;
    }
};

} // namespace

bool clears_dq_sum(std::size_t cudnn_version) {
    // "prior to cuDNN 9.6.0, dQ_accum needed to be memset by frontend": NVIDIA/cudnn-frontend,
    // node/scaled_dot_product_flash_attention.h
    constexpr std::size_t kClearsItself = 90600;
    return cudnn_version >= kClearsItself;
}

AttentionForwardGraph::AttentionForwardGraph(const CudnnLibrary& lib, const Shape& s) : graph(lib) {
    const Layouts at{s};
    const Scores scores{graph, at};
    q = graph.tensor(at.dims(s.heads, s.dim_qk), at.packed(s.heads, s.dim_qk), kBf16);
    k = graph.tensor(transposed(at.dims(s.kv_heads, s.dim_qk)), transposed(at.packed(s.kv_heads, s.dim_qk)),
                     kBf16);
    v = graph.tensor(at.dims(s.kv_heads, s.dim_v), at.packed(s.kv_heads, s.dim_v), kBf16);
    o = graph.tensor(at.dims(s.heads, s.dim_v), at.packed(s.heads, s.dim_v), kBf16);
    statistics = graph.tensor(at.rows(), at.row_strides(), kFloat);
    const Tensor scale = graph.scalar(static_cast<float>(attention_scale(s)));
    const auto row = [&] { return graph.inner(at.rows(), at.row_strides(), kFloat); };

    const Tensor product = scores.make(kFloat);
    graph.matmul(q, k, product);
    Tensor score = scores.apply(CUDNN_POINTWISE_MUL, product, scale);
    if (s.causal) {
        score = scores.causal(score);
    }
    const Tensor largest = row();
    graph.reduce(CUDNN_REDUCE_TENSOR_MAX, score, largest);
    const Tensor exponential =
        scores.apply(CUDNN_POINTWISE_EXP, scores.apply(CUDNN_POINTWISE_SUB, score, largest));
    const Tensor sum = row();
    graph.reduce(CUDNN_REDUCE_TENSOR_ADD, exponential, sum);
    const Tensor log_sum = row();
    graph.pointwise(CUDNN_POINTWISE_LOG, sum, log_sum);
    CudnnGraph::Pointwise add;
    add.b = log_sum;
    graph.pointwise(CUDNN_POINTWISE_ADD, largest, statistics, add);
    const Tensor share = scores.apply(CUDNN_POINTWISE_DIV, exponential, sum, kBf16);
    graph.matmul(share, v, o);
}

AttentionBackwardGraph::AttentionBackwardGraph(const CudnnLibrary& lib, const Shape& s) : graph(lib) {
    const Layouts at{s};
    const Scores scores{graph, at};
    const auto packed = [&](int heads, int dim) {
        return graph.tensor(at.dims(heads, dim), at.packed(heads, dim), kBf16);
    };
    const auto packed_transposed = [&](int heads, int dim) {
        return graph.tensor(transposed(at.dims(heads, dim)), transposed(at.packed(heads, dim)), kBf16);
    };
    q = packed(s.heads, s.dim_qk);
    k = packed_transposed(s.kv_heads, s.dim_qk);
    v = packed_transposed(s.kv_heads, s.dim_v);
    o = packed(s.heads, s.dim_v);
    d_o = packed(s.heads, s.dim_v);
    statistics = graph.tensor(at.rows(), at.row_strides(), kFloat);
    dq = packed(s.heads, s.dim_qk);
    dk = packed(s.kv_heads, s.dim_qk);
    dv = packed(s.kv_heads, s.dim_v);
    const Tensor scale = graph.scalar(static_cast<float>(attention_scale(s)));
    const Tensor one = graph.scalar(1.0F);
    row_sum = graph.tensor(at.rows(), at.row_strides(), kFloat);
    dq_sum = graph.tensor(at.dims(s.heads, s.dim_qk), at.by_head(s.heads, s.dim_qk), kFloat);
    const auto multiply = [&](Tensor a, Tensor b, Tensor y) {
        CudnnGraph::Pointwise by;
        by.b = b;
        graph.pointwise(CUDNN_POINTWISE_MUL, a, y, by);
    };

    // row_sum = sum over dim_v of d_o o
    const Tensor product =
        graph.inner(at.dims(s.heads, s.dim_v),
                    {s.heads * s.seq * s.dim_v, s.seq * s.dim_v, s.heads * s.dim_v, 1}, kFloat);
    const Tensor plain_sum = graph.inner(at.rows(), at.row_strides(), kFloat);
    multiply(d_o, o, product);
    graph.reduce(CUDNN_REDUCE_TENSOR_ADD, product, plain_sum);
    multiply(plain_sum, one, row_sum);

    // share = exp(scale q k - statistics)
    const Tensor score = scores.make(kFloat);
    graph.matmul(q, k, score);
    Tensor shifted =
        scores.apply(CUDNN_POINTWISE_SUB, scores.apply(CUDNN_POINTWISE_MUL, score, scale), statistics);
    if (s.causal) {
        shifted = scores.causal(shifted);
    }
    const Tensor share = scores.apply(CUDNN_POINTWISE_EXP, shifted);

    // Grouped queries: gradients of a key's heads are summed by a reduction.
    const bool grouped = s.heads != s.kv_heads;
    const auto key_product = [&](Tensor left, Tensor right, Tensor out, int dim) {
        if (!grouped) {
            graph.matmul(left, right, out);
            return;
        }
        const Tensor every_head = graph.inner(at.dims(s.heads, dim), at.by_head(s.heads, dim), kBf16);
        graph.matmul(left, right, every_head);
        graph.reduce(CUDNN_REDUCE_TENSOR_ADD, every_head, out);
    };
    key_product(scores.flipped(share), d_o, dv, s.dim_v);

    // d_score = scale share (d_o v - row_sum)
    const Tensor d_share = scores.make(kFloat);
    graph.matmul(d_o, v, d_share);
    const Tensor centred = scores.apply(CUDNN_POINTWISE_SUB, d_share, row_sum);
    const Tensor weighted = scores.apply(CUDNN_POINTWISE_MUL, centred, share);
    const Tensor d_score = scores.apply(CUDNN_POINTWISE_MUL, weighted, scale, kBf16);
    key_product(scores.flipped(d_score), q, dk, s.dim_qk);

    const Tensor key = graph.inner(at.dims(s.kv_heads, s.dim_qk), at.packed(s.kv_heads, s.dim_qk), kBf16);
    graph.reshape(k, key);
    graph.matmul(d_score, key, dq_sum);
    graph.pointwise(CUDNN_POINTWISE_IDENTITY, dq_sum, dq);
}

} // namespace chokepoint::kref
