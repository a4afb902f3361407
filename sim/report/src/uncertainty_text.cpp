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

std::string cells(const Columns& columns, std::string_view input, std::string_view known,
                  std::string_view step, std::string_view hours, std::string_view usd) {
    std::string line = fmt::format("  {:<34} {:>8} {:>10}", input, known, step);
    line += columns.campaign ? fmt::format(" {:>10}", hours) : "";
    line += columns.priced ? fmt::format(" {:>12}", usd) : "";
    return line;
}

std::string row(const Columns& columns, std::string_view input, std::string_view known, const Effect& effect,
                double share) {
    constexpr int kBarWidth = 12;
    const auto moved = [](bool any, std::string text) { return any ? std::move(text) : std::string("-"); };
    return fmt::format("{}  {:#<{}}",
                       cells(columns, input, known,
                             moved(effect.step > hw::Seconds(), hw::to_text(effect.step)),
                             moved(effect.gpu_hours > 0.0, hw::group_digits(effect.gpu_hours)),
                             moved(effect.usd > hw::Usd(), money_text(effect.usd))),
                       "", static_cast<int>(std::lround(share * kBarWidth)));
}

Effect together(const std::vector<Driver>& drivers, std::size_t from) {
    double step = 0.0, hours = 0.0, usd = 0.0;
    for (std::size_t i = from; i < drivers.size(); ++i) {
        step += std::pow(drivers[i].effect.step.value(), 2);
        hours += std::pow(drivers[i].effect.gpu_hours, 2);
        usd += std::pow(drivers[i].effect.usd.value(), 2);
    }
    return {hw::Seconds(std::sqrt(step)), std::sqrt(hours), hw::Usd(std::sqrt(usd))};
}

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string sample_row(std::string_view name, const std::array<std::string, 3>& drawn,
                       const std::array<std::string, 2>& linear) {
    return fmt::format("  {:<16} {:>14} {:>14} {:>14}   {} to {}", name, drawn[0], drawn[1], drawn[2],
                       linear[0], linear[1]);
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
        "How sure          what one standard deviation of each input moves, largest first",
        cells(columns, "input", "known to", "a step", "GPU-hours", "dollars")};
    const double largest = columns.size(drivers.front().effect);
    const auto share = [&](const Effect& effect) {
        return largest > 0.0 ? std::min(1.0, columns.size(effect) / largest) : 0.0;
    };
    for (std::size_t i = 0; i < std::min(kShown, drivers.size()); ++i) {
        lines.push_back(row(columns, drivers[i].input,
                            fmt::format("{:.0f}%", 100.0 * drivers[i].relative_sigma), drivers[i].effect,
                            share(drivers[i].effect)));
    }
    if (drivers.size() > kShown) {
        const Effect rest = together(drivers, kShown);
        lines.push_back(row(columns, fmt::format("{} smaller ones together", drivers.size() - kShown), "",
                            rest, share(rest)));
    }
    if (drivers.front().input.starts_with(inputs::kRouting)) {
        lines.emplace_back(
            "  Routing imbalance moves more upwards than down: --monte-carlo N shows longer upper ends");
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
    std::vector<std::string> lines{
        fmt::format("Monte-Carlo       {} draws of all inputs, each simulated again (seed {})",
                    hw::group_digits(drawn.trials), drawn.seed),
        fmt::format("  {:<16} {:>14} {:>14} {:>14}   {}", "", "p5", "p50", "p95", "linearised p5 to p95"),
        sample_row("a step", texts(drawn.step, [](hw::Seconds s) { return hw::to_text(s); }),
                   texts(r.uncertainty.interval(r.step.seconds.value()), seconds))};
    if (drawn.gpu_hours && r.campaign) {
        const double paid = paid_gpu_time(*r.campaign) / hw::kHour;
        lines.push_back(sample_row("GPU-hours", texts(*drawn.gpu_hours, hw::group_digits),
                                   texts(interval(paid, r.uncertainty.gpu_hours_sigma), hw::group_digits)));
    }
    if (drawn.usd && r.cost && r.cost->campaign) {
        lines.push_back(sample_row("dollars", texts(*drawn.usd, money_text),
                                   texts(interval(r.cost->campaign->value(), r.uncertainty.usd_sigma), usd)));
    }
    return lines;
}

} // namespace chokepoint::sim
