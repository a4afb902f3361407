// SPDX-License-Identifier: Apache-2.0
// The command `optimize`.
#include "sweep_commands.hpp"

#include "interrupt.hpp"
#include "json.hpp"
#include "output_file.hpp"
#include "result.hpp"
#include "sweep_text.hpp"

#include <chokepoint/sim/optimize.hpp>
#include <chokepoint/sim/run.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace chokepoint::cli {

namespace {

/// "plan.tensor,plan.expert=1,2" varies two keys: a part with "=" keeps the commas behind it.
std::vector<std::string> parts_of(const std::vector<std::string>& vary) {
    std::vector<std::string> parts;
    for (const std::string& text : vary) {
        const std::size_t equals = text.find('=');
        std::size_t from = 0;
        for (std::size_t comma = 0; (comma = text.find(',', from)) < std::min(equals, text.size());
             from = comma + 1) {
            parts.push_back(text.substr(from, comma - from));
        }
        parts.push_back(text.substr(from));
    }
    return parts;
}

sim::Grid plans_of(const sim::ScenarioTemplate& source, const sim::Scenario& given,
                   const OptimizeCommandOptions& options) {
    try {
        return {sim::vary_axes(source, given, parts_of(options.vary)),
                options.max_points > 0 ? options.max_points : sim::kMostPoints};
    } catch (const std::length_error& error) {
        throw UsageError(fmt::format("--vary: {}; --max-points allows more", error.what()));
    } catch (const std::invalid_argument& error) {
        throw UsageError(fmt::format("--vary: {}", error.what()));
    }
}

std::string value_text(sim::Objective objective, double value) {
    switch (objective) {
    case sim::Objective::step:
        return hw::to_text(hw::Seconds(value));
    case sim::Objective::gpu_hours:
        return fmt::format("{} GPU-hours per trillion tokens", hw::group_digits(value));
    case sim::Objective::usd:
        return fmt::format("{} USD per trillion tokens", hw::group_digits(value));
    }
    return {};
}

std::string certificate(const sim::OptimizeOutcome& outcome, sim::Objective objective) {
    if (outcome.stopped) {
        return "stopped: of plans that were not simulated, some may be better\n";
    }
    const double best =
        std::min(outcome.best ? outcome.best->value : outcome.given_value, outcome.given_value);
    if (!outcome.rest_bound) {
        return "every feasible plan was simulated\n";
    }
    return *outcome.rest_bound >= best
               ? fmt::format("no other plan is better: those not simulated take at least {}\n",
                             value_text(objective, *outcome.rest_bound))
               : fmt::format("{} plans failed, so that others may be better, though none takes less than {}; "
                             "the first: {}\n",
                             outcome.failed, value_text(objective, *outcome.rest_bound), outcome.failure);
}

std::string front_text(const sim::OptimizeOutcome& outcome, const sim::Grid& grid, bool whole) {
    constexpr std::size_t kShown = 12;
    std::string text =
        whole ? "\nThe front of step time against memory\n"
              : "\nThe front of step time against memory, among the plans that were simulated (--front: "
                "among all)\n";
    for (std::size_t i = 0; i < std::min(kShown, outcome.front.size()); ++i) {
        const sim::Candidate& c = outcome.front[i];
        text += fmt::format("  {:>9}  {:>8}  {}\n", hw::to_text(*c.step), hw::to_text(c.bound.memory),
                            place_text(grid, c.position));
    }
    if (outcome.front.size() > kShown) {
        text += fmt::format("  and {} more\n", outcome.front.size() - kShown);
    }
    return text;
}

std::string outcome_text(const sim::Scenario& given, const sim::Grid& grid,
                         const sim::OptimizeOutcome& outcome, const sim::OptimizeOptions& options) {
    const auto digits = [](std::int64_t n) { return hw::group_digits(static_cast<double>(n)); };
    std::string text = fmt::format("{}\n{} plans\n", given.title(), digits(outcome.plans));
    for (const sim::Axis& axis : grid.axes()) {
        text += fmt::format("  {:<24} {} values\n", axis.name(), axis.positions.size());
    }
    const auto feasible = static_cast<std::int64_t>(outcome.candidates.size());
    text += fmt::format("\n{:>10} infeasible\n", digits(outcome.infeasible));
    std::vector<std::pair<std::string, std::int64_t>> reasons(outcome.reasons.begin(), outcome.reasons.end());
    std::ranges::stable_sort(reasons, std::greater{}, &std::pair<std::string, std::int64_t>::second);
    constexpr std::size_t kReasons = 4;
    constexpr std::size_t kWidth = 90;
    for (std::size_t i = 0; i < std::min(kReasons, reasons.size()); ++i) {
        text += fmt::format("{:>20} x {}\n", digits(reasons[i].second), reasons[i].first.substr(0, kWidth));
    }
    if (outcome.too_large > 0) {
        text += fmt::format("{:>10} need more than --max-memory\n", digits(outcome.too_large));
    }
    constexpr double kPercent = 100.0;
    text += fmt::format("{:>10} feasible; all {} bounded in {} ({} a second)\n", digits(feasible),
                        digits(outcome.plans), hw::to_text(outcome.bounding),
                        hw::group_digits(static_cast<double>(outcome.plans) / outcome.bounding.value()));
    text += fmt::format(
        "{:>10} pruned, {:.1f}% of the feasible: their bounds are above the best\n",
        digits(feasible - outcome.simulated),
        feasible > 0 ? kPercent * static_cast<double>(feasible - outcome.simulated) / double(feasible) : 0.0);
    text +=
        fmt::format("{:>10} simulated in {}\n", digits(outcome.simulated), hw::to_text(outcome.simulating));
    text += fmt::format("\nGiven  {}\n", value_text(options.objective, outcome.given_value));
    if (outcome.best) {
        text += fmt::format(
            "Best   {}  {:+.1f}%  {}\n       {}\n", value_text(options.objective, outcome.best->value),
            kPercent * (outcome.best->value / outcome.given_value - 1.0),
            hw::to_text(outcome.best->bound.memory), place_text(grid, outcome.best->position));
    }
    text += certificate(outcome, options.objective);
    return text + front_text(outcome, grid, options.whole_front);
}

Json candidate_json(const sim::Candidate& candidate, const sim::Grid& grid) {
    return {{"overrides", grid.overrides(candidate.position)},
            {"step_seconds", candidate.step->value()},
            {"value", candidate.value},
            {"bound", candidate.value_bound},
            {"memory_bytes", candidate.bound.memory.value()}};
}

Json outcome_json(const sim::Scenario& given, const sim::Grid& grid, const sim::OptimizeOutcome& outcome,
                  const sim::OptimizeOptions& options) {
    Json front = Json::array();
    for (const sim::Candidate& candidate : outcome.front) {
        front.push_back(candidate_json(candidate, grid));
    }
    Json reasons = Json::array();
    for (const auto& [reason, count] : outcome.reasons) {
        reasons.push_back({{"reason", reason}, {"plans", count}});
    }
    const auto feasible = static_cast<std::int64_t>(outcome.candidates.size());
    return {{"schema", "chokepoint/optimize/1"},
            {"program", program_json(given.catalog_hash())},
            {"title", given.title()},
            {"file", given.file()},
            {"objective", std::string(name(options.objective))},
            {"axes", axes_json(grid.axes())},
            {"plans", outcome.plans},
            {"infeasible", outcome.infeasible},
            {"reasons", std::move(reasons)},
            {"above_max_memory", outcome.too_large},
            {"feasible", feasible},
            {"pruned", feasible - outcome.simulated},
            {"simulated", outcome.simulated},
            {"failed", outcome.failed},
            {"given", {{"step_seconds", outcome.given.value()}, {"value", outcome.given_value}}},
            {"best", outcome.best ? candidate_json(*outcome.best, grid) : Json(nullptr)},
            {"rest_bound", outcome.rest_bound ? Json(*outcome.rest_bound) : Json(nullptr)},
            {"interrupted", outcome.stopped},
            {"front", std::move(front)},
            {"bounding_seconds", outcome.bounding.value()},
            {"simulating_seconds", outcome.simulating.value()}};
}

/// Where the winner's time goes otherwise than the given plan's.
std::string explanation(const sim::ScenarioTemplate& source, const sim::Scenario& given,
                        const sim::Grid& grid, const sim::OptimizeOutcome& outcome) {
    if (!outcome.best || outcome.best->value >= outcome.given_value) {
        return "\nNo other plan is better than the given one.\n";
    }
    const sim::Scenario best = source.with(grid.overrides(outcome.best->position));
    sim::RunReport a = sim::run(given);
    sim::RunReport b = sim::run(best);
    a.title += ", given plan";
    b.title += ", best plan";
    return "\n" + sim::compare_text(a, b);
}

/// The plan that the search starts from. A search's own loader does not look for what would make a plan fit;
/// a refusal says it all the same, as `run`'s does.
sim::Scenario given_plan(const sim::ScenarioTemplate& source, const std::string& file, const Common& common) {
    try {
        return source.with({});
    } catch (const sim::ScenarioError&) {
        if (file != "-") {
            (void)sim::load_scenario(file, {common.overrides, common.catalog_directories});
        }
        throw;
    }
}

} // namespace

int optimize_command(const OptimizeCommandOptions& command, const Common& common) {
    const sim::ScenarioTemplate source = sim::ScenarioTemplate::load(
        command.scenario, {common.overrides, common.catalog_directories, /*remedies=*/false});
    const sim::Scenario given = given_plan(source, command.scenario, common);
    const sim::Grid grid = plans_of(source, given, command);
    const InterruptGuard guard;
    sim::OptimizeOptions options{
        .objective = sim::objective_from(command.objective).value(),
        .max_memory = option_quantity<hw::Bytes>(command.max_memory, hw::Dimension::bytes, "--max-memory"),
        .whole_front = command.front,
        .stop = [] { return InterruptGuard::interrupted(); }};
    try {
        (void)sim::value_of(options.objective, given, given, hw::Seconds(1.0));
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
    const auto json = common.json.empty() ? nullptr : std::make_unique<OutputFile>(common.json);
    sim::OptimizeOutcome outcome;
    {
        Progress progress(common.progress);
        options.progress = [&](std::string_view phase, double share) { progress.tell(phase, share); };
        const auto workers =
            sim::process_workers(command.jobs > 0 ? command.jobs : sim::cores(), sim::optimize_work(source));
        outcome = sim::optimize(grid, *workers, options);
    }
    if (json) {
        json->commit(outcome_json(given, grid, outcome, options).dump(2) + "\n");
    }
    if (common.json != "-") {
        fmt::print("{}", outcome_text(given, grid, outcome, options));
        if (!outcome.stopped) {
            fmt::print("{}", explanation(source, given, grid, outcome));
        }
    }
    return outcome.stopped || outcome.failed > 0 ? kFailed : kFine;
}

} // namespace chokepoint::cli
