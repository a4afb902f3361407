// SPDX-License-Identifier: GPL-3.0-or-later
// Chooses ranges and ticks that a person can read values from.
#include "axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr int kWantedTicks = 7;
// A decade shows its 2 and 5 as well, and up to here also every other whole multiple of its power.
constexpr double kFewDecades = 0.8;
constexpr double kSomeDecades = 3.5;

std::string grouped(double whole) {
    std::string digits = fmt::format("{:.0f}", std::abs(whole));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return (whole < 0.0 ? "-" : "") + digits;
}

} // namespace

std::string number_text(double value) {
    const double size = std::abs(value);
    if (size >= 1000.0 && size < 1e7 && std::nearbyint(value) == value) {
        return grouped(value);
    }
    return fmt::format("{:.6g}", value);
}

std::vector<double> linear_ticks(double from, double to, int wanted) {
    const double rough = (to - from) / std::max(1, wanted - 1);
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10.0 * power;
    for (const double nice : {1.0, 2.0, 5.0}) {
        if (nice * power >= rough * 0.999) {
            step = nice * power;
            break;
        }
    }
    std::vector<double> ticks;
    for (double i = std::ceil(from / step - 1e-9); i * step <= to + 1e-9 * step; ++i) {
        ticks.push_back(i == 0.0 ? 0.0 : i * step);
    }
    return ticks;
}

std::vector<double> log_ticks(double from, double to) {
    const double decades = std::log10(to / from);
    std::vector<double> multiples{1.0};
    if (decades < kFewDecades) {
        multiples = {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0};
    } else if (decades < kSomeDecades) {
        multiples = {1.0, 2.0, 5.0};
    }
    std::vector<double> ticks;
    for (double e = std::floor(std::log10(from)); e <= std::ceil(std::log10(to)); ++e) {
        for (const double multiple : multiples) {
            const double tick = multiple * std::pow(10.0, e);
            if (tick >= from * (1.0 - 1e-9) && tick <= to * (1.0 + 1e-9)) {
                ticks.push_back(tick);
            }
        }
    }
    return ticks.size() >= 2 ? ticks : linear_ticks(from, to, 4);
}

Scale::Scale(const Axis& axis, std::span<const double> values) : log_(axis.log) {
    double low = values.empty() ? 0.0 : *std::ranges::min_element(values);
    double high = values.empty() ? 1.0 : *std::ranges::max_element(values);
    if (log_) {
        low = values.empty() ? 1.0 : low;
        // At least a factor of two from end to end, so that there are ticks.
        const double margin = std::max(std::pow(high / low, 0.04), std::sqrt(2.0 * low / high));
        low /= margin;
        high *= margin;
    } else {
        const double span = high > low ? high - low : std::max(1.0, std::abs(high));
        // Zero belongs on the axis unless the data lies far from it.
        low = low >= 0.0 && low < 2.0 * span ? 0.0 : low - 0.04 * span;
        high += 0.04 * span;
    }
    low = axis.from.value_or(low);
    high = axis.to.value_or(high);
    if (high <= low) { // one end given, on the wrong side of the data
        high = log_ ? low * 10.0 : low + 1.0;
    }
    from_ = position(low);
    to_ = position(high);
    const std::vector<double> chosen = !axis.ticks.empty() ? axis.ticks
                                       : log_              ? log_ticks(low, high)
                                                           : linear_ticks(low, high, kWantedTicks);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const double tick = chosen[i];
        if (tick >= low * (1.0 - 1e-9) - 1e-12 && tick <= high * (1.0 + 1e-9) + 1e-12) {
            const bool named = axis.tick_labels.size() == axis.ticks.size() && !axis.ticks.empty();
            ticks_.push_back({position(tick), named ? axis.tick_labels[i] : number_text(tick)});
        }
    }
}

double Scale::position(double value) const { return log_ ? std::log10(value) : value; }
double Scale::value(double position) const { return log_ ? std::pow(10.0, position) : position; }

} // namespace chokepoint::gui
