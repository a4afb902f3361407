// SPDX-License-Identifier: Apache-2.0
// From TOML to a flat list of keys: the only file that includes toml++.
#include "document.hpp"

#include "hardened_toml.hpp"
#include "text.hpp"

#include <fmt/format.h>

namespace chokepoint::sim::loader {
namespace {

Place place_of(const hardened_toml::source_region& region, const std::string& file) {
    return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column), false};
}

std::string foreign_noun(const hardened_toml::node& node) {
    if (node.is_table()) {
        return kTableNoun;
    }
    return node.is_time() ? "a time" : "a date";
}

Raw to_raw(const hardened_toml::node& node) {
    if (const auto* text = node.as_string()) {
        return {text->get()};
    }
    if (const auto* integer = node.as_integer()) {
        return {std::int64_t{integer->get()}};
    }
    if (const auto* number = node.as_floating_point()) {
        return {number->get()};
    }
    if (const auto* boolean = node.as_boolean()) {
        return {boolean->get()};
    }
    if (const auto* array = node.as_array()) {
        RawList items;
        for (const hardened_toml::node& item : *array) {
            items.push_back(to_raw(item));
        }
        return {std::move(items)};
    }
    return {Foreign{foreign_noun(node)}};
}

void collect(const hardened_toml::table&, const std::vector<std::string>& prefix, Document&);

void collect_records(const hardened_toml::array& array, const std::vector<std::string>& path,
                     Document& document) {
    for (const hardened_toml::node& item : array) {
        Document inside{document.file, {}, {}};
        collect(*item.as_table(), {}, inside);
        document.records.push_back({path, place_of(item.source(), document.file), std::move(inside.entries)});
    }
}

// Recursion is bounded: check_text() ran before the parser did.
void collect(const hardened_toml::table& table, const std::vector<std::string>& prefix, Document& document) {
    for (const auto& [key, node] : table) {
        Entry entry;
        entry.path = prefix;
        entry.path.emplace_back(key.str());
        entry.value = place_of(node.source(), document.file);
        const bool header = node.is_table() && !node.as_table()->is_inline() && entry.value.line > 0;
        entry.key = header ? entry.value : place_of(key.source(), document.file);
        const std::vector<std::string> path = entry.path;
        if (!node.is_table()) {
            entry.raw = to_raw(node);
        }
        document.entries.push_back(std::move(entry));
        if (const auto* inner = node.as_table()) {
            collect(*inner, path, document);
        } else if (node.is_array_of_tables()) {
            collect_records(*node.as_array(), path, document);
        }
    }
}

} // namespace

Document parse_document(std::string_view text, const std::string& file) {
    if (constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF"; text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    if (const std::optional<TextFault> fault = check_text(text)) {
        throw ScenarioError({{file, fault->line, fault->column, fault->message}});
    }
    Document document{file, {}, {}};
    try {
        collect(hardened_toml::parse(text, file), {}, document);
    } catch (const hardened_toml::parse_error& error) {
        const Place place = place_of(error.source(), file);
        throw ScenarioError(
            {{file, place.line, place.column, fmt::format("not valid TOML: {}", error.description())}});
    }
    return document;
}

Raw parse_override_value(std::string_view text) {
    const std::string line = fmt::format("value = {}\n", text);
    if (!check_text(line)) {
        try {
            const hardened_toml::table table = hardened_toml::parse(line);
            if (table.size() == 1 && table.contains("value")) {
                return to_raw(*table.get("value"));
            }
        } catch (const hardened_toml::parse_error&) {
            // Not TOML, so the bare text is meant: --set plan.schedule=1f1b.
        }
    }
    return {std::string(text)};
}

} // namespace chokepoint::sim::loader
