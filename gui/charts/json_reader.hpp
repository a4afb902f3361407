// SPDX-License-Identifier: GPL-3.0-or-later
// Reads JSON field by field and notes every fault with its place, so that a user sees all of them at once.
#pragma once

#include "description.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::gui {

using Json = nlohmann::json;

/// Reads fields of objects; what does not fit is noted and left at its default.
class JsonReader {
public:
    void fault(const std::string& place, std::string_view what) {
        faults_.push_back(fmt::format("{}: {}", place.empty() ? "/" : place, what));
    }

    /// Notes fields beyond the known ones. False if `json` is no object.
    bool object(const Json& json, const std::string& place, std::initializer_list<std::string_view> known) {
        if (!json.is_object()) {
            fault(place, fmt::format("found {}; expected an object", json.type_name()));
            return false;
        }
        for (const auto& [name, value] : json.items()) {
            if (std::ranges::find(known, name) == known.end()) {
                fault(place + "/" + name, fmt::format("unknown field; known: {}", fmt::join(known, ", ")));
            }
        }
        return true;
    }
    std::string text(const Json& json, std::string_view name, const std::string& place, bool needed = false) {
        const Json* value = field(json, name, place, needed);
        if (value != nullptr && !value->is_string()) {
            wrong(*value, name, place, "text");
            value = nullptr;
        }
        return value != nullptr ? value->get<std::string>() : "";
    }
    std::optional<double> number(const Json& json, std::string_view name, const std::string& place,
                                 bool needed = false) {
        const Json* value = field(json, name, place, needed);
        if (value != nullptr && !is_number(*value)) {
            wrong(*value, name, place, "a finite number");
            value = nullptr;
        }
        return value != nullptr ? std::optional(value->get<double>()) : std::nullopt;
    }
    bool flag(const Json& json, std::string_view name, const std::string& place) {
        const Json* value = field(json, name, place, false);
        if (value != nullptr && !value->is_boolean()) {
            wrong(*value, name, place, "true or false");
            value = nullptr;
        }
        return value != nullptr && value->get<bool>();
    }
    template <class Value, std::size_t N>
    Value choice(const Json& json, std::string_view name, const std::string& place,
                 const std::array<std::pair<std::string_view, Value>, N>& known) {
        const std::string found = text(json, name, place, true);
        const auto match = std::ranges::find(known, found, &std::pair<std::string_view, Value>::first);
        if (match != known.end()) {
            return match->second;
        }
        std::vector<std::string_view> names;
        for (const auto& entry : known) {
            names.push_back(entry.first);
        }
        if (!found.empty()) {
            fault(fmt::format("{}/{}", place, name),
                  fmt::format("found \"{}\"; expected one of {}", found, fmt::join(names, ", ")));
        }
        return known.front().second;
    }
    /// Visits the items of a list with their places.
    template <class Visit>
    void list(const Json& json, std::string_view name, const std::string& place, bool needed, Visit visit) {
        const Json* value = field(json, name, place, needed);
        if (value == nullptr) {
            return;
        }
        if (!value->is_array()) {
            wrong(*value, name, place, "a list");
            return;
        }
        for (std::size_t i = 0; i < value->size(); ++i) {
            visit((*value)[i], fmt::format("{}/{}/{}", place, name, i));
        }
    }
    /// A list of exactly `Size` finite numbers.
    template <std::size_t Size>
    std::optional<std::array<double, Size>> numbers(const Json& json, const std::string& place) {
        if (!json.is_array() || json.size() != Size || !std::ranges::all_of(json, is_number)) {
            fault(place, fmt::format("expected a list of {} finite numbers", Size));
            return std::nullopt;
        }
        std::array<double, Size> all{};
        std::ranges::transform(json, all.begin(), [](const Json& item) { return item.get<double>(); });
        return all;
    }

    /// @throws ChartError with all of them.
    void throw_if_any() {
        constexpr std::size_t kMaxFaults = 50;
        if (faults_.size() > kMaxFaults) {
            const std::size_t rest = faults_.size() - kMaxFaults;
            faults_.resize(kMaxFaults);
            faults_.push_back(fmt::format("{} more faults", rest));
        }
        if (!faults_.empty()) {
            throw ChartError(fmt::format("{}", fmt::join(faults_, "\n")));
        }
    }

    static bool is_number(const Json& json) { return json.is_number() && std::isfinite(json.get<double>()); }

private:
    const Json* field(const Json& json, std::string_view name, const std::string& place, bool needed) {
        if (!json.is_object()) {
            return nullptr; // noted by object()
        }
        const auto found = json.find(name);
        if (found == json.end() && needed) {
            fault(place, fmt::format("needs \"{}\"", name));
        }
        return found == json.end() ? nullptr : &*found;
    }
    void wrong(const Json& value, std::string_view name, const std::string& place,
               std::string_view expected) {
        fault(fmt::format("{}/{}", place, name),
              fmt::format("found {}; expected {}", value.type_name(), expected));
    }

    std::vector<std::string> faults_;
};

} // namespace chokepoint::gui
