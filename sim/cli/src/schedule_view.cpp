// SPDX-License-Identifier: Apache-2.0
// Lays the actions of each rank out along a time axis.
#include "schedule_view.hpp"
#include "json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

namespace chokepoint::cli {

namespace {

using work::Action;
using work::ActionKind;

/// One half of an action: a pass of one micro-batch through one stage.
struct Pass {
    ActionKind kind = ActionKind::forward;
    int micro_batch = 0;
    int variety = 0; ///< 0: the rank's first stage, or the first direction of two
};

char letter(ActionKind kind) {
    switch (kind) {
    case ActionKind::forward:
        return 'F';
    case ActionKind::input_backward:
        return 'I';
    case ActionKind::weight_backward:
        return 'W';
    case ActionKind::backward:
    case ActionKind::overlapped:
        break;
    }
    return 'B';
}

/// Tells the stages of a rank apart, or the directions where stages live on several ranks.
class Varieties {
public:
    explicit Varieties(const work::Schedule& schedule) : schedule_(schedule), stages_(schedule.order.size()) {
        for (int stage = 0; stage < schedule.stages; ++stage) {
            for (const work::Rank host : schedule.hosts[static_cast<std::size_t>(stage)]) {
                stages_[static_cast<std::size_t>(work::index(host))].insert(stage);
            }
        }
    }
    [[nodiscard]] int of(std::size_t rank, work::Stage stage, int micro_batch) const {
        if (schedule_.replicas_per_stage > 1) {
            return schedule_.host(work::Stage{0}, micro_batch) == schedule_.host(work::Stage{0}, 0) ? 0 : 1;
        }
        const auto& own = stages_[rank];
        return static_cast<int>(std::distance(own.begin(), own.find(work::index(stage))));
    }

    /// What a picture's paler cells are.
    [[nodiscard]] std::string_view paler() const {
        if (schedule_.replicas_per_stage > 1) {
            return "; paler: the other direction";
        }
        return schedule_.stages > schedule_.ranks ? "; paler: the rank's later stages" : "";
    }

private:
    const work::Schedule& schedule_;
    std::vector<std::set<int>> stages_; ///< [rank]
};

std::vector<Pass> passes(const Action& action, std::size_t rank, const Varieties& varieties) {
    std::vector<Pass> list;
    const bool pair = action.kind == ActionKind::overlapped;
    if (pair || action.kind == ActionKind::forward) {
        list.push_back({ActionKind::forward, action.forward_micro_batch,
                        varieties.of(rank, action.forward_stage, action.forward_micro_batch)});
    }
    if (action.kind != ActionKind::forward) {
        list.push_back({pair ? ActionKind::backward : action.kind, action.backward_micro_batch,
                        varieties.of(rank, action.backward_stage, action.backward_micro_batch)});
    }
    return list;
}

std::string text(const std::vector<Pass>& list) {
    std::string all;
    for (const Pass& pass : list) {
        const char capital = letter(pass.kind);
        const int shown = pass.variety == 0 ? capital : std::tolower(capital);
        all += fmt::format("{}{}{}", all.empty() ? "" : "&", static_cast<char>(shown), pass.micro_batch);
    }
    return all;
}

/// Columns of one unit of time, so that every cell holds its text and a blank.
double columns_per_unit(const work::Schedule& schedule, const Varieties& varieties,
                        const work::ActionTimes& times) {
    double columns = 1.0;
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        for (const Action& action : schedule.order[rank]) {
            const auto needed = static_cast<double>(text(passes(action, rank, varieties)).size() + 1);
            columns = std::max(columns, needed / times.of(action.kind));
        }
    }
    return std::ceil(columns);
}

Json part_json(const Pass& pass, double share) {
    Json part{{"kind", std::string(work::name(pass.kind))},
              {"text", fmt::format("{}", pass.micro_batch)},
              {"share", share}};
    if (pass.variety > 0) {
        part["shade"] = std::min(pass.variety, 4);
    }
    return part;
}

} // namespace

std::string schedule_rows(const work::Schedule& schedule, const work::UnitTimeline& line,
                          const work::ActionTimes& times) {
    const Varieties varieties(schedule);
    const double scale = columns_per_unit(schedule, varieties, times);
    const auto column = [scale](double time) { return static_cast<std::size_t>(std::lround(time * scale)); };
    const std::size_t digits = fmt::format("{}", schedule.ranks - 1).size();
    std::string rows;
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        std::string row;
        for (std::size_t i = 0; i < schedule.order[rank].size(); ++i) {
            const Action& action = schedule.order[rank][i];
            const double start = line.start[rank][i];
            row.resize(column(start), ' ');
            row += text(passes(action, rank, varieties));
            const std::size_t end = column(start + times.of(action.kind));
            row.resize(std::max(row.size(), end - 1), '-');
        }
        rows += fmt::format("rank {:>{}}  {}\n", rank, digits, row);
    }
    return rows;
}

Json schedule_chart(const work::Schedule& schedule, const work::UnitTimeline& line,
                    const work::ActionTimes& times) {
    const Varieties varieties(schedule);
    Json rows = Json::array();
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        Json spans = Json::array();
        for (std::size_t i = 0; i < schedule.order[rank].size(); ++i) {
            const Action& action = schedule.order[rank][i];
            Json parts = Json::array();
            for (const Pass& pass : passes(action, rank, varieties)) {
                parts.push_back(part_json(pass, times.of(pass.kind)));
            }
            const double start = line.start[rank][i];
            spans.push_back({{"start", start}, {"end", start + times.of(action.kind)}, {"parts", parts}});
        }
        rows.push_back({{"label", fmt::format("rank {}", rank)}, {"spans", std::move(spans)}});
    }
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "gantt"},
            {"title", fmt::format("{}: {} ranks, {} micro-batches{}", schedule.id, schedule.ranks,
                                  schedule.micro_batches, varieties.paler())},
            {"x",
             {{"label", fmt::format("time (F = {}, input gradient = {}, weight gradient = {})", times.forward,
                                    times.input, times.weight)}}},
            {"rows", std::move(rows)}};
}

} // namespace chokepoint::cli
