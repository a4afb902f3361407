// SPDX-License-Identifier: Apache-2.0
// Interruptions, energy and dollars as a person reads them.
#include "economy_text.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <cmath>

namespace chokepoint::sim {

namespace {

constexpr double kMega = 1e6;
constexpr hw::Joules kKilowattHour{3.6e6};

/// "3.2 h", "12.5 days": what to_text() would print as seconds.
std::string long_time(hw::Seconds time) {
    return time >= 2.0 * hw::kDay     ? fmt::format("{:.1f} days", time / hw::kDay)
           : time >= hw::kHour        ? fmt::format("{:.1f} h", time / hw::kHour)
           : time >= hw::Seconds(120) ? fmt::format("{:.1f} min", time.value() / 60.0)
                                      : hw::to_text(time);
}

} // namespace

std::vector<std::string> interruption_lines(const FailureReport& r, int gpus, const Percentiles& hours) {
    const FailureCost& c = r.expected;
    std::vector<std::string> lines;
    lines.push_back(fmt::format("Interruptions     {:.1f} days expected, {:.1f}% of them useful",
                                c.wall / hw::kDay, 100.0 * c.goodput));
    lines.push_back(fmt::format("  {:>13} failures             one every {}, of {} GPUs",
                                hw::group_digits(std::round(c.failures)), long_time(c.mtbf),
                                hw::group_digits(gpus)));
    lines.push_back(fmt::format("  {:>13} between checkpoints  each stops training for {}",
                                long_time(c.interval), long_time(r.settings.process.checkpoint)));
    const auto part = [&](std::string_view name, hw::Seconds time) {
        if (time.value() > 0.0) {
            lines.push_back(fmt::format("  {:>13} {}", long_time(time), name));
        }
    };
    part("of work done again", c.lost);
    part("of restarts", c.restarts);
    part("of checkpoints", c.checkpoints);
    part("waiting for repairs, all spares being out", c.waiting);
    part("lost to slow hosts", c.slowed);
    const auto [low, middle, high] = hours;
    lines.push_back(fmt::format("  {:>13} GPU-hours            p5 to p95: {} to {}, p50 {}",
                                hw::group_digits(r.gpu_hours), hw::group_digits(low), hw::group_digits(high),
                                hw::group_digits(middle)));
    if (r.sample) {
        const double each = (gpus + r.spare_gpus) / hw::kHour.value();
        lines.push_back(fmt::format("  {:>13}    of {} runs, by when failures strike: {} to {}", "",
                                    r.sample->trials, hw::group_digits(r.sample->quantiles[0].value() * each),
                                    hw::group_digits(r.sample->quantiles[2].value() * each)));
    }
    return lines;
}

std::vector<std::string> energy_lines(const EnergyReport& r) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("Energy            {:.0f} W per GPU with its part of the node, PUE {:.2f}",
                                r.node_power.value(), r.settings.states.pue));
    const double step = r.step / kKilowattHour;
    constexpr double kWhole = 10.0; // kilowatt-hours: below, digits behind the point are worth showing
    lines.push_back(fmt::format("  {:>9} kWh per step, {:.2f} MW at most",
                                step < kWhole ? fmt::format("{:.2g}", step) : hw::group_digits(step),
                                r.peak.value() / kMega));
    if (r.campaign) {
        lines.push_back(fmt::format("  {:>9} MWh for the campaign, {} t CO2e at {:.3f} kg/kWh ({})",
                                    hw::group_digits(*r.campaign / kKilowattHour / 1e3),
                                    hw::group_digits(r.co2->value() / 1e3),
                                    r.settings.carbon.value() * kKilowattHour.value(), r.settings.grid));
    }
    return lines;
}

std::vector<std::string> cost_item_lines(const CostReport& cost) {
    std::vector<std::string> lines;
    if (!cost.range) {
        for (const std::string& note : cost.notes) {
            lines.push_back("  " + note);
        }
        return lines;
    }
    lines.push_back("  " + cost.title);
    lines.push_back(fmt::format("  {:<16} {:>14} {:>14} {:>14}", "item", "low", "mid", "high"));
    const auto row = [&](std::string_view name, const UsdRange& usd) {
        lines.push_back(fmt::format("  {:<16} {:>14} {:>14} {:>14}", name, money_text(usd.low),
                                    money_text(usd.mid), money_text(usd.high)));
    };
    for (const CostItem& item : cost.items) {
        row(item.name, item.usd);
    }
    row("total", *cost.range);
    for (const std::string& note : cost.notes) {
        lines.push_back("  " + note);
    }
    return lines;
}

} // namespace chokepoint::sim
