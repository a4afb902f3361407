// SPDX-License-Identifier: Apache-2.0
// What a piece of work costs a class that is slower, busier or further away than the others.
#pragma once

#include "quotient.hpp"

#include <map>

namespace chokepoint::sim::folding {

/// The works and costs of a step, with a further entry for each that differs between classes.
class ClassCosts {
public:
    /// @param reach by group relation, then GPU; empty where no uplink binds
    /// @param load by GPU; empty: alike
    ClassCosts(const work::TaskGraph&, StepCosts, const Uplinks&, const Conditions&,
               const std::vector<std::vector<Reach>>& reach, const std::vector<double>& load);

    /// The entry for a compute work as `gpu` runs it.
    std::int32_t compute(std::int32_t work, Gpu gpu);
    /// The entry for a transfer of `relation` as `gpu` takes part in it.
    std::int32_t transfer(std::int32_t work, Gpu gpu, int relation);
    /// The entry for a pipeline transfer between two GPUs.
    std::int32_t transfer_to_peer(std::int32_t work, Gpu gpu, Gpu peer);

    [[nodiscard]] std::vector<work::ComputeWork> take_computes() { return std::move(computes_); }
    [[nodiscard]] std::vector<work::TransferWork> take_transfers() { return std::move(transfers_); }
    [[nodiscard]] StepCosts take_costs() { return std::move(costs_); }

private:
    [[nodiscard]] double speed(Gpu) const;
    [[nodiscard]] double load(Gpu) const;
    std::int32_t enter(std::int32_t work, hw::TransferShape);

    std::vector<work::ComputeWork> computes_;
    std::vector<work::TransferWork> transfers_;
    std::vector<bool> routed_; ///< by original compute work
    StepCosts costs_;
    const Uplinks& uplinks_;
    const Conditions& conditions_;
    const std::vector<std::vector<Reach>>& reach_;
    const std::vector<double>& load_;
    std::map<std::tuple<std::int32_t, double, double>, std::int32_t> compute_;
    std::map<std::int32_t, std::vector<std::int32_t>> transfer_; ///< by original: its entries
};

} // namespace chokepoint::sim::folding
