// SPDX-License-Identifier: Apache-2.0
// Fields of a stored point by name, and conditions on them.
#pragma once

#include <chokepoint/sim/result_store.hpp>

#include <compare>

namespace chokepoint::cli {

/// A number where the field has one, else text; neither: the point has no such figure.
struct FieldValue {
    std::optional<double> number;
    std::string text;
};

/// The figures that every point has: "status", "step_seconds", "usd", …
std::vector<std::string> headline_fields();

/// Reads fields of the points of one sweep.
class Fields {
public:
    explicit Fields(const sim::SweepRecord&);
    /// Axes' keys, then headline_fields().
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    /// @throws UsageError naming the fields there are
    void check(const std::string& name) const;
    [[nodiscard]] FieldValue value(const sim::StoredPoint&, const std::string& name) const;
    /// A value of the axis with this key, as the sweep gives it; nothing for headline figures.
    [[nodiscard]] std::optional<sim::AxisValue> example(const std::string& key) const;
    [[nodiscard]] const sim::Grid& grid() const { return grid_; }

private:
    sim::Grid grid_;
    std::vector<std::string> names_;
};

/// "step_seconds<20", "cluster.caps.nvlink>=200 GB/s", "status=done".
class Condition {
public:
    /// @throws UsageError if it has no comparison, an unknown field, or a value of another kind than the
    /// field's.
    Condition(const std::string& text, const Fields&);
    [[nodiscard]] bool holds(const sim::StoredPoint&, const Fields&) const;

private:
    std::string field_, operator_;
    FieldValue wanted_;
};

/// Smallest first, points without the field last. "-usd": the largest first.
void sort_points(std::vector<sim::StoredPoint>&, const std::string& field, const Fields&);

} // namespace chokepoint::cli
