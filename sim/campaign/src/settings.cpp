// SPDX-License-Identifier: Apache-2.0
// Names of price levels.
#include <chokepoint/sim/settings.hpp>

#include <stdexcept>

namespace chokepoint::sim {

std::string_view name(PriceLevel level) {
    switch (level) {
    case PriceLevel::low:
        return "low";
    case PriceLevel::mid:
        return "mid";
    case PriceLevel::high:
        return "high";
    }
    throw std::logic_error("name(PriceLevel): a level without a name");
}

std::optional<PriceLevel> price_level_from(std::string_view text) {
    for (const PriceLevel level : {PriceLevel::low, PriceLevel::mid, PriceLevel::high}) {
        if (name(level) == text) {
            return level;
        }
    }
    return std::nullopt;
}

hw::Usd at(PriceLevel level, const UsdRange& range) {
    return level == PriceLevel::low ? range.low : level == PriceLevel::mid ? range.mid : range.high;
}

} // namespace chokepoint::sim
