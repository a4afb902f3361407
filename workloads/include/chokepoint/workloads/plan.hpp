// SPDX-License-Identifier: Apache-2.0
// How a model is spread over GPUs and in what precision it is trained.
#pragma once

#include <chokepoint/workloads/model_arch.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

/// Format of the layers' matrix products, forward and backward. Attention, router, embedding and head stay in
/// 16 bits. fp8_block is DeepSeek-V3's recipe with its own kernels; the others are Transformer Engine's.
enum class Precision {
    bf16,
    fp16,
    fp8_block,   ///< 1x128 and 128x128 scales
    fp8_tensor,  ///< one scale per tensor, from the tensor itself (current scaling)
    fp8_delayed, ///< one scale per tensor, from its history
    mxfp8,       ///< 1x32 scales
    nvfp4,       ///< 1x16 scales
};
std::string_view name(Precision);
std::optional<Precision> precision_from(std::string_view);
/// The elements that the layers' matrix products multiply. FP16 runs at BF16's rate on every part of the
/// catalog and counts as it.
hw::DType matrix_format(Precision);

struct Recompute {
    bool norm = false;                    ///< RMSNorm outputs
    bool attention_up_projection = false; ///< MLA's q_b and kv_b (their inputs are kept)
    bool activation = false;              ///< SwiGLU outputs
    bool core_attention = false;          ///< attention between its projections
    bool dense_ffn = false;               ///< a dense layer's FFN
    bool moe = false;                     ///< routed and shared experts with their transfers
    bool shared_experts = false;
    bool layer = false; ///< whole layers, of which only the input is kept
    /// Every second of a layer's products (mha, gqa and dense FFN): k, attention's output and the second of
    /// the matrices in front of the activation.
    bool every_second_product = false;
    friend bool operator==(const Recompute&, const Recompute&) = default;
};

/// What CUDA graphs hold: recorded once, and then started with one call of the host.
struct CudaGraphs {
    bool attention = false; ///< the attention half of a layer, up to its router
    bool router = false;    ///< gate, top-k and what prepares the dispatch
    bool dense_ffn = false; ///< a dense layer's FFN
    bool moe = false;       ///< experts between dispatch and combine
    bool step = false;      ///< whole forward and backward passes of a step
    friend bool operator==(const CudaGraphs&, const CudaGraphs&) = default;
};

/// Whether a rank goes on with its next action while a pipeline send is under way.
enum class PipelineSend { blocking, overlapped };
std::string_view name(PipelineSend);
std::optional<PipelineSend> pipeline_send_from(std::string_view);

/// Whether norms, residual sums, rotations and activations are a kernel each, or PyTorch's own operations one
/// by one.
enum class Elementwise { fused, eager };
std::string_view name(Elementwise);
std::optional<Elementwise> elementwise_from(std::string_view);

/// Whether attention is one kernel (the part's fastest, or a release of FlashAttention) or a product, a
/// softmax, a dropout and a product.
enum class AttentionKernel { fused, flash_attention_2, flash_attention_1, flash_attention_triton, unfused };
std::string_view name(AttentionKernel);
std::optional<AttentionKernel> attention_kernel_from(std::string_view);

/// What the loss makes of the head's logits, and so how many bytes it moves and holds of each.
enum class CrossEntropy {
    fused,    ///< their gradient beside them in 16 bits: Transformer Engine's kernel
    in_place, ///< an FP32 copy that softmax and gradient overwrite: Megatron-LM's own
    compiled, ///< the same in pieces that PyTorch's compiler makes, which overwrite nothing: its "native"
              ///< fusion
    eager,    ///< PyTorch's on logits cast to FP32
};
std::string_view name(CrossEntropy);
std::optional<CrossEntropy> cross_entropy_from(std::string_view);

/// How tokens reach the experts of other GPUs.
enum class Dispatcher {
    deepep,     ///< once per node, then once per GPU that needs them
    hybrid_ep,  ///< the same way, by Hybrid-EP's kernels
    all_to_all, ///< once per chosen expert
    all_gather, ///< every token to every GPU of the group
};
std::string_view name(Dispatcher);
std::optional<Dispatcher> dispatcher_from(std::string_view);

/// How attention sees the keys and values that other context-parallel ranks hold.
enum class ContextKind {
    ring,       ///< they go round, one block beside the attention to another (arXiv 2310.01889)
    all_gather, ///< gathered whole in front of attention (Llama 3, arXiv 2407.21783, 3.3.2)
    all_to_all, ///< tokens for heads and back (DeepSpeed-Ulysses, arXiv 2309.14509)
};
std::string_view name(ContextKind);
std::optional<ContextKind> context_kind_from(std::string_view);

struct ParallelPlan {
    int pipeline = 1;
    int expert = 1;
    int tensor = 1;
    int context = 1;
    int expert_tensor = 1;                     ///< GPUs that share each matrix of a routed expert
    int data = 1;                              ///< derived: GPUs / (pipeline x tensor x context)
    int gpus_per_node = 8;                     ///< the cluster's: what node-limited routing calls a node
    std::string rank_order = "tp-cp-ep-dp-pp"; ///< how GPUs are numbered, fastest first: RankLayout
    std::string schedule = "1f1b";             ///< of the table, or the file of `own_schedule`
    std::optional<Schedule> own_schedule;      ///< the user's order, instead of one from the table
    int virtual_stages = 1;                    ///< as ScheduleSize has it
    std::optional<int> micro_batch_group;      ///< as ScheduleSize has it
    int micro_batch = 1;                       ///< sequences
    int global_batch = 1;                      ///< sequences
    std::int64_t sequence = 4096;
    Precision precision = Precision::bf16;
    /// What data-parallel ranks share out instead of each holding it: 1 optimizer states, 2 gradients too, 3
    /// parameters too (ZeRO, arXiv 1910.02054).
    int zero = 1;
    /// Of the data- and context-parallel GPUs of a parameter, neighbours that share states out among
    /// themselves; the groups of so many hold copies of each other. Unset: all share.
    std::optional<int> shard_group;
    bool overlap_gradients = false;               ///< reduced layer by layer beside the last backward
    bool overlap_parameters = false;              ///< gathered layer by layer beside the first forward
    hw::DType gradient_dtype = hw::DType::fp32;   ///< of accumulated and reduced gradients
    hw::DType parameter_dtype = hw::DType::bf16;  ///< of parameters as they are kept
    std::optional<hw::DType> moment_dtype_choice; ///< unset: by the recipe
    CudaGraphs cuda_graphs;
    Recompute recompute;
    int recompute_layers = 0; ///< of each stage, the first so many when whole layers are; 0: all of them
    int recompute_every = 1;  ///< consecutive layers that run again together, from the input of the first
    /// Whether a layer that runs again ends with the last tensor that its backward reads, and leaves out the
    /// product behind it.
    bool recompute_early_stop = false;
    int offload_layers = 0; ///< of each stage, the first so many keep their activations in host memory
    /// Share of the parameters whose optimizer states live in host memory, where the CPU updates them.
    double offload_optimizer = 0.0;
    std::vector<int> split; ///< layers of each stage; empty: balanced by FLOPs
    std::string layout;     ///< Megatron-LM's, instead of a split: parse_layout; empty: none
    /// Whether embedding and head count as a layer each when layers are spread evenly (Megatron-LM's
    /// account_for_embedding_in_pipeline_split and account_for_loss_in_pipeline_split).
    bool account_for_embedding = false, account_for_loss = false;
    /// Whether norms and residuals work on a tensor-parallel GPU's share of the tokens (arXiv 2205.05198).
    bool sequence_parallel = true;
    Dispatcher dispatcher = Dispatcher::deepep;
    bool fused_router = false; ///< three kernels instead of one for each operation on scores
    /// Whether experts' activations, biases and casts are part of their matrix products (Transformer Engine's
    /// fused grouped MLP: MXFP8 on Blackwell).
    bool fused_experts = false;
    double capacity_factor = 0.0; ///< rows of an expert over its balanced share, padded; 0: none is dropped
    /// Whether 1F1B's neighbouring forward and backward become overlapped pairs (Megatron-Core's
    /// overlap-moe-expert-parallel-comm), so that one's dispatch and combine fly while the other computes.
    bool overlap_expert = false;
    bool delay_weight_gradient = false; ///< in those pairs, weight gradients come behind the input gradients
    /// Whether a tensor-parallel transfer runs beside its own matrix product, chunk by chunk.
    bool overlap_tensor = false;
    /// Whether the gradient of a column-parallel input is reduced beside the weight gradient, for which a
    /// scattered input is gathered again (Megatron-LM's LinearWithGradAccumulationAndAsyncCommunication);
    /// false: it is reduced behind it, and the gathered input is kept, as autograd does by itself.
    bool overlap_input_gradient = true;
    ContextKind context_kind = ContextKind::ring;
    AttentionKernel attention_kernel = AttentionKernel::fused;
    Elementwise elementwise = Elementwise::fused;
    CrossEntropy cross_entropy = CrossEntropy::fused;
    bool dropout = false; ///< behind embedding, attention and FFN, and within unfused attention
    PipelineSend pipeline_send = PipelineSend::blocking;
    int communication_sms = 20; ///< SMs held by dispatch and combine while they overlap with compute
    bool overlap = true; ///< a schedule's overlapped pairs interleave; false: run forward, then backward
    /// Added to every kernel's time by the training software around it; docs/validation.md says how it is
    /// known.
    double framework_overhead = 0.0;
    double routing_imbalance =
        0.0; ///< coefficient of variation of routed rows over the ranks of an expert group
    [[nodiscard]] int micro_batches() const { return global_batch / (data * micro_batch); }
    /// Of AdamW's two moments: BF16 in DeepSeek's recipe (arXiv 2412.19437, 3.3.3), FP32 in usual mixed
    /// precision (ZeRO, arXiv 1910.02054, 3.1).
    [[nodiscard]] hw::DType moment_dtype() const {
        return moment_dtype_choice.value_or(precision == Precision::fp8_block ? hw::DType::bf16
                                                                              : hw::DType::fp32);
    }
    /// Of parameters as they are gathered: BF16 under mxfp8, whose two directions are scaled apart
    /// (Megatron-LM's reuse_grad_buf_for_mxfp8_param_ag).
    [[nodiscard]] hw::DType gathered_dtype() const {
        return precision == Precision::mxfp8 && parameter_dtype == hw::DType::fp8 ? hw::DType::bf16
                                                                                  : parameter_dtype;
    }
    [[nodiscard]] std::int64_t micro_batch_tokens() const { return sequence * micro_batch; }
    /// Tokens of a micro-batch that one context-parallel rank holds.
    [[nodiscard]] std::int64_t local_tokens() const { return micro_batch_tokens() / context; }
    /// Of these, the share of one tensor-parallel GPU outside the matrices.
    [[nodiscard]] std::int64_t shard_tokens() const {
        return sequence_parallel ? local_tokens() / tensor : local_tokens();
    }
    friend bool operator==(const ParallelPlan&, const ParallelPlan&) = default;
};

/// Why the plan's schedule cannot order this many micro-batches, or nothing.
std::string schedule_fault(const ParallelPlan&, int micro_batches);
/// The order of one step of the plan.
/// @throws std::invalid_argument with the schedule_fault.
Schedule make_schedule(const ParallelPlan&);

} // namespace chokepoint::work
