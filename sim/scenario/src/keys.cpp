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
using work::StateSpace;

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
constexpr NameList kBlockForms{[](const Library&) {
                                   using enum work::BlockForm;
                                   return names_of({pre_norm, sandwich_norm, parallel, parallel_two_norms});
                               },
                               "block", ""};
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
template <auto Member> constexpr Binding mamba_field = field<&Draft::model, &ModelArch::state_space, Member>;
template <auto Member> constexpr Binding moe_field = field<&Draft::model, &ModelArch::moe, Member>;
/// A word stands for a model without a pattern, since no value of a key is empty.
constexpr std::string_view kNoPattern = "none";
constexpr Binding kPatternField{[](const Draft& draft) {
                                    const std::string& pattern = draft.model.pattern;
                                    return Value{pattern.empty() ? std::string(kNoPattern) : pattern};
                                },
                                [](Draft& draft, const Value& value) {
                                    const auto& pattern = std::get<std::string>(value);
                                    draft.model.pattern = pattern == kNoPattern ? std::string() : pattern;
                                }};
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
    Key{"cluster.host_link", quantity(Dimension::bandwidth, "1 MB/s", "100 TB/s"), Need::node, "25 GB/s",
        "PCIe 4.0 x16, at about 80% of its rate: an estimate",
        "one GPU's link to its CPU, one direction, as achieved: what offloading moves over",
        field<&Draft::host_link>},
    Key{"cluster.host_memory", quantity(Dimension::bandwidth, "1 MB/s", "100 TB/s"), Need::node, "38 GB/s",
        "an eighth of two sockets with DDR4-3200, at 75% of their peak: an estimate",
        "one GPU's share of the CPUs' memory bandwidth: what an offloaded optimizer runs at",
        field<&Draft::host_memory>},
    Key{"cluster.host_call", quantity(Dimension::seconds, "0 us", "1 ms"), Need::node, "92 us",
        "an x86 host, by toy models on 8 x H100 (docs/host.md)",
        "what the host takes to start a kernel from a training framework (docs/host.md); 0 us: never waited "
        "for",
        field<&Draft::host_call>},
    Key{"cluster.sustained_clock", number("0.3", "1.2"), Need::defaulted, "1.0",
        "the clock of the kernel measurements", "clock of a long run, as a share of the benchmarks' clock",
        field<&Draft::sustained_clock>},
    Key{"cluster.gpu_variation", number("0", "0.2"), Need::defaulted, "0.015",
        "8% between the ends of what is no outlier, which are 5.4 standard deviations apart (arXiv "
        "2208.11035)",
        "coefficient of variation of GPUs' speed in arithmetic: the slowest of all sets the pace",
        field<&Draft::gpu_variation>},

    Key{"cluster.fits", text(), Need::unset, "",
        "the shipped curves: published measurements (docs/calibration.md)",
        "a folder of kernel curves, as `chokepoint calibrate -o` writes them, from the scenario's folder",
        field<&Draft::fits>},
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
    Key{"model.block", choice(kBlockForms), Need::preset, "pre-norm",
        "as every model of the list since Llama",
        "how attention and FFN stand to each other: one behind the other, each behind a norm (pre-norm) or "
        "between two (sandwich-norm); or side by side and added together, behind one norm (parallel) or "
        "behind one each (parallel-two-norms)",
        model_field<&ModelArch::block>},
    Key{"model.biases", boolean(), Need::preset, "false", "matrices without biases",
        "whether every projection and FFN matrix has a bias, as GPT's", model_field<&ModelArch::biases>},
    Key{"model.positions", integer("0", "16777216"), Need::preset, "0", "rotary embeddings",
        "learned position embeddings; 0: none", model_field<&ModelArch::positions>},

    Key{"model.pattern", text(), Need::preset, kNoPattern, "every layer has attention and an FFN",
        "one letter for each layer that has one part only, as Nemotron-H's hybrid_override_pattern: M a "
        "Mamba-2 mixer, * attention, - a dense FFN, E experts",
        kPatternField},

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
    Key{"model.attention.full_every", integer("0", "1024"), Need::preset, "0", "none",
        "one layer in so many attends to its whole past in spite of the window, the last of each group, as "
        "gpt-oss; 0: none",
        attention_field<&Attention::full_every>},

    Key{"model.mamba.heads", integer("0", "4096"), Need::preset, "0", "needed where the pattern has M",
        "heads of a Mamba-2 mixer", mamba_field<&StateSpace::heads>},
    Key{"model.mamba.head_dim", kHeadDim, Need::preset, "0", "needed where the pattern has M",
        "channels of one of its heads", mamba_field<&StateSpace::head_dim>},
    Key{"model.mamba.groups", integer("1", "4096"), Need::preset, "1", "all heads share B and C",
        "groups of heads that share B and C", mamba_field<&StateSpace::groups>},
    Key{"model.mamba.state", integer("0", "65536"), Need::preset, "0", "needed where the pattern has M",
        "state of one channel", mamba_field<&StateSpace::state>},
    Key{"model.mamba.conv", integer("1", "64"), Need::preset, "4", "as every published model",
        "tokens that the convolution sees", mamba_field<&StateSpace::conv>},
    Key{"model.mamba.chunk", integer("1", "65536"), Need::preset, "128", "Megatron-Core's default",
        "tokens that the scan takes at once", mamba_field<&StateSpace::chunk>},

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
    Key{"model.moe.latent", integer("0", "65536"), Need::preset, "0", "experts see the hidden state itself",
        "width that tokens are projected to in front of the routed experts and back behind them, as "
        "Nemotron 3 Super; 0: none",
        moe_field<&Moe::latent>},
};

const std::array kRunKeys{
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
    Section{"model.mamba", "State-space layers (Mamba-2), the M of `model.pattern`."},
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
        keys.insert(keys.end(), plan_keys().begin(), plan_keys().end());
        keys.insert(keys.end(), kRunKeys.begin(), kRunKeys.end());
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
