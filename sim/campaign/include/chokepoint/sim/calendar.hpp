// SPDX-License-Identifier: Apache-2.0
// Days as scenarios and reports write them: a campaign begins and ends on one, a price holds from one.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::sim {

using Day = std::chrono::year_month_day;

/// "2024-12-27"; nothing if the text is not such a date or no such day exists.
std::optional<Day> day_from(std::string_view);
/// "2024-12-27".
std::string to_text(Day);
/// The day that it is `later` after the beginning of `start`.
Day after(Day start, hw::Seconds later);

} // namespace chokepoint::sim
