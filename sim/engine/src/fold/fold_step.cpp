// SPDX-License-Identifier: Apache-2.0
// Copies the tasks of one GPU per pipeline rank to every class, and joins those that act together.
#include "../index.hpp"
#include "class_costs.hpp"
#include "why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chokepoint::sim {

using namespace folding;

namespace {

/// A transfer of several classes: it starts when the last of them is ready and ends, for all, with the last
/// flow of any.
struct Joint {
    work::TaskId start = 0;
    work::TaskId end = 0;
    std::size_t members = 0;
};

class Expansion {
public:
    Expansion(const work::TaskGraph& graph, const work::RankLayout& layout, const Relations& relations,
              const Partition& partition, ClassCosts& costs)
        : graph_(graph),
          layout_(layout),
          relations_(relations),
          partition_(partition),
          costs_(costs) {
        first_class_.assign(index(graph.ranks()) + 1, 0);
        for (const GpuClass& gpu_class : partition.classes) {
            ++first_class_[index(work::index(gpu_class.rank)) + 1];
        }
        for (std::size_t rank = 1; rank < first_class_.size(); ++rank) {
            first_class_[rank] += first_class_[rank - 1];
        }
        for (const GroupRelation& relation : relations.groups) {
            groups_.push_back(quotient(relation.blocks, partition));
        }
        joints_.resize(relations.groups.size());
    }

    work::TaskGraph build() {
        step_.ranks = static_cast<int>(partition_.classes.size());
        copy_tasks();
        copy_edges();
        copy_actions();
        check_joints();
        step_.computes = costs_.take_computes();
        step_.transfers = costs_.take_transfers();
        return work::TaskGraph(std::move(step_));
    }

private:
    [[nodiscard]] int classes(int rank) const {
        return rank < 0 ? 1 : first_class_[index(rank) + 1] - first_class_[index(rank)];
    }
    [[nodiscard]] int class_at(int rank, int position) const { return first_class_[index(rank)] + position; }
    [[nodiscard]] Gpu gpu(int gpu_class) const { return partition_.classes[index(gpu_class)].representative; }
    [[nodiscard]] int counterpart(int gpu_class, int rank) const {
        return partition_.class_of[index(layout_.counterpart(gpu(gpu_class), work::Rank{rank}))];
    }

    void copy_tasks() {
        std::vector<std::vector<int>> turns(relations_.groups.size(),
                                            std::vector<int>(index(graph_.ranks()), 0));
        const std::size_t copies = graph_.tasks().size() * partition_.classes.size() / index(graph_.ranks());
        for (std::vector<work::TaskId>* by_copy : {&entry_, &exit_}) {
            by_copy->reserve(2 * copies); // with joints
        }
        step_.tasks.reserve(2 * copies);
        step_.edges.reserve(2 * copies + num_edges(graph_.dag()) * copies / graph_.tasks().size());
        first_.reserve(graph_.tasks().size());
        for (const work::Task& task : graph_.tasks()) {
            first_.push_back(static_cast<work::TaskId>(step_.tasks.size()));
            const bool in_group = task.kind == work::TaskKind::transfer &&
                                  graph_.transfers()[index(task.work)].kind != work::TransferKind::pipeline;
            const int relation = in_group ? relations_.group_of.at({task.rank, task.work}) : kNone;
            // Joints may come between the copies of one task, so copies are numbered first.
            for (int position = 0; position < classes(task.rank); ++position) {
                add(task.rank < 0 ? task : copy_of(task, relation, position));
            }
            if (in_group) {
                join(task, relation, turns[index(relation)][index(task.rank)]++);
            }
        }
    }

    /// @param relation of a group's transfer
    work::Task copy_of(const work::Task& task, int relation, int position) {
        work::Task copy = task;
        const int own = class_at(task.rank, position);
        copy.rank = own;
        if (task.action >= 0) {
            copy.action = first_action(task.action) + position;
        }
        if (task.kind == work::TaskKind::compute) {
            copy.work = costs_.compute(task.work, gpu(own));
        } else if (task.kind == work::TaskKind::transfer) {
            if (relation == kNone) {
                copy.peer = counterpart(own, task.peer);
                copy.work = costs_.transfer_to_peer(task.work, gpu(own), gpu(copy.peer));
            } else {
                copy.work = costs_.transfer(task.work, gpu(own), relation);
            }
        }
        return copy;
    }

    work::TaskId add(const work::Task& task) {
        const auto id = static_cast<work::TaskId>(step_.tasks.size());
        step_.tasks.push_back(task);
        entry_.push_back(id);
        exit_.push_back(id);
        return id;
    }

    /// Ties the copies just made of `task`, the `turn`-th transfer of its rank in the relation.
    void join(const work::Task& task, int relation, int turn) {
        const Quotient& groups = groups_[index(relation)];
        const work::TaskId first = first_.back();
        for (int position = 0; position < classes(task.rank); ++position) {
            const int group = groups.of[index(class_at(task.rank, position))];
            if (groups.blocks[index(group)].parts.size() < 2) {
                continue;
            }
            Joint& joint = joint_of(task, relation, turn, group);
            const work::TaskId member = first + static_cast<work::TaskId>(position);
            step_.edges.emplace_back(joint.start, member);
            step_.edges.emplace_back(member, joint.end);
            entry_[member] = joint.start;
            exit_[member] = joint.end;
            ++joint.members;
        }
    }

    Joint& joint_of(const work::Task& task, int relation, int turn, int group) {
        const std::size_t groups = groups_[index(relation)].blocks.size();
        std::vector<Joint>& joints = joints_[index(relation)];
        joints.resize(std::max(joints.size(), (index(turn) + 1) * groups));
        Joint& joint = joints[index(turn) * groups + index(group)];
        if (joint.members == 0) {
            work::Task marker;
            marker.stream = task.stream;
            marker.rank = work::kNoRank;
            marker.layer = task.layer;
            marker.micro_batch = task.micro_batch;
            marker.work = task.work;
            joint.start = add(marker);
            joint.end = add(marker);
        }
        return joint;
    }

    void copy_edges() {
        for (auto [edge, last] = edges(graph_.dag()); edge != last; ++edge) {
            copy_edge(source(*edge, graph_.dag()), target(*edge, graph_.dag()));
        }
    }

    void copy_edge(work::TaskId from, work::TaskId to) {
        const int sender = graph_.tasks()[from].rank;
        const int receiver = graph_.tasks()[to].rank;
        const auto link = [&](int from_position, int to_position) {
            step_.edges.emplace_back(exit_[first_[from] + static_cast<work::TaskId>(from_position)],
                                     entry_[first_[to] + static_cast<work::TaskId>(to_position)]);
        };
        if (sender < 0 || receiver < 0) { // all GPUs wait for one another here
            for (int f = 0; f < classes(sender); ++f) {
                for (int t = 0; t < classes(receiver); ++t) {
                    link(f, t);
                }
            }
            return;
        }
        for (int t = 0; t < classes(receiver); ++t) {
            link(sender == receiver
                     ? t
                     : counterpart(class_at(receiver, t), sender) - first_class_[index(sender)],
                 t);
        }
    }

    [[nodiscard]] std::int32_t first_action(std::int32_t action) {
        if (first_action_.empty()) {
            first_action_.push_back(0);
            for (const work::ActionSpan& span : graph_.actions()) {
                first_action_.push_back(first_action_.back() + classes(work::index(span.rank)));
            }
        }
        return first_action_[index(action)];
    }

    void copy_actions() {
        for (const work::ActionSpan& span : graph_.actions()) {
            const int rank = work::index(span.rank);
            for (int position = 0; position < classes(rank); ++position) {
                const auto offset = static_cast<work::TaskId>(position);
                step_.actions.push_back({work::Rank{class_at(rank, position)}, span.action,
                                         first_[span.entry] + offset, first_[span.exit] + offset});
            }
        }
    }

    /// Ranks that hold the same parameters must reduce them equally often.
    void check_joints() const {
        for (std::size_t relation = 0; relation < joints_.size(); ++relation) {
            const std::size_t groups = groups_[relation].blocks.size();
            for (std::size_t i = 0; i < joints_[relation].size(); ++i) {
                const std::size_t classes = groups_[relation].blocks[i % groups].parts.size();
                const Joint& joint = joints_[relation][i];
                if (joint.members != 0 && joint.members != classes) {
                    const work::Task& task = step_.tasks[joint.start];
                    throw std::logic_error(
                        fmt::format("'{}' number {} of a {} group has {} of its {} classes",
                                    graph_.transfers()[index(task.work)].name, i / groups,
                                    work::name(relations_.groups[relation].group), joint.members, classes));
                }
            }
        }
    }

    const work::TaskGraph& graph_;
    const work::RankLayout& layout_;
    const Relations& relations_;
    const Partition& partition_;
    ClassCosts& costs_;
    std::vector<int> first_class_;    ///< by pipeline rank, and one more
    std::vector<Quotient> groups_;    ///< by group relation
    std::vector<work::TaskId> first_; ///< by original task: its first copy
    std::vector<work::TaskId> entry_,
        exit_; ///< by copy: what waits for its inputs, what its outputs wait for
    std::vector<std::int32_t> first_action_;
    std::vector<std::vector<Joint>> joints_; ///< by relation; then by turn and, within it, group
    work::StepGraph step_;
};

/// By GPU, from the position in its expert group. Empty if the router treats all alike.
std::vector<double> load_by_gpu(const Relations& relations, const Conditions& conditions) {
    const auto experts = std::ranges::find(relations.groups, work::Group::expert, &GroupRelation::group);
    if (conditions.load.empty() || experts == relations.groups.end()) {
        return {};
    }
    const Blocks& blocks = experts->blocks;
    std::vector<double> load(blocks.block.size(), 1.0);
    for (int b = 0; b < blocks.count(); ++b) {
        const std::span<const Gpu> members = blocks.members(b);
        if (members.size() != conditions.load.size()) {
            throw std::invalid_argument(
                fmt::format("routing loads are given for {} GPUs; an expert group has {}",
                            conditions.load.size(), members.size()));
        }
        for (std::size_t position = 0; position < members.size(); ++position) {
            load[index(members[position])] = conditions.load[position];
        }
    }
    return load;
}

void check_gpus(const Conditions& conditions, int gpus) {
    const auto check = [&](Gpu gpu) {
        if (gpu < 0 || gpu >= gpus) {
            throw std::invalid_argument(
                fmt::format("conditions name GPU {}; expected 0 to {}", gpu, gpus - 1));
        }
    };
    const auto check_keys = [&](const auto& map) {
        for (const auto& [gpu, value] : map) {
            check(gpu);
        }
    };
    check_keys(conditions.speed);
    check_keys(conditions.nvlink);
    check_keys(conditions.nic);
    const auto check_shared = [&](const std::vector<Conditions::Shared>& shared) {
        for (const Conditions::Shared& one : shared) {
            std::ranges::for_each(one.gpus, check);
        }
    };
    check_shared(conditions.rails);
    for (const Conditions::Tier& tier : conditions.uplinks) {
        check_shared(tier.links);
        if (tier.place.size() != index(gpus)) {
            throw std::invalid_argument(
                fmt::format("a tier of uplinks places {} GPUs; the layout has {}", tier.place.size(), gpus));
        }
    }
}

FoldedStep unchanged(work::TaskGraph graph, StepCosts costs, const work::RankLayout& layout) {
    Partition stages = by_stage(layout, graph.ranks());
    return {std::move(graph), std::move(costs), {}, std::move(stages.classes), std::move(stages.class_of)};
}

} // namespace

std::string_view name(Fold fold) {
    constexpr std::array<std::string_view, 3> kNames{"auto", "none", "stage"};
    return kNames.at(static_cast<std::size_t>(fold));
}

std::optional<Fold> fold_from(std::string_view text) {
    for (const Fold fold : {Fold::automatic, Fold::none, Fold::stage}) {
        if (name(fold) == text) {
            return fold;
        }
    }
    return std::nullopt;
}

FoldedStep fold_step(work::TaskGraph graph, StepCosts costs, const work::RankLayout& layout,
                     const Conditions& conditions, Fold fold) {
    check_gpus(conditions, layout.gpus());
    const bool alike = symmetric(conditions, costs.nic);
    if (fold == Fold::stage && !alike) {
        throw std::invalid_argument(
            "one class for each pipeline rank takes its GPUs to be alike; the scenario "
            "sets some of them apart");
    }
    if (fold != Fold::none && alike) {
        return unchanged(std::move(graph), std::move(costs), layout);
    }
    const Relations relations = find_relations(graph, layout, conditions);
    const Uplinks uplinks(relations, conditions, costs.nic);
    std::vector<std::vector<Reach>> reach;
    for (const GroupRelation& relation : relations.groups) {
        if (uplinks.any()) {
            reach.push_back(uplinks.reach(relation, layout));
        }
    }
    const std::vector<double> load = load_by_gpu(relations, conditions);
    Partition partition = fold == Fold::none ? one_by_one(layout, graph.ranks())
                                             : refine(layout, relations, uplinks, conditions, reach, load);
    ClassCosts class_costs(graph, std::move(costs), uplinks, conditions, reach, load);
    Network network = quotient_network(relations, uplinks, conditions, partition);
    work::TaskGraph expanded = Expansion(graph, layout, relations, partition, class_costs).build();
    if (fold != Fold::none) {
        explain(partition, layout, relations, uplinks, conditions, load);
    }
    return {std::move(expanded), class_costs.take_costs(), std::move(network), std::move(partition.classes),
            std::move(partition.class_of)};
}

} // namespace chokepoint::sim
