// SPDX-License-Identifier: Apache-2.0
// What is said of a sweep: its axes, its outcome, its best point.
#pragma once

#include <chokepoint/sim/run_sweep.hpp>

#include <chokepoint/hwmodels/catalog.hpp>

#include <nlohmann/json_fwd.hpp>

namespace chokepoint::cli {

struct FinishedSweep {
    sim::SweepRecord record;
    sim::SweepOutcome outcome;
    std::vector<sim::StoredPoint> points;
    std::string store;
    int workers = 0;
};

std::string sweep_text(const FinishedSweep&, const hw::Catalog&);
/// "more than the 85.9 GB of h100-sxm: may not fit", of a plan that passed since peaks are not known better;
/// empty if the plan fits.
std::string memory_note(const sim::Headline&, const hw::Catalog&);
/// chokepoint/sweep/1
nlohmann::ordered_json sweep_json(const FinishedSweep&);

/// A list of axes: name, keys, positions.
nlohmann::ordered_json axes_json(const std::vector<sim::Axis>&);
/// "cluster.caps.nvlink = 400 GB/s, plan.expert = 64"
std::string place_text(const sim::Grid&, std::int64_t position);

} // namespace chokepoint::cli
