// SPDX-License-Identifier: Apache-2.0
// One cell of a schedule CSV.
#pragma once

#include <chokepoint/workloads/schedule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::work {

/// What a cell holds: an action, or nothing that we order (a bubble, communication), or a fault.
struct CsvCell {
    std::optional<Action> action;
    std::string fault;
    bool is_bw = false; ///< a full backward by its older name
};

CsvCell parse_csv_cell(std::string_view cell);

} // namespace chokepoint::work
