// SPDX-License-Identifier: Apache-2.0
// What export rules say of many parts, as a table that fits a terminal of 80 columns.
#pragma once

#include <chokepoint/hwmodels/rules.hpp>

#include <span>
#include <string>
#include <vector>

namespace chokepoint::cli {

/// A row for each part, then what the words mean. Rules that speak of none of the parts are named below.
std::string rules_table(const std::vector<const hw::GpuSpec*>& parts, std::span<const hw::Rule> rules);

/// Every rule's verdict on one part with its margin to each threshold.
std::string margins_text(const hw::GpuSpec&, std::span<const hw::Rule> rules);

} // namespace chokepoint::cli
