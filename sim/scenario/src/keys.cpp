// SPDX-License-Identifier: Apache-2.0
// The table of scenario keys. To add a key: one entry here, and the place that uses the field it is bound to.
#include "shapes.hpp"

#include <algorithm>
#include <array>

namespace chokepoint::sim::loader {
namespace {

using hw::Dimension;
using work::Attention;
using work::ModelArch;
using work::Moe;
using work::ParallelPlan;

template <class Enum> std::vector<std::string> names_of(std::initializer_list<Enum> values) {
    std::vector<std::string> out;
    for (const Enum value : values) {
        out.emplace_back(name(value));
    }
    return out;
}

constexpr NameList kParts{[](const Library& l) { return ids(l.catalog.gpus()); }, "part",
                          "chokepoint list gpus"};
constexpr NameList kNodes{[](const Library& l) { return ids(l.catalog.nodes()); }, "node",
                          "chokepoint list nodes"};
constexpr NameList kFabrics{[](const Library& l) { return ids(l.catalog.fabrics()); }, "fabric",
                            "chokepoint list fabrics"};
constexpr NameList kFabricKinds{[](const Library&) {
                                    std::vector<std::string> out;
                                    for (const hw::FabricKind kind : hw::fabric_kinds()) {
                                        out.emplace_back(hw::name(kind));
                                    }
                                    return out;
                                },
                                "fabric kind", ""};
constexpr NameList kLinks{[](const Library& l) { return ids(l.catalog.links()); }, "link",
                          "chokepoint list links"};
constexpr NameList kPresets{[](const Library& l) { return ids(l.presets); }, "model",
                            "chokepoint list models"};
constexpr NameList kSchedules{[](const Library&) { return ids(work::schedule_kinds()); }, "schedule", ""};
constexpr NameList kPrecisions{[](const Library&) {
                                   using work::Precision;
                                   return names_of({Precision::bf16, Precision::fp16, Precision::fp8_block,
                                                    Precision::fp8_tensor, Precision::fp8_delayed,
                                                    Precision::mxfp8, Precision::nvfp4});
                               },
                               "precision", ""};
constexpr NameList kAttentionKernels{
    [](const Library&) { return names_of({work::AttentionKernel::fused, work::AttentionKernel::unfused}); },
    "attention kernel", ""};
constexpr NameList kDispatchers{[](const Library&) {
                                    return names_of({work::Dispatcher::deepep, work::Dispatcher::all_to_all,
                                                     work::Dispatcher::all_gather});
                                },
                                "dispatcher", ""};
constexpr NameList kStateTypes{
    [](const Library&) { return names_of({hw::DType::fp32, hw::DType::bf16, hw::DType::fp8}); }, "format",
    ""};
constexpr NameList kAttentionKinds{
    [](const Library&) {
        return names_of({work::AttentionKind::mha, work::AttentionKind::gqa, work::AttentionKind::mla});
    },
    "attention", ""};
constexpr NameList kActivations{[](const Library&) {
                                    using enum work::Activation;
                                    return names_of({silu, gelu, relu, squared_relu});
                                },
                                "activation", ""};
constexpr NameList kNormKinds{
    [](const Library&) { return names_of({work::NormKind::rmsnorm, work::NormKind::layernorm}); }, "norm",
    ""};
constexpr NameList kPipelineSends{
    [](const Library&) { return names_of({work::PipelineSend::blocking, work::PipelineSend::overlapped}); },
    "way to send", ""};
constexpr NameList kContextKinds{[](const Library&) {
                                     return names_of({work::ContextKind::ring, work::ContextKind::all_gather,
                                                      work::ContextKind::all_to_all});
                                 },
                                 "way to share a sequence", ""};
constexpr NameList kRecompute{[](const Library&) { return recompute_names(); }, "recomputation", ""};
constexpr NameList kComputeModels{
    [](const Library&) { return names_of({ComputeModel::calibrated, ComputeModel::roofline}); },
    "compute model", ""};

constexpr std::string_view kNoCap = "no cap: the part's own figure";
// Widest ranges: no product the model counts with 64-bit integers (parameters: layers x experts x 3 x hidden
// x ffn_hidden) can overflow inside them.
constexpr Shape kLayers = integer("1", "1024");
constexpr Shape kHidden = integer("1", "65536");
constexpr Shape kFfnHidden = integer("0", "262144");
constexpr Shape kHeadDim = integer("0", "8192");
constexpr Shape kTokens = quantity(Dimension::count, "1", "1e18");
constexpr std::string_view kOfFabric = "as many as it takes, or nothing that this kind of fabric has";
constexpr Shape kLatency = quantity(Dimension::seconds, "0 us", "1 ms");
constexpr Shape kRatio = quantity(Dimension::ratio, "1", "1000");
constexpr Shape kSwitches = integer("0", "1048576");
constexpr Shape kBandwidth = quantity(Dimension::bandwidth, "1 MB/s", "100 TB/s");

template <auto Member> constexpr Binding model_field = field<&Draft::model, Member>;
template <auto Member>
constexpr Binding attention_field = field<&Draft::model, &ModelArch::attention, Member>;
template <auto Member> constexpr Binding moe_field = field<&Draft::model, &ModelArch::moe, Member>;
template <auto Member> constexpr Binding plan_field = field<&Draft::plan, Member>;
template <auto Member> constexpr Binding caps_field = field<&Draft::caps, Member>;
template <auto Member> constexpr Binding phase_field = field<&Draft::phase, Member>;
template <auto Member> constexpr Binding fabric_field = field<&Draft::network, Member>;
template <auto Member> constexpr Binding campaign_field = field<&Draft::campaign, Member>;

// path, shape, need, fallback, reason, doc, field
const std::array kKeys{
    Key{"title", text(), Need::required, "", "", "what the scenario shows, in one line",
        field<&Draft::title>},
    Key{"question", text(), Need::unset, "", "not asked", "the question the scenario answers",
        field<&Draft::question>},

    Key{"cluster.gpu", choice(kParts), Need::required, "", "", "part of the catalog", field<&Draft::gpu>},
    Key{"cluster.nodes", integer("1", "131072"), Need::required, "", "", "nodes of the cluster",
        field<&Draft::nodes>},
    Key{"cluster.node", choice(kNodes), Need::unset, "", "the catalog's usual node of the part",
        "node of the catalog that the part is put into", field<&Draft::node>},
    Key{"cluster.gpus_per_node", integer("1", "576"), Need::node, "8", "HGX: 8 GPUs on NVSwitch",
        "GPUs of one node, joined by NVSwitch", field<&Draft::gpus_per_node>},
    Key{"cluster.nics_per_node", integer("1", "576"), Need::node, "8",
        "one NIC per GPU (arXiv 2505.09343, section 4.1)", "network cards of one node",
        field<&Draft::nics_per_node>},
    Key{"cluster.nic", quantity(Dimension::bandwidth, "1 Mb/s", "100 Tb/s"), Need::node, "400 Gb/s",
        "InfiniBand NDR, as in DeepSeek's H800 nodes (arXiv 2505.09343, section 4.1)",
        "line rate of one network card, one direction", field<&Draft::nic>},
    Key{"cluster.nvlink_latency", quantity(Dimension::seconds, "0 us", "1 ms"), Need::node, "3.33 us",
        "64 B between GPUs of a node (arXiv 2505.09343, table 5)", "one way, GPU to GPU within a node",
        field<&Draft::nvlink_latency>},
    Key{"cluster.sustained_clock", number("0.3", "1.2"), Need::defaulted, "1.0",
        "the clock of the kernel measurements", "clock of a long run, as a share of the benchmarks' clock",
        field<&Draft::sustained_clock>},

    Key{"cluster.transfers", text(), Need::unset, "",
        "the shipped rates: published measurements (docs/collectives.md)",
        "a file of transfer rates, as `chokepoint import` writes it, from the scenario's folder",
        field<&Draft::transfers>},

    Key{"cluster.caps.nvlink", kBandwidth, Need::unset, "", kNoCap,
        "NVLink of one GPU, both directions together", caps_field<&hw::Caps::nvlink>},
    Key{"cluster.caps.nic", kBandwidth, Need::unset, "", "no cap: cluster.nic",
        "one network card, one direction", caps_field<&hw::Caps::nic>},
    Key{"cluster.caps.memory_bandwidth", kBandwidth, Need::unset, "", kNoCap, "GPU memory",
        caps_field<&hw::Caps::memory_bandwidth>},
    Key{"cluster.caps.fp64", quantity(Dimension::flop_rate, "1 GFLOPS", "1000 PFLOPS"), Need::unset, "",
        kNoCap, "dense FP64 rate", caps_field<&hw::Caps::fp64>},
    Key{"cluster.caps.tpp", number("1", "1e7"), Need::unset, "", kNoCap,
        "total processing performance (15 CFR 774, 3A090); scales every tensor format alike",
        caps_field<&hw::Caps::tpp>},

    Key{"cluster.fabric.name", choice(kFabrics), Need::defaulted, "multi-plane",
        "DeepSeek's network (arXiv 2505.09343, section 5.1)", "network between the nodes",
        field<&Draft::fabric>},
    Key{"cluster.fabric.kind", choice(kFabricKinds), Need::fabric, "", kOfFabric,
        "how its switches are joined", fabric_field<&hw::Fabric::kind>},
    Key{"cluster.fabric.radix", integer("1", "1048576"), Need::fabric, "", kOfFabric,
        "ports of one switch, each of a NIC's line rate", fabric_field<&hw::Fabric::radix>},
    Key{"cluster.fabric.tiers", integer("2", "3"), Need::fabric, "", kOfFabric,
        "tiers of switches (rail-optimised, multi-plane); 3 if 2 cannot join the cluster",
        fabric_field<&hw::Fabric::tiers>},
    Key{"cluster.fabric.oversubscription", kRatio, Need::fabric, "", kOfFabric,
        "cables of a leaf down to NICs over cables up to spines",
        fabric_field<&hw::Fabric::oversubscription>},
    Key{"cluster.fabric.pod_oversubscription", kRatio, Need::fabric, "", kOfFabric,
        "cables of a pod's spines down over cables up to cores (three tiers)",
        fabric_field<&hw::Fabric::pod_oversubscription>},
    Key{"cluster.fabric.rails", integer("1", "576"), Need::fabric, "", kOfFabric,
        "leaves that a node is plugged into, its NICs in turn (rail-optimised)",
        fabric_field<&hw::Fabric::rails>},
    Key{"cluster.fabric.planes", integer("1", "576"), Need::fabric, "", kOfFabric,
        "separate networks that a node is plugged into, its NICs in turn (multi-plane)",
        fabric_field<&hw::Fabric::planes>},
    Key{"cluster.fabric.pod_leaves", integer("1", "1048576"), Need::fabric, "", kOfFabric,
        "leaves of a pod, of one plane (three tiers); as many as the ports allow unless given",
        fabric_field<&hw::Fabric::pod_leaves>},
    Key{"cluster.fabric.spines", kSwitches, Need::fabric, "", kOfFabric,
        "spines of a plane, or of a pod with three tiers; as many as it takes unless given",
        fabric_field<&hw::Fabric::spines>},
    Key{"cluster.fabric.cores", kSwitches, Need::fabric, "", kOfFabric,
        "core switches of a plane (three tiers); as many as it takes unless given",
        fabric_field<&hw::Fabric::cores>},
    Key{"cluster.fabric.link", choice(kLinks), Need::fabric, "", kOfFabric,
        "what NICs and switches are made of; sets the latencies below", field<&Draft::link>},
    Key{"cluster.fabric.latency_same_leaf", kLatency, Need::fabric, "", kOfFabric,
        "one way, NIC to NIC under one leaf", fabric_field<&hw::Fabric::latency_same_leaf>},
    Key{"cluster.fabric.latency_cross_leaf", kLatency, Need::fabric, "", kOfFabric,
        "one way, NIC to NIC through a spine", fabric_field<&hw::Fabric::latency_cross_leaf>},
    Key{"cluster.fabric.latency_cross_pod", kLatency, Need::fabric, "", kOfFabric,
        "one way, NIC to NIC through a core switch", fabric_field<&hw::Fabric::latency_cross_pod>},

    Key{"model.arch", choice_or_file(kPresets, ".json"), Need::unset, "", "spelled out: the keys below",
        "a preset, or the path of a HuggingFace config.json, from the scenario's folder; keys given beside "
        "it replace its own",
        field<&Draft::arch>},
    Key{"model.layers", kLayers, Need::preset, "", "", "transformer layers, without MTP modules",
        model_field<&ModelArch::layers>},
    Key{"model.dense_layers", integer("0", "1024"), Need::preset, "0", "every layer has experts",
        "the first layers, whose FFN is dense; all of them in a model without experts",
        model_field<&ModelArch::dense_layers>},
    Key{"model.hidden", kHidden, Need::preset, "", "", "hidden size", model_field<&ModelArch::hidden>},
    Key{"model.dense_ffn_hidden", kFfnHidden, Need::preset, "0", "needed where dense_layers > 0",
        "intermediate size of a dense layer's FFN", model_field<&ModelArch::dense_ffn_hidden>},
    Key{"model.vocabulary", integer("1", "16777216"), Need::preset, "", "", "entries of the vocabulary",
        model_field<&ModelArch::vocabulary>},
    Key{"model.mtp_modules", integer("0", "16"), Need::preset, "0", "no multi-token prediction",
        "multi-token prediction modules, each one layer, a projection and the shared head",
        model_field<&ModelArch::mtp_modules>},
    Key{"model.tied_embeddings", boolean(), Need::preset, "false", "embedding and head are two matrices",
        "whether the head shares the embedding's matrix", model_field<&ModelArch::tied_embeddings>},
    Key{"model.gated_ffn", boolean(), Need::preset, "true", "SwiGLU",
        "FFNs of three matrices (SwiGLU) rather than two", model_field<&ModelArch::gated_ffn>},
    Key{"model.activation", choice(kActivations), Need::preset, "silu", "SwiGLU",
        "function between an FFN's matrices", model_field<&ModelArch::activation>},
    Key{"model.norm", choice(kNormKinds), Need::preset, "rmsnorm", "as every model of the list since Llama",
        "kind of norm; a layernorm has a shift beside its scale", model_field<&ModelArch::norm>},
    Key{"model.biases", boolean(), Need::preset, "false", "matrices without biases",
        "whether every projection and FFN matrix has a bias, as GPT's", model_field<&ModelArch::biases>},
    Key{"model.positions", integer("0", "16777216"), Need::preset, "0", "rotary embeddings",
        "learned position embeddings; 0: none", model_field<&ModelArch::positions>},

    Key{"model.attention.kind", choice(kAttentionKinds), Need::preset, "", "", "kind of attention",
        attention_field<&Attention::kind>},
    Key{"model.attention.heads", integer("1", "1024"), Need::preset, "", "", "query heads",
        attention_field<&Attention::heads>},
    Key{"model.attention.kv_heads", integer("0", "1024"), Need::preset, "0",
        "needed by gqa; mha: equals heads", "key and value heads (gqa)",
        attention_field<&Attention::kv_heads>},
    Key{"model.attention.head_dim", kHeadDim, Need::preset, "0", "needed by mha and gqa",
        "dimension of one head (mha, gqa)", attention_field<&Attention::head_dim>},
    Key{"model.attention.q_lora_rank", integer("0", "65536"), Need::preset, "0", "queries are not compressed",
        "rank of the compressed queries (mla)", attention_field<&Attention::q_lora_rank>},
    Key{"model.attention.kv_lora_rank", integer("0", "65536"), Need::preset, "0", "needed by mla",
        "rank of the compressed keys and values (mla)", attention_field<&Attention::kv_lora_rank>},
    Key{"model.attention.qk_nope_dim", kHeadDim, Need::preset, "0", "needed by mla",
        "dimension of a head's part without position (mla)", attention_field<&Attention::qk_nope_dim>},
    Key{"model.attention.qk_rope_dim", kHeadDim, Need::preset, "0", "needed by mla",
        "dimension of a head's rotary part (mla)", attention_field<&Attention::qk_rope_dim>},
    Key{"model.attention.v_dim", kHeadDim, Need::preset, "0", "needed by mla",
        "dimension of a head's values (mla)", attention_field<&Attention::v_dim>},
    Key{"model.attention.qkv_bias", boolean(), Need::preset, "false", "none",
        "whether queries, keys and values alone have biases, as Qwen2's (mha, gqa)",
        attention_field<&Attention::qkv_bias>},
    Key{"model.attention.qk_norm", boolean(), Need::preset, "false", "none",
        "whether every head's query and key pass a norm, as Qwen3's (mha, gqa)",
        attention_field<&Attention::qk_norm>},
    Key{"model.attention.window", integer("0", "16777216"), Need::preset, "0", "the whole past",
        "tokens that one token attends to, itself included; 0: no window",
        attention_field<&Attention::window>},

    Key{"model.moe.experts", integer("0", "8192"), Need::preset, "0", "a dense model",
        "routed experts of one layer", moe_field<&Moe::experts>},
    Key{"model.moe.shared_experts", integer("0", "64"), Need::preset, "0", "none",
        "experts that every token visits", moe_field<&Moe::shared_experts>},
    Key{"model.moe.top_k", integer("0", "1024"), Need::preset, "0", "needed where experts > 0",
        "routed experts that one token visits", moe_field<&Moe::top_k>},
    Key{"model.moe.ffn_hidden", kFfnHidden, Need::preset, "0", "needed where experts > 0",
        "intermediate size of one expert", moe_field<&Moe::ffn_hidden>},
    Key{"model.moe.max_nodes", integer("0", "1024"), Need::preset, "0", "no limit",
        "nodes that the experts of one token lie on, at most; 0: no limit", moe_field<&Moe::max_nodes>},
    Key{"model.moe.shared_ffn_hidden", integer("0", "1048576"), Need::preset, "0",
        "shared_experts x ffn_hidden", "intermediate size of all shared experts together",
        moe_field<&Moe::shared_ffn_hidden>},
    Key{"model.moe.every", integer("1", "1024"), Need::preset, "1", "every layer behind the dense ones",
        "one layer in so many has experts, beginning with the first behind the dense ones",
        moe_field<&Moe::every>},

    Key{"plan.pipeline", integer("1", "1024"), Need::required, "", "", "pipeline ranks",
        plan_field<&ParallelPlan::pipeline>},
    Key{"plan.expert", integer("1", "65536"), Need::required, "", "",
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
    Key{"plan.context", integer("1", "1024"), Need::defaulted, "1", "no context parallelism",
        "GPUs that share the tokens of each sequence", plan_field<&ParallelPlan::context>},
    Key{"plan.context_kind", choice(kContextKinds), Need::defaulted, "ring", "Megatron-Core's default (p2p)",
        "how attention sees the keys and values of other context-parallel ranks",
        plan_field<&ParallelPlan::context_kind>},
    Key{"plan.expert_tensor", integer("1", "1024"), Need::computed, "",
        "plan.tensor, as Megatron-Core; 1 in a dense model", "GPUs that share each matrix of a routed expert",
        plan_field<&ParallelPlan::expert_tensor>},
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
    Key{"plan.overlap_gradients", boolean(), Need::defaulted, "false", "Megatron-Core's default",
        "whether gradients are reduced layer by layer beside the last backward",
        plan_field<&ParallelPlan::overlap_gradients>},
    Key{"plan.overlap_parameters", boolean(), Need::defaulted, "false", "Megatron-Core's default",
        "whether updated parameters are gathered layer by layer beside the next step's first forward",
        plan_field<&ParallelPlan::overlap_parameters>},
    Key{"plan.gradient_dtype", choice(kStateTypes), Need::defaulted, "fp32",
        "Megatron-Core's default, and DeepSeek-V3's", "format in which gradients are accumulated and reduced",
        plan_field<&ParallelPlan::gradient_dtype>},
    Key{"plan.parameter_dtype", choice(kStateTypes), Need::defaulted, "bf16", "Megatron-Core's default",
        "format in which parameters are gathered", plan_field<&ParallelPlan::parameter_dtype>},
    Key{"plan.moment_dtype", choice(kStateTypes), Need::unset, "",
        "bf16 with fp8-block (arXiv 2412.19437, section 3.3.3), else fp32",
        "format of the optimizer's two moments", plan_field<&ParallelPlan::moment_dtype_choice>},
    Key{"plan.recompute_layers", integer("0", "1024"), Need::defaulted, "0", "every layer of the stage",
        "with recompute = [\"layer\"]: the first so many layers of each stage",
        plan_field<&ParallelPlan::recompute_layers>},
    Key{"plan.dispatcher", choice(kDispatchers), Need::defaulted, "deepep", "DeepSeek-V3's",
        "how tokens reach the experts of other GPUs", plan_field<&ParallelPlan::dispatcher>},
    Key{"plan.attention_kernel", choice(kAttentionKernels), Need::defaulted, "fused",
        "FlashAttention, in every framework since 2023",
        "whether attention is one kernel or writes the scores of all pairs; unfused needs context = 1",
        plan_field<&ParallelPlan::attention_kernel>},
    Key{"plan.capacity_factor", number("0", "64"), Need::defaulted, "0", "no token is dropped",
        "rows of each expert over its balanced share, cut or padded to that many",
        plan_field<&ParallelPlan::capacity_factor>},
    Key{"plan.recompute", choices(kRecompute), Need::defaulted, "[]", "every activation is kept",
        "what the backward pass computes again instead of keeping", plan_field<&ParallelPlan::recompute>},
    Key{"plan.split", integers("0", "1024"), Need::defaulted, "[]",
        "balanced: the costliest stage is as cheap as can be", "layers of each stage, first to last",
        plan_field<&ParallelPlan::split>},
    Key{"plan.pipeline_send", choice(kPipelineSends), Need::defaulted, "blocking",
        "DualPipe's published code waits for its sends before each chunk",
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
    Key{"plan.framework_overhead", number("0", "2"), Need::defaulted, "0.13",
        "median over 29 published software stacks (docs/validation.md)",
        "what training software adds to the time that its kernels take alone: gaps, host stalls, jitter, "
        "kernels we do not list",
        plan_field<&ParallelPlan::framework_overhead>},
    Key{"plan.routing_imbalance", number("0", "2"), Need::defaulted, "0.0", "perfectly balanced routing",
        "coefficient of variation of routed rows over the ranks of an expert group",
        plan_field<&ParallelPlan::routing_imbalance>},

    Key{"campaign.tokens", kTokens, Need::unset, "", "no campaign is reported",
        "tokens of the whole training run", campaign_field<&Campaign::tokens>},
    Key{"campaign.price", quantity(Dimension::usd_per_gpu_hour, "0.001 USD/GPU-h", "1000 USD/GPU-h"),
        Need::unset, "", "no dollars are reported", "rent of one GPU", campaign_field<&Campaign::price>},
    Key{"campaign.ramp_from", integer("1", "100000000"), Need::unset, "",
        "no ramp: plan.global_batch throughout",
        "sequences of a step at the start; grows linearly to plan.global_batch",
        campaign_field<&Campaign::ramp_from>},
    Key{"campaign.ramp_tokens", kTokens, Need::unset, "", "no ramp: plan.global_batch throughout",
        "tokens over which the batch grows", campaign_field<&Campaign::ramp_tokens>},
    Key{"campaign.start", date(), Need::unset, "", "days are counted, not dated", "first day of the run",
        campaign_field<&Campaign::start>},

    Key{"campaign.phase.name", text(), Need::required, "", "", "what reports call it",
        phase_field<&PhaseDraft::name>},
    Key{"campaign.phase.tokens", kTokens, Need::unset, "", "steps or gpu_hours instead",
        "tokens that it trains on", phase_field<&PhaseDraft::tokens>},
    Key{"campaign.phase.steps", kTokens, Need::unset, "", "tokens or gpu_hours instead",
        "steps that it takes, each of plan.global_batch sequences", phase_field<&PhaseDraft::steps>},
    Key{"campaign.phase.gpu_hours", kTokens, Need::unset, "", "tokens or steps instead",
        "GPU-hours, where they are an input rather than simulated", phase_field<&PhaseDraft::gpu_hours>},
    Key{"campaign.phase.ramp_from", integer("1", "100000000"), Need::unset, "",
        "no ramp: plan.global_batch throughout", "as campaign.ramp_from",
        phase_field<&PhaseDraft::ramp_from>},
    Key{"campaign.phase.ramp_tokens", kTokens, Need::unset, "", "no ramp: plan.global_batch throughout",
        "as campaign.ramp_tokens", phase_field<&PhaseDraft::ramp_tokens>},

    Key{"simulation.compute", choice(kComputeModels), Need::defaulted, "calibrated", "roofline is a bound",
        "kernel times: fitted to measurements, or the bound that no kernel beats", field<&Draft::compute>},
};

constexpr std::array<std::string_view, 2> kPhaseOverrides{"model", "plan"};

constexpr std::array kSections{
    Section{"", "What the scenario is about."},
    Section{"cluster", "The hardware: nodes of GPUs on NVSwitch, joined by a fabric."},
    Section{"cluster.caps",
            "Upper limits that a rule (or you) puts on the part. A cap above the part's own figure "
            "changes nothing and is warned about."},
    Section{.path = "cluster.fabric",
            .doc = "The network between the nodes. `fabric = \"fat-tree\"` in `[cluster]` is short for "
                   "`fabric.name`; "
                   "any other key replaces the named fabric's own ([Fabrics](fabrics.md)).",
            .shorthand = "name"},
    Section{"model",
            "The transformer: a preset's name, a HuggingFace config.json, or every key spelled out."},
    Section{"model.attention", "mha and gqa use heads, kv_heads and head_dim; mla uses the others."},
    Section{"model.moe", "Leave it out for a dense model."},
    Section{"plan", "How the model is spread over the GPUs. Data parallelism is what remains: "
                    "GPUs / (pipeline x tensor x context)."},
    Section{"campaign", "The training run that the step is part of."},
    Section{
        "campaign.phase",
        "One stretch of the run, in the order they are given: its tokens, steps or GPU-hours, and any key of "
        "`[model]` and `[plan]` that differs in it, as in `plan.sequence = 32768`. Without phases the "
        "run is a single one of `campaign.tokens`. `--set 'campaign.phase[0].tokens=1e12'` overrides a key "
        "of the first.",
        repeat<&Draft::phase, &Draft::phases>, kPhaseOverrides},
    Section{"reliability", "Failures of the run: without this section there are none. They come at a "
                           "constant rate and throw away "
                           "the work since the last checkpoint; docs/campaign.md has the formulas."},
    Section{"energy", "What the cluster draws; docs/cost.md says where the figures come from."},
    Section{"cost",
            "Dollars beyond campaign.price: rent on a day, or ownership; docs/cost.md has the formulas."},
    Section{
        "perturb",
        "What sets GPUs, links or experts apart, one table each: `gpu` or `node` with `speed`; `link` with "
        "`factor` and `gpu` or `node`; `nic` with `node`; or `routing` with `s` or `file`. "
        "`--set 'perturb[0].speed=0.8'` overrides a key of the first.",
        repeat<&Draft::perturbation, &Draft::perturbations>},
    Section{"simulation", "How times are estimated."},
    Section{
        "sweep",
        "Axes of `chokepoint sweep`, which other commands leave aside: any key of a scenario with a list of "
        "values, or a range in quotes, as in `plan.expert = [16, 32, 64]` or "
        "`cluster.caps.nvlink = \"log:50 GB/s:900 GB/s:13\"`. Keys that change together stand in a table "
        "`[[sweep.zip]]`, with `labels` for their positions ([Sweeps](sweeps.md))."},
};

} // namespace

std::span<const Key> all_keys() {
    static const std::vector<Key> all = [] {
        std::vector<Key> keys(kKeys.begin(), kKeys.end());
        keys.insert(keys.end(), money_keys().begin(), money_keys().end());
        keys.insert(keys.end(), perturb_keys().begin(), perturb_keys().end());
        return keys;
    }();
    return all;
}
std::span<const Section> all_sections() { return kSections; }

const Key* find_key(std::string_view path) {
    const auto keys = all_keys();
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.path == path; });
    return found == keys.end() ? nullptr : &*found;
}

const Section* find_section(std::string_view path) {
    const auto found = std::find_if(kSections.begin(), kSections.end(),
                                    [&](const Section& section) { return section.path == path; });
    return found == kSections.end() ? nullptr : &*found;
}

bool in_record(const Key& key) {
    const Section* section = find_section(section_of(key.path));
    return section != nullptr && section->repeated();
}

std::string spelled_out(std::string_view path) {
    const Section* section = find_section(path);
    const bool is_short = section != nullptr && !section->shorthand.empty();
    return is_short ? std::string(path) + "." + std::string(section->shorthand) : std::string(path);
}

} // namespace chokepoint::sim::loader
