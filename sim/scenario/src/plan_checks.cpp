// SPDX-License-Identifier: Apache-2.0
// Checks of the plan against the cluster and the model: divisibility, schedule, precision, memory.
#include "reading.hpp"

#include <chokepoint/workloads/memory.hpp>
#include <chokepoint/workloads/rank_layout.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace chokepoint::sim::loader {
namespace {

// Each is an action the scheduler lists and the engine plays: a million is 500 times DeepSeek-V3's step (16 x
// 120).
constexpr std::int64_t kMaxStageMicroBatches = 1'000'000;

/// GPUs / (pipeline x tensor), or 0 after a fault.
std::int64_t data_ranks(Reading& reading) {
    if (!reading.sound({"cluster.nodes", "cluster.gpus_per_node", "plan.pipeline", "plan.tensor"})) {
        return 0;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    const std::int64_t gpus = reading.draft.gpus();
    const std::int64_t group = std::int64_t{plan.pipeline} * plan.tensor;
    if (gpus % group == 0) {
        return gpus / group;
    }
    const std::string sizes = plan.tensor == 1
                                  ? fmt::format("pipeline ({})", plan.pipeline)
                                  : fmt::format("pipeline x tensor ({} x {})", plan.pipeline, plan.tensor);
    reading.fault("plan.pipeline", fmt::format("{} does not divide the {} GPUs ({} x {})", sizes, gpus,
                                               reading.draft.nodes, reading.draft.gpus_per_node));
    return 0;
}

std::string data_formula(const Draft& draft) {
    return draft.plan.tensor == 1
               ? fmt::format("{} / {}", draft.gpus(), draft.plan.pipeline)
               : fmt::format("{} / ({} x {})", draft.gpus(), draft.plan.pipeline, draft.plan.tensor);
}

void check_expert_nodes(Reading& reading) {
    const Draft& draft = reading.draft;
    if (!reading.sound({"cluster.gpus_per_node"})) {
        return;
    }
    const int expert = draft.plan.expert;
    const int per_node = draft.gpus_per_node;
    if (expert % per_node != 0 && per_node % expert != 0) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}) neither divides nor is a multiple of the {} GPUs of a "
                                  "node, so groups would lie unevenly on nodes",
                                  expert, per_node));
        return;
    }
    const work::Moe& moe = draft.model.moe;
    const int group_nodes = std::max(1, expert / per_node);
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
    if (data > 0 && data % expert != 0) {
        reading.fault("plan.expert",
                      fmt::format("expert ({}) does not divide the {} ranks of a pipeline stage ({})", expert,
                                  data, data_formula(draft)));
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
    if (count * plan.pipeline > kMaxStageMicroBatches) {
        reading.fault(
            "plan.global_batch",
            fmt::format("global_batch ({}) gives a replica {} micro-batches on {} pipeline ranks; expected "
                        "at most {} in all",
                        plan.global_batch, count, plan.pipeline, kMaxStageMicroBatches));
        return 0;
    }
    return static_cast<int>(count);
}

void check_split(Reading& reading, const work::Schedule& schedule) {
    const std::vector<int>& split = reading.draft.plan.split;
    if (split.empty() || !reading.sound({"plan.split", "model.layers"})) {
        return;
    }
    if (static_cast<int>(split.size()) != schedule.stages) {
        reading.fault("plan.split",
                      fmt::format("split has {} stages; expected the {} of {} on {} pipeline ranks",
                                  split.size(), schedule.stages, schedule.id, schedule.ranks));
    }
    const std::int64_t sum = std::accumulate(split.begin(), split.end(), std::int64_t{0});
    if (sum != reading.draft.model.layers) {
        reading.fault("plan.split", fmt::format("split adds up to {} layers; expected {}", sum,
                                                reading.draft.model.layers));
    }
}

void check_schedule(Reading& reading, int count) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (reading.sound({"plan.pipeline", "model.layers"}) && plan.pipeline > reading.draft.model.layers) {
        reading.fault("plan.pipeline", fmt::format("pipeline ({}) exceeds the {} layers", plan.pipeline,
                                                   reading.draft.model.layers));
    }
    if (count == 0 || !reading.sound({"plan.pipeline", "plan.schedule"})) {
        return;
    }
    const work::ScheduleKind& kind = *work::find_schedule(plan.schedule);
    const std::string reason = kind.fault(plan.pipeline, count);
    if (!reason.empty()) {
        reading.fault("plan.schedule", reason);
        return;
    }
    if (!plan.split.empty()) {
        check_split(reading, kind.make(plan.pipeline, count));
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
        try {
            const work::RankLayout layout(plan, reading.draft.gpus_per_node);
        } catch (const std::invalid_argument& error) {
            reading.fault("plan.rank_order", error.what());
        }
    }
}

void check_precision(Reading& reading) {
    if (!reading.sound({"cluster.gpu", "plan.precision"})) {
        return;
    }
    const auto& peaks = reading.library.catalog.find_gpu(reading.draft.gpu)->dense_peak;
    const work::Precision precision = reading.draft.plan.precision;
    const hw::DType needed = precision == work::Precision::fp8_block ? hw::DType::fp8 : hw::DType::bf16;
    if (!peaks.contains(needed)) {
        std::vector<std::string_view> has;
        for (const auto& [dtype, peak] : peaks) {
            has.push_back(hw::name(dtype));
        }
        reading.fault("plan.precision",
                      fmt::format("precision {} needs {}, which {} lacks; it has {}", work::name(precision),
                                  hw::name(needed), reading.draft.gpu, fmt::join(has, ", ")));
    }
}

} // namespace

void check_plan(Reading& reading) {
    const std::int64_t data = data_ranks(reading);
    reading.draft.plan.data = static_cast<int>(data);
    if (reading.sound({"plan.tensor"}) && reading.draft.plan.tensor > 1) {
        reading.fault("plan.tensor",
                      fmt::format("tensor ({}): tensor parallelism is not supported yet; expected 1",
                                  reading.draft.plan.tensor));
    }
    check_expert(reading, data);
    check_schedule(reading, micro_batches(reading, data));
    check_precision(reading);
    check_rank_order(reading, data);
}

void check_memory(Reading& reading) {
    const Draft& draft = reading.draft;
    const work::Schedule schedule =
        work::find_schedule(draft.plan.schedule)->make(draft.plan.pipeline, draft.plan.micro_batches());
    std::vector<work::MemoryUse> ranks;
    try {
        ranks = work::memory_per_rank(draft.model, draft.plan, schedule);
    } catch (const std::invalid_argument& error) { // a stage without blocks
        reading.fault(draft.plan.split.empty() ? "plan.pipeline" : "plan.split", error.what());
        return;
    }
    const auto most = std::max_element(ranks.begin(), ranks.end(),
                                       [](const auto& a, const auto& b) { return a.total() < b.total(); });
    const hw::Bytes capacity = reading.library.catalog.find_gpu(draft.gpu)->memory;
    if (most == ranks.end() || most->total() <= capacity) {
        return;
    }
    reading.faults.push_back(
        at(reading.section_place("plan"),
           fmt::format(
               "the plan needs {} on pipeline rank {}, more than the {} of {}: parameters {}, gradients {}, "
               "optimizer {}, activations {}, buffers {}",
               to_text(most->total()), most - ranks.begin(), to_text(capacity), draft.gpu,
               to_text(most->parameters), to_text(most->gradients), to_text(most->optimizer),
               to_text(most->activations), to_text(most->buffers))));
}

} // namespace chokepoint::sim::loader
