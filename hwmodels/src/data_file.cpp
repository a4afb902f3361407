// SPDX-License-Identifier: Apache-2.0
// The only place of this library that knows the TOML parser.
#include "data_file.hpp"

#include "hardened_toml.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

Place place_of(const hardened_toml::source_region& region) {
    return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

DataTable convert(const hardened_toml::table&);

DataValue convert(const hardened_toml::node& node) {
    DataValue value{place_of(node.source()), {}, {}};
    if (const auto* table = node.as_table()) {
        value.held = convert(*table);
    } else if (const auto* list = node.as_array()) {
        DataList values;
        std::ranges::transform(*list, std::back_inserter(values),
                               [](const hardened_toml::node& n) { return convert(n); });
        value.held = std::move(values);
    } else if (const auto* text = node.as_string()) {
        value.held = text->get();
    } else if (const auto* whole = node.as_integer()) {
        value.held = whole->get();
    } else if (const auto* number = node.as_floating_point()) {
        value.held = number->get();
    } else if (const auto* truth = node.as_boolean()) {
        value.held = truth->get();
    } else if (const auto* date = node.as_date()) {
        const hardened_toml::date day = date->get();
        value.held = fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
    }
    return value;
}

DataTable convert(const hardened_toml::table& table) {
    DataTable entries;
    for (const auto& [key, node] : table) {
        DataValue value = convert(node);
        value.key_at = place_of(key.source());
        entries.emplace(std::string(key.str()), std::move(value));
    }
    return entries;
}

std::string joined(const Section& section, std::string_view key) {
    return section.path.empty() ? std::string(key) : fmt::format("{}.{}", section.path, key);
}

std::string shown(const DataValue& value) {
    struct Visitor {
        std::string operator()(std::monostate) const { return "a time of day"; }
        std::string operator()(bool b) const { return b ? "true" : "false"; }
        std::string operator()(std::int64_t i) const { return fmt::format("{}", i); }
        std::string operator()(double d) const { return fmt::format("{}", d); }
        std::string operator()(const std::string& s) const { return fmt::format("\"{}\"", s); }
        std::string operator()(const DataList&) const { return "a list"; }
        std::string operator()(const DataTable&) const { return "a table"; }
    };
    return std::visit(Visitor{}, value.held);
}

/// "2023", "2023-03" or "2023-03-14".
bool is_iso_date(std::string_view text) {
    constexpr std::string_view kShape = "dddd-dd-dd";
    if (text.size() != 4 && text.size() != 7 && text.size() != 10) {
        return false;
    }
    return std::ranges::equal(text, kShape.substr(0, text.size()), [](char c, char shape) {
        return shape == 'd' ? c >= '0' && c <= '9' : c == '-';
    });
}

} // namespace

DataFile::DataFile(std::string name, std::string_view content) : name_(std::move(name)) {
    try {
        root_ = convert(hardened_toml::parse(content, name_));
        parsed_ = true;
    } catch (const hardened_toml::parse_error& error) {
        fault(place_of(error.source()), error.description());
    }
}

void DataFile::fault(Place at, std::string_view message) {
    const std::string where = at.line > 0 ? fmt::format("{}:{}:{}", name_, at.line, at.column) : name_;
    faults_.push_back(fmt::format("{}: error: {}", where, message));
}

void DataFile::allow(const Section& section, std::initializer_list<std::string_view> keys) {
    for (const auto& [key, value] : *section.entries) {
        if (std::ranges::find(keys, key) == keys.end()) {
            fault(value.key_at, fmt::format("unknown key '{}'; expected one of {}", joined(section, key),
                                            fmt::join(keys, ", ")));
        }
    }
}

const DataValue* DataFile::require(const Section& section, std::string_view key) {
    const auto found = section.entries->find(key);
    if (found == section.entries->end()) {
        fault(section.at, fmt::format("missing key '{}'", joined(section, key)));
        return nullptr;
    }
    return &found->second;
}

std::string DataFile::text(const Section& section, std::string_view key) {
    const DataValue* value = require(section, key);
    if (value == nullptr) {
        return {};
    }
    const auto* held = std::get_if<std::string>(&value->held);
    if (held == nullptr || held->empty()) {
        fault(value->at, fmt::format("{}: {} is no text", joined(section, key), shown(*value)));
        return {};
    }
    return *held;
}

bool DataFile::flag(const Section& section, std::string_view key) {
    const DataValue* value = require(section, key);
    const auto* held = value == nullptr ? nullptr : std::get_if<bool>(&value->held);
    if (value != nullptr && held == nullptr) {
        fault(value->at,
              fmt::format("{}: {} is neither true nor false", joined(section, key), shown(*value)));
    }
    return held != nullptr && *held;
}

double DataFile::quantity(const Section& section, std::string_view key, Dimension dimension) {
    const DataValue* value = require(section, key);
    if (value == nullptr) {
        return 0.0;
    }
    std::optional<ParsedQuantity> parsed;
    if (const auto* held = std::get_if<std::string>(&value->held)) {
        parsed = parse_quantity(*held);
    } else if (const auto* whole = std::get_if<std::int64_t>(&value->held)) {
        parsed = ParsedQuantity{static_cast<double>(*whole), Dimension::count};
    } else if (const auto* number = std::get_if<double>(&value->held);
               number != nullptr && std::isfinite(*number)) {
        parsed = ParsedQuantity{*number, Dimension::count};
    }
    if (parsed && dimension == Dimension::ratio && parsed->dimension == Dimension::count) {
        parsed->dimension = Dimension::ratio;
    }
    if (!parsed || parsed->dimension != dimension) {
        const std::string found =
            parsed ? fmt::format(" is {}", std::string_view(describe(parsed->dimension))
                                               .substr(0, describe(parsed->dimension).find(" such as")))
                   : std::string(" is no quantity");
        fault(value->at, fmt::format("{}: {}{}; expected {}", joined(section, key), shown(*value), found,
                                     describe(dimension)));
        return 0.0;
    }
    if (parsed->base <= 0.0) {
        fault(value->at, fmt::format("{}: {} is not positive", joined(section, key), shown(*value)));
        return 0.0;
    }
    return parsed->base;
}

int DataFile::count(const Section& section, std::string_view key) {
    const DataValue* value = require(section, key);
    if (value == nullptr) {
        return 0;
    }
    const auto* held = std::get_if<std::int64_t>(&value->held);
    if (held == nullptr || *held < 1 || *held > std::numeric_limits<int>::max()) {
        fault(value->at,
              fmt::format("{}: {} is no whole number from 1 up", joined(section, key), shown(*value)));
        return 0;
    }
    return static_cast<int>(*held);
}

Section DataFile::section(const Section& parent, std::string_view key) {
    static const DataTable kEmpty;
    const DataValue* value = require(parent, key);
    if (value == nullptr) {
        return {joined(parent, key), parent.at, &kEmpty};
    }
    const auto* held = std::get_if<DataTable>(&value->held);
    if (held == nullptr) {
        fault(value->at, fmt::format("{}: {} is no table", joined(parent, key), shown(*value)));
    }
    return {joined(parent, key), value->at, held == nullptr ? &kEmpty : held};
}

std::vector<Section> DataFile::sections(const Section& parent, std::string_view key) {
    const DataValue* value = require(parent, key);
    if (value == nullptr) {
        return {};
    }
    std::vector<Section> found;
    if (const auto* list = std::get_if<DataList>(&value->held)) {
        for (const DataValue& element : *list) {
            if (const auto* table = std::get_if<DataTable>(&element.held)) {
                found.push_back(
                    {fmt::format("{}[{}]", joined(parent, key), found.size()), element.at, table});
            }
        }
        if (found.size() == list->size()) {
            return found;
        }
    }
    fault(value->at,
          fmt::format("{0}: {1} is no list of tables; write [[{0}]]", joined(parent, key), shown(*value)));
    return {};
}

std::vector<std::string> DataFile::texts(const Section& section, std::string_view key) {
    const DataValue* value = require(section, key);
    if (value == nullptr) {
        return {};
    }
    std::vector<std::string> found;
    if (const auto* list = std::get_if<DataList>(&value->held)) {
        for (const DataValue& element : *list) {
            if (const auto* held = std::get_if<std::string>(&element.held)) {
                found.push_back(*held);
            }
        }
        if (found.size() == list->size()) {
            return found;
        }
    }
    fault(value->at, fmt::format("{}: {} is no list of texts", joined(section, key), shown(*value)));
    return {};
}

Citation DataFile::citation(const Section& section) {
    Citation cited{text(section, "source"), text(section, "date"), false};
    if (section.has("estimate")) {
        cited.estimate = flag(section, "estimate");
    }
    if (!cited.date.empty() && !is_iso_date(cited.date)) {
        fault(section.entries->find("date")->second.at,
              fmt::format("{}.date: \"{}\" is no date; expected \"2024\", \"2024-12\" or \"2024-12-27\"",
                          section.path, cited.date));
    }
    return cited;
}

std::vector<std::filesystem::path> toml_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code missing; // a catalog directory need not have every folder
    for (const auto& item : std::filesystem::directory_iterator(folder, missing)) {
        if (item.is_regular_file() && item.path().extension() == ".toml") {
            files.push_back(item.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

std::string read_text_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file.good() && !file.eof()) {
        throw std::runtime_error(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
    }
    return content;
}

} // namespace chokepoint::hw
