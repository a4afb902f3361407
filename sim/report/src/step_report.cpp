// SPDX-License-Identifier: Apache-2.0
// Step time, throughput and utilisation from a simulated timeline.
#include <chokepoint/sim/report.hpp>

namespace chokepoint::sim {

StepReport step_report(const Scenario& scenario, const work::TaskGraph& graph, const Timeline& timeline,
                       const FoldReport& fold) {
    const work::ParallelPlan& plan = scenario.plan();
    StepReport step;
    step.seconds = timeline.makespan;
    step.tokens = static_cast<double>(plan.global_batch) * static_cast<double>(plan.sequence);
    const hw::Seconds gpu_seconds = timeline.makespan * static_cast<double>(scenario.cluster().gpus());
    step.tokens_per_second_per_gpu = step.tokens / gpu_seconds.value();
    step.flops_per_token_causal = work::training_flops_per_token(scenario.model(), plan.sequence, true);
    step.flops_per_token_noncausal = work::training_flops_per_token(scenario.model(), plan.sequence, false);
    step.flops_per_gpu_causal = step.flops_per_token_causal * step.tokens / gpu_seconds;
    step.flops_per_gpu_noncausal = step.flops_per_token_noncausal * step.tokens / gpu_seconds;
    const hw::FlopsPerSecond peak = scenario.cluster().node.gpu.peak(hw::DType::bf16);
    step.mfu_causal = step.flops_per_gpu_causal / peak;
    step.mfu_noncausal = step.flops_per_gpu_noncausal / peak;
    step.per_rank = per_pipeline_rank(phases_per_rank(graph, timeline), fold);
    step.phases = mean(step.per_rank);
    return step;
}

} // namespace chokepoint::sim
