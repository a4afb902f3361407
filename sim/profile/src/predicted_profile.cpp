// SPDX-License-Identifier: Apache-2.0
// Takes a simulated step or pair apart by the names under which a profile counts its kernels.
#include <chokepoint/sim/predicted_profile.hpp>

#include "intervals.hpp"

#include <chokepoint/sim/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chokepoint::sim {
namespace {

constexpr const char* kWaiting = "waiting";

std::string work_of(const hw::Operator& op) {
    return hw::to_text(hw::PricedOperator{
        op.kernel, hw::is_memory_bound(op.kernel) ? std::nullopt : std::optional(op.dtype)});
}

ProfileTime whole(hw::Seconds time) { return ProfileTime(std::llround(time.value() * 1e9)); }
hw::Seconds seconds(ProfileTime time) { return hw::Seconds(1e-9 * static_cast<double>(time.count())); }

/// How much each rank of the graph counts: its GPUs' share of all that are looked at.
std::vector<double> weights_of(const StepRun& run, const ProfileScope& scope) {
    std::vector<double> weights(static_cast<std::size_t>(run.graph.ranks()), 1.0);
    for (std::size_t i = 0; i < run.classes.size(); ++i) {
        const bool looked_at = !scope.rank || work::index(run.classes[i].rank) == *scope.rank;
        weights[i] = looked_at ? run.classes[i].gpus : 0.0;
    }
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    if (sum <= 0.0) {
        throw std::invalid_argument(fmt::format("no pipeline rank {}; the scenario has 0 to {}",
                                                scope.rank.value_or(0),
                                                work::index(run.classes.back().rank)));
    }
    for (double& weight : weights) {
        weight /= sum;
    }
    return weights;
}

/// What one rank of the graph does when.
struct RankTime {
    std::vector<Stretch> compute, communication;
};

} // namespace

PredictedProfile predict_profile(const Scenario& scenario, const ProfileScope& scope) {
    const StepRun run =
        scope.pair_layers ? run_pair(scenario, *scope.pair_layers) : run_step(scenario, scenario.plan());
    const std::vector<double> weights = weights_of(run, scope);
    PredictedProfile result;
    std::vector<RankTime> ranks(weights.size());
    for (std::size_t i = 0; i < run.graph.tasks().size(); ++i) {
        const work::Task& task = run.graph.tasks()[i];
        if (task.kind == work::TaskKind::marker || task.rank < 0) {
            continue;
        }
        const auto rank = static_cast<std::size_t>(task.rank);
        const auto index = static_cast<std::size_t>(task.work);
        const double share = weights[rank] * scope.count;
        const Stretch stretch{whole(run.timeline.start[i]), whole(run.timeline.finish[i])};
        if (task.kind == work::TaskKind::compute) {
            ranks[rank].compute.push_back(stretch);
            const std::vector<hw::Operator>& operators = run.graph.computes()[index].operators;
            for (std::size_t k = 0; k < operators.size(); ++k) {
                result.works[work_of(operators[k])] += share * run.costs.operator_seconds[index][k];
            }
        } else {
            ranks[rank].communication.push_back(stretch);
            const hw::Seconds wait = run.costs.straggler_wait[index];
            const hw::Seconds all = run.timeline.finish[i] - run.timeline.start[i];
            result.works[kWaiting] += share * wait;
            result.works[std::string(work::name(run.graph.transfers()[index].kind))] += share * (all - wait);
        }
    }
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        const double share = weights[rank] * scope.count;
        const Stretches compute = unite(std::move(ranks[rank].compute));
        const Stretches communication = unite(std::move(ranks[rank].communication));
        result.compute += share * seconds(length(compute));
        result.communication += share * seconds(length(communication));
        result.overlap += share * seconds(length(intersect(compute, communication)));
    }
    result.span = scope.count * run.timeline.makespan;
    std::erase_if(result.works, [](const auto& work) { return work.second <= hw::Seconds(); });
    return result;
}

namespace {

/// What a class of the profile may be, by the scenario's names.
std::vector<std::string> works_of(const hw::ProfiledClass& profiled) {
    std::vector<std::string> works = profiled.transfers;
    std::ranges::transform(profiled.operators, std::back_inserter(works),
                           [](const hw::PricedOperator& priced) { return hw::to_text(priced); });
    return works;
}

bool share_a_work(const ComparedRow& row, const std::vector<std::string>& works) {
    return std::ranges::any_of(works, [&](const std::string& work) {
        return std::ranges::find(row.works, work) != row.works.end();
    });
}

/// Moves the classes and works of every row that has one of `works` into `row`.
void join(ComparedRow& row, std::vector<ComparedRow>& rows, const std::vector<std::string>& works) {
    for (const ComparedRow& other : rows) {
        if (share_a_work(other, works)) {
            row.classes.insert(row.classes.end(), other.classes.begin(), other.classes.end());
            row.works.insert(row.works.end(), other.works.begin(), other.works.end());
            row.predicted += other.predicted;
        }
    }
    std::erase_if(rows, [&](const ComparedRow& other) { return share_a_work(other, works); });
}

} // namespace

std::vector<ComparedRow> compare_profile(const Profile& profile, const hw::KernelRules& rules,
                                         const PredictedProfile& predicted) {
    std::vector<ComparedRow> rows;
    for (const auto& [work, time] : predicted.works) {
        rows.push_back({{}, {work}, {}, time});
    }
    for (const ClassTime& measured : summarize(profile, rules).classes) {
        ComparedRow row{{measured.id}, {}, {}, {}};
        const auto known = std::ranges::find(rules.classes, measured.id, &hw::ProfiledClass::id);
        if (known != rules.classes.end()) {
            join(row, rows, works_of(*known));
        }
        rows.push_back(std::move(row));
    }
    for (ComparedRow& row : rows) {
        row.measured = busy_time(profile, rules, row.classes);
        std::ranges::sort(row.works);
    }
    std::ranges::stable_sort(rows, std::greater{}, &ComparedRow::measured);
    return rows;
}

} // namespace chokepoint::sim
