// SPDX-License-Identifier: Apache-2.0
// Checks of the plan against the cluster and the model: divisibility, schedule, precision, memory.
#include "reading.hpp"

#include <chokepoint/workloads/rank_layout.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

// Micro-batches times layers, or stages if they are more: each is some ten tasks that the engine plays, about
// 2 KB. A million, 140 times DeepSeek-V3's step (120 x 61), takes half a minute and 2 GB.
constexpr std::int64_t kMaxPasses = 1'000'000;

/// "pipeline x tensor (16 x 8)" of the sizes that are not 1; the first one always.
std::string sizes_text(const work::ParallelPlan& plan) {
    std::vector<std::string> names{"pipeline"};
    std::vector<int> sizes{plan.pipeline};
    const auto add = [&](std::string_view name, int size) {
        if (size != 1) {
            names.emplace_back(name);
            sizes.push_back(size);
        }
    };
    add("tensor", plan.tensor);
    add("context", plan.context);
    return fmt::format("{} ({})", fmt::join(names, " x "), fmt::join(sizes, " x "));
}

/// GPUs / (pipeline x tensor x context), or 0 after a fault.
std::int64_t data_ranks(Reading& reading) {
    if (!reading.sound(
            {"cluster.nodes", "cluster.gpus_per_node", "plan.pipeline", "plan.tensor", "plan.context"})) {
        return 0;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    const std::int64_t gpus = reading.draft.gpus();
    const std::int64_t group = std::int64_t{plan.pipeline} * plan.tensor * plan.context;
    if (gpus % group == 0) {
        return gpus / group;
    }
    const std::string_view at = plan.tensor * plan.context == 1 ? "plan.pipeline"
                                : plan.context == 1             ? "plan.tensor"
                                                                : "plan.context";
    reading.fault(at, fmt::format("{} does not divide the {} GPUs ({} x {})", sizes_text(plan), gpus,
                                  reading.draft.nodes, reading.draft.gpus_per_node));
    return 0;
}

void check_expert_nodes(Reading& reading) {
    const Draft& draft = reading.draft;
    if (!reading.sound({"cluster.gpus_per_node"})) {
        return;
    }
    const int expert = draft.plan.expert;
    const int per_node = draft.gpus_per_node;
    const int shared = draft.plan.expert_tensor;
    if (shared == 1 && expert % per_node != 0 && per_node % expert != 0) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}) neither divides nor is a multiple of the {} GPUs of a "
                                  "node, so groups would lie unevenly on nodes",
                                  expert, per_node));
        return;
    }
    const work::Moe& moe = draft.model.moe;
    // GPUs that share an expert count as one.
    const int group_nodes = std::max(1, expert / std::max(1, per_node / shared));
    const bool limited = moe.max_nodes > 0 && moe.max_nodes < group_nodes;
    if (limited && reading.sound({"model.moe.max_nodes", "model.moe.top_k"}) &&
        std::int64_t{moe.max_nodes} * (moe.experts / group_nodes) < moe.top_k) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}): moe.max_nodes ({}) nodes hold {} experts each, fewer "
                                  "than the top_k ({}) a token visits",
                                  expert, moe.max_nodes, moe.experts / group_nodes, moe.top_k));
    }
}

void check_expert(Reading& reading, std::int64_t data) {
    if (!reading.sound({"plan.expert"})) {
        return;
    }
    const Draft& draft = reading.draft;
    const int expert = draft.plan.expert;
    const int shared = draft.plan.expert_tensor;
    const std::int64_t stage = data * draft.plan.tensor * draft.plan.context;
    if (data > 0 && stage % (std::int64_t{expert} * shared) != 0) {
        const std::string what = shared == 1
                                     ? fmt::format("expert ({})", expert)
                                     : fmt::format("expert x expert_tensor ({} x {})", expert, shared);
        reading.fault("plan.expert",
                      fmt::format("{} does not divide the {} ranks of a pipeline stage ({} / {})", what,
                                  stage, draft.gpus(), draft.plan.pipeline));
    }
    if (!reading.sound({"model.moe.experts"})) {
        return;
    }
    const int experts = draft.model.moe.experts;
    if (experts == 0 && expert != 1) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}): the model has no experts; expected 1", expert));
    } else if (experts % expert != 0) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}) does not divide the {} routed experts", expert, experts));
    } else if (experts > 0) {
        check_expert_nodes(reading);
    }
}

/// Micro-batches of one replica, or 0 after a fault.
int micro_batches(Reading& reading, std::int64_t data) {
    if (data == 0 || !reading.sound({"plan.micro_batch", "plan.global_batch"})) {
        return 0;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    const std::int64_t per_round = data * plan.micro_batch;
    if (plan.global_batch % per_round != 0) {
        reading.fault("plan.global_batch",
                      fmt::format("global_batch ({}) is not a multiple of data x micro_batch ({} x {})",
                                  plan.global_batch, data, plan.micro_batch));
        return 0;
    }
    const std::int64_t count = plan.global_batch / per_round;
    const std::int64_t stages = std::int64_t{plan.pipeline} * plan.virtual_stages;
    const std::int64_t layers = reading.sound({"model.layers"}) ? reading.draft.model.layers : 0;
    if (count * std::max(stages, layers) > kMaxPasses) {
        reading.fault("plan.global_batch",
                      fmt::format("global_batch ({}) gives a replica {} micro-batches on {} {}; expected at "
                                  "most {} in all",
                                  plan.global_batch, count, std::max(stages, layers),
                                  layers >= stages           ? "layers"
                                  : plan.virtual_stages == 1 ? "pipeline ranks"
                                                             : "pipeline stages",
                                  kMaxPasses));
        return 0;
    }
    return static_cast<int>(count);
}

/// Why the plan's groups cannot be laid on GPUs, or nothing.
std::string layout_fault(const work::ParallelPlan& plan, int gpus_per_node) {
    try {
        const work::RankLayout layout(plan, gpus_per_node);
        return {};
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

void check_rank_order(Reading& reading, std::int64_t data) {
    if (!reading.sound({"plan.rank_order"})) {
        return;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    if (const std::string fault = work::rank_order_fault(plan.rank_order); !fault.empty()) {
        reading.fault("plan.rank_order", fault);
    } else if (data > 0 && reading.faults.empty()) {
        if (const std::string on_gpus = layout_fault(plan, reading.draft.gpus_per_node); !on_gpus.empty()) {
            work::ParallelPlan shared_by_all = plan;
            shared_by_all.shard_group.reset();
            const bool is_sharing = layout_fault(shared_by_all, reading.draft.gpus_per_node).empty();
            reading.fault(is_sharing ? "plan.shard_group" : "plan.rank_order", on_gpus);
        }
    }
}

void check_precision(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (plan.elementwise == work::Elementwise::eager && plan.precision == work::Precision::fp8_block &&
        reading.sound({"plan.precision", "plan.elementwise"})) {
        reading.fault("plan.elementwise",
                      "elementwise is eager with precision fp8-block, whose kernels quantise while they "
                      "activate; expected fused");
    }
    if (!reading.sound({"cluster.gpu", "plan.precision"})) {
        return;
    }
    const auto& peaks = reading.library.catalog.find_gpu(reading.draft.gpu)->dense_peak;
    const work::Precision precision = reading.draft.plan.precision;
    const bool full = precision == work::Precision::bf16 || precision == work::Precision::fp16;
    const hw::DType needed = full                                  ? hw::DType::bf16
                             : precision == work::Precision::nvfp4 ? hw::DType::fp4
                                                                   : hw::DType::fp8;
    if (precision == work::Precision::mxfp8 && !is_of(reading, "blackwell")) {
        reading.fault(
            "plan.precision",
            fmt::format("precision mxfp8 needs tensor cores that take a scale for every 32 elements, "
                        "Blackwell's; {} has none; expected fp8-block or fp8-tensor",
                        reading.draft.gpu));
        return;
    }
    if (!peaks.contains(needed)) {
        std::vector<std::string_view> has;
        for (const auto& [dtype, peak] : peaks) {
            has.push_back(hw::name(dtype));
        }
        const std::string_view instead =
            peaks.contains(hw::DType::fp8) ? "; expected precision = \"fp8-block\" or \"fp8-tensor\""
            : peaks.contains(hw::DType::bf16)
                ? "; expected precision = \"bf16\", as in scenarios/campaigns/deepseek-v3-a100.toml"
                : "";
        reading.fault("plan.precision",
                      fmt::format("precision {} needs {}, which {} lacks; it has {}{}", work::name(precision),
                                  hw::name(needed), reading.draft.gpu, fmt::join(has, ", "), instead));
    }
}

/// Reports `what` of `size` that `ranks` of the key do not divide.
void check_divides(Reading& reading, std::string_view key, int ranks, std::string_view what,
                   std::int64_t size) {
    if (size % ranks != 0) {
        reading.fault(key, fmt::format("{} ({}) does not divide the {} {}", label(key), ranks, size, what));
    }
}

/// As the plan's tensor where expert groups so wide divide a stage, as Megatron-Core; else whole experts.
void derive_expert_tensor(Reading& reading, std::int64_t data) {
    const Slot& slot = reading.slot("plan.expert_tensor");
    if (!slot.given && slot.origin != Origin::preset && slot.sound &&
        reading.sound({"plan.tensor", "plan.expert", "model.moe.experts"})) {
        const work::ParallelPlan& plan = reading.draft.plan;
        const std::int64_t stage = data * plan.tensor * plan.context;
        const bool divides = stage % (std::int64_t{plan.expert} * plan.tensor) == 0;
        const int ranks = reading.draft.model.moe.experts > 0 && divides ? plan.tensor : 1;
        reading.derive("plan.expert_tensor", to_value(ranks), slot.key->reason);
    }
}

/// What follows from other keys, where neither the file nor the software says it.
void derive_from(Reading& reading, std::string_view path, std::initializer_list<std::string_view> tellers,
                 Value (*choose)(const Reading&)) {
    const Slot& slot = reading.slot(path);
    if (!slot.given && slot.origin != Origin::preset && slot.sound && reading.sound(tellers)) {
        reading.derive(path, choose(reading), slot.key->reason);
    }
}

template <typename Choice> Value named(Choice choice) { return std::string(work::name(choice)); }

Value usual_loss(const Reading& reading) {
    return named(reading.draft.plan.elementwise == work::Elementwise::eager ? work::CrossEntropy::eager
                                                                            : work::CrossEntropy::fused);
}

Value usual_dispatcher(const Reading& reading) {
    const std::string& schedule = reading.draft.plan.schedule;
    if (schedule == "dualpipe" || schedule == "dualpipev") {
        return named(work::Dispatcher::deepep);
    }
    return named(in_a_rack(reading) ? work::Dispatcher::hybrid_ep : work::Dispatcher::all_to_all);
}

Value usual_graphs(const Reading& reading) {
    constexpr double kSmall = 10e9; // parameters
    const work::ModelArch& model = reading.draft.model;
    if (model.moe.experts > 0) {
        return in_a_rack(reading) ? std::vector<std::string>{"attention", "router"}
                                  : std::vector<std::string>{};
    }
    const bool small = static_cast<double>(work::count_parameters(model).total) < kSmall;
    return small && is_of(reading, "blackwell") ? std::vector<std::string>{"step"}
                                                : std::vector<std::string>{};
}

Value usual_send(const Reading& reading) {
    return named(reading.draft.plan.schedule == "interleaved-1f1b" ? work::PipelineSend::overlapped
                                                                   : work::PipelineSend::blocking);
}

void check_tensor(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    const work::ModelArch& model = reading.draft.model;
    if (reading.sound({"plan.tensor", "model.attention.heads"})) {
        check_divides(reading, "plan.tensor", plan.tensor, "attention heads", model.attention.heads);
    }
    const int kv_heads = model.attention.kv_heads;
    if (reading.sound({"plan.tensor", "model.attention.kind", "model.attention.kv_heads"}) &&
        model.attention.kind == work::AttentionKind::gqa && kv_heads > 0 && kv_heads % plan.tensor != 0 &&
        plan.tensor % kv_heads != 0) {
        reading.fault("plan.tensor",
                      fmt::format("tensor ({}) neither divides nor is a multiple of the {} key-value heads",
                                  plan.tensor, kv_heads));
    }
    if (reading.sound({"plan.tensor", "model.dense_layers", "model.dense_ffn_hidden"}) &&
        (model.dense_layers > 0 || work::has_letter(model, '-'))) {
        check_divides(reading, "plan.tensor", plan.tensor, "of model.dense_ffn_hidden",
                      model.dense_ffn_hidden);
    }
    if (work::has_letter(model, 'M') &&
        reading.sound({"plan.tensor", "plan.context", "model.mamba.heads", "model.mamba.groups"})) {
        check_divides(reading, "plan.tensor", plan.tensor, "Mamba-2 heads", model.state_space.heads);
        check_divides(reading, "plan.tensor", plan.tensor, "Mamba-2 groups", model.state_space.groups);
        if (plan.context > 1) {
            reading.fault("plan.context",
                          fmt::format("context is {} and model.pattern has M: Mamba-2 over context-parallel "
                                      "ranks is not modelled; expected 1",
                                      plan.context));
        }
    }
    if (model.moe.experts > 0 && reading.sound({"plan.expert_tensor", "model.moe.ffn_hidden"})) {
        check_divides(reading, "plan.expert_tensor", plan.expert_tensor, "of model.moe.ffn_hidden",
                      model.moe.ffn_hidden);
    }
    if (model.moe.experts > 0 && plan.tensor > 1 && !plan.sequence_parallel &&
        reading.sound({"plan.tensor", "plan.sequence_parallel", "model.moe.experts"})) {
        reading.fault("plan.sequence_parallel",
                      fmt::format("sequence_parallel is false with experts and tensor ({}): every GPU would "
                                  "dispatch every token; expected true",
                                  plan.tensor));
    }
}

void check_context(Reading& reading) {
    if (!reading.sound({"plan.context", "plan.tensor", "plan.sequence", "plan.context_kind"})) {
        return;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    const bool exchanges = plan.context_kind == work::ContextKind::all_to_all;
    // Two pieces on each rank, one from the front and one from the back, balance causal attention.
    const std::int64_t pieces = plan.context == 1 ? 1 : exchanges ? plan.context : 2 * plan.context;
    const std::int64_t shards = pieces * (plan.sequence_parallel ? plan.tensor : 1);
    if (plan.sequence % shards != 0) {
        reading.fault("plan.sequence",
                      fmt::format("sequence ({}) is not a multiple of {}, its pieces under context ({}) and "
                                  "tensor ({})",
                                  plan.sequence, shards, plan.context, plan.tensor));
    }
    if (plan.context > 1 && plan.attention_kernel == work::AttentionKernel::unfused) {
        reading.fault(
            "plan.attention_kernel",
            fmt::format("attention_kernel is unfused with context ({}); expected fused", plan.context));
    }
    const work::Attention& attention = reading.draft.model.attention;
    if (exchanges && reading.sound({"model.attention.heads", "model.attention.kv_heads"})) {
        const int heads = attention.kind == work::AttentionKind::mla
                              ? attention.heads
                              : std::min(attention.heads, attention.kv_heads);
        check_divides(reading, "plan.context", plan.context, "(key-value) heads of a GPU",
                      std::max(1, heads / plan.tensor));
    }
}

} // namespace

void check_plan(Reading& reading) {
    const std::int64_t data = data_ranks(reading);
    reading.draft.plan.data = static_cast<int>(data);
    reading.draft.plan.gpus_per_node = reading.draft.gpus_per_node;
    derive_expert_tensor(reading, data);
    derive_from(reading, "plan.cross_entropy", {"plan.elementwise"}, &usual_loss);
    derive_from(reading, "plan.dispatcher",
                {"plan.schedule", "cluster.gpu", "cluster.gpus_per_node", "cluster.node"}, &usual_dispatcher);
    if (reading.faults.empty()) { // a model that can be counted
        derive_from(reading, "plan.cuda_graphs",
                    {"model.moe.experts", "cluster.gpu", "cluster.gpus_per_node", "cluster.node"},
                    &usual_graphs);
    }
    derive_from(reading, "plan.pipeline_send", {"plan.schedule"}, &usual_send);
    check_tensor(reading);
    check_context(reading);
    check_sharing(reading);
    check_expert(reading, data);
    check_stages(reading, micro_batches(reading, data));
    check_precision(reading);
    check_rank_order(reading, data);
}

} // namespace chokepoint::sim::loader
