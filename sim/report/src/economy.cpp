// SPDX-License-Identifier: Apache-2.0
// From GPU-hours to interruptions, kilowatt-hours, carbon and dollars.
#include <chokepoint/sim/report.hpp>

#include <algorithm>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

Job job_of(const Scenario& scenario, Seconds work) {
    return {scenario.cluster().gpus(), scenario.cluster().nodes, work};
}

/// Energy of every phase in its own shares, and of restarts and waiting at idle power.
hw::Joules campaign_energy(const Scenario& scenario, const PowerStates& states, const BusyShares& step,
                           const CampaignReport& campaign) {
    const double gpus = scenario.cluster().gpus();
    hw::Joules sum;
    if (campaign.phases.empty()) {
        sum = energy(states, step, campaign.wall * gpus);
    }
    for (const PhaseReport& phase : campaign.phases) {
        sum += energy(states, phase.given ? step : phase.shares, phase.wall * gpus);
    }
    if (campaign.failures) {
        const FailureReport& failures = *campaign.failures;
        const FailureCost& cost = failures.expected;
        const Seconds still = cost.restarts + cost.waiting + cost.checkpoints;
        sum *= (cost.wall - still) / campaign.wall; // work done twice, or slowly, draws what work draws
        sum += energy(states, kIdle, still * gpus + cost.wall * static_cast<double>(failures.spare_gpus));
    }
    return sum;
}

Usage usage_of(const Scenario& scenario, const CampaignReport& campaign,
               const std::optional<EnergyReport>& energy_used) {
    Usage usage;
    usage.gpu_time = paid_gpu_time(campaign);
    usage.wall = campaign.failures ? campaign.failures->expected.wall : campaign.wall;
    if (energy_used && energy_used->campaign) {
        usage.energy = *energy_used->campaign;
    } else if (const auto& power = scenario.energy()) {
        usage.energy = energy(power->states, {1.0, 0.0, 0.0}, usage.gpu_time);
    }
    return usage;
}

/// A step as a campaign of its own, to price a scenario without one.
CampaignReport as_campaign(const Scenario& scenario, const StepReport& step) {
    CampaignReport one;
    one.tokens = step.tokens;
    one.wall = step.seconds;
    one.gpu_hours = step.seconds * static_cast<double>(scenario.cluster().gpus()) / hw::kHour;
    return one;
}

void price_by_items(const Scenario& scenario, const CostSettings& settings, const CampaignReport& campaign,
                    bool of_campaign, const std::optional<EnergyReport>& energy_used, CostReport& cost) {
    const Usage usage = usage_of(scenario, campaign, energy_used);
    cost.items = settings.rent ? rental_cost(*settings.rent, settings.premium, usage)
                               : ownership_cost(*settings.ownership, usage);
    if (settings.research > 0.0) {
        cost.items.push_back({"research", total(cost.items) * settings.research});
    }
    cost.price = at(settings.level, total(cost.items)) / usage.gpu_time;
    if (settings.staff > hw::Usd() && of_campaign) {
        cost.staff = settings.staff;
        cost.items.push_back({"staff", {settings.staff, settings.staff, settings.staff}});
    }
    cost.range = total(cost.items);
    cost.title = settings.title;
    cost.notes = settings.notes;
}

} // namespace

BusyShares busy_shares(const Phases& phases) {
    const Seconds step = phases.total();
    const Seconds idle = std::clamp(phases.bubble, Seconds(), step);
    const Seconds waiting = std::clamp(phases.exposed_communication, Seconds(), step - idle);
    return {(step - idle - waiting) / step, waiting / step, idle / step};
}

Seconds paid_gpu_time(const CampaignReport& campaign) {
    return (campaign.failures ? campaign.failures->gpu_hours : campaign.gpu_hours) * hw::kHour;
}

FailureReport failure_report(const Scenario& scenario, const FailureSettings& settings,
                             const CampaignReport& campaign) {
    const Job job = job_of(scenario, campaign.wall);
    FailureReport report;
    report.settings = settings;
    report.expected = expected_cost(settings.process, job);
    if (settings.trials > 0) {
        report.sample = simulate_failures(settings.process, job, settings.trials, settings.seed);
    }
    report.spare_gpus = settings.process.spares.value_or(0) * scenario.cluster().node.gpus;
    report.gpu_hours = report.expected.wall * static_cast<double>(job.gpus + report.spare_gpus) / hw::kHour;
    if (campaign.first_day) {
        report.last_day = after(*campaign.first_day, report.expected.wall);
    }
    return report;
}

std::optional<EnergyReport> energy_report(const Scenario& scenario, const StepReport& step,
                                          const std::optional<CampaignReport>& campaign) {
    if (!scenario.energy()) {
        return std::nullopt;
    }
    const PowerStates& states = scenario.energy()->states;
    const double gpus = scenario.cluster().gpus();
    EnergyReport report;
    report.settings = *scenario.energy();
    report.shares = busy_shares(step.phases);
    report.node_power = node_power(states, report.shares);
    report.step = energy(states, report.shares, step.seconds * gpus);
    report.peak = peak_power(states, scenario.cluster().gpus());
    if (campaign) {
        report.campaign = campaign_energy(scenario, states, report.shares, *campaign);
        report.co2 = *report.campaign * report.settings.carbon;
    }
    return report;
}

UsdRange owned_cost(const Scenario& scenario, const Ownership& own, const CampaignReport& campaign,
                    const std::optional<EnergyReport>& energy_used) {
    const UsdRange used = total(ownership_cost(own, usage_of(scenario, campaign, energy_used)));
    return used * (1.0 + scenario.cost()->research);
}

std::optional<CostReport> cost_report(const Scenario& scenario, const StepReport& step,
                                      const std::optional<CampaignReport>& campaign,
                                      const std::optional<EnergyReport>& energy_used) {
    if (!scenario.cost() && !scenario.campaign().price) {
        return std::nullopt;
    }
    CostReport cost;
    if (scenario.cost()) {
        price_by_items(scenario, *scenario.cost(), campaign ? *campaign : as_campaign(scenario, step),
                       campaign.has_value(), energy_used, cost);
    } else {
        cost.price = *scenario.campaign().price;
        cost.notes = {"US dollars at the price that the scenario gives", "staff and research are not in it"};
    }
    cost.step = cost.price * step.seconds * static_cast<double>(scenario.cluster().gpus());
    cost.per_trillion_tokens = cost.step * (1e12 / step.tokens);
    if (campaign) {
        cost.campaign = cost.price * paid_gpu_time(*campaign) + cost.staff;
    }
    return cost;
}

} // namespace chokepoint::sim
