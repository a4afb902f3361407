// SPDX-License-Identifier: Apache-2.0
// Adds up the kernels of each kind of block by what they are bound by.
#include "kernel_mix.hpp"

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::sim {
namespace {

struct BusySeconds {
    hw::Seconds gemm, attention, streaming;

    void add(const work::KernelSequence& kernels, const hw::CostModel& model, int times) {
        for (const hw::Operator& op : kernels) {
            hw::Seconds& sum = hw::is_memory_bound(op.kernel) ? streaming
                               : hw::is_attention(op.kernel)  ? attention
                                                              : gemm;
            sum += times * model.estimate(op, {}).time;
        }
    }
};

} // namespace

hw::KernelMix kernel_mix(const Scenario& scenario, const hw::CostModel& model) {
    const work::ModelArch& arch = scenario.model();
    BusySeconds busy;
    const auto add = [&](const work::Block& block, int times) {
        const work::BlockKernels kernels = work::block_kernels(arch, scenario.plan(), block);
        for (const work::KernelSequence* part :
             {&kernels.attention_forward, &kernels.ffn_forward, &kernels.ffn_backward,
              &kernels.ffn_weight_gradient, &kernels.attention_backward, &kernels.attention_weight_gradient,
              &kernels.input_norm_backward}) {
            busy.add(*part, model, times);
        }
    };
    for (const work::LikeLayers& like : work::like_layers(arch)) {
        add(like.first, like.count);
    }
    add({work::BlockKind::head, -1}, 1);
    const hw::Seconds all = busy.gemm + busy.attention + busy.streaming;
    return {busy.gemm / all, busy.attention / all};
}

} // namespace chokepoint::sim
