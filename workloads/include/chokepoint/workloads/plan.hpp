// SPDX-License-Identifier: Apache-2.0
// How a model is spread over GPUs and in what precision it is trained.
#pragma once

#include <chokepoint/workloads/model_arch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

enum class Precision { bf16, fp8_block };
std::string_view name(Precision);
std::optional<Precision> precision_from(std::string_view);

struct Recompute {
    bool norm = false;                    ///< RMSNorm outputs
    bool attention_up_projection = false; ///< MLA's q_b and kv_b (their inputs are kept)
    bool activation = false;              ///< SwiGLU outputs
    friend bool operator==(const Recompute&, const Recompute&) = default;
};

/// Whether a rank goes on with its next action while a pipeline send is under way.
enum class PipelineSend { blocking, overlapped };
std::string_view name(PipelineSend);
std::optional<PipelineSend> pipeline_send_from(std::string_view);

struct ParallelPlan {
    int pipeline = 1;
    int expert = 1;
    int tensor = 1;
    int context = 1;
    int expert_tensor = 1;                     ///< GPUs that share each matrix of a routed expert
    int data = 1;                              ///< derived: GPUs / (pipeline x tensor x context)
    std::string rank_order = "tp-cp-ep-dp-pp"; ///< how GPUs are numbered, fastest first: RankLayout
    std::string schedule = "1f1b";
    int micro_batch = 1;  ///< sequences
    int global_batch = 1; ///< sequences
    std::int64_t sequence = 4096;
    Precision precision = Precision::bf16;
    int zero = 1; ///< 0: optimizer states replicated; 1: sharded over data parallel ranks
    Recompute recompute;
    std::vector<int> split; ///< layers of each stage; empty: balanced by FLOPs
    PipelineSend pipeline_send = PipelineSend::blocking;
    int communication_sms = 20; ///< SMs held by dispatch and combine while they overlap with compute
    bool overlap = true; ///< a schedule's overlapped pairs interleave; false: run forward, then backward
    double routing_imbalance =
        0.0; ///< coefficient of variation of routed rows over the ranks of an expert group
    [[nodiscard]] int micro_batches() const { return global_batch / (data * micro_batch); }
    [[nodiscard]] std::int64_t micro_batch_tokens() const { return sequence * micro_batch; }
    friend bool operator==(const ParallelPlan&, const ParallelPlan&) = default;
};

} // namespace chokepoint::work
