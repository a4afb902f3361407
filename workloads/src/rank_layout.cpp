// SPDX-License-Identifier: Apache-2.0
// Strides of a plan's axes in the numbering of GPUs, and the groups that follow from them.
#include <chokepoint/workloads/rank_layout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <ranges>
#include <stdexcept>

namespace chokepoint::work {
namespace {

constexpr std::array<std::string_view, 5> kAxes{"tp", "cp", "ep", "dp", "pp"};

/// "tp-cp-ep-dp-pp" cut at its dashes.
std::vector<std::string_view> parts(std::string_view order) {
    std::vector<std::string_view> names;
    for (const auto part : std::views::split(order, '-')) {
        names.emplace_back(part.begin(), part.end());
    }
    return names;
}

} // namespace

std::string_view name(Group group) {
    constexpr std::array<std::string_view, 12> kNames{"pipeline", "tensor",        "context",         "data",
                                                      "expert",   "expert_tensor", "expert_data",     "shard",
                                                      "replicas", "expert_shard",  "expert_replicas", "own"};
    return kNames.at(static_cast<std::size_t>(group));
}

std::string rank_order_fault(std::string_view order) {
    std::vector<std::string_view> names = parts(order);
    std::ranges::sort(names);
    auto expected = kAxes;
    std::ranges::sort(expected);
    if (std::ranges::equal(names, expected)) {
        return {};
    }
    return fmt::format("rank_order \"{}\" is no order of tp, cp, ep, dp and pp; expected each once, such as "
                       "\"tp-cp-ep-dp-pp\"",
                       order);
}

RankLayout::RankLayout(const ParallelPlan& plan, int gpus_per_node)
    : pipeline_{.extent = plan.pipeline},
      tensor_{.extent = plan.tensor},
      context_{.extent = plan.context},
      data_{.extent = plan.data},
      expert_tensor_{.extent = plan.expert_tensor},
      expert_{.extent = plan.expert},
      gpus_per_node_(gpus_per_node) {
    if (const std::string fault = rank_order_fault(plan.rank_order); !fault.empty()) {
        throw std::invalid_argument(fault);
    }
    const int stage = plan.tensor * plan.context * plan.data;
    const int expert_group = plan.expert_tensor * plan.expert;
    if (stage % expert_group != 0) {
        throw std::invalid_argument(
            fmt::format("expert_tensor x expert ({} x {}) does not divide the {} GPUs of a pipeline rank",
                        plan.expert_tensor, plan.expert, stage));
    }
    Axis copies{.extent = stage / expert_group};
    gpus_ = stage * plan.pipeline;

    int attention = 1;
    int routed = 1;
    int routed_pipeline = 1;
    for (const std::string_view axis : parts(plan.rank_order)) {
        const auto place = [](Axis& at, int& stride) {
            at.stride = stride;
            stride *= at.extent;
        };
        if (axis == "tp") {
            place(tensor_, attention);
            place(expert_tensor_, routed);
        } else if (axis == "cp") {
            place(context_, attention);
        } else if (axis == "ep") {
            place(expert_, routed);
        } else if (axis == "dp") {
            place(data_, attention);
            place(copies, routed);
        } else {
            place(pipeline_, attention);
            routed_pipeline = routed;
            routed *= pipeline_.extent;
        }
    }
    expert_data_ = {copies};
    if (plan.pipeline > 1 && routed_pipeline != pipeline_.stride) {
        if (expert_group == 1) {
            // Experts are whole on each GPU, or there are none: copies are on all GPUs of a pipeline rank,
            // which need not be consecutive.
            expert_data_ = {tensor_, context_, data_};
        } else {
            throw std::invalid_argument(fmt::format(
                "rank_order \"{}\" puts pipeline neighbours {} GPUs apart for attention and {} for "
                "experts; expected pp last, or expert groups as wide as attention's",
                plan.rank_order, pipeline_.stride, routed_pipeline));
        }
    }
    const int sharing = plan.shard_group.value_or(plan.context * plan.data);
    shards_ = cut({context_, data_}, sharing, "context x data ranks");
    // Experts have as many replicas of their shards as the others (Megatron-Core,
    // num_distributed_optimizer_instances).
    const int instances = plan.context * plan.data / sharing;
    if (copies.extent % instances != 0) {
        throw std::invalid_argument(fmt::format(
            "shard_group ({}) makes {} replicas of every shard, which do not divide the {} copies "
            "of an expert",
            sharing, instances, copies.extent));
    }
    expert_shards_ = cut(expert_data_, copies.extent / instances, "copies of an expert");
}

RankLayout::Cut RankLayout::cut(std::vector<Axis> whole, int members, std::string_view what) {
    std::ranges::sort(whole, {}, &Axis::stride);
    Cut cut;
    int missing = members;
    for (const Axis& axis : whole) {
        const int inside = std::gcd(axis.extent, missing);
        cut.neighbours.push_back({inside, axis.stride});
        cut.counterparts.push_back({axis.extent / inside, axis.stride * inside});
        // Only a group that takes an axis whole goes on to the next one.
        if (missing != inside && inside != axis.extent) {
            break;
        }
        missing /= inside;
    }
    if (missing != 1) {
        throw std::invalid_argument(
            fmt::format("shard_group ({}) does not cut the {} {} into groups of neighbours", members,
                        std::accumulate(whole.begin(), whole.end(), 1,
                                        [](int product, const Axis& axis) { return product * axis.extent; }),
                        what));
    }
    return cut;
}

std::vector<RankLayout::Axis> RankLayout::axes(Group group) const {
    switch (group) {
    case Group::pipeline:
        return {pipeline_};
    case Group::tensor:
        return {tensor_};
    case Group::context:
        return {context_};
    case Group::data:
        return {context_, data_};
    case Group::expert:
        return {expert_};
    case Group::expert_tensor:
        return {expert_tensor_};
    case Group::expert_data:
        return expert_data_;
    case Group::shard:
        return shards_.neighbours;
    case Group::replicas:
        return shards_.counterparts;
    case Group::expert_shard:
        return expert_shards_.neighbours;
    case Group::expert_replicas:
        return expert_shards_.counterparts;
    case Group::own:
        return {};
    }
    throw std::logic_error(fmt::format("group of unknown kind {}", static_cast<int>(group)));
}

std::vector<int> RankLayout::members(Group group, int gpu, std::span<const Rank> hosts) const {
    std::vector<int> found;
    if (hosts.empty()) {
        found.push_back(gpu);
    }
    for (const Rank host : hosts) {
        found.push_back(counterpart(gpu, host));
    }
    for (const Axis& axis : axes(group)) {
        std::vector<int> wider;
        wider.reserve(found.size() * static_cast<std::size_t>(axis.extent));
        for (const int member : found) {
            const int base = member - member / axis.stride % axis.extent * axis.stride;
            for (int i = 0; i < axis.extent; ++i) {
                wider.push_back(base + i * axis.stride);
            }
        }
        found = std::move(wider);
    }
    std::ranges::sort(found);
    return found;
}

int RankLayout::counterpart(int gpu, Rank rank) const {
    return gpu + (index(rank) - pipeline_rank(gpu)) * pipeline_.stride;
}

bool RankLayout::remote(Rank a, Rank b) const {
    if (std::abs(index(a) - index(b)) * pipeline_.stride >= gpus_per_node_) {
        return true;
    }
    for (int gpu = 0; gpu < gpus_; ++gpu) {
        if (pipeline_rank(gpu) == index(a) && node(gpu) != node(counterpart(gpu, b))) {
            return true;
        }
    }
    return false;
}

RankLayout::Shape RankLayout::shape(Group group, Rank rank, std::span<const Rank> hosts) const {
    std::map<int, int> on_node;
    Shape shape{.ranks = 0, .ranks_per_node = 0};
    for (const int member : members(group, first_gpu(rank), hosts)) {
        ++on_node[node(member)];
        ++shape.ranks;
    }
    for (const auto& [where, count] : on_node) {
        shape.ranks_per_node = std::gcd(shape.ranks_per_node, count);
    }
    return shape;
}

} // namespace chokepoint::work
