// SPDX-License-Identifier: Apache-2.0
// Steps of an FFN that every token passes, apart so that a MoE layer can put its routed experts in between.
#pragma once

#include "layer_parts.hpp"

namespace chokepoint::work {

struct Mlp {
    std::string name;
    std::int64_t width = 0;
    /// Shared experts use what was quantised for dispatch and its gradient; a dense FFN quantises itself.
    Operand operands = Operand::bf16;
};
Mlp dense_mlp(const LayerShape&);
Mlp shared_mlp(const LayerShape&);
/// Gate and up projection as one map.
Linear mlp_up(const LayerShape&, const Mlp&);
Linear mlp_down(const LayerShape&, const Mlp&);

/// SwiGLU or the plain activation, over `rows` of `width` outputs.
hw::Operator activation_forward(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width);
/// `with_forward` also writes the output again, for the weight gradient.
hw::Operator activation_backward(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width,
                                 bool with_forward);

void mlp_up_forward(Operators&, const LayerShape&, const Mlp&);
void mlp_down_forward(Operators&, const LayerShape&, const Mlp&);
/// FP8 only: the up projection's output as it is kept for the backward (DeepSeek-V3 report, arXiv
/// 2412.19437, 3.3.3).
void mlp_cache(Operators&, const LayerShape&, const Mlp&);
void mlp_down_backward(Operators&, const LayerShape&, const Mlp&);
/// The norm in front of the FFN again, where its output was dropped.
void mlp_input_recompute(Operators&, const LayerShape&);
void mlp_up_backward(Operators&, const LayerShape&, const Mlp&);

} // namespace chokepoint::work
