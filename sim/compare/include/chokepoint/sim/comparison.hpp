// SPDX-License-Identifier: Apache-2.0
// Two or more scenarios side by side, each explained against the first: as text, Markdown, CSV
// and JSON.
#pragma once

#include <chokepoint/sim/difference.hpp>
#include <chokepoint/sim/match.hpp>
#include <chokepoint/sim/waterfall.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chokepoint::sim {

struct Side {
    Scenario scenario;
    RunReport report;
    std::optional<Matched> matched; ///< where the number of GPUs was solved for
};

struct Comparison {
    std::vector<Side> sides;                          ///< the first is what the others are held against
    std::vector<std::vector<Waterfall>> waterfalls;   ///< of each further side, every measure that both have
    std::vector<std::vector<Difference>> differences; ///< likewise
    Measure headline = Measure::step_seconds;         ///< what text and charts explain
};

/// Most sides that have a letter.
inline constexpr std::size_t kMostSides = 26;
/// 'A' for the first.
char letter(std::size_t side);

/// Runs every scenario in full and explains each against the first. The headline is dollars where all have
/// them, or else GPU-hours, or the step.
/// @throws std::invalid_argument for no sides or more than kMostSides, or if `headline` is not known of all.
Comparison compare(std::vector<Side> unrun, std::optional<Measure> headline, const RunOptions& = {});

/// The headline's waterfall of a further side, counted from 1.
const Waterfall& headline_waterfall(const Comparison&, std::size_t side);

/// The headline's difference of a further side, counted from 1.
const Difference& headline_difference(const Comparison&, std::size_t side);

/// "+57.2 ms", "-1,234", "+3.2", "-0.014 M USD": an amount or a change of it, in the measure's unit. Beside
/// the `largest` amount of a table, so that all of its money is in millions or none.
std::string amount_text(Measure, double amount, double largest = 0.0);
std::string change_text(Measure, double change, double largest = 0.0);
/// The larger of the ends of a waterfall.
double largest_amount(const Waterfall&);

std::string to_text(const Comparison&);
std::string to_markdown(const Comparison&);
/// A line per pair, measure, resource and part; differences in the measure's unit.
std::string to_csv(const Comparison&);
/// chokepoint/compare/1 (docs/schema/compare.schema.json).
std::string to_json(const Comparison&);

} // namespace chokepoint::sim
