// SPDX-License-Identifier: Apache-2.0
// The keys of [plan].
#include "shapes.hpp"

#include <array>

namespace chokepoint::sim::loader {
namespace {

using work::ParallelPlan;

constexpr NameList kSchedules{[](const Library&) { return ids(work::schedule_kinds()); }, "schedule", ""};
constexpr NameList kPrecisions{[](const Library&) {
                                   using work::Precision;
                                   return names_of({Precision::bf16, Precision::fp16, Precision::fp8_block,
                                                    Precision::fp8_tensor, Precision::fp8_delayed,
                                                    Precision::mxfp8, Precision::nvfp4});
                               },
                               "precision", ""};
constexpr NameList kAttentionKernels{
    [](const Library&) {
        using enum work::AttentionKernel;
        return names_of({fused, flash_attention_2, flash_attention_1, flash_attention_triton, unfused});
    },
    "attention kernel", ""};
constexpr NameList kElementwise{
    [](const Library&) { return names_of({work::Elementwise::fused, work::Elementwise::eager}); },
    "way of running element-wise operations", ""};
constexpr NameList kCrossEntropies{[](const Library&) {
                                       return names_of(
                                           {work::CrossEntropy::fused, work::CrossEntropy::in_place,
                                            work::CrossEntropy::compiled, work::CrossEntropy::eager});
                                   },
                                   "way to compute the loss", ""};
constexpr NameList kDispatchers{[](const Library&) {
                                    return names_of({work::Dispatcher::deepep, work::Dispatcher::hybrid_ep,
                                                     work::Dispatcher::all_to_all,
                                                     work::Dispatcher::all_gather});
                                },
                                "dispatcher", ""};
constexpr NameList kStateTypes{
    [](const Library&) { return names_of({hw::DType::fp32, hw::DType::bf16, hw::DType::fp8}); }, "format",
    ""};
constexpr NameList kGradientTypes{[](const Library&) {
                                      using enum hw::DType;
                                      return names_of({fp32, bf16, fp16, fp8});
                                  },
                                  "format", ""};
constexpr NameList kPipelineSends{
    [](const Library&) { return names_of({work::PipelineSend::blocking, work::PipelineSend::overlapped}); },
    "way to send", ""};
constexpr NameList kContextKinds{[](const Library&) {
                                     return names_of({work::ContextKind::ring, work::ContextKind::all_gather,
                                                      work::ContextKind::all_to_all});
                                 },
                                 "way to share a sequence", ""};
constexpr NameList kRecompute{[](const Library&) { return recompute_names(); }, "recomputation", ""};

constexpr NameList kCudaGraphs{[](const Library&) { return cuda_graph_names(); }, "part of a step", ""};

constexpr NameList kSoftware{[](const Library& l) { return ids(l.software); }, "software",
                             "chokepoint list software"};

template <auto Member> constexpr Binding plan_field = field<&Draft::plan, Member>;

// path, shape, need, fallback, reason, doc, field
const std::array kPlanKeys{
    Key{"plan.pipeline", integer("1", "1024"), Need::required, "", "", "pipeline ranks",
        plan_field<&ParallelPlan::pipeline>},
    Key{"plan.software", choice(kSoftware), Need::computed, "",
        "as most published runs of such plans: pytorch-fsdp with zero = 3 in 16 bits (213 of 246 dense "
        "ones); "
        "else megatron-bridge in fp8-tensor, mxfp8 and nvfp4 and nemo in fp8-delayed (417 of 422), "
        "megatron-lm-2022 in fp16 on Ampere (102 of 196); else megatron-core, whose choices are this table's "
        "own "
        "defaults",
        "the training software: every key of [plan] that is not given takes what it does by itself "
        "(docs/plans.md)",
        field<&Draft::software>},
    Key{"plan.expert", integer("1", "65536"), Need::defaulted, "1", "every GPU has all experts of its layers",
        "GPUs that share the routed experts of a layer; 1 in a dense model",
        plan_field<&ParallelPlan::expert>},
    Key{"plan.tensor", integer("1", "1024"), Need::defaulted, "1", "no tensor parallelism",
        "GPUs that share each matrix outside the routed experts", plan_field<&ParallelPlan::tensor>},
    Key{"plan.sequence_parallel", boolean(), Need::defaulted, "true",
        "as every recipe since arXiv 2205.05198; changes nothing without tensor parallelism",
        "whether norms and residuals work on a tensor-parallel GPU's share of the tokens",
        plan_field<&ParallelPlan::sequence_parallel>},
    Key{"plan.overlap_tensor", boolean(), Need::defaulted, "false", "Megatron-Core's default",
        "whether tensor-parallel transfers run beside their own matrix products, chunk by chunk",
        plan_field<&ParallelPlan::overlap_tensor>},
    Key{"plan.overlap_input_gradient", boolean(), Need::defaulted, "true",
        "Megatron-LM since September 2021 (LinearWithGradAccumulationAndAsyncCommunication)",
        "whether the gradient of a column-parallel input is reduced beside the weight gradient, for which "
        "its input is gathered again; false: behind it, and the gathered input is kept",
        plan_field<&ParallelPlan::overlap_input_gradient>},
    Key{"plan.context", integer("1", "1024"), Need::defaulted, "1", "no context parallelism",
        "GPUs that share the tokens of each sequence", plan_field<&ParallelPlan::context>},
    Key{"plan.context_kind", choice(kContextKinds), Need::defaulted, "ring", "Megatron-Core's default (p2p)",
        "how attention sees the keys and values of other context-parallel ranks",
        plan_field<&ParallelPlan::context_kind>},
    Key{"plan.expert_tensor", integer("1", "1024"), Need::computed, "",
        "plan.tensor, as Megatron-Core, where such expert groups divide a stage; else, and in a dense "
        "model, 1",
        "GPUs that share each matrix of a routed expert", plan_field<&ParallelPlan::expert_tensor>},
    Key{"plan.rank_order", text(), Need::defaulted, "tp-cp-ep-dp-pp",
        "Megatron-Core's default, and DeepSeek-V3's with expert groups on neighbouring nodes",
        "how GPUs are numbered, the first varying fastest: tensor, context, expert, data, pipeline",
        plan_field<&ParallelPlan::rank_order>},
    Key{"plan.schedule", choice_or_file(kSchedules, ".csv"), Need::required, "", "",
        "order in which a pipeline rank works; your own as PyTorch's pipelining CSV, relative to this file",
        plan_field<&ParallelPlan::schedule>},
    Key{"plan.virtual_stages", integer("1", "1024"), Need::defaulted, "1",
        "as the schedule has it: zb-v and dualpipev two, the others one",
        "stages of each pipeline rank under interleaved-1f1b, which needs at least 2",
        plan_field<&ParallelPlan::virtual_stages>},
    Key{"plan.micro_batch_group", integer("1", "100000000"), Need::unset, "",
        "plan.pipeline, as Megatron-LM's microbatch_group_size_per_vp_stage",
        "micro-batches that a rank runs on one of its stages before the next, under interleaved-1f1b",
        plan_field<&ParallelPlan::micro_batch_group>},
    Key{"plan.micro_batch", integer("1", "4096"), Need::required, "", "", "sequences of one micro-batch",
        plan_field<&ParallelPlan::micro_batch>},
    Key{"plan.global_batch", integer("1", "100000000"), Need::required, "", "", "sequences of one step",
        plan_field<&ParallelPlan::global_batch>},
    Key{"plan.sequence", integer("1", "16777216"), Need::defaulted, "4096",
        "pre-training length of DeepSeek-V3 (arXiv 2412.19437, section 4.2)", "tokens of one sequence",
        plan_field<&ParallelPlan::sequence>},
    Key{"plan.precision", choice(kPrecisions), Need::defaulted, "bf16", "every part of the catalog has it",
        "format of the layers' matrix products; fp8-block is DeepSeek-V3's recipe, the "
        "others with 8 or 4 bits are Transformer Engine's",
        plan_field<&ParallelPlan::precision>},
    Key{"plan.zero", integer("0", "3"), Need::defaulted, "1",
        "as DeepSeek-V3 (arXiv 2412.19437, section 3.2)",
        "what data-parallel ranks share out: 1 optimizer states, 2 gradients too, 3 parameters too (FSDP)",
        plan_field<&ParallelPlan::zero>},
    Key{"plan.shard_group", integer("1", "1048576"), Need::unset, "", "all data- and context-parallel ranks",
        "neighbouring ranks that share states out among themselves; groups of so many hold copies of each "
        "other (hybrid sharding)",
        plan_field<&ParallelPlan::shard_group>},
    Key{"plan.overlap_gradients", boolean(), Need::defaulted, "true",
        "PyTorch's DDP and FSDP, DeepSpeed, NeMo, XLA; off in Megatron-LM unless --overlap-grad-reduce",
        "whether gradients are reduced layer by layer beside the last backward",
        plan_field<&ParallelPlan::overlap_gradients>},
    Key{"plan.overlap_parameters", boolean(), Need::defaulted, "true",
        "PyTorch's FSDP, DeepSpeed, NeMo, XLA; off in Megatron-LM unless --overlap-param-gather",
        "whether updated parameters are gathered layer by layer beside the next step's first forward",
        plan_field<&ParallelPlan::overlap_parameters>},
    Key{"plan.gradient_dtype", choice(kGradientTypes), Need::defaulted, "fp32",
        "Megatron-Core's default, and DeepSeek-V3's", "format in which gradients are accumulated and reduced",
        plan_field<&ParallelPlan::gradient_dtype>},
    Key{"plan.parameter_dtype", choice(kStateTypes), Need::defaulted, "bf16", "Megatron-Core's default",
        "format in which parameters are kept and gathered; fp8: as the casts that products read, which mxfp8 "
        "makes of parameters gathered in bf16",
        plan_field<&ParallelPlan::parameter_dtype>},
    Key{"plan.moment_dtype", choice(kStateTypes), Need::unset, "",
        "bf16 with fp8-block (arXiv 2412.19437, section 3.3.3), else fp32",
        "format of the optimizer's two moments", plan_field<&ParallelPlan::moment_dtype_choice>},
    Key{"plan.recompute_layers", integer("0", "1024"), Need::defaulted, "0", "every layer of the stage",
        "with recompute = [\"layer\"]: the first so many layers of each stage",
        plan_field<&ParallelPlan::recompute_layers>},
    Key{"plan.recompute_every", integer("1", "1024"), Need::defaulted, "1", "each layer from its own input",
        "with recompute = [\"layer\"]: layers that run again together, from the input of the first",
        plan_field<&ParallelPlan::recompute_every>},
    Key{"plan.recompute_early_stop", boolean(), Need::defaulted, "false", "Megatron-LM runs the whole layer",
        "with recompute = [\"layer\"] or [\"dense_ffn\"]: whether a dense layer runs again only as far as "
        "its backward reads (torch.utils.checkpoint with use_reentrant=False, and JAX)",
        plan_field<&ParallelPlan::recompute_early_stop>},
    Key{"plan.offload_layers", integer("0", "1024"), Need::defaulted, "0", "activations stay on the GPU",
        "of each stage, the first so many layers keep their activations in host memory",
        plan_field<&ParallelPlan::offload_layers>},
    Key{"plan.offload_optimizer", number("0", "1"), Need::defaulted, "0", "the GPU updates all parameters",
        "share of the parameters whose optimizer states live in host memory, where the CPU updates them",
        plan_field<&ParallelPlan::offload_optimizer>},
    Key{"plan.overlap_expert", boolean(), Need::defaulted, "false", "Megatron-Core's default",
        "whether 1f1b and interleaved-1f1b pair each forward with a backward, so that one's dispatch and "
        "combine run beside the other's compute",
        plan_field<&ParallelPlan::overlap_expert>},
    Key{"plan.delay_weight_gradient", boolean(), Need::defaulted, "false", "Megatron-Core's default",
        "in those pairs, whether input gradients leave before the weight gradients are computed",
        plan_field<&ParallelPlan::delay_weight_gradient>},
    Key{"plan.dispatcher", choice(kDispatchers), Need::computed, "",
        "deepep under dualpipe and dualpipev, as DeepSeek-V3; hybrid-ep in a rack (NVLink joins more than 8 "
        "GPUs), as 49 of 70 published runs; else all-to-all, as Megatron-Core's recipes",
        "how tokens reach the experts of other GPUs", plan_field<&ParallelPlan::dispatcher>},
    Key{"plan.attention_kernel", choice(kAttentionKernels), Need::defaulted, "fused",
        "FlashAttention, in every framework since 2023",
        "what computes attention: the fastest kernel of the part's time (cuDNN, FlashAttention-3; "
        "FlashAttention-2 on Ampere), FlashAttention-2 (PyTorch's own on Hopper, and what Transformer Engine "
        "takes with NVTE_FUSED_ATTN=0), its first release (until July 2023) or Triton's kernel of that time, "
        "or kernels that write the scores of all pairs, which need context = 1",
        plan_field<&ParallelPlan::attention_kernel>},
    Key{"plan.elementwise", choice(kElementwise), Need::defaulted, "fused",
        "Megatron-LM, Transformer Engine, torch.compile and XLA",
        "whether norms, residual sums, rotations and activations are a kernel each, or PyTorch's own "
        "operations one by one, without torch.compile",
        plan_field<&ParallelPlan::elementwise>},
    Key{"plan.cross_entropy", choice(kCrossEntropies), Need::computed, "",
        "eager where plan.elementwise is; else fused: Transformer Engine's kernel, as in Megatron-Bridge",
        "what the loss makes of the 16-bit logits: their gradient, in two passes and a scaling (fused); an "
        "FP32 copy that softmax and gradient overwrite (in-place, Megatron-LM's default), or two (compiled, "
        "its native cross_entropy_loss_fusion); or what PyTorch does with logits cast to FP32 (eager)",
        plan_field<&ParallelPlan::cross_entropy>},
    Key{"plan.dropout", boolean(), Need::defaulted, "false", "as every recipe since Llama",
        "whether dropout follows embedding, attention and FFN, and the softmax of unfused attention; counts "
        "for memory alone, by its masks",
        plan_field<&ParallelPlan::dropout>},
    Key{"plan.fused_router", boolean(), Need::defaulted, "false", "DeepSeek-V3's published profile",
        "whether the router's operations on scores are fused (Megatron-Core's moe_router_fusion)",
        plan_field<&ParallelPlan::fused_router>},
    Key{"plan.fused_experts", boolean(), Need::defaulted, "false", "an option of Transformer Engine",
        "whether experts' activations, biases and casts are part of their matrix products (Transformer "
        "Engine's fused grouped MLP); MXFP8 on Blackwell",
        plan_field<&ParallelPlan::fused_experts>},
    Key{"plan.capacity_factor", number("0", "64"), Need::defaulted, "0", "no token is dropped",
        "rows of each expert over its balanced share, cut or padded to that many",
        plan_field<&ParallelPlan::capacity_factor>},
    Key{"plan.cuda_graphs", choices(kCudaGraphs), Need::computed, "",
        "[attention, router] of a model with experts in a rack (NVLink joins more than 8 GPUs): 46 of 70 "
        "published runs record these or more; [step] of a dense model of less than 10 B parameters on "
        "Blackwell, as 14 of 15 or nearly; else [], the framework starts every kernel by itself",
        "what is recorded in CUDA graphs and started with one call of the host (docs/host.md)",
        plan_field<&ParallelPlan::cuda_graphs>},
    Key{"plan.recompute", choices(kRecompute), Need::defaulted, "[]", "every activation is kept",
        "what the backward pass computes again instead of keeping", plan_field<&ParallelPlan::recompute>},
    Key{"plan.split", integers("0", "1024"), Need::defaulted, "[]",
        "as many on each, else as many with embedding and head as layers, else the costliest stage is as "
        "cheap as can be",
        "layers of each stage, first to last", plan_field<&ParallelPlan::split>},
    Key{"plan.layout", text(), Need::unset, "", "plan.split, or its default",
        "the blocks of each stage as Megatron-LM spells them, \"Et*3|(tt|)*29m|L\": embedding, layers, MTP "
        "modules, head",
        plan_field<&ParallelPlan::layout>},
    Key{"plan.account_for_embedding", boolean(), Need::defaulted, "false", "Megatron-LM's default",
        "whether layers are spread evenly over stages with the embedding as one of them",
        plan_field<&ParallelPlan::account_for_embedding>},
    Key{"plan.account_for_loss", boolean(), Need::defaulted, "false", "Megatron-LM's default",
        "the same with the head", plan_field<&ParallelPlan::account_for_loss>},
    Key{"plan.pipeline_send", choice(kPipelineSends), Need::computed, "",
        "overlapped under interleaved-1f1b, as Megatron-Core; else blocking: DualPipe's published code waits "
        "for its sends before each chunk",
        "whether a rank goes on while a send to its neighbour is under way",
        plan_field<&ParallelPlan::pipeline_send>},
    Key{"plan.enforce_memory", boolean(), Need::defaulted, "true", "a plan that does not fit cannot run",
        "whether a plan that needs more memory than the part has is refused, or only warned about",
        field<&Draft::enforce_memory>},
    Key{"plan.communication_sms", integer("0", "1024"), Need::computed, "",
        "20 of 132 SMs (arXiv 2412.19437, section 3.2.2), in proportion on other parts, even",
        "SMs that dispatch and combine hold while they overlap with compute",
        plan_field<&ParallelPlan::communication_sms>},
    Key{"plan.overlap", boolean(), Need::defaulted, "true", "as published for dualpipe",
        "whether a schedule's forward and backward pairs interleave", plan_field<&ParallelPlan::overlap>},
    Key{"plan.framework_overhead", number("0", "2"), Need::computed, "",
        "medians over published software stacks by the part's architecture (docs/validation.md): 0.18 "
        "Ampere, 0.18 Hopper, 0.11 Blackwell, else 0.16 for all",
        "what training adds to the time that kernels take alone: gaps, jitter, clocks, kernels we do not "
        "list",
        plan_field<&ParallelPlan::framework_overhead>},
    Key{"plan.routing_imbalance", number("0", "2"), Need::defaulted, "0.0", "perfectly balanced routing",
        "coefficient of variation of routed rows over the ranks of an expert group",
        plan_field<&ParallelPlan::routing_imbalance>},
};

} // namespace

std::span<const Key> plan_keys() { return kPlanKeys; }

} // namespace chokepoint::sim::loader
