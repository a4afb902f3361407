// SPDX-License-Identifier: Apache-2.0
// Why one scenario takes longer or costs more than another, resource by resource, adding up to the
// difference.
#pragma once

#include <chokepoint/sim/resource_group.hpp>
#include <chokepoint/sim/run.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// What is compared; its amounts are plain numbers in the unit that it names.
enum class Measure { step_seconds, gpu_hours, days, usd };
inline constexpr std::array kMeasures{Measure::step_seconds, Measure::gpu_hours, Measure::days, Measure::usd};
/// "gpu_hours": as JSON and --measure name it.
std::string_view name(Measure);
std::optional<Measure> measure_from(std::string_view);
/// "GPU-hours of the campaign": as a person reads it.
std::string_view label(Measure);

/// What time, GPU-hours and dollars went to.
enum class TimePart {
    kernels,               ///< the compute stream worked
    exposed_communication, ///< it waited for a transfer
    bubble,                ///< it waited for other ranks
    given,                 ///< phases whose GPU-hours the scenario gives
    interruptions          ///< failures, checkpoints, restarts, spares
};
inline constexpr int kTimeParts = 5;
std::string_view name(TimePart);
std::string_view label(TimePart);

/// In the measure's unit, by TimePart.
using TimeParts = std::array<double, kTimeParts>;
double sum(const TimeParts&);

/// What a report says of a measure; nothing where the scenario asks for no campaign or price.
std::optional<TimeParts> parts_of(const RunReport&, Measure);

/// Dollars where the report knows them, or else GPU-hours, or the step.
Measure most_telling(const RunReport&);

struct WaterfallBar {
    ResourceGroup group = ResourceGroup::compute;
    TimeParts parts{}; ///< what the group changes in each
};

struct Waterfall {
    Measure measure = Measure::step_seconds;
    TimeParts from{}, to{};         ///< A's and B's
    std::vector<WaterfallBar> bars; ///< one of each group that differs; they add up to `to` - `from`
};

/// Every measure that both scenarios have. Each group of resources in which they differ is given its Shapley
/// value over all scenarios between the two (hybrid()), so the order of groups plays no part; since that
/// value is linear, it splits over what the time went to.
std::vector<Waterfall> waterfalls(const Scenario& a, const Scenario& b, const RunOptions& = {});

} // namespace chokepoint::sim
