// SPDX-License-Identifier: Apache-2.0
// Cells of a tab-separated table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

std::vector<std::string> split(std::string_view line, char separator);
/// The words between blanks.
std::vector<std::string> words(std::string_view line);
/// A finite number that is the whole cell.
std::optional<double> number_from(std::string_view cell);

} // namespace chokepoint::hw
