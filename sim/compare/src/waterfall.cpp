// SPDX-License-Identifier: Apache-2.0
// Runs every scenario between two and shares their difference out.
#include <chokepoint/sim/waterfall.hpp>

#include <chokepoint/sim/shapley.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chokepoint::sim {
namespace {

struct Name {
    std::string_view name, label;
};
constexpr std::array<Name, kMeasures.size()> kMeasureNames{{{"step_seconds", "step time"},
                                                            {"gpu_hours", "GPU-hours of the campaign"},
                                                            {"days", "days of the campaign"},
                                                            {"usd", "dollars of the campaign"}}};
constexpr std::array<Name, kTimeParts> kPartNames{{{"kernels", "kernels"},
                                                   {"exposed_communication", "exposed comm."},
                                                   {"bubble", "bubble"},
                                                   {"given", "given phases"},
                                                   {"interruptions", "interruptions"}}};

TimeParts seconds_of(const Spent& spent, hw::Seconds interruptions) {
    return {spent.kernels.value(), spent.exposed_communication.value(), spent.bubble.value(),
            spent.given.value(), interruptions.value()};
}

TimeParts scaled(TimeParts parts, double factor) {
    for (double& part : parts) {
        part *= factor;
    }
    return parts;
}

TimeParts campaign_parts(const RunReport& report, Measure measure) {
    const CampaignReport& campaign = *report.campaign;
    const hw::Seconds wall = campaign.failures ? campaign.failures->expected.wall : campaign.wall;
    if (measure == Measure::days) {
        return scaled(seconds_of(campaign.spent, wall - campaign.wall), 1.0 / hw::kDay.value());
    }
    const double gpus = report.gpus;
    const hw::Seconds paid = paid_gpu_time(campaign);
    TimeParts parts = seconds_of(campaign.spent, hw::Seconds());
    parts = scaled(parts, gpus);
    parts[static_cast<std::size_t>(TimePart::interruptions)] = (paid - campaign.wall * gpus).value();
    return scaled(parts, measure == Measure::usd ? *report.cost->campaign / hw::Usd(1.0) / paid.value()
                                                 : 1.0 / hw::kHour.value());
}

std::vector<Measure> shared_measures(const RunReport& a, const RunReport& b) {
    std::vector<Measure> measures;
    for (const Measure measure : kMeasures) {
        if (parts_of(a, measure) && parts_of(b, measure)) {
            measures.push_back(measure);
        }
    }
    return measures;
}

Amounts amounts_of(const RunReport& report, const std::vector<Measure>& measures) {
    Amounts amounts;
    for (const Measure measure : measures) {
        const TimeParts parts = parts_of(report, measure).value();
        amounts.insert(amounts.end(), parts.begin(), parts.end());
    }
    return amounts;
}

/// What rounding leaves where a group changes nothing, as a share of what is compared.
constexpr double kRounding = 1e-13;

TimeParts slice(const Amounts& amounts, std::size_t measure, double compared) {
    TimeParts parts{};
    std::copy_n(amounts.begin() + static_cast<std::ptrdiff_t>(measure * kTimeParts), kTimeParts,
                parts.begin());
    for (double& part : parts) {
        part = std::abs(part) < kRounding * compared ? 0.0 : part;
    }
    return parts;
}

GroupSet set_of(const std::vector<ResourceGroup>& groups, unsigned coalition) {
    GroupSet set;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        set[static_cast<std::size_t>(groups[i])] = (coalition >> i & 1U) != 0;
    }
    return set;
}

} // namespace

std::string_view name(Measure measure) { return kMeasureNames.at(static_cast<std::size_t>(measure)).name; }
std::string_view label(Measure measure) { return kMeasureNames.at(static_cast<std::size_t>(measure)).label; }
std::string_view name(TimePart part) { return kPartNames.at(static_cast<std::size_t>(part)).name; }
std::string_view label(TimePart part) { return kPartNames.at(static_cast<std::size_t>(part)).label; }

std::optional<Measure> measure_from(std::string_view text) {
    const auto found = std::ranges::find(kMeasures, text, [](Measure measure) { return name(measure); });
    return found == kMeasures.end() ? std::nullopt : std::optional(*found);
}

double sum(const TimeParts& parts) { return std::accumulate(parts.begin(), parts.end(), 0.0); }

std::optional<TimeParts> parts_of(const RunReport& report, Measure measure) {
    if (measure == Measure::step_seconds) {
        return seconds_of(spent(report.step.phases), hw::Seconds());
    }
    const bool known = report.campaign && (measure != Measure::usd || (report.cost && report.cost->campaign));
    return known ? std::optional(campaign_parts(report, measure)) : std::nullopt;
}

Measure most_telling(const RunReport& report) {
    return parts_of(report, Measure::usd)         ? Measure::usd
           : parts_of(report, Measure::gpu_hours) ? Measure::gpu_hours
                                                  : Measure::step_seconds;
}

std::vector<Waterfall> waterfalls(const Scenario& a, const Scenario& b, const RunOptions& options) {
    const std::vector<ResourceGroup> groups = differing(a, b);
    StepCache own;
    RunOptions inner{
        .progress = {}, .cache = options.cache != nullptr ? options.cache : &own, .fold = options.fold};
    const RunReport left = run_headline(a, inner);
    const RunReport right = run_headline(b, inner);
    const std::vector<Measure> measures = shared_measures(left, right);
    const unsigned all = (1U << groups.size()) - 1U;
    const auto worth = [&](unsigned coalition) {
        if (options.progress) {
            options.progress("explain", static_cast<double>(coalition) / (all + 1.0));
        }
        // The ends as the scenarios say, so that the bars add up to what is printed.
        return amounts_of(coalition == 0     ? left
                          : coalition == all ? right
                                             : run_headline(hybrid(a, b, set_of(groups, coalition)), inner),
                          measures);
    };
    const std::vector<Amounts> values = shapley(static_cast<int>(groups.size()), worth);
    std::vector<Waterfall> found;
    for (std::size_t m = 0; m < measures.size(); ++m) {
        Waterfall waterfall{measures[m], *parts_of(left, measures[m]), *parts_of(right, measures[m]), {}};
        for (std::size_t g = 0; g < groups.size(); ++g) {
            waterfall.bars.push_back(
                {groups[g], slice(values[g], m, sum(waterfall.from) + sum(waterfall.to))});
        }
        found.push_back(std::move(waterfall));
    }
    return found;
}

} // namespace chokepoint::sim
