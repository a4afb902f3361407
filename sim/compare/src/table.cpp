// SPDX-License-Identifier: Apache-2.0
// Fills the tables of a comparison.
#include "table.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <set>

namespace chokepoint::sim {
namespace {

std::string relative(double value, double first) {
    return first > 0.0 ? fmt::format("{:+.1f}%", 100.0 * (value / first - 1.0)) : "";
}

/// What the last column of the headline's table holds against A's.
std::string against(Measure measure) {
    constexpr std::array<std::string_view, kMeasures.size()> kShort{"step", "GPU-hours", "days", "cost"};
    return fmt::format("{} to A's", kShort.at(static_cast<std::size_t>(measure)));
}

std::string or_dash(const RunReport& report, Measure measure) {
    const auto parts = parts_of(report, measure);
    return parts ? amount_text(measure, sum(*parts)) : "-";
}

std::string in_first_column(const Comparison& comparison, std::size_t side) {
    return fmt::format("{}: {}", letter(side), cluster_label(comparison.sides[side].report));
}

std::vector<ResourceGroup> all_groups(const Comparison& comparison) {
    std::set<ResourceGroup> groups;
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        for (const WaterfallBar& bar : headline_waterfall(comparison, side).bars) {
            groups.insert(bar.group);
        }
    }
    return {groups.begin(), groups.end()};
}

std::vector<std::size_t> parts_that_change(const Waterfall& waterfall) {
    std::vector<std::size_t> parts;
    for (std::size_t part = 0; part < kTimeParts; ++part) {
        if (std::ranges::any_of(waterfall.bars,
                                [&](const WaterfallBar& bar) { return bar.parts[part] != 0.0; })) {
            parts.push_back(part);
        }
    }
    return parts;
}

} // namespace

std::string as_columns(const Table& table) {
    std::vector<std::size_t> widths(table.head.size(), 0);
    const auto widen = [&](const std::vector<std::string>& row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    };
    widen(table.head);
    std::ranges::for_each(table.rows, widen);
    std::string out;
    const auto append = [&](const std::vector<std::string>& row) {
        fmt::format_to(std::back_inserter(out), "  {:<{}}", row[0], widths[0]);
        for (std::size_t i = 1; i < row.size(); ++i) {
            fmt::format_to(std::back_inserter(out), "  {:>{}}", row[i], widths[i]);
        }
        out += "\n";
    };
    append(table.head);
    std::ranges::for_each(table.rows, append);
    return out;
}

std::string as_markdown(const Table& table) {
    std::string out = fmt::format("| {} |\n|---", fmt::join(table.head, " | "));
    for (std::size_t i = 1; i < table.head.size(); ++i) {
        out += "|--:";
    }
    out += "|\n";
    for (const std::vector<std::string>& row : table.rows) {
        fmt::format_to(std::back_inserter(out), "| {} |\n", fmt::join(row, " | "));
    }
    return out;
}

Table headline_table(const Comparison& comparison) {
    Table table{
        {"", "step", "tokens/s/GPU", "MFU", "GPU-hours", "days", "cost", against(comparison.headline)}, {}};
    const double first = sum(*parts_of(comparison.sides[0].report, comparison.headline));
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        const RunReport& report = comparison.sides[i].report;
        table.rows.push_back({in_first_column(comparison, i), or_dash(report, Measure::step_seconds),
                              fmt::format("{:.0f}", report.step.tokens_per_second_per_gpu),
                              fmt::format("{:.1f}%", 100.0 * report.step.mfu_causal),
                              or_dash(report, Measure::gpu_hours), or_dash(report, Measure::days),
                              or_dash(report, Measure::usd),
                              i == 0 ? "" : relative(sum(*parts_of(report, comparison.headline)), first)});
    }
    return table;
}

Table waterfall_table(const Comparison& comparison, std::size_t side) {
    const Waterfall& waterfall = headline_waterfall(comparison, side);
    const Measure measure = waterfall.measure;
    const double largest = largest_amount(waterfall);
    const std::vector<std::size_t> parts = parts_that_change(waterfall);
    Table table{{""}, {}};
    for (const std::size_t part : parts) {
        table.head.emplace_back(label(static_cast<TimePart>(part)));
    }
    table.head.emplace_back("in all");
    const auto end = [&](std::size_t of, const TimeParts& amounts) {
        std::vector<std::string> row{in_first_column(comparison, of)};
        for (const std::size_t part : parts) {
            row.push_back(amount_text(measure, amounts[part], largest));
        }
        row.push_back(amount_text(measure, sum(amounts), largest));
        return row;
    };
    table.rows.push_back(end(0, waterfall.from));
    for (const WaterfallBar& bar : waterfall.bars) {
        std::vector<std::string> row{std::string(label(bar.group))};
        for (const std::size_t part : parts) {
            row.push_back(change_text(measure, bar.parts[part], largest));
        }
        row.push_back(change_text(measure, sum(bar.parts), largest));
        table.rows.push_back(std::move(row));
    }
    table.rows.push_back(end(side, waterfall.to));
    return table;
}

Table waterfalls_table(const Comparison& comparison) {
    const std::size_t sides = comparison.sides.size();
    const Measure measure = comparison.headline;
    Table table{{""}, {}};
    std::vector<std::string> from{"A"};
    std::vector<std::string> to{"in all"};
    double largest = 0.0;
    for (std::size_t side = 1; side < sides; ++side) {
        largest = std::max(largest, largest_amount(headline_waterfall(comparison, side)));
    }
    for (std::size_t side = 1; side < sides; ++side) {
        table.head.push_back(fmt::format("{}: {}", letter(side), comparison.sides[side].report.gpu));
        const Waterfall& waterfall = headline_waterfall(comparison, side);
        from.push_back(amount_text(measure, sum(waterfall.from), largest));
        to.push_back(amount_text(measure, sum(waterfall.to), largest));
    }
    table.rows.push_back(std::move(from));
    for (const ResourceGroup group : all_groups(comparison)) {
        std::vector<std::string> row{std::string(label(group))};
        for (std::size_t side = 1; side < sides; ++side) {
            const std::vector<WaterfallBar>& bars = headline_waterfall(comparison, side).bars;
            const auto bar = std::ranges::find(bars, group, &WaterfallBar::group);
            row.push_back(bar == bars.end() ? "same" : change_text(measure, sum(bar->parts), largest));
        }
        table.rows.push_back(std::move(row));
    }
    table.rows.push_back(std::move(to));
    return table;
}

std::string difference_line(const Comparison& comparison, std::size_t side) {
    const Difference& difference = headline_difference(comparison, side);
    const Measure measure = difference.measure;
    const auto [low, middle, high] = difference.percentiles;
    const double largest = largest_amount(headline_waterfall(comparison, side));
    constexpr std::size_t kNamed = 2;
    std::vector<std::string> most;
    for (std::size_t i = 0; i < std::min(kNamed, difference.drivers.size()); ++i) {
        most.push_back(difference.drivers[i].first);
    }
    return fmt::format("{} - A: {}, p5 to p95 {} to {}, p50 {}{}{}", letter(side),
                       change_text(measure, difference.centre, largest), change_text(measure, low, largest),
                       change_text(measure, high, largest), change_text(measure, middle, largest),
                       most.empty() ? "" : "; least sure: ", fmt::join(most, ", "));
}

std::string side_line(const Comparison& comparison, std::size_t i) {
    const Side& side = comparison.sides[i];
    std::string line = fmt::format("{}: {}", letter(i), side.report.title);
    if (!side.matched) {
        return line;
    }
    const Matched& matched = *side.matched;
    const auto text = [&](double amount) {
        return matched.by == Match::gpus   ? hw::group_digits(amount) + " GPUs"
               : matched.by == Match::days ? fmt::format("{:.1f} days", amount)
                                           : money_text(hw::Usd(amount));
    };
    const std::string before = side.report.gpus == matched.gpus_before
                                   ? ", as before,"
                                   : fmt::format(" instead of {}", hw::group_digits(matched.gpus_before));
    fmt::format_to(std::back_inserter(line), "; {} GPUs{} come nearest to A's {}: {} ({:+.1f}%)",
                   hw::group_digits(side.report.gpus), before, text(matched.target), text(matched.reached),
                   100.0 * (matched.reached / matched.target - 1.0));
    if (!matched.limit.empty()) {
        fmt::format_to(std::back_inserter(line), "; {}", matched.limit);
    }
    constexpr double kNear = 0.01;
    if (matched.by == Match::usd && matched.reached > (1.0 + kNear) * matched.target) {
        fmt::format_to(std::back_inserter(line), "; A's money lasts for {} of its {} tokens",
                       count_text(side.report.campaign->tokens * matched.target / matched.reached),
                       count_text(side.report.campaign->tokens));
    }
    return line;
}

} // namespace chokepoint::sim
