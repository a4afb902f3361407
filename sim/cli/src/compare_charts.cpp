// SPDX-License-Identifier: Apache-2.0
// Charts of a comparison.
#include "compare_command.hpp"
#include "json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::cli {

namespace {

/// Where a scale makes the labels of an axis short.
struct Unit {
    double scale = 1.0;
    std::string label;
};

Unit unit_of(sim::Measure measure) {
    switch (measure) {
    case sim::Measure::step_seconds:
        return {1.0, "step time (s)"};
    case sim::Measure::gpu_hours:
        return {1e-3, "the campaign (thousand GPU-hours)"};
    case sim::Measure::days:
        return {1.0, "the campaign (days)"};
    case sim::Measure::usd:
        return {1e-6, "cost of the campaign (million USD)"};
    }
    throw std::logic_error("a measure without an axis");
}

/// ": +1.3% (p5 to p95 -9.2% to +11.8%)", in parts of A.
std::string difference_text(const sim::Comparison& comparison, std::size_t side) {
    const sim::Difference& difference = sim::headline_difference(comparison, side);
    const double from = sim::sum(sim::headline_waterfall(comparison, side).from);
    if (from <= 0.0) {
        return "";
    }
    const auto [low, middle, high] = difference.percentiles;
    return fmt::format(": {:+.1f}% (p5 to p95 {:+.1f}% to {:+.1f}%)", 100.0 * difference.centre / from,
                       100.0 * low / from, 100.0 * high / from);
}

Json panel(const sim::Comparison& comparison, std::size_t side) {
    const sim::Waterfall& waterfall = sim::headline_waterfall(comparison, side);
    const double scale = unit_of(waterfall.measure).scale;
    const double largest = sim::largest_amount(waterfall);
    const auto end = [&](std::size_t of, double amount) -> Json {
        const std::string cluster = sim::cluster_label(comparison.sides[of].report);
        return {{"label", fmt::format("{}: {}", sim::letter(of), cluster)},
                {"from", 0.0},
                {"to", amount * scale},
                {"kind", "total"},
                {"text", sim::amount_text(waterfall.measure, amount, largest)}};
    };
    Json bars = Json::array();
    double at = sim::sum(waterfall.from);
    bars.push_back(end(0, at));
    for (const sim::WaterfallBar& bar : waterfall.bars) {
        const double change = sim::sum(bar.parts);
        if (change == 0.0) {
            continue; // the table has it
        }
        bars.push_back({{"label", std::string(sim::label(bar.group))},
                        {"from", at * scale},
                        {"to", (at + change) * scale},
                        {"kind", change < 0.0 ? "less" : "more"},
                        {"text", sim::change_text(waterfall.measure, change, largest)}});
        at += change;
    }
    bars.push_back(end(side, sim::sum(waterfall.to)));
    return {{"title", fmt::format("{}: {}{}", sim::letter(side), comparison.sides[side].report.title,
                                  difference_text(comparison, side))},
            {"bars", std::move(bars)}};
}

double moved(const sim::Effect& effect, sim::Measure measure, const sim::RunReport& report) {
    switch (measure) {
    case sim::Measure::step_seconds:
        return effect.step.value();
    case sim::Measure::usd:
        return effect.usd.value();
    case sim::Measure::gpu_hours:
        return effect.gpu_hours;
    case sim::Measure::days:
        return effect.gpu_hours / 24.0 / report.gpus;
    }
    throw std::logic_error("a measure that nothing moves");
}

} // namespace

Json tornado_chart(const sim::RunReport& report, sim::Measure measure) {
    const Unit unit = unit_of(measure);
    std::vector<const sim::Driver*> inputs;
    for (const sim::Driver& driver : report.uncertainty.drivers) {
        inputs.push_back(&driver);
    }
    std::ranges::stable_sort(inputs, std::greater{}, [&](const sim::Driver* driver) {
        return moved(driver->effect, measure, report);
    });
    constexpr std::size_t kShown = 8;
    inputs.resize(std::min(inputs.size(), kShown));
    Json bars = Json::array();
    for (const sim::Driver* driver : inputs) {
        const double below = moved(driver->ends.low, measure, report);
        const double above = moved(driver->ends.high, measure, report);
        if (!std::isfinite(below) || !std::isfinite(above)) {
            continue; // the table says that the run would never end
        }
        bars.push_back({{"label", driver->input},
                        {"from", std::min(below, above) * unit.scale},
                        {"to", std::max(below, above) * unit.scale},
                        {"kind", "range"},
                        {"text", fmt::format("{:+.3g}, {:+.3g}", below * unit.scale, above * unit.scale)}});
    }
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "waterfall"},
            {"title",
             fmt::format("{}: what each input changes, one standard deviation either way", report.title)},
            {"x", {{"label", "change of " + unit.label}}},
            {"panels", Json::array({Json{{"bars", std::move(bars)}}})}};
}

Json waterfall_chart(const sim::Comparison& comparison) {
    Json panels = Json::array();
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        panels.push_back(panel(comparison, side));
    }
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "waterfall"},
            {"title", fmt::format("What makes the difference to A: {}", comparison.sides[0].report.title)},
            {"x", {{"label", unit_of(comparison.headline).label}}},
            {"panels", std::move(panels)}};
}

} // namespace chokepoint::cli
