// SPDX-License-Identifier: Apache-2.0
// Filters and sorts points by any axis or headline figure.
#include "results_filter.hpp"

#include "commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace chokepoint::cli {

namespace {

using sim::Headline;
using Reader = FieldValue (*)(const sim::StoredPoint&);

FieldValue number(double value) { return {value, fmt::format("{}", value)}; }

/// A figure of points that are done.
template <auto Get> FieldValue figure(const sim::StoredPoint& point) {
    if (point.result.status != sim::PointStatus::done) {
        return {};
    }
    const std::optional<double> value = Get(point.result.headline);
    return value ? number(*value) : FieldValue{};
}

struct Field {
    std::string_view name;
    Reader read;
};

template <auto Member, auto Part> std::optional<double> of_band(const Headline& h) {
    const auto& band = h.*Member;
    if (!band) {
        return std::nullopt;
    }
    if constexpr (std::is_same_v<std::decay_t<decltype(*band)>, sim::Banded<double>>) {
        return (*band).*Part;
    } else {
        return ((*band).*Part).value();
    }
}

using Hours = sim::Banded<double>;
using Dollars = sim::Banded<hw::Usd>;

constexpr std::array kFields{
    Field{"position", [](const sim::StoredPoint& p) { return number(static_cast<double>(p.position)); }},
    Field{"status",
          [](const sim::StoredPoint& p) { return FieldValue{{}, std::string(name(p.result.status))}; }},
    Field{"error", [](const sim::StoredPoint& p) { return FieldValue{{}, p.result.error}; }},
    Field{"gpu", [](const sim::StoredPoint& p) { return FieldValue{{}, p.result.headline.gpu}; }},
    Field{"gpus", figure<[](const Headline& h) { return std::optional<double>(h.gpus); }>},
    Field{"step_seconds", figure<[](const Headline& h) { return std::optional(h.step.value.value()); }>},
    Field{"step_p5", figure<[](const Headline& h) { return std::optional(h.step.p5.value()); }>},
    Field{"step_p95", figure<[](const Headline& h) { return std::optional(h.step.p95.value()); }>},
    Field{"gpu_hours", figure<of_band<&Headline::gpu_hours, &Hours::value>>},
    Field{"gpu_hours_p5", figure<of_band<&Headline::gpu_hours, &Hours::p5>>},
    Field{"gpu_hours_p95", figure<of_band<&Headline::gpu_hours, &Hours::p95>>},
    Field{"usd", figure<of_band<&Headline::usd, &Dollars::value>>},
    Field{"usd_p5", figure<of_band<&Headline::usd, &Dollars::p5>>},
    Field{"usd_p95", figure<of_band<&Headline::usd, &Dollars::p95>>},
    Field{"mfu", figure<[](const Headline& h) { return std::optional(h.mfu); }>},
    Field{"tokens_per_second_per_gpu",
          figure<[](const Headline& h) { return std::optional(h.tokens_per_second_per_gpu); }>},
    Field{"peak_memory_bytes",
          figure<[](const Headline& h) { return std::optional(h.peak_memory.value()); }>},
    Field{"wall_seconds", [](const sim::StoredPoint& p) { return number(p.result.wall.value()); }},
};

FieldValue wanted(const std::string& text) {
    FieldValue value{{}, text};
    double plain = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), plain);
    if (error == std::errc() && end == text.data() + text.size()) {
        value.number = plain;
    } else if (const auto parsed = hw::parse_quantity(text)) {
        value.number = parsed->base;
    }
    return value;
}

/// Figures carry no unit: they are counts of what the field's name says.
constexpr std::array<std::string_view, 3> kTexts{"status", "error", "gpu"};

/// Where the wanted value is not of the field's kind: what would be.
std::optional<std::string> other_kind(const std::string& field, const FieldValue& wanted,
                                      const std::optional<sim::AxisValue>& example) {
    const auto dimension = [](const std::string& text) {
        const auto parsed = hw::parse_quantity(text);
        return parsed ? std::optional(parsed->dimension) : std::nullopt;
    };
    if (example) {
        const bool same = !example->number || dimension(wanted.text) == dimension(example->text);
        return same ? std::nullopt : std::optional(fmt::format("a value such as {}", example->text));
    }
    const bool text = std::ranges::find(kTexts, field) != kTexts.end();
    return text || dimension(wanted.text) == hw::Dimension::count ? std::nullopt
                                                                  : std::optional<std::string>("a number");
}

std::partial_ordering compare(const FieldValue& a, const FieldValue& b) {
    return a.number && b.number ? *a.number <=> *b.number : std::partial_ordering(a.text <=> b.text);
}

bool is_missing(const FieldValue& value) { return !value.number && value.text.empty(); }

std::string trimmed(std::string text) {
    text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

} // namespace

std::vector<std::string> headline_fields() {
    std::vector<std::string> names;
    for (const Field& field : kFields) {
        names.emplace_back(field.name);
    }
    return names;
}

Fields::Fields(const sim::SweepRecord& sweep) : grid_(sweep.axes, sweep.points) {
    for (const sim::Axis& axis : grid_.axes()) {
        names_.insert(names_.end(), axis.keys.begin(), axis.keys.end());
    }
    const std::vector<std::string> headline = headline_fields();
    names_.insert(names_.end(), headline.begin(), headline.end());
}

void Fields::check(const std::string& name) const {
    if (std::ranges::find(names_, name) == names_.end()) {
        throw UsageError(
            fmt::format("no field is called '{}'; expected one of {}", name, fmt::join(names_, ", ")));
    }
}

FieldValue Fields::value(const sim::StoredPoint& point, const std::string& name) const {
    check(name);
    const std::vector<std::size_t> at = grid_.coordinates(point.position);
    for (std::size_t i = 0; i < at.size(); ++i) {
        const sim::Axis& axis = grid_.axes()[i];
        for (std::size_t k = 0; k < axis.keys.size(); ++k) {
            if (axis.keys[k] == name) {
                const sim::AxisValue& value = axis.positions[at[i]][k];
                return {value.number, value.text};
            }
        }
    }
    return std::ranges::find(kFields, std::string_view(name), &Field::name)->read(point);
}

std::optional<sim::AxisValue> Fields::example(const std::string& key) const {
    for (const sim::Axis& axis : grid_.axes()) {
        const auto at = std::ranges::find(axis.keys, key);
        if (at != axis.keys.end() && !axis.positions.empty()) {
            return axis.positions.front().at(static_cast<std::size_t>(at - axis.keys.begin()));
        }
    }
    return std::nullopt;
}

Condition::Condition(const std::string& text, const Fields& fields) {
    const std::size_t at = text.find_first_of("<>=!");
    const std::size_t end = at == std::string::npos ? at : text.find_first_not_of("<>=!", at);
    operator_ = at == std::string::npos ? "" : text.substr(at, end - at);
    constexpr std::array<std::string_view, 6> kOperators{"<", "<=", "=", ">=", ">", "!="};
    if (std::ranges::find(kOperators, operator_) == kOperators.end()) {
        throw UsageError(
            fmt::format("--where: \"{}\" is no condition; expected FIELD, then one of {}, then a value, "
                        "as in step_seconds<20",
                        text, fmt::join(kOperators, " ")));
    }
    field_ = trimmed(text.substr(0, at));
    wanted_ = wanted(trimmed(end == std::string::npos ? "" : text.substr(end)));
    fields.check(field_);
    if (const auto expected = other_kind(field_, wanted_, fields.example(field_))) {
        throw UsageError(
            fmt::format("--where: {} is compared with \"{}\"; expected {}", field_, wanted_.text, *expected));
    }
}

bool Condition::holds(const sim::StoredPoint& point, const Fields& fields) const {
    const FieldValue found = fields.value(point, field_);
    if (is_missing(found)) {
        return false;
    }
    const std::partial_ordering order = compare(found, wanted_);
    return (operator_ == "<" && order < 0) || (operator_ == "<=" && order <= 0) ||
           (operator_ == "=" && order == 0) || (operator_ == ">=" && order >= 0) ||
           (operator_ == ">" && order > 0) || (operator_ == "!=" && order != 0);
}

void sort_points(std::vector<sim::StoredPoint>& points, const std::string& field, const Fields& fields) {
    const bool descending = field.starts_with('-');
    const std::string name = field.substr(descending ? 1 : 0);
    fields.check(name);
    std::ranges::stable_sort(points, [&](const sim::StoredPoint& a, const sim::StoredPoint& b) {
        const FieldValue left = fields.value(a, name);
        const FieldValue right = fields.value(b, name);
        if (is_missing(left) || is_missing(right)) {
            return !is_missing(left) && is_missing(right);
        }
        return descending ? compare(right, left) < 0 : compare(left, right) < 0;
    });
}

} // namespace chokepoint::cli
