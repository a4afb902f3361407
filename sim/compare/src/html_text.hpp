// SPDX-License-Identifier: Apache-2.0
// Texts, tables and pictures as HTML.
#pragma once

#include "table.hpp"

#include <chokepoint/sim/html_report.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

std::string escaped(std::string_view text);
/// The first column to the left, the others to the right; what follows a line's end in a cell is set below
/// it.
std::string as_html(const Table&);
std::string figures(const std::vector<HtmlFigure>&);

/// "<h2>…</h2>" with what belongs to it.
std::string section(std::string_view title, const std::string& content);

/// Every value that the scenarios state, the catalog gives or a default fills in, each with where it is from.
std::string assumptions(const HtmlReport&);

/// Phases and what the GPUs did; nothing where no scenario has a campaign.
std::string hours(const Comparison&);

} // namespace chokepoint::sim
