// SPDX-License-Identifier: Apache-2.0
// Inputs and draws as tables of text.
#include "uncertainty_text.hpp"

#include "inputs.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::sim {

namespace {

constexpr std::size_t kShown = 8;

struct Columns {
    bool campaign = false, priced = false;
    /// Of the figure that inputs are sorted by.
    [[nodiscard]] double size(const Effect& effect) const {
        return priced ? effect.usd.value() : campaign ? effect.gpu_hours : effect.step.value();
    }
};

/// A figure at both ends of an input.
using Cells = std::array<std::string, 2>;

std::string cells(const Columns& columns, std::string_view input, std::string_view known, const Cells& step,
                  const Cells& campaign) {
    std::string line = fmt::format("  {:<34} {:>8} {:>10} {:>10}", input, known, step[0], step[1]);
    return columns.campaign ? line + fmt::format(" {:>11} {:>11}", campaign[0], campaign[1]) : line;
}

std::string change_text(std::string text, bool positive, bool any) {
    return any ? (positive ? "+" : "") + text : std::string("-");
}

Cells step_cells(const Ends& ends) {
    const auto text = [](hw::Seconds s) {
        return change_text(hw::to_text(s), s > hw::Seconds(), s != hw::Seconds());
    };
    return {text(ends.low.step), text(ends.high.step)};
}

Cells campaign_cells(const Columns& columns, const Ends& ends) {
    const auto text = [&](const Effect& effect) {
        const double moved = columns.priced ? effect.usd.value() : effect.gpu_hours;
        return std::isinf(moved) ? std::string("never ends")
                                 : change_text(hw::group_digits(moved), moved > 0.0, moved != 0.0);
    };
    return {text(ends.low), text(ends.high)};
}

std::string row(const Columns& columns, std::string_view input, std::string_view known, const Ends& ends,
                double share) {
    constexpr int kBarWidth = 10;
    return fmt::format("{} {:#<{}}",
                       cells(columns, input, known, step_cells(ends), campaign_cells(columns, ends)), "",
                       static_cast<int>(std::lround(share * kBarWidth)));
}

Ends together(const std::vector<Driver>& drivers, std::size_t from) {
    std::vector<Term> terms;
    for (std::size_t i = from; i < drivers.size(); ++i) {
        terms.insert(terms.end(), drivers[i].terms.begin(), drivers[i].terms.end());
    }
    return root_of_squares(terms);
}

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string sample_row(std::string_view name, const std::array<std::string, 3>& drawn,
                       const std::array<std::string, 3>& propagated) {
    return fmt::format("  {:<10} {:>12} {:>12} {:>12}   {:>12} {:>12} {:>12}", name, drawn[0], drawn[1],
                       drawn[2], propagated[0], propagated[1], propagated[2]);
}

template <class Values, class Text> auto texts(const Values& values, Text text) {
    std::array<std::string, std::tuple_size_v<Values>> out;
    std::ranges::transform(values, out.begin(), text);
    return out;
}

} // namespace

std::vector<std::string> tornado_lines(const RunReport& r) {
    const std::vector<Driver>& drivers = r.uncertainty.drivers;
    if (drivers.empty()) {
        return {};
    }
    const Columns columns{r.campaign.has_value(), r.cost && r.cost->campaign};
    std::vector<std::string> lines{
        "How sure          what each input changes, one standard deviation either way, largest first",
        cells(columns, "input", "known to", {"step from", "to"},
              {columns.priced ? "USD from" : "hours from", "to"})};
    const double largest = columns.size(drivers.front().effect);
    const auto share = [&](const Effect& effect) {
        return largest > 0.0 ? std::min(1.0, columns.size(effect) / largest) : 0.0;
    };
    for (std::size_t i = 0; i < std::min(kShown, drivers.size()); ++i) {
        lines.push_back(row(columns, drivers[i].input,
                            fmt::format("{:.0f}%", 100.0 * drivers[i].relative_sigma), drivers[i].ends,
                            share(drivers[i].effect)));
    }
    if (drivers.size() > kShown) {
        const Ends rest = together(drivers, kShown);
        lines.push_back(row(columns, fmt::format("{} smaller ones together", drivers.size() - kShown), "",
                            rest, share(half_distance(rest))));
    }
    std::ranges::transform(lines, lines.begin(), trimmed);
    return lines;
}

std::vector<std::string> sample_lines(const RunReport& r) {
    if (!r.sample) {
        return {};
    }
    const Sample& drawn = *r.sample;
    const auto seconds = [](double value) { return hw::to_text(hw::Seconds(value)); };
    const auto usd = [](double value) { return money_text(hw::Usd(value)); };
    std::vector<std::string> lines{fmt::format("Monte-Carlo       {} draws of all inputs, each simulated "
                                               "again (seed {}), and the interval above",
                                               hw::group_digits(drawn.trials), drawn.seed),
                                   sample_row("", {"p5", "p50", "p95"}, {"p5", "p50", "p95"}),
                                   sample_row("a step",
                                              texts(drawn.step, [](hw::Seconds s) { return hw::to_text(s); }),
                                              texts(r.uncertainty.step_seconds, seconds))};
    if (drawn.gpu_hours && r.campaign) {
        lines.push_back(sample_row("GPU-hours", texts(*drawn.gpu_hours, hw::group_digits),
                                   texts(r.uncertainty.gpu_hours, hw::group_digits)));
    }
    if (drawn.usd && r.cost && r.cost->campaign) {
        lines.push_back(sample_row("dollars", texts(*drawn.usd, money_text), texts(r.uncertainty.usd, usd)));
    }
    return lines;
}

} // namespace chokepoint::sim
