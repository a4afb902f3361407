// SPDX-License-Identifier: Apache-2.0
// Random small clusters, plans and conditions, for the law that folding changes nothing.
#pragma once

#include <chokepoint/sim/engine.hpp>
#include <chokepoint/sim/fold.hpp>

#include <rapidcheck.h>

#include <algorithm>
#include <string>

namespace chokepoint::test {

/// A step before it is folded. Graphs cannot be copied, so each user builds its own.
struct RandomCluster {
    work::ModelArch model;
    work::ParallelPlan plan;
    int gpus_per_node = 1;
    sim::Conditions conditions;
    std::uint64_t seed = 0;

    [[nodiscard]] work::RankLayout layout() const { return {plan, gpus_per_node}; }
    [[nodiscard]] work::TaskGraph graph() const {
        const work::Schedule schedule = work::make_schedule(plan);
        return work::build_step(model, plan, schedule, gpus_per_node);
    }
    [[nodiscard]] sim::StepCosts costs(const work::TaskGraph&) const;
};

namespace detail {

inline work::ModelArch tiny_model(int layers) {
    work::ModelArch model;
    model.id = "tiny";
    model.layers = layers;
    model.dense_layers = 1;
    model.hidden = 512;
    model.dense_ffn_hidden = 1024;
    model.vocabulary = 1024;
    model.attention = {.kind = work::AttentionKind::gqa, .heads = 8, .kv_heads = 8, .head_dim = 64};
    model.moe = {.experts = 16, .shared_experts = 1, .top_k = 2, .ffn_hidden = 256, .max_nodes = 0};
    return model;
}

/// Numbers that follow from `seed` alone, so that two graphs of one cluster cost the same.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    double between(double low, double high) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return low + (high - low) * static_cast<double>(state_ >> 11) * 0x1p-53;
    }

private:
    std::uint64_t state_;
};

inline sim::CapacityProfile random_profile() {
    const double factor = 0.1 * *rc::gen::inRange(1, 10);
    if (*rc::gen::arbitrary<bool>()) {
        return {{hw::Seconds(0.0), factor}};
    }
    const double from = 1e-3 * *rc::gen::inRange(0, 40);
    return {{hw::Seconds(from), factor}, {hw::Seconds(from + 1e-3 * *rc::gen::inRange(1, 40)), 1.0}};
}

/// GPUs in runs of `width`, each below a link of its own.
inline sim::Conditions::Tier tier(int gpus, int width, hw::BytesPerSecond nic, double oversubscription) {
    sim::Conditions::Tier tier;
    for (int gpu = 0; gpu < gpus; ++gpu) {
        const int place = gpu / width;
        tier.place.push_back(place);
        if (place == static_cast<int>(tier.links.size())) {
            tier.links.push_back({{"leaf " + std::to_string(place), {}, {}}, {}});
        }
        tier.links.back().gpus.push_back(gpu);
    }
    for (auto& shared : tier.links) {
        shared.link.capacity = nic * (static_cast<double>(shared.gpus.size()) / oversubscription);
    }
    return tier;
}

constexpr hw::BytesPerSecond kNvlink{200e9};
constexpr hw::BytesPerSecond kNic{50e9};

inline void add_uplinks(sim::Conditions& conditions, int gpus, int gpus_per_node) {
    const int leaf = gpus_per_node * *rc::gen::inRange(1, 4);
    conditions.uplinks.push_back(tier(gpus, leaf, kNic, *rc::gen::element(1.0, 2.0, 3.0)));
    if (*rc::gen::arbitrary<bool>()) {
        conditions.uplinks.push_back(tier(gpus, 2 * leaf, kNic, *rc::gen::element(1.0, 4.0)));
    }
    if (*rc::gen::arbitrary<bool>()) {
        auto& links = conditions.uplinks.front().links;
        links[*rc::gen::inRange<std::size_t>(0, links.size())].link.profile = random_profile();
    }
}

inline sim::Conditions random_conditions(const work::ParallelPlan& plan, int gpus, int gpus_per_node) {
    sim::Conditions conditions;
    const auto some_gpu = [&] { return *rc::gen::inRange(0, gpus); };
    if (*rc::gen::arbitrary<bool>()) {
        conditions.speed[some_gpu()] = 0.1 * *rc::gen::inRange(3, 10);
    }
    if (*rc::gen::arbitrary<bool>()) {
        (*rc::gen::arbitrary<bool>() ? conditions.nic : conditions.nvlink)[some_gpu()] = random_profile();
    }
    if (gpus_per_node > 1 && *rc::gen::arbitrary<bool>()) {
        const int first = some_gpu() / gpus_per_node * gpus_per_node;
        conditions.rails.push_back({{"NIC", kNic, {}}, {first, first + 1}});
    }
    if (plan.expert > 1 && *rc::gen::inRange(0, 3) == 0) {
        double sum = 0.0;
        for (int i = 0; i < plan.expert; ++i) {
            conditions.load.push_back(*rc::gen::inRange(1, 5));
            sum += conditions.load.back();
        }
        for (double& load : conditions.load) {
            load *= plan.expert / sum;
        }
    }
    if (*rc::gen::arbitrary<bool>()) {
        add_uplinks(conditions, gpus, gpus_per_node);
    }
    return conditions;
}

} // namespace detail

/// Kernels of about a millisecond; transfers over the ports that the group's extent calls for.
inline sim::StepCosts RandomCluster::costs(const work::TaskGraph& graph) const {
    detail::Dice dice(seed);
    sim::StepCosts costs;
    costs.nvlink = detail::kNvlink;
    costs.nic = detail::kNic;
    for (const work::ComputeWork& compute : graph.computes()) {
        std::vector<hw::Seconds> seconds;
        hw::Seconds total;
        for (std::size_t i = 0; i < compute.operators.size(); ++i) {
            seconds.emplace_back(dice.between(1e-5, 1e-3));
            total += seconds.back();
        }
        costs.compute.push_back(total);
        costs.beside.push_back(dice.between(1.0, 1.5));
        costs.operator_sigma.emplace_back(seconds.size(), 0.0);
        costs.operator_seconds.push_back(std::move(seconds));
    }
    for (const work::TransferWork& transfer : graph.transfers()) {
        hw::TransferShape shape{{}, hw::Seconds(dice.between(0.0, 1e-4))};
        const double nvlink = dice.between(1e7, 3e8);
        const double nic = dice.between(1e7, 1e8);
        if (transfer.ranks_per_node > 1) {
            shape.flows.push_back({hw::Port::nvlink, hw::Bytes(nvlink), hw::BytesPerSecond(160e9)});
        }
        if (transfer.ranks > transfer.ranks_per_node) {
            shape.flows.push_back(
                {hw::Port::nic, hw::Bytes(nic), hw::BytesPerSecond(dice.between(30e9, 60e9))});
        }
        costs.transfer.push_back(std::move(shape));
        costs.straggler_wait.emplace_back(dice.between(0.0, 1e-4));
    }
    return costs;
}

/// Up to 32 GPUs.
inline RandomCluster random_cluster() {
    RandomCluster cluster;
    work::ParallelPlan& plan = cluster.plan;
    plan.pipeline = *rc::gen::element(1, 2, 4);
    plan.tensor = 1;
    plan.data = *rc::gen::element(1, 2, 4, 8);
    plan.expert = 1 << *rc::gen::inRange(0, plan.data == 8 ? 4 : plan.data == 4 ? 3 : plan.data);
    plan.sequence = 1024;
    plan.zero = *rc::gen::inRange(0, 2);
    plan.pipeline_send = *rc::gen::element(work::PipelineSend::blocking, work::PipelineSend::overlapped);
    const int micro_batches = plan.pipeline * *rc::gen::inRange(1, 4);
    plan.global_batch = plan.data * micro_batches;
    std::vector<std::string> schedules;
    for (const work::ScheduleKind& kind : work::schedule_kinds()) {
        if (kind.fault({plan.pipeline, micro_batches}).empty()) {
            schedules.emplace_back(kind.id);
        }
    }
    plan.schedule = *rc::gen::elementOf(schedules);
    cluster.model = detail::tiny_model(2 * plan.pipeline);
    const int gpus = plan.pipeline * plan.data;
    cluster.gpus_per_node = std::min(gpus, *rc::gen::element(1, 2, 4, 8));
    cluster.conditions = detail::random_conditions(plan, gpus, cluster.gpus_per_node);
    cluster.seed = *rc::gen::arbitrary<std::uint64_t>();
    return cluster;
}

} // namespace chokepoint::test
