// SPDX-License-Identifier: Apache-2.0
// Options of the commands that hold scenarios against each other.
#pragma once

#include "commands.hpp"

#include <chokepoint/sim/comparison.hpp>

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chokepoint::cli {

struct CompareOptions {
    std::vector<std::string> scenarios;
    std::optional<sim::Match> match;     ///< --match; nothing: as many GPUs as each scenario says
    std::optional<sim::Measure> measure; ///< --measure; nothing: dollars where known
    std::string markdown, csv;           ///< files, "-" for stdout, empty for none
    ChartFiles charts;
};
int compare_command(const CompareOptions&, const Common&);

/// Loads the scenarios, solves for their numbers of GPUs where asked, runs and explains them.
sim::Comparison compare_files(const CompareOptions&, const Common&, const sim::RunOptions&);

struct ReportOptions {
    CompareOptions comparison;       ///< one scenario or more
    std::string html;                ///< file, "-" for stdout
    std::vector<std::string> stores; ///< of sweeps, whose curves the page shows
};
int report_command(const ReportOptions&, const Common&);

/// What each input moves of a figure, from its 5th to its 95th percentile, largest first.
nlohmann::ordered_json tornado_chart(const sim::RunReport&, sim::Measure);
/// A waterfall of the headline for each further side, as docs/schema/chart.schema.json has it.
nlohmann::ordered_json waterfall_chart(const sim::Comparison&);

} // namespace chokepoint::cli
