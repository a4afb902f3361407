// SPDX-License-Identifier: Apache-2.0
// Reads, writes and counts days.
#include <chokepoint/sim/calendar.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace chokepoint::sim {
namespace {

template <class Number> std::optional<Number> whole(std::string_view digits) {
    Number value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool all = error == std::errc() && end == digits.data() + digits.size() && digits.front() != '-';
    return all ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<Day> day_from(std::string_view text) {
    constexpr std::size_t kLength = 10;
    if (text.size() != kLength || text[4] != '-' || text[7] != '-') {
        return std::nullopt;
    }
    const auto year = whole<int>(text.substr(0, 4));
    const auto month = whole<unsigned>(text.substr(5, 2));
    const auto day = whole<unsigned>(text.substr(8, 2));
    if (!year || !month || !day) {
        return std::nullopt;
    }
    const Day found{std::chrono::year(*year), std::chrono::month(*month), std::chrono::day(*day)};
    return found.ok() ? std::optional(found) : std::nullopt;
}

std::string to_text(Day day) {
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                       static_cast<unsigned>(day.day()));
}

Day after(Day start, hw::Seconds later) {
    const auto days = static_cast<std::chrono::days::rep>(std::floor(later / hw::kDay));
    return std::chrono::sys_days(start) + std::chrono::days(days);
}

} // namespace chokepoint::sim
