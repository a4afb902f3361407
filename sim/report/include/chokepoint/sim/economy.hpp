// SPDX-License-Identifier: Apache-2.0
// What a campaign costs beyond its GPU-hours: interruptions, energy, carbon and dollars, item by item.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace chokepoint::sim {

struct Phases;
struct CampaignReport;
struct StepReport;

/// Kernels, exposed communication and bubbles as shares of a step.
BusyShares busy_shares(const Phases&);

/// The campaign with failures on.
struct FailureReport {
    FailureSettings settings;
    FailureCost expected;
    std::optional<RenewalSample> sample; ///< none without trials
    int spare_gpus = 0;
    double gpu_hours = 0.0;      ///< expected; spares wait all the while
    std::optional<Day> last_day; ///< expected
};
FailureReport failure_report(const Scenario&, const FailureSettings&, const CampaignReport&);

struct EnergyReport {
    EnergySettings settings;
    BusyShares shares;    ///< of the step
    hw::Watts node_power; ///< mean over the step, GPU and host, for each GPU
    hw::Joules step;      ///< with the building, as all below
    std::optional<hw::Joules> campaign;
    std::optional<hw::Kilograms> co2;
    hw::Watts peak;
};
/// Nothing if the catalog and the scenario leave the part's power open.
std::optional<EnergyReport> energy_report(const Scenario&, const StepReport&,
                                          const std::optional<CampaignReport>&);

struct CostReport {
    hw::UsdPerSecond price; ///< per GPU; of owned GPUs, what the items come to
    hw::Usd step, per_trillion_tokens;
    std::optional<hw::Usd> campaign;
    std::optional<UsdRange> range; ///< of the campaign, where [cost] is given
    std::vector<CostItem> items;   ///< likewise; they add up to the range
    hw::Usd staff;                 ///< of the campaign: of its dollars, those that no GPU-hour costs
    std::string title = "rent";
    std::vector<std::string> notes;
};
/// Nothing if neither campaign.price nor [cost] is given.
std::optional<CostReport> cost_report(const Scenario&, const StepReport&,
                                      const std::optional<CampaignReport>&,
                                      const std::optional<EnergyReport>&);

/// Of the campaign, with other figures of ownership than the scenario's.
UsdRange owned_cost(const Scenario&, const Ownership&, const CampaignReport&,
                    const std::optional<EnergyReport>&);

/// GPU-seconds that the campaign takes and pays for, failures and spares included where they are on.
hw::Seconds paid_gpu_time(const CampaignReport&);

} // namespace chokepoint::sim
