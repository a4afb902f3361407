// SPDX-License-Identifier: Apache-2.0
// From a step to a campaign: GPU-hours over a batch ramp and over phases, and days.
#include <chokepoint/sim/report.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

/// Of one part of the step: seconds of a step of so many sequences.
using Growth = std::vector<std::pair<int, Seconds>>;

/// Seconds spent while the batch grows linearly with tokens from `low.first` to `high.first` sequences, over
/// `tokens` tokens: the integral of t(b) / (b x sequence) with t linear in b between the two points.
Seconds ramp_segment(std::pair<int, Seconds> low, std::pair<int, Seconds> high, double tokens,
                     double sequence) {
    const double b0 = low.first;
    const double b1 = high.first;
    const double slope = (high.second - low.second).value() / (b1 - b0);
    const double intercept = low.second.value() - slope * b0;
    const double mean_per_sequence = intercept * std::log(b1 / b0) / (b1 - b0) + slope;
    return Seconds(tokens / sequence * mean_per_sequence);
}

Seconds ramp_seconds(const Growth& points, double tokens, double sequence) {
    const double growth = points.back().first - points.front().first;
    Seconds ramp;
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
        const double share = (points[i + 1].first - points[i].first) / growth;
        ramp += ramp_segment(points[i], points[i + 1], tokens * share, sequence);
    }
    return ramp;
}

/// Over the ramp, and at the full batch for the rest of the tokens.
Seconds wall_seconds(const Growth& points, const Campaign& campaign, double sequence) {
    const double ramp_tokens = points.size() > 1 ? campaign.ramp_tokens : 0.0;
    const Seconds per_token = points.back().second / (points.back().first * sequence);
    return ramp_seconds(points, ramp_tokens, sequence) + per_token * (campaign.tokens - ramp_tokens);
}

} // namespace

Spent spent(const Phases& phases) {
    const BusyShares shares = busy_shares(phases);
    const Seconds step = phases.total();
    return {step * shares.compute, step * shares.communication, step * shares.idle, Seconds()};
}

CampaignReport campaign_report(const Scenario& scenario, const std::vector<RampPoint>& points) {
    if (points.empty()) {
        throw std::logic_error("a campaign needs the step time at its full batch");
    }
    const Campaign& campaign = scenario.campaign();
    const double sequence = static_cast<double>(scenario.plan().sequence);
    const auto part = [&](auto seconds_of) {
        Growth growth;
        for (const RampPoint& point : points) {
            growth.emplace_back(point.sequences, seconds_of(point));
        }
        return growth;
    };
    const Growth steps = part([](const RampPoint& p) { return p.step; });
    const Seconds per_token = steps.back().second / (steps.back().first * sequence);
    const double gpus = scenario.cluster().gpus();
    CampaignReport report;
    report.tokens = campaign.tokens;
    report.wall = wall_seconds(steps, campaign, sequence);
    for (const auto field : {&Spent::kernels, &Spent::exposed_communication, &Spent::bubble}) {
        report.spent.*field =
            wall_seconds(part([&](const RampPoint& p) { return p.spent.*field; }), campaign, sequence);
    }
    report.gpu_hours = report.wall * gpus / hw::kHour;
    report.gpu_hours_per_trillion_tokens = per_token * 1e12 * gpus / hw::kHour;
    report.ramp_gpu_hours =
        points.size() > 1 ? ramp_seconds(steps, campaign.ramp_tokens, sequence) * gpus / hw::kHour : 0.0;
    report.ramp_points = steps;
    report.first_day = campaign.start;
    if (campaign.start) {
        report.last_day = after(*campaign.start, report.wall);
    }
    return report;
}

PhaseReport given_phase(const Scenario& scenario, const Phase& phase) {
    PhaseReport report;
    report.name = phase.name;
    report.given = true;
    report.gpu_hours = phase.gpu_time.value() / hw::kHour;
    report.wall = phase.gpu_time.value() / static_cast<double>(scenario.cluster().gpus());
    report.spent.given = report.wall;
    return report;
}

PhaseReport simulated_phase(const Phase& phase, const CampaignReport& run) {
    PhaseReport report;
    report.name = phase.name;
    report.tokens = run.tokens;
    report.wall = run.wall;
    report.gpu_hours = run.gpu_hours;
    report.step = run.ramp_points.back().second;
    report.shares = run.shares;
    report.spent = run.spent;
    return report;
}

CampaignReport add_up(const Scenario& scenario, const std::vector<CampaignReport>& simulated,
                      std::vector<PhaseReport> phases) {
    // What holds for one step is said of the phase that trains most.
    const auto longest = std::ranges::max_element(simulated, {}, &CampaignReport::tokens);
    CampaignReport total = longest == simulated.end() ? CampaignReport{} : *longest;
    total.tokens = total.gpu_hours = total.ramp_gpu_hours = 0.0;
    total.wall = Seconds();
    total.spent = {};
    total.ramp_note.clear();
    Growth ramps;
    for (const CampaignReport& run : simulated) {
        total.ramp_gpu_hours += run.ramp_gpu_hours;
        if (run.ramp_points.size() > 1) {
            ramps.insert(ramps.end(), run.ramp_points.begin(), run.ramp_points.end());
        }
        total.ramp_note += total.ramp_note.empty() || run.ramp_note.empty() ? "" : "; ";
        total.ramp_note += run.ramp_note;
    }
    if (!ramps.empty()) {
        total.ramp_points = std::move(ramps);
    }
    total.first_day = scenario.campaign().start;
    for (PhaseReport& phase : phases) {
        if (total.first_day) {
            phase.first_day = after(*total.first_day, total.wall);
            phase.last_day = after(*total.first_day, total.wall + phase.wall);
        }
        total.tokens += phase.tokens;
        total.gpu_hours += phase.gpu_hours;
        total.wall += phase.wall;
        total.spent.kernels += phase.spent.kernels;
        total.spent.exposed_communication += phase.spent.exposed_communication;
        total.spent.bubble += phase.spent.bubble;
        total.spent.given += phase.spent.given;
        total.last_day = phase.last_day;
    }
    total.phases = std::move(phases);
    return total;
}

} // namespace chokepoint::sim
