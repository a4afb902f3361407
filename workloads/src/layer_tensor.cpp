// SPDX-License-Identifier: Apache-2.0
// Puts each tensor-parallel transfer before, behind or beside its matrix product.
#include "layer_tensor.hpp"

#include <utility>

namespace chokepoint::work {
namespace {

/// A gather carries what the product behind it reads: quantised where the recipe quantises.
InnerTransfer gather(const LayerShape& shape, std::string name, std::int64_t width, Operand operand) {
    const hw::Bytes bytes = operand == Operand::quantized ? operand_bytes(shape, shape.tokens, width)
                                                          : bf16_bytes(shape.tokens * width);
    return {.name = std::move(name), .kind = TransferKind::all_gather, .bytes = bytes};
}

InnerTransfer reduction(const LayerShape& shape, std::string name, std::int64_t width) {
    return {.name = std::move(name),
            .kind = shape.scattered() ? TransferKind::reduce_scatter : TransferKind::all_reduce,
            .bytes = bf16_bytes(shape.tokens * width)};
}

/// The last kernel, a product over all tokens, cut into one over the first `rows` and one over the others.
hw::Operator cut_product(Operators& out, std::int64_t rows) {
    const hw::Operator whole = out.operators.back();
    const auto piece = [&](std::int64_t m) {
        return hw::gemm(whole.name, whole.kernel, whole.dtype, whole.scaling, m, whole.n, whole.k);
    };
    out.operators.back() = piece(rows);
    return piece(whole.m - rows);
}

/// Tokens of one chunk: a ring of `tensor` GPUs hands them round in as many.
std::int64_t chunk(const LayerShape& shape) { return shape.tokens / shape.tensor; }

/// Runs `product`, which ends in a matrix product over all tokens, behind a gather of its input. Overlapped,
/// the chunk that is here is multiplied first, and each other one while the next arrives: the last product
/// alone is left when the last chunk has come (user buffers of Transformer Engine; arXiv 2302.05045).
template <typename Product>
void behind_gather(Operators& out, const LayerShape& shape, InnerTransfer transfer, Product product) {
    const std::size_t number = out.start(std::move(transfer));
    if (!shape.plan.overlap_tensor) {
        out.finish(number);
        product();
        return;
    }
    product();
    hw::Operator last = cut_product(out, shape.tokens - chunk(shape));
    out.finish(number);
    out.push_back(std::move(last));
}

/// Quantises the GPU's own tokens, so that the gather carries them quantised.
Operand quantize_shard(Operators& out, const LayerShape& shape, const std::string& name, std::int64_t width,
                       Operand operand) {
    if (shape.fp8 && operand == Operand::bf16) {
        out.push_back(quantize(name, shape.shard, width));
        return Operand::quantized;
    }
    if (shape.cast && operand == Operand::bf16) {
        out.push_back(cast(shape, name, shape.shard, width));
        return Operand::quantized;
    }
    return operand;
}

} // namespace

void column_forward(Operators& out, const LayerShape& shape, const Linear& linear, Operand input) {
    if (!shape.scattered()) {
        forward(out, shape, linear, input);
        return;
    }
    const Operand operand = quantize_shard(out, shape, linear.name + " quantize", linear.in, input);
    behind_gather(out, shape, gather(shape, "gather " + linear.name + " input", linear.in, operand),
                  [&] { forward(out, shape, linear, operand); });
}

void row_forward(Operators& out, const LayerShape& shape, const Linear& linear, Operand input) {
    forward(out, shape, linear, input);
    if (shape.tensor == 1) {
        return;
    }
    InnerTransfer transfer = reduction(shape, "reduce " + linear.name + " output", linear.out);
    if (!shape.plan.overlap_tensor) {
        out.transfer(std::move(transfer));
        return;
    }
    // Each chunk's sum travels while the next chunk is multiplied.
    hw::Operator rest = cut_product(out, chunk(shape));
    const std::size_t number = out.start(std::move(transfer));
    out.push_back(std::move(rest));
    out.finish(number);
}

void row_input_gradient(Operators& out, const LayerShape& shape, const Linear& linear,
                        Operand output_gradient) {
    if (!shape.scattered()) {
        input_gradient(out, shape, linear, output_gradient);
    } else {
        const Operand operand =
            quantize_shard(out, shape, linear.name + " gradient quantize", linear.out, output_gradient);
        behind_gather(out, shape, gather(shape, "gather " + linear.name + " gradient", linear.out, operand),
                      [&] { input_gradient(out, shape, linear, operand); });
    }
}

void column_input_gradient(Operators& out, const LayerShape& shape, const Linear& linear,
                           Operand output_gradient) {
    if (!shape.scattered()) {
        input_gradient(out, shape, linear, output_gradient);
    } else {
        const std::size_t again =
            out.start(gather(shape, "gather " + linear.name + " input again", linear.in,
                             shape.fp8 || shape.cast ? Operand::quantized : Operand::bf16));
        input_gradient(out, shape, linear, output_gradient);
        out.finish(again);
    }
    weight_gradient_operands(out, shape, linear);
}

void reduce_input_gradient(Operators& out, const LayerShape& shape, const std::string& name,
                           std::int64_t width) {
    if (shape.tensor > 1) {
        out.start(reduction(shape, "reduce " + name + " gradient", width));
    }
}

void gather_tokens(Operators& out, const LayerShape& shape, const std::string& name, std::int64_t width) {
    if (shape.scattered()) {
        out.transfer(gather(shape, "gather " + name, width, Operand::bf16));
    }
}

void reduce_tokens(Operators& out, const LayerShape& shape, const std::string& name, std::int64_t width) {
    if (shape.tensor > 1) {
        out.transfer(reduction(shape, "reduce " + name, width));
    }
}

} // namespace chokepoint::work
