// SPDX-License-Identifier: Apache-2.0
// A comparison as Markdown, for an issue or a page.
#include <chokepoint/sim/comparison.hpp>

#include "table.hpp"

#include <fmt/format.h>

#include <iterator>

namespace chokepoint::sim {

std::string to_markdown(const Comparison& comparison) {
    std::string out;
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        fmt::format_to(std::back_inserter(out), "* {}\n", side_line(comparison, i));
    }
    out += "\n" + as_markdown(headline_table(comparison));
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        fmt::format_to(std::back_inserter(out), "\nFrom A to {}: {}\n\n", letter(side),
                       label(comparison.headline));
        out +=
            as_markdown(waterfall_table(comparison, side)) + "\n" + difference_line(comparison, side) + "\n";
    }
    return out;
}

} // namespace chokepoint::sim
