// SPDX-License-Identifier: Apache-2.0
// Refuses, before a parser sees it, what is no text or would bring the parser down.
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

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

bool contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

/// Walks over TOML as far as strings, comments and brackets go. toml++ 3.3 reports most faults of syntax
/// itself, and better; but on some it asserts or runs into undefined behaviour (a header or value that starts
/// with a bracket or sign of its own; any character beyond ASCII where it looks for blanks). Those are found
/// here.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<TextFault> run() {
        while (at_ < text_.size() && !fault_ && !given_up_) {
            step();
        }
        return fault_;
    }

private:
    void step() {
        const char c = text_[at_];
        if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
            return;
        }
        if (c == '"' || c == '\'') {
            string(c);
            return;
        }
        if (static_cast<unsigned char>(c) >= 0x80) {
            const std::string_view character = text_.substr(at_, utf8_length(text_, at_));
            refuse(fmt::format("not valid TOML: '{}' outside quotes and comments", character));
        } else if (c == '[' || c == '{') {
            open(c);
        } else if (c == ']' || c == '}') {
            close(c);
        } else if (c == '\n' && in_header_) {
            given_up_ = true; // an unfinished header: the parser stops at this line
        }
        dots_ = contains("\n=,[{", c) ? 0 : dots_ + (c == '.' ? 1 : 0);
        if (open_.size() > kMaxNesting || dots_ > kMaxNesting) {
            refuse(fmt::format("{} nested more than {} deep; a scenario nests two deep",
                               dots_ > kMaxNesting ? "a dotted key" : "brackets", kMaxNesting));
        }
        if (!contains(" \t\r", c)) {
            last_ = c;
        }
        ++at_;
    }

    void string(char quote) {
        if (!contains("\n=,[{.", last_)) {
            refuse("not valid TOML: a quote inside a bare word");
            return;
        }
        const std::string closing(text_.substr(at_, 3) == std::string(3, quote) ? 3 : 1, quote);
        for (at_ += closing.size(); at_ < text_.size() && !fault_; ++at_) {
            if (quote == '"' && text_[at_] == '\\') {
                escape();
            } else if (text_.substr(at_, closing.size()) == closing) {
                at_ += closing.size();
                for (int extra = 0;
                     closing.size() == 3 && extra < 2 && text_.substr(at_, 1) == closing.substr(0, 1);
                     ++extra) {
                    ++at_; // the text itself may end in one or two quotes
                }
                last_ = quote;
                return;
            } else if (text_[at_] == '\n' && closing.size() == 1) {
                break;
            }
        }
        given_up_ = true; // an unfinished string: the parser stops here
    }

    /// An escaped character, or a backslash that joins lines: the parser looks for blanks behind it.
    void escape() {
        const std::size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
        if (next != std::string_view::npos && static_cast<unsigned char>(text_[next]) >= 0x80) {
            refuse("not valid TOML: a backslash stands before a character beyond ASCII");
        }
        at_ = next == at_ + 1 ? next : at_;
    }

    void open(char bracket) {
        if (!contains("\n=,[", last_) || (bracket == '{' && last_ == '\n' && open_.empty())) {
            refuse(fmt::format("not valid TOML: '{}' where neither a section nor a list starts", bracket));
            return;
        }
        if (bracket == '[' && open_.empty() && last_ == '\n') {
            const std::size_t width = text_.substr(at_, 2) == "[[" ? 2 : 1;
            const std::size_t name = text_.find_first_not_of(" \t", at_ + width);
            const char first = name == std::string_view::npos ? '\n' : text_[name];
            if (std::isalnum(static_cast<unsigned char>(first)) == 0 && !contains("_-\"'", first)) {
                refuse("not valid TOML: a section's name starts with a letter, a digit, '_', '-' or a quote, "
                       "as in "
                       "[plan]");
                return;
            }
            in_header_ = true;
        }
        open_.push_back(bracket);
    }

    void close(char bracket) {
        if (open_.empty() || (open_.back() == '[') != (bracket == ']')) {
            refuse(fmt::format("not valid TOML: '{}' closes nothing", bracket));
            return;
        }
        open_.pop_back();
        in_header_ = in_header_ && !open_.empty();
    }

    void refuse(std::string message) { fault_ = fault_at(text_, at_, std::move(message)); }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string open_;       ///< brackets not yet closed
    char last_ = '\n';       ///< the last character that is no blank
    int dots_ = 0;           ///< in this key
    bool in_header_ = false; ///< between the brackets of [plan]
    bool given_up_ = false;
    std::optional<TextFault> fault_;
};

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
    return Scanner(text).run();
}

} // namespace chokepoint::sim::loader
