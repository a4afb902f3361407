// SPDX-License-Identifier: Apache-2.0
// A comparison as one long table for spreadsheets.
#include <chokepoint/sim/comparison.hpp>
#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <iterator>

namespace chokepoint::sim {
namespace {

void append(std::string& out, const Comparison& comparison, std::size_t side, Measure measure,
            std::string_view resource, const TimeParts& parts) {
    for (std::size_t part = 0; part < kTimeParts; ++part) {
        fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{:.17g}\n", letter(side),
                       csv_cell(comparison.sides[side].scenario.file()), comparison.sides[side].report.gpus,
                       name(measure), resource, name(static_cast<TimePart>(part)), parts[part]);
    }
}

} // namespace

std::string to_csv(const Comparison& comparison) {
    std::string out = "side,scenario,gpus,measure,resource,part,value\n";
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        for (const Waterfall& waterfall : comparison.waterfalls[side - 1]) {
            append(out, comparison, side, waterfall.measure, "from", waterfall.from);
            for (const WaterfallBar& bar : waterfall.bars) {
                append(out, comparison, side, waterfall.measure, name(bar.group), bar.parts);
            }
            append(out, comparison, side, waterfall.measure, "to", waterfall.to);
        }
    }
    return out;
}

} // namespace chokepoint::sim
