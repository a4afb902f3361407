// SPDX-License-Identifier: Apache-2.0
// Reads values by the shape of their key and says what was expected where they do not fit.
#include "key.hpp"

#include "text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace chokepoint::sim::loader {
namespace {

/// "a bandwidth" of `a bandwidth such as "200 Gb/s"`.
std::string_view noun(hw::Dimension dimension) {
    const std::string_view all = hw::describe(dimension);
    return all.substr(0, all.find(" such as "));
}

double limit(std::string_view text, const Shape& shape, double if_empty) {
    if (text.empty()) {
        return if_empty;
    }
    if (shape.kind == Kind::quantity) {
        return hw::parse_quantity(text).value().base;
    }
    double value = 0.0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool in_range(double value, const Shape& shape) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return value >= limit(shape.min, shape, -kInfinity) && value <= limit(shape.max, shape, kInfinity);
}

std::string range_text(const Shape& shape) { return fmt::format("from {} to {}", shape.min, shape.max); }

/// A quantity's limits are far out, so only a fault about them names them.
std::string expected_in_range(const Shape& shape, const Library& library) {
    const std::string what = expected(shape, library);
    return shape.kind == Kind::quantity ? fmt::format("{}, {}", what, range_text(shape)) : what;
}

ReadResult wrong(std::string fault) { return {{}, {}, std::move(fault)}; }
ReadResult wrong_kind(const Raw& raw, const Shape& shape, const Library& library) {
    return wrong(fmt::format("found {}; expected {}", describe(raw), expected(shape, library)));
}
ReadResult out_of_range(const Raw& raw, const Shape& shape, const Library& library) {
    return wrong(
        fmt::format("{} is out of range; expected {}", describe(raw), expected_in_range(shape, library)));
}

ReadResult read_integer(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* integer = std::get_if<std::int64_t>(&raw.value);
    if (integer == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    if (!in_range(static_cast<double>(*integer), shape)) {
        return out_of_range(raw, shape, library);
    }
    return {*integer, fmt::format("{}", *integer), {}};
}

ReadResult read_number(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* integer = std::get_if<std::int64_t>(&raw.value);
    const auto* number = std::get_if<double>(&raw.value);
    if (integer == nullptr && number == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    const double value = integer != nullptr ? static_cast<double>(*integer) : *number;
    if (!std::isfinite(value) || !in_range(value, shape)) {
        return out_of_range(raw, shape, library);
    }
    return {value, fmt::format("{}", value), {}};
}

ReadResult read_quantity(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* text = std::get_if<std::string>(&raw.value);
    if (text == nullptr) {
        if (shape.dimension == hw::Dimension::count || shape.dimension == hw::Dimension::ratio) {
            return read_number(raw, shape, library);
        }
        const bool bare = raw.value.index() == 1 || raw.value.index() == 2; // an integer or a float
        return bare ? wrong(
                          fmt::format("{} has no unit; expected {}", describe(raw), expected(shape, library)))
                    : wrong_kind(raw, shape, library);
    }
    const std::optional<hw::ParsedQuantity> parsed = hw::parse_quantity(*text);
    if (!parsed) {
        const std::string what =
            shape.dimension == hw::Dimension::count ? "a number" : "a number followed by a known unit";
        return wrong(
            fmt::format("{} is not {}; expected {}", in_quotes(*text), what, expected(shape, library)));
    }
    const bool plain_ratio =
        shape.dimension == hw::Dimension::ratio && parsed->dimension == hw::Dimension::count;
    if (parsed->dimension != shape.dimension && !plain_ratio) {
        return wrong(fmt::format("{} is {}; expected {}", in_quotes(*text), noun(parsed->dimension),
                                 expected(shape, library)));
    }
    if (!std::isfinite(parsed->base) || !in_range(parsed->base, shape)) {
        return out_of_range(raw, shape, library);
    }
    return {parsed->base, *text, {}};
}

ReadResult read_choice(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* text = std::get_if<std::string>(&raw.value);
    if (text == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    if (!shape.file_ending.empty() && text->size() > shape.file_ending.size() &&
        text->ends_with(shape.file_ending)) {
        return {*text, *text, {}};
    }
    const std::vector<std::string> known = shape.list.names(library);
    if (std::find(known.begin(), known.end(), *text) == known.end()) {
        const std::optional<std::string> guess = nearest(*text, known);
        const std::string file =
            shape.file_ending.empty() ? "" : fmt::format(", or a path that ends in {}", shape.file_ending);
        return wrong(fmt::format("no {} is called {}; {}known: {}{}", shape.list.noun, in_quotes(*text),
                                 guess ? fmt::format("did you mean \"{}\"? ", *guess) : "",
                                 fmt::join(known, ", "), file));
    }
    return {*text, *text, {}};
}

ReadResult read_text(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* text = std::get_if<std::string>(&raw.value);
    if (text == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
        return wrong("found an empty text; expected some");
    }
    return {*text, *text, {}};
}

ReadResult read_date(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* text = std::get_if<std::string>(&raw.value);
    if (text == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    if (!day_from(*text)) {
        return wrong(fmt::format("{} is no day; expected {}", in_quotes(*text), expected(shape, library)));
    }
    return {*text, *text, {}};
}

/// Lists of numbers and of names: every item is read by the scalar shape; the first fault stands for the
/// list.
template <class Item> ReadResult read_list(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* items = std::get_if<RawList>(&raw.value);
    if (items == nullptr) {
        return wrong_kind(raw, shape, library);
    }
    std::vector<Item> values;
    Shape scalar = shape;
    scalar.kind = shape.kind == Kind::integers ? Kind::integer : Kind::choice;
    for (std::size_t i = 0; i < items->size(); ++i) {
        const ReadResult item = read_value((*items)[i], scalar, library);
        if (!item.fault.empty()) {
            return wrong(fmt::format("item {}: {}", i + 1, item.fault));
        }
        values.push_back(std::get<Item>(item.value));
    }
    return {values, fmt::format("[{}]", fmt::join(values, ", ")), {}};
}

/// A list of names; one name may stand alone, and "none" for no name.
ReadResult read_choices(const Raw& raw, const Shape& shape, const Library& library) {
    const auto* name = std::get_if<std::string>(&raw.value);
    if (name == nullptr) {
        return read_list<std::string>(raw, shape, library);
    }
    if (*name == "none") {
        return {std::vector<std::string>{}, "[]", {}};
    }
    const ReadResult only = read_choice(raw, shape, library);
    return only.fault.empty() ? ReadResult{std::vector<std::string>{*name}, fmt::format("[{}]", *name), {}}
                              : only;
}

template <class Quantity> std::string quantity_text(double base) { return hw::to_text(Quantity(base)); }

/// A price or an intensity with its usual unit, which no type of its own prints.
std::string rate_text(double base, std::string_view unit) {
    const double each = hw::parse_quantity(fmt::format("1 {}", unit)).value().base;
    return fmt::format("{:.4g} {}", base / each, unit);
}

} // namespace

std::string_view section_of(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view label(std::string_view path) {
    if (const std::string_view section = section_of(path); !section.empty() && spelled_out(section) == path) {
        path = section; // as it is mostly written
    }
    const std::size_t dot = path.find('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::string expected(const Shape& shape, const Library& library) {
    switch (shape.kind) {
    case Kind::text:
        return "text in quotes";
    case Kind::boolean:
        return "true or false";
    case Kind::date:
        return "a date in quotes such as \"2024-12-27\"";
    case Kind::integer:
        return fmt::format("a whole number {}", range_text(shape));
    case Kind::integers:
        return fmt::format("a list of whole numbers {}", range_text(shape));
    case Kind::number:
        return fmt::format("a number {}", range_text(shape));
    case Kind::quantity:
        return std::string(hw::describe(shape.dimension));
    case Kind::choice:
    case Kind::choices: {
        const std::string many = shape.kind == Kind::choices ? "\"none\", or one or a list of " : "one of ";
        const std::string file =
            shape.file_ending.empty() ? "" : fmt::format(", or a path that ends in {}", shape.file_ending);
        return fmt::format("{}\"{}\"{}", many, fmt::join(shape.list.names(library), "\", \""), file);
    }
    }
    throw std::logic_error("expected(): a kind of key without a description");
}

ReadResult read_value(const Raw& raw, const Shape& shape, const Library& library) {
    switch (shape.kind) {
    case Kind::text:
        return read_text(raw, shape, library);
    case Kind::boolean:
        if (const auto* flag = std::get_if<bool>(&raw.value)) {
            return {*flag, *flag ? "true" : "false", {}};
        }
        return wrong_kind(raw, shape, library);
    case Kind::integer:
        return read_integer(raw, shape, library);
    case Kind::integers:
        return read_list<std::int64_t>(raw, shape, library);
    case Kind::number:
        return read_number(raw, shape, library);
    case Kind::quantity:
        return read_quantity(raw, shape, library);
    case Kind::date:
        return read_date(raw, shape, library);
    case Kind::choice:
        return read_choice(raw, shape, library);
    case Kind::choices:
        return read_choices(raw, shape, library);
    }
    throw std::logic_error("read_value(): a kind of key without a reader");
}

Raw raw_from_text(std::string_view text, const Shape& shape) {
    const bool is_name = shape.kind == Kind::text || shape.kind == Kind::choice ||
                         shape.kind == Kind::quantity || shape.kind == Kind::date;
    return is_name ? Raw{std::string(text)} : parse_override_value(text);
}

std::string to_text(const Value& value, const Shape& shape) {
    if (std::holds_alternative<std::monostate>(value)) {
        return "none";
    }
    if (const auto* number = std::get_if<double>(&value); number != nullptr && shape.kind == Kind::quantity) {
        switch (shape.dimension) {
        case hw::Dimension::bytes:
            return quantity_text<hw::Bytes>(*number);
        case hw::Dimension::bandwidth:
            return quantity_text<hw::BytesPerSecond>(*number);
        case hw::Dimension::seconds:
            return quantity_text<hw::Seconds>(*number);
        case hw::Dimension::flop_rate:
            return quantity_text<hw::FlopsPerSecond>(*number);
        case hw::Dimension::watts:
            return quantity_text<hw::Watts>(*number);
        case hw::Dimension::usd:
            return quantity_text<hw::Usd>(*number);
        case hw::Dimension::usd_per_gpu_hour:
            return rate_text(*number, "USD/GPU-h");
        case hw::Dimension::usd_per_kwh:
            return rate_text(*number, "USD/kWh");
        case hw::Dimension::usd_per_watt:
            return rate_text(*number, "USD/W");
        case hw::Dimension::kg_per_kwh:
            return rate_text(*number, "kg/kWh");
        default:
            break; // counts: as a number
        }
    }
    return std::visit(
        [](const auto& v) -> std::string {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return "none";
            } else if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
                return fmt::format("{}", v);
            } else {
                return fmt::format("[{}]", fmt::join(v, ", "));
            }
        },
        value);
}

std::string describe(const Raw& raw) {
    struct Describe {
        std::string operator()(const std::string& v) const { return in_quotes(v); }
        std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
        std::string operator()(double v) const {
            return std::trunc(v) == v && std::abs(v) < 1e15 ? fmt::format("{:.1f}", v) : fmt::format("{}", v);
        }
        std::string operator()(bool v) const { return v ? "true" : "false"; }
        std::string operator()(const RawList&) const { return "a list"; }
        std::string operator()(const Foreign& v) const { return v.noun; }
    };
    return std::visit(Describe{}, raw.value);
}

} // namespace chokepoint::sim::loader
