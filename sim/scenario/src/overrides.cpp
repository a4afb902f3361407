// SPDX-License-Identifier: Apache-2.0
// Puts the values of --set in place of what the file says.
#include "reading.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace chokepoint::sim::loader {
namespace {

/// The entries that an override goes to: the file's own, or those of one table of an array.
struct Target {
    std::vector<Entry>* entries = nullptr; ///< nullptr: there is no such table
    std::string inner;                     ///< the path among them
    std::string key;                       ///< the path in the table of keys
    std::string fault;
};

/// "campaign.phase[1].tokens" is `tokens` of the second table of campaign.phase.
Target target_of(Document& document, const std::string& path) {
    const std::size_t open = path.find('[');
    const std::size_t close = path.find("].", open);
    if (open == std::string::npos || close == std::string::npos) {
        return {&document.entries, path, path, {}};
    }
    const std::string array = path.substr(0, open);
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(path.data() + open + 1, path.data() + close, index);
    std::size_t found = 0;
    for (Record& record : document.records) {
        if (join_path(record.path) == array && found++ == index && error == std::errc() &&
            end == path.data() + close) {
            const std::string inner = path.substr(close + 2);
            return {&record.entries, inner, fmt::format("{}.{}", array, inner), {}};
        }
    }
    const auto count = std::ranges::count_if(
        document.records, [&](const Record& record) { return join_path(record.path) == array; });
    return {
        nullptr, {}, {}, fmt::format("the scenario has {} [[{}]], counted from 0", count, printable(array))};
}

std::vector<std::string> split_path(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= path.size();) {
        const std::size_t dot = std::min(path.find('.', from), path.size());
        parts.push_back(path.substr(from, dot - from));
        from = dot + 1;
    }
    return parts;
}

} // namespace

void replace(std::vector<Entry>& entries, Entry entry) {
    const std::string path = spelled_out(join_path(entry.path));
    std::erase_if(entries, [&](const Entry& other) {
        return other.path == entry.path || (other.raw && spelled_out(join_path(other.path)) == path);
    });
    entries.push_back(std::move(entry));
}

void apply_overrides(Document& document, const std::vector<std::string>& overrides,
                     std::vector<Diagnostic>& faults) {
    for (const std::string& text : overrides) {
        const Place place{fmt::format("--set {}", printable(text)), 0, 0, true};
        const std::size_t equals = text.find('=');
        const std::string_view left = std::string_view(text).substr(0, equals);
        const std::size_t first = left.find_first_not_of(' ');
        if (equals == std::string::npos || first == std::string_view::npos) {
            faults.push_back(at(place, "expected KEY=VALUE, such as plan.expert=32"));
            continue;
        }
        const std::string path = spelled_out(left.substr(first, left.find_last_not_of(' ') - first + 1));
        const std::string_view bare = std::string_view(text).substr(equals + 1);
        const Target target = target_of(document, path);
        const Key* key = find_key(target.key);
        Raw raw = parse_override_value(bare);
        const bool is_name =
            key != nullptr && (key->shape.kind == Kind::text || key->shape.kind == Kind::choice ||
                               key->shape.kind == Kind::date);
        if (is_name && !std::holds_alternative<std::string>(raw.value)) {
            raw = {std::string(bare)}; // --set title=2048 means the text
        }
        if (target.entries != nullptr) {
            replace(*target.entries, Entry{split_path(target.inner), place, place, std::move(raw)});
        } else {
            faults.push_back(at(place, target.fault));
        }
    }
}

} // namespace chokepoint::sim::loader
