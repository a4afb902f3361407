// SPDX-License-Identifier: Apache-2.0
// Quotes what a user wrote and guesses what a user meant.
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace chokepoint::sim::loader {
namespace {

constexpr std::size_t kMaxQuoted = 60;

char fold(char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string folded(std::string_view word) {
    std::string out(word);
    std::transform(out.begin(), out.end(), out.begin(), fold);
    return out;
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

} // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (out.size() + length > kMaxQuoted) {
            return out + "…";
        }
        const auto byte = static_cast<unsigned char>(text[at]);
        if (length == 0 || byte < 0x20 || byte == 0x7F) {
            out += byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : fmt::format("\\x{:02x}", unsigned{byte});
        } else {
            out += text.substr(at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", printable(text)); }

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    if (word.empty() || word.size() > kMaxQuoted) {
        return std::nullopt;
    }
    const std::string wanted = folded(word);
    std::optional<std::string> best;
    // Fewest edits; among equals the one that agrees longest from the start.
    std::pair<std::size_t, std::size_t> best_rank;
    for (const std::string& candidate : known) {
        const std::string other = folded(candidate);
        const std::size_t longer = std::max(wanted.size(), other.size());
        std::size_t distance = edit_distance(wanted, other);
        if (wanted.size() >= 3 && other.starts_with(wanted)) {
            distance = std::min<std::size_t>(distance, 1); // "micro" means "micro_batch"
        }
        const std::pair rank(distance, longer - common_prefix(wanted, other));
        if (distance <= std::max<std::size_t>(1, longer / 3) && distance < longer &&
            (!best || rank < best_rank)) {
            best = candidate;
            best_rank = rank;
        }
    }
    return best;
}

std::string digest(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return fmt::format("{:016x}", hash);
}

std::string join_and(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        out += i == 0 ? "" : i + 1 == words.size() ? " and " : ", ";
        out += words[i];
    }
    return out;
}

std::string join_path(std::span<const std::string> path) { return fmt::format("{}", fmt::join(path, ".")); }

bool below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '.');
}

} // namespace chokepoint::sim::loader
