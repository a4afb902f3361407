// SPDX-License-Identifier: Apache-2.0
// Refuses, before a parser sees it, what is no text or so nested that a recursive parser would exhaust its
// stack.
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
// A scenario needs two levels. toml++ 3.3 stops at 256 nested values but builds and destroys dotted keys of
// any depth by recursion.
constexpr int kMaxNesting = 32;

TextFault fault_at(std::string_view text, std::size_t offset, std::string message) {
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return {static_cast<int>(lines) + 1, static_cast<int>(offset - line_start) + 1, std::move(message)};
}

std::optional<TextFault> check_bytes(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = text[at] == '\0' ? 0 : utf8_length(text, at);
        if (length == 0) {
            return fault_at(
                text, at,
                fmt::format("byte 0x{:02x} is no text; expected a scenario in TOML, encoded as UTF-8",
                            static_cast<unsigned>(static_cast<unsigned char>(text[at]))));
        }
        at += length;
    }
    return std::nullopt;
}

/// Where the string or comment that starts at `at` ends, or `at` if none starts there.
std::size_t skip_opaque(std::string_view text, std::size_t at) {
    if (text[at] == '#') {
        return std::min(text.find('\n', at), text.size());
    }
    if (text[at] != '"' && text[at] != '\'') {
        return at;
    }
    const std::string_view mark = text.substr(at, 3);
    const bool multi_line = mark == R"(""")" || mark == "'''";
    const std::size_t width = multi_line ? 3 : 1;
    for (std::size_t i = at + width; i < text.size(); ++i) {
        if (text[i] == '\\' && text[at] == '"') {
            ++i;
        } else if (text.substr(i, width) == text.substr(at, width)) {
            return i + width;
        } else if (text[i] == '\n' && !multi_line) {
            return i; // an unfinished string: the parser will say so
        }
    }
    return text.size();
}

std::optional<TextFault> check_nesting(std::string_view text) {
    int depth = 0;
    int dots = 0; // in one key
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t end = skip_opaque(text, at); end != at) {
            at = end;
            continue;
        }
        const char c = text[at];
        if (c == '[' || c == '{') {
            ++depth;
        } else if (c == ']' || c == '}') {
            depth = std::max(0, depth - 1);
        }
        const bool starts_anew = c == '\n' || c == '=' || c == ',' || c == '[' || c == '{';
        dots = starts_anew ? 0 : dots + static_cast<int>(c == '.');
        if (depth > kMaxNesting || dots > kMaxNesting) {
            return fault_at(text, at,
                            fmt::format("{} nested more than {} deep; a scenario nests two deep",
                                        depth > kMaxNesting ? "brackets" : "a dotted key", kMaxNesting));
        }
        ++at;
    }
    return std::nullopt;
}

} // namespace

// RFC 3629, section 4.
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
    };
    const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return continues(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

std::optional<TextFault> check_text(std::string_view text) {
    if (text.size() > kMaxBytes) {
        return TextFault{1, 1, fmt::format("longer than {} MiB; no scenario is", kMaxBytes >> 20)};
    }
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return TextFault{1, 1, "the file is empty; expected a scenario with [cluster], [model] and [plan]"};
    }
    if (auto fault = check_bytes(text)) {
        return fault;
    }
    return check_nesting(text);
}

} // namespace chokepoint::sim::loader
