// SPDX-License-Identifier: Apache-2.0
// Rows of texts that are set as columns of a terminal or as a Markdown table.
#pragma once

#include <chokepoint/sim/comparison.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

struct Table {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
};

/// The first column to the left, the others to the right, as wide as their widest cell.
std::string as_columns(const Table&);
std::string as_markdown(const Table&);

/// A row per side: GPUs, step, utilisation, GPU-hours, days, cost, and how the headline stands to the
/// first's.
Table headline_table(const Comparison&);
/// The headline of one further side, from the first to it: a row per resource, a column per part that
/// changes.
Table waterfall_table(const Comparison&, std::size_t side);
/// Several further sides: a row per resource, a column per side.
Table waterfalls_table(const Comparison&);

/// "B - A: +97,903 USD, p5 to p95 …": how sure the headline's difference is, and what makes it unsure.
std::string difference_line(const Comparison&, std::size_t side);

/// "B: DeepSeek-V3 on 2,048 H100", and what was solved for.
std::string side_line(const Comparison&, std::size_t side);

} // namespace chokepoint::sim
