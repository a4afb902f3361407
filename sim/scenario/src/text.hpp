// SPDX-License-Identifier: Apache-2.0
// Plain-text chores of the loader: refuse what is no text, quote what a user wrote, guess what a user meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim::loader {

struct TextFault {
    int line = 0, column = 0;
    std::string message;
};

/// Why `text` cannot be handed to a TOML parser: empty, too long, bytes that are no UTF-8, or nested so
/// deeply that a recursive parser or destructor would exhaust the stack.
std::optional<TextFault> check_text(std::string_view text);

/// Length of the UTF-8 sequence at `at`, or 0 if there is none.
std::size_t utf8_length(std::string_view text, std::size_t at);

/// The text in double quotes, control characters escaped and at most 60 bytes of it, for use in a message.
std::string in_quotes(std::string_view text);
/// The same without the quotes.
std::string printable(std::string_view text);

/// The nearest of `known` by edit distance (a swap of neighbours is one edit), if any is near enough to be a
/// slip.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

/// FNV-1a of 64 bits in 16 hexadecimal digits: what a file is known by.
std::string digest(std::string_view text);

/// "a, b and c"
std::string join_and(const std::vector<std::string>& words);

/// "cluster.caps.nic".
std::string join_path(std::span<const std::string> path);
/// Whether `path` is `prefix` or lies below it.
bool below(std::string_view path, std::string_view prefix);

} // namespace chokepoint::sim::loader
