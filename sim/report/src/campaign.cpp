// SPDX-License-Identifier: Apache-2.0
// From a step to a campaign: GPU-hours over a batch ramp and over phases, and days.
#include <chokepoint/sim/report.hpp>

#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

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

} // namespace

CampaignReport campaign_report(const Scenario& scenario, std::vector<std::pair<int, Seconds>> points) {
    if (points.empty()) {
        throw std::logic_error("a campaign needs the step time at its full batch");
    }
    const Campaign& campaign = scenario.campaign();
    const double sequence = static_cast<double>(scenario.plan().sequence);
    const auto full = points.back();
    const Seconds per_token = full.second / (full.first * sequence);
    const double ramp_tokens = points.size() > 1 ? campaign.ramp_tokens : 0.0;
    const double growth = full.first - points.front().first;
    Seconds ramp;
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
        const double share = (points[i + 1].first - points[i].first) / growth;
        ramp += ramp_segment(points[i], points[i + 1], ramp_tokens * share, sequence);
    }
    const double gpus = scenario.cluster().gpus();
    CampaignReport report;
    report.tokens = campaign.tokens;
    report.wall = ramp + per_token * (campaign.tokens - ramp_tokens);
    report.gpu_hours = report.wall * gpus / hw::kHour;
    report.gpu_hours_per_trillion_tokens = per_token * 1e12 * gpus / hw::kHour;
    report.ramp_gpu_hours = ramp * gpus / hw::kHour;
    report.ramp_points = std::move(points);
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
    return report;
}

CampaignReport add_up(const Scenario& scenario, const std::vector<CampaignReport>& simulated,
                      std::vector<PhaseReport> phases) {
    CampaignReport total = simulated.empty() ? CampaignReport{} : simulated.front();
    total.tokens = total.gpu_hours = total.ramp_gpu_hours = 0.0;
    total.wall = Seconds();
    total.ramp_note.clear();
    for (const CampaignReport& run : simulated) {
        total.ramp_gpu_hours += run.ramp_gpu_hours;
        total.ramp_note += total.ramp_note.empty() || run.ramp_note.empty() ? "" : "; ";
        total.ramp_note += run.ramp_note;
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
        total.last_day = phase.last_day;
    }
    total.phases = std::move(phases);
    return total;
}

} // namespace chokepoint::sim
