// SPDX-License-Identifier: Apache-2.0
// Kernels of a Mamba-2 mixer as Megatron-Core runs them: mamba_ssm's memory-efficient path, whose backward
// runs convolution and chunk states again (state-spaces/mamba, ops/triton/ssd_combined.py; Megatron-LM,
// core/ssm/mamba_mixer.py).
#include "layer_parts.hpp"
#include "layer_tensor.hpp"

namespace chokepoint::work {

using hw::KernelClass;

namespace {

Linear in_projection(const LayerShape& shape) {
    return {"ssm in", shape.model.hidden, shape.state_space.projected};
}
Linear out_projection(const LayerShape& shape) {
    return {"ssm out", shape.state_space.inner, shape.model.hidden};
}

/// Tensors that the kernels of one layer read and write, each once.
struct Tensors {
    hw::Bytes channels;    ///< x, its gradient, the gate, the output: one element for each channel
    hw::Bytes maps;        ///< B or C
    hw::Bytes wide_maps;   ///< the gradient of either, in FP32
    hw::Bytes heads;       ///< one FP32 for each head: step, decay, their gradients
    hw::Bytes states;      ///< of every chunk, BF16
    hw::Bytes wide_states; ///< the same in FP32
    hw::Bytes products;    ///< C times B within chunks, FP32
    hw::Bytes convolved;   ///< x, B and C together
};

Tensors tensors(const LayerShape& shape) {
    const StateSpaceShape& s = shape.state_space;
    const StateSpace& model = shape.model.state_space;
    const std::int64_t t = shape.tokens;
    return {.channels = bf16_bytes(t * s.inner),
            .maps = bf16_bytes(t * s.groups * model.state),
            .wide_maps = fp32_bytes(t * s.groups * model.state),
            .heads = fp32_bytes(t * s.heads),
            .states = bf16_bytes(s.states),
            .wide_states = fp32_bytes(s.states),
            .products = fp32_bytes(t * model.chunk * s.groups),
            .convolved = bf16_bytes(t * s.convolved)};
}

hw::Operator scan(std::string name, hw::Bytes read, hw::Bytes written) {
    return hw::streaming(std::move(name), KernelClass::scan, read, written);
}

/// Tokens stand first in Megatron's tensors and sequences in the kernels': with more than one of them a copy.
void turn(Operators& out, const LayerShape& shape, const std::string& name, std::int64_t width) {
    if (shape.plan.micro_batch > 1) {
        out.push_back(pass(name, KernelClass::copy, bf16_bytes(shape.tokens * width)));
    }
}

hw::Operator convolution(const Tensors& x, const std::string& prefix) {
    return hw::streaming(prefix + "ssm convolution", KernelClass::conv, x.convolved, x.convolved);
}

/// Steps and decays, C times B, and each chunk's state from its own tokens, then from all before it.
void chunk_states(Operators& out, const Tensors& x, const std::string& prefix, hw::Bytes passed) {
    out.push_back(hw::streaming(prefix + "ssm steps", KernelClass::add, x.heads, 2.0 * x.heads));
    out.push_back(scan(prefix + "ssm chunk states", x.channels + x.maps + 2.0 * x.heads, x.wide_states));
    out.push_back(hw::streaming(prefix + "ssm pass states", KernelClass::copy, x.wide_states, passed));
    out.push_back(scan(prefix + "ssm chunk products", 2.0 * x.maps, x.products));
}

void scan_forward(Operators& out, const LayerShape& shape) {
    const Tensors x = tensors(shape);
    out.push_back(convolution(x, ""));
    chunk_states(out, x, "", x.states);
    // With the gate in the same kernel, which keeps the output in front of it too.
    out.push_back(scan("ssm chunk scan", x.products + 2.0 * x.channels + x.maps + x.states + 2.0 * x.heads,
                       2.0 * x.channels));
}

void scan_backward(Operators& out, const LayerShape& shape) {
    const Tensors x = tensors(shape);
    out.push_back(convolution(x, "recompute "));
    chunk_states(out, x, "recompute ", x.wide_states);
    out.push_back(hw::streaming("ssm gate backward", KernelClass::add, 3.0 * x.channels, 2.0 * x.channels));
    out.push_back(scan("ssm states backward", x.channels + x.maps + x.heads, x.wide_states));
    out.push_back(
        hw::streaming("ssm pass states backward", KernelClass::copy, 2.0 * x.wide_states, 2.0 * x.states));
    out.push_back(scan("ssm x backward", 2.0 * x.channels + x.products + x.maps + x.states + 2.0 * x.heads,
                       x.channels + x.heads));
    out.push_back(
        scan("ssm b backward", x.channels + x.states + x.maps + 2.0 * x.heads, x.wide_maps + x.heads));
    out.push_back(scan("ssm c backward", x.channels + x.states + x.maps + x.heads, x.wide_maps + x.heads));
    out.push_back(scan("ssm products backward", 2.0 * x.channels + 2.0 * x.heads, x.products));
    out.push_back(scan("ssm maps backward", 2.0 * (x.maps + x.products + x.wide_maps), 2.0 * x.maps));
    out.push_back(scan("ssm decays backward", 2.0 * x.channels + x.products + 2.0 * x.heads, x.heads));
    // Reversed running sums of the decays' gradients, and the steps' own.
    constexpr int kLaunches = 6;
    out.push_back(
        hw::streaming("ssm steps backward", KernelClass::add, 6.0 * x.heads, 5.0 * x.heads, kLaunches));
    out.push_back(
        hw::streaming("ssm convolution backward", KernelClass::conv, 2.0 * x.convolved, x.convolved));
}

} // namespace

void add_state_space(BlockKernels& block, const LayerShape& shape) {
    const std::int64_t h = shape.model.hidden;
    const StateSpaceShape& s = shape.state_space;
    Operators& fwd = block.attention_forward;
    fwd.push_back(norm_with_residual(shape, "ssm norm", shape.shard, h));
    column_forward(fwd, shape, in_projection(shape));
    turn(fwd, shape, "ssm sequences first", s.projected);
    scan_forward(fwd, shape);
    turn(fwd, shape, "ssm tokens first", s.inner);
    fwd.push_back(norm(shape, "ssm output norm", shape.tokens, s.inner));
    row_forward(fwd, shape, out_projection(shape));

    Operators& bwd = block.attention_backward;
    row_input_gradient(bwd, shape, out_projection(shape));
    weight_gradient_operands(bwd, shape, out_projection(shape));
    bwd.push_back(norm_backward(shape, "ssm output norm backward", shape.tokens, s.inner, false));
    turn(bwd, shape, "ssm gradient sequences first", s.inner);
    scan_backward(bwd, shape);
    turn(bwd, shape, "ssm gradient tokens first", s.projected);
    if (shape.plan.recompute.norm) {
        bwd.push_back(norm(shape, "recompute ssm norm", shape.shard, h));
    }
    column_input_gradient(bwd, shape, in_projection(shape));
    reduce_input_gradient(bwd, shape, "ssm input", h);
    Operators& last = shape.tensor == 1 ? bwd : block.input_norm_backward;
    last.push_back(norm_backward(shape, "ssm norm backward", shape.shard, h, true));

    Operators& weights = block.attention_weight_gradient;
    weight_gradient(weights, shape, out_projection(shape));
    weight_gradient(weights, shape, in_projection(shape));
}

} // namespace chokepoint::work
