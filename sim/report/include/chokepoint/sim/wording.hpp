// SPDX-License-Identifier: Apache-2.0
// Words and numbers as a person reads them, shared by every report that a person reads.
#pragma once

#include <chokepoint/sim/critical_path.hpp>

#include <string>
#include <string_view>

namespace chokepoint::sim {

/// "tensor cores", "memory bandwidth", "NVLink": what the step waited for.
std::string_view label(Resource);
/// "14.8 T", "469 B", "62.9 M": counts of tokens.
std::string count_text(double count);
/// "328,343 USD", "4.88 M USD": money to the dollar below a million.
std::string money_text(hw::Usd);
/// A field of a CSV file (RFC 4180): quoted where a separator, quote or line break is inside.
std::string csv_cell(std::string_view);

} // namespace chokepoint::sim
