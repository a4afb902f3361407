// SPDX-License-Identifier: Apache-2.0
// Short names for the shapes of keys, for the tables that list them.
#pragma once

#include "key.hpp"

#include <initializer_list>

namespace chokepoint::sim::loader {

constexpr Shape text() { return {.kind = Kind::text}; }
constexpr Shape integer(std::string_view min, std::string_view max) {
    return {.kind = Kind::integer, .min = min, .max = max};
}
constexpr Shape integers(std::string_view min, std::string_view max) {
    return {.kind = Kind::integers, .min = min, .max = max};
}
constexpr Shape number(std::string_view min, std::string_view max) {
    return {.kind = Kind::number, .min = min, .max = max};
}
constexpr Shape date() { return {.kind = Kind::date}; }
constexpr Shape boolean() { return {.kind = Kind::boolean}; }
constexpr Shape choice(NameList list) { return {.kind = Kind::choice, .list = list}; }
constexpr Shape choice_or_file(NameList list, std::string_view ending) {
    return {.kind = Kind::choice, .list = list, .file_ending = ending};
}
constexpr Shape choices(NameList list) { return {.kind = Kind::choices, .list = list}; }
constexpr Shape quantity(hw::Dimension dimension, std::string_view min, std::string_view max) {
    return {.kind = Kind::quantity, .min = min, .max = max, .dimension = dimension};
}

/// What the fixed choices of a key are called.
template <class Enum> std::vector<std::string> names_of(std::initializer_list<Enum> values) {
    std::vector<std::string> out;
    for (const Enum value : values) {
        out.emplace_back(name(value));
    }
    return out;
}

template <class Range> std::vector<std::string> ids(const Range& range) {
    std::vector<std::string> out;
    for (const auto& item : range) {
        out.emplace_back(item.id);
    }
    return out;
}

} // namespace chokepoint::sim::loader
