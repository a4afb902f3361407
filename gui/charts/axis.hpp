// SPDX-License-Identifier: GPL-3.0-or-later
// Ranges and ticks of an axis. Qt labels a logarithmic axis at powers of ten only, so we choose the ticks and
// draw logarithms on a linear one.
#pragma once

#include "description.hpp"

#include <span>
#include <string>
#include <vector>

namespace chokepoint::gui {

struct Tick {
    double at = 0.0; ///< on the drawn axis
    std::string label;
};

/// An axis with its range fixed. Positions are what is drawn: logarithms where the axis is logarithmic.
class Scale {
public:
    /// Fits the axis to the values, unless it has a range of its own.
    Scale(const Axis& axis, std::span<const double> values);
    [[nodiscard]] double position(double value) const;
    /// What is drawn at a position.
    [[nodiscard]] double value(double position) const;
    [[nodiscard]] double from() const { return from_; }
    [[nodiscard]] double to() const { return to_; }
    [[nodiscard]] const std::vector<Tick>& ticks() const { return ticks_; }

private:
    bool log_;
    double from_ = 0.0, to_ = 1.0;
    std::vector<Tick> ticks_;
};

/// 1, 2 or 5 times a power of ten apart, about `wanted` of them, all within [from, to].
std::vector<double> linear_ticks(double from, double to, int wanted);
/// Powers of ten, and 2 and 5 times them where there are few decades; within [from, to].
std::vector<double> log_ticks(double from, double to);
/// "0.05", "1,500", "2e-06".
std::string number_text(double value);

} // namespace chokepoint::gui
