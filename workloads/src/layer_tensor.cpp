// SPDX-License-Identifier: Apache-2.0
// Puts each tensor-parallel transfer before, behind or beside its matrix product.
#include "layer_tensor.hpp"

#include <utility>
#include <vector>

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

// Transformer Engine's user buffers, as it sets them up by itself (NVIDIA/TransformerEngine,
// pytorch/module/base.py, get_default_config): a sum is sent in four splits by 16 SMs that its product leaves
// alone; a gather hands chunks round a ring of copy engines.
constexpr std::int64_t kSplits = 4;
constexpr int kTransferSms = 16;

/// The last kernel, a product over all tokens, taken out and cut along them: kernels of their own.
std::vector<hw::Operator> cut_product(Operators& out, std::int64_t pieces) {
    const hw::Operator whole = out.operators.back();
    out.operators.pop_back();
    std::vector<hw::Operator> cut;
    for (std::int64_t i = 0; i < pieces; ++i) {
        const std::int64_t rows = whole.m * (i + 1) / pieces - whole.m * i / pieces;
        cut.push_back(hw::gemm(whole.name, whole.kernel, whole.dtype, whole.scaling, rows, whole.n, whole.k));
    }
    return cut;
}

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
    std::vector<hw::Operator> chunks = cut_product(out, shape.tensor);
    for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
        out.push_back(std::move(chunks[i]));
    }
    out.finish(number);
    out.push_back(std::move(chunks.back()));
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

/// How a tensor lies that another product gathered: as that one quantised it.
Operand as_gathered(const LayerShape& shape, Operand operand) {
    return shape.fp8 || shape.cast ? Operand::quantized : operand;
}

} // namespace

void column_forward(Operators& out, const LayerShape& shape, const Linear& linear, Operand input) {
    if (!shape.scattered()) {
        forward(out, shape, linear, input);
        return;
    }
    if (linear.joins_forward) {
        forward(out, shape, linear, as_gathered(shape, input));
        return;
    }
    const Operand operand = quantize_shard(out, shape, linear.name + " quantize", linear.in, input);
    behind_gather(out, shape, gather(shape, "gather " + linear.name + " input", linear.in, operand),
                  [&] { forward(out, shape, linear, operand); });
}

void row_forward(Operators& out, const LayerShape& shape, const Linear& linear, Operand input) {
    forward(out, shape, linear, input);
    if (shape.tensor == 1 || linear.joins_forward) {
        return;
    }
    InnerTransfer transfer = reduction(shape, "reduce " + linear.name + " output", linear.out);
    if (!shape.plan.overlap_tensor) {
        out.transfer(std::move(transfer));
        return;
    }
    // Each split's sum travels while the next is multiplied; behind the last nothing is left to hide it.
    InnerTransfer last = transfer;
    last.bytes = transfer.bytes / kSplits;
    transfer.bytes -= last.bytes;
    std::vector<hw::Operator> splits = cut_product(out, kSplits);
    for (hw::Operator& split : splits) {
        split.sms_held = kTransferSms;
    }
    out.push_back(std::move(splits.front()));
    const std::size_t number = out.start(std::move(transfer));
    for (std::size_t i = 1; i < splits.size(); ++i) {
        out.push_back(std::move(splits[i]));
    }
    out.finish(number);
    out.transfer(std::move(last));
}

void row_input_gradient(Operators& out, const LayerShape& shape, const Linear& linear,
                        Operand output_gradient) {
    if (!shape.scattered()) {
        input_gradient(out, shape, linear, output_gradient);
    } else if (linear.joins_backward) {
        input_gradient(out, shape, linear, as_gathered(shape, output_gradient));
    } else {
        const Operand operand =
            quantize_shard(out, shape, linear.name + " gradient quantize", linear.out, output_gradient);
        behind_gather(out, shape, gather(shape, "gather " + linear.name + " gradient", linear.out, operand),
                      [&] { input_gradient(out, shape, linear, operand); });
    }
}

void column_input_gradient(Operators& out, const LayerShape& shape, const Linear& linear,
                           Operand output_gradient) {
    if (!shape.scattered() || linear.joins_backward || !shape.plan.overlap_input_gradient) {
        input_gradient(out, shape, linear, output_gradient);
    } else {
        const std::size_t again = out.start(gather(shape, "gather " + linear.name + " input again", linear.in,
                                                   as_gathered(shape, Operand::bf16)));
        input_gradient(out, shape, linear, output_gradient);
        out.finish(again);
    }
    weight_gradient_operands(out, shape, linear);
}

void reduce_input_gradient(Operators& out, const LayerShape& shape, const std::string& name,
                           std::int64_t width) {
    if (!shape.plan.overlap_input_gradient) {
        reduce_tokens(out, shape, name + " gradient", width);
    } else if (shape.tensor > 1) {
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
