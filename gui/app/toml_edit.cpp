// SPDX-License-Identifier: GPL-3.0-or-later
#include "toml_edit.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <regex>
#include <vector>

namespace chokepoint::gui {

namespace {

/// From toml++'s lines and columns (which count code points) to bytes and back.
class Lines {
public:
    explicit Lines(std::string_view text) : text_(text), starts_{0} {
        for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
            starts_.push_back(at + 1);
        }
    }
    [[nodiscard]] std::size_t offset(toml::source_position position) const {
        std::size_t at = start(static_cast<int>(position.line));
        for (toml::source_index column = 1; column < position.column && at < text_.size(); ++column) {
            ++at;
            while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80U) {
                ++at;
            }
        }
        return at;
    }
    /// The first byte of a line, or the text's end.
    [[nodiscard]] std::size_t start(int line) const {
        const auto n = static_cast<std::size_t>(line - 1);
        return n < starts_.size() ? starts_[n] : text_.size();
    }
    [[nodiscard]] int count() const { return static_cast<int>(starts_.size()); }
    [[nodiscard]] int line_of(std::size_t offset) const {
        return static_cast<int>(std::ranges::upper_bound(starts_, offset) - starts_.begin());
    }
    [[nodiscard]] std::string_view line(int number) const {
        return text_.substr(start(number), start(number + 1) - start(number));
    }

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

struct Inline {
    std::string key;
    std::size_t end = 0; ///< of its closing brace
    bool empty = false;
};

/// What an edit needs to know of a text.
struct Parsed {
    TomlIndex index;
    std::vector<Inline> inline_tables;
    std::map<int, std::string> headers; ///< by line
};

std::string joined(const std::string& prefix, std::string_view key) {
    return prefix.empty() ? std::string(key) : prefix + "." + std::string(key);
}

/// The end of a literal: toml++ gives where it began to look further, so white space before is not part of
/// it.
std::size_t end_of(std::string_view text, std::size_t begin, std::size_t end) {
    end = std::min(end, text.size());
    while (end > begin && std::string_view(" \t\r\n").find(text[end - 1]) != std::string_view::npos) {
        --end;
    }
    return end;
}

void collect(const toml::table&, const std::string& prefix, std::string_view text, const Lines&, Parsed&);

/// A table that stands in another, or in an array.
void collect_member(const toml::table& table, const std::string& key, std::string_view text,
                    const Lines& lines, Parsed& parsed) {
    if (table.is_inline()) {
        const std::size_t begin = lines.offset(table.source().begin);
        parsed.inline_tables.push_back(
            {key, end_of(text, begin, lines.offset(table.source().end)), table.empty()});
    }
    collect(table, key, text, lines, parsed);
}

void collect(const toml::table& table, const std::string& prefix, std::string_view text, const Lines& lines,
             Parsed& parsed) {
    for (const auto& [name, node] : table) {
        const std::string key = joined(prefix, name.str());
        const std::size_t begin = lines.offset(node.source().begin);
        const std::size_t end = end_of(text, begin, lines.offset(node.source().end));
        if (const toml::table* inner = node.as_table()) {
            collect_member(*inner, key, text, lines, parsed);
            continue;
        }
        if (const toml::array* array = node.as_array(); array != nullptr && node.is_array_of_tables()) {
            parsed.index.tables[key] = static_cast<int>(array->size());
            for (std::size_t i = 0; i < array->size(); ++i) {
                collect_member(*array->get(i)->as_table(), fmt::format("{}[{}]", key, i), text, lines,
                               parsed);
            }
            continue;
        }
        const auto* string = node.as_string();
        parsed.index.values[key] = {begin, end, static_cast<int>(node.source().begin.line),
                                    string != nullptr ? string->get()
                                                      : std::string(text.substr(begin, end - begin))};
    }
}

/// [perturb.x] below the third [[perturb]] is perturb[2].x.
std::string within_latest(const std::string& name, const std::map<std::string, int>& seen) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
        if (const auto found = seen.find(name.substr(0, dot)); found != seen.end()) {
            return fmt::format("{}[{}]{}", found->first, found->second - 1, name.substr(dot));
        }
    }
    return name;
}

void find_headers(const Lines& lines, Parsed& parsed) {
    static const std::regex header(R"(^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?\r?\n?$)");
    std::map<std::string, int> seen; // of [[name]]
    std::vector<bool> inside(static_cast<std::size_t>(lines.count()) + 2, false);
    for (const auto& [key, value] : parsed.index.values) {
        for (int line = value.line + 1; line <= lines.line_of(value.end - 1); ++line) {
            inside[static_cast<std::size_t>(line)] = true; // of a value of several lines
        }
    }
    for (int n = 1; n <= lines.count(); ++n) {
        std::match_results<std::string_view::const_iterator> match;
        const std::string_view line = lines.line(n);
        if (!inside[static_cast<std::size_t>(n)] &&
            std::regex_match(line.begin(), line.end(), match, header)) {
            const std::string name = match[2].str();
            parsed.headers[n] = match[1].length() == 1 ? within_latest(name, seen)
                                                       : fmt::format("{}[{}]", name, seen[name]++);
        }
    }
}

std::optional<Parsed> parse(std::string_view text) {
    try {
        const toml::table table = toml::parse(text);
        Parsed parsed;
        const Lines lines(text);
        collect(table, "", text, lines, parsed);
        find_headers(lines, parsed);
        return parsed;
    } catch (const toml::parse_error&) {
        return std::nullopt;
    }
}

/// The header that a line stands below; "" above the first.
std::string header_of(const Parsed& parsed, int line) {
    const auto after = parsed.headers.upper_bound(line);
    return after == parsed.headers.begin() ? "" : std::prev(after)->second;
}

/// The line behind the table's last value, or behind its header; nothing if the text has no such table.
std::optional<int> end_of_table(const Parsed& parsed, const std::string& table, const Lines& lines) {
    std::optional<int> last;
    for (const auto& [line, name] : parsed.headers) {
        if (name == table) {
            last = line;
        }
    }
    for (const auto& [key, value] : parsed.index.values) {
        if (header_of(parsed, value.line) == table) {
            last = std::max(last.value_or(0), lines.line_of(value.end - 1));
        }
    }
    if (!last && table.empty()) {
        return 1;
    }
    return last ? std::optional(*last + 1) : std::nullopt;
}

std::string with_line(std::string_view text, std::size_t at, std::string line) {
    const bool crlf = text.find("\r\n") != std::string_view::npos;
    const std::string end = crlf ? "\r\n" : "\n";
    const bool open = at > 0 && text[at - 1] != '\n'; // the last line lacks its end
    return std::string(text.substr(0, at)) + (open ? end : "") + std::move(line) + end +
           std::string(text.substr(at));
}

/// The text without a member of an inline table, and the comma that set it apart.
std::string without_member(std::string_view text, const TomlValue& value) {
    const std::size_t before = text.find_last_of("{,", value.begin);
    if (before == std::string_view::npos) {
        return std::string(text);
    }
    const bool first = text[before] == '{';
    const std::size_t behind = text.find_first_not_of(" \t", value.end);
    const bool comma = behind != std::string_view::npos && text[behind] == ',';
    return std::string(text.substr(0, first ? before + 1 : before)) +
           std::string(text.substr(first && comma ? behind + 1 : value.end));
}

} // namespace

std::string TomlIndex::key_at(int line) const {
    const auto found =
        std::ranges::find_if(values, [line](const auto& entry) { return entry.second.line == line; });
    return found == values.end() ? "" : found->first;
}

std::optional<TomlIndex> index_toml(std::string_view text) {
    auto parsed = parse(text);
    return parsed ? std::optional(std::move(parsed->index)) : std::nullopt;
}

std::optional<std::string> set_toml(std::string_view text, const std::string& key,
                                    const std::string& literal) {
    const auto parsed = parse(text);
    if (!parsed) {
        return std::nullopt;
    }
    std::string result;
    if (const auto found = parsed->index.values.find(key); found != parsed->index.values.end()) {
        result = std::string(text.substr(0, found->second.begin)) + literal +
                 std::string(text.substr(found->second.end));
    } else {
        const Lines lines(text);
        // The innermost table that the text has; the rest of the key is dotted.
        std::string table = key;
        bool placed = false;
        while (!placed && !table.empty()) {
            const std::size_t dot = table.rfind('.');
            table = dot == std::string::npos ? "" : table.substr(0, dot);
            const std::string rest = table.empty() ? key : key.substr(table.size() + 1);
            const auto braces = std::ranges::find(parsed->inline_tables, table, &Inline::key);
            if (!table.empty() && braces != parsed->inline_tables.end()) {
                const std::size_t close = braces->end - 1;
                result = std::string(text.substr(0, end_of(text, 0, close))) + (braces->empty ? " " : ", ") +
                         rest + " = " + literal + " " + std::string(text.substr(close));
                placed = true;
            } else if (table.empty() && key.find('.') != std::string::npos) {
                break; // a new table
            } else if (const auto line = end_of_table(*parsed, table, lines)) {
                result = with_line(text, lines.start(*line), rest + " = " + literal);
                placed = true;
            }
        }
        if (!placed) {
            const std::size_t dot = key.find('.');
            result = with_line(text, text.size(),
                               fmt::format("{}[{}]\n{} = {}", text.empty() ? "" : "\n", key.substr(0, dot),
                                           key.substr(dot + 1), literal));
        }
    }
    return parse(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::string add_toml_table(std::string_view text, const std::string& name) {
    return with_line(text, text.size(), fmt::format("{}[[{}]]", text.empty() ? "" : "\n", name));
}

std::optional<std::string> spell_out_toml(std::string_view text, const std::string& key,
                                          const std::string& inner) {
    const auto parsed = parse(text);
    if (!parsed || !parsed->index.values.contains(key)) {
        return std::nullopt;
    }
    const std::size_t begin = parsed->index.values.at(key).begin;
    const std::size_t equals = text.rfind('=', begin);
    const std::size_t word = equals == std::string_view::npos || equals == 0
                                 ? std::string_view::npos
                                 : text.find_last_not_of(" \t", equals - 1);
    if (word == std::string_view::npos) {
        return std::nullopt;
    }
    std::string result =
        std::string(text.substr(0, word + 1)) + "." + inner + std::string(text.substr(word + 1));
    return parse(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<std::string> remove_toml(std::string_view text, const std::string& key) {
    const auto parsed = parse(text);
    if (!parsed) {
        return std::nullopt;
    }
    const auto found = parsed->index.values.find(key);
    if (found == parsed->index.values.end()) {
        return std::string(text);
    }
    const Lines lines(text);
    const std::size_t from = lines.start(found->second.line);
    const std::size_t to = lines.start(lines.line_of(found->second.end - 1) + 1);
    std::string result = std::string(text.substr(0, from)) + std::string(text.substr(to));
    const auto one_less = [&](const std::string& shorter) {
        const auto left = parse(shorter);
        return left && left->index.values.size() + 1 == parsed->index.values.size();
    };
    if (!one_less(result)) { // an inline table on the same line holds more than this key
        result = without_member(text, found->second);
    }
    return one_less(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out + '"';
}

} // namespace chokepoint::gui
