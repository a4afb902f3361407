// SPDX-License-Identifier: Apache-2.0
// A comparison as a person reads it on a terminal.
#include <chokepoint/sim/comparison.hpp>

#include "table.hpp"

#include <fmt/format.h>

#include <iterator>

namespace chokepoint::sim {
namespace {

std::string difference_lines(const Comparison& comparison) {
    std::string out = "How sure (an input that two scenarios share moves both)\n";
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        out += "  " + difference_line(comparison, side) + "\n";
    }
    return out;
}

std::string extrapolated_lines(const Comparison& comparison) {
    std::string out;
    for (std::size_t side = 0; side < comparison.sides.size(); ++side) {
        const std::string text = extrapolated_text(comparison.sides[side].report);
        fmt::format_to(std::back_inserter(out), "  {}  {}\n", letter(side), text.empty() ? "nothing" : text);
    }
    return "\nOutside what was measured on the part\n" + out;
}

std::string pair_text(const Comparison& comparison) {
    std::string out = compare_text(comparison.sides[0].report, comparison.sides[1].report);
    fmt::format_to(std::back_inserter(out), "\nWhat makes the difference in {}\n",
                   label(comparison.headline));
    return out + as_columns(waterfall_table(comparison, 1)) + "\n" + difference_lines(comparison) +
           extrapolated_lines(comparison);
}

std::string many_text(const Comparison& comparison) {
    std::string out;
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        out += side_line(comparison, i) + "\n";
    }
    out += "\n" + as_columns(headline_table(comparison));
    fmt::format_to(std::back_inserter(out), "\nWhat makes the difference to A in {}\n",
                   label(comparison.headline));
    return out + as_columns(waterfalls_table(comparison)) + "\n" + difference_lines(comparison) +
           extrapolated_lines(comparison);
}

} // namespace

std::string to_text(const Comparison& comparison) {
    if (comparison.sides.size() > 2) {
        return many_text(comparison);
    }
    std::string out;
    if (comparison.sides[1].matched) {
        out = side_line(comparison, 1) + "\n\n";
    }
    return out + pair_text(comparison);
}

} // namespace chokepoint::sim
