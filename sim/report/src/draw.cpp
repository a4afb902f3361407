// SPDX-License-Identifier: Apache-2.0
// Draws inputs, and puts them in the place of the exact ones.
#include <chokepoint/sim/draw.hpp>

#include "inputs.hpp"
#include "mixing.hpp"

#include <chokepoint/sim/report.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chokepoint::sim {

namespace {

/// In (0, 1].
double uniform(std::uint64_t bits) { return (static_cast<double>(bits >> 11U) + 1.0) * 0x1p-53; }

/// Seconds of a piece of work with each of its operators as drawn, over those without.
double slowed(const work::ComputeWork& work, const StepCosts& costs, std::size_t index,
              const std::string& architecture, const Draw& draw) {
    hw::Seconds before, after;
    for (std::size_t i = 0; i < work.operators.size(); ++i) {
        const hw::Operator& op = work.operators[i];
        const double sigma = costs.operator_sigma[index][i];
        double factor = draw.factor(inputs::kernel_term(architecture, op), sigma);
        if (inputs::follows_clock(op, sigma)) {
            factor *= draw.factor(inputs::clock_term(architecture), inputs::clock_sigma());
        }
        before += costs.operator_seconds[index][i];
        after += costs.operator_seconds[index][i] * factor;
    }
    const double software = draw.factor(inputs::kSoftware, costs.framework_sigma);
    return before > hw::Seconds() ? after / before * software : 1.0;
}

/// What lies between the quotes, in logarithms: low and high are the 5th and 95th percentile.
double price_factor(const UsdRange& range, double deviate) {
    const hw::Usd end = deviate < 0.0 ? range.low : range.high;
    const bool known = range.mid > hw::Usd() && end > hw::Usd();
    return known ? std::pow(end / range.mid, std::abs(deviate) / kP95) : 1.0;
}

} // namespace

double Draw::deviate(std::string_view name) const {
    std::uint64_t state = mixed(mixed(seed_) ^ trial_);
    for (const char c : name) {
        state = mixed(state ^ static_cast<unsigned char>(c));
    }
    // G. E. P. Box and M. E. Muller, A note on the generation of random normal deviates, 1958.
    const double radius = std::sqrt(-2.0 * std::log(uniform(state)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(mixed(state)));
}

double Draw::factor(std::string_view name, double sigma) const {
    return sigma > 0.0 ? std::exp(sigma * deviate(name)) : 1.0;
}

double host_sigma() {
    // Half the distance, in logarithms, between the two groups into which the hosts of 8 x H100 fall in
    // Megatron-LM's continuous integration, 1.5 times apart on near-identical cases (docs/host.md).
    return std::log(1.5) / 2.0;
}

StepCosts drawn(const work::TaskGraph& graph, const StepCosts& costs, const std::string& architecture,
                const Draw& draw) {
    StepCosts made = costs;
    for (std::size_t i = 0; i < made.compute.size(); ++i) {
        made.compute[i] *= slowed(graph.computes()[i], costs, i, architecture, draw);
    }
    for (hw::Seconds& host : made.host) {
        host *= draw.factor(kHostInput, host_sigma());
    }
    const double routing = draw.factor(inputs::kRouting, std::log(kRoutingFactor));
    for (std::size_t i = 0; i < made.transfer.size(); ++i) {
        const double factor =
            draw.factor(inputs::transfer_term(graph.transfers()[i].kind), costs.transfer_sigma);
        made.transfer[i].latency *= factor;
        for (hw::PortFlow& flow : made.transfer[i].flows) {
            flow.bytes *= factor; // as long as if the rate were that much lower
        }
        made.straggler_wait[i] *= routing;
    }
    return made;
}

FailureSettings drawn(const FailureSettings& settings, const Deviates& deviates) {
    FailureSettings made = settings;
    made.process.gpu_mtbf *= std::exp(inputs::failure_sigma() * deviates(inputs::kFailures));
    made.trials = 0;
    return made;
}

hw::Usd drawn_usd(const Scenario& scenario, const RunReport& report, const Deviates& deviates) {
    const CostReport& cost = *report.cost;
    hw::Usd usd = cost.campaign.value_or(hw::Usd());
    if (!cost.range || !scenario.cost() || !report.campaign) {
        return usd;
    }
    const CostSettings& settings = *scenario.cost();
    if (settings.ownership) {
        Ownership own = *settings.ownership;
        for (const inputs::OwnedInput& input : inputs::owned_inputs(own)) {
            input.figure->set(own.model, input.at(deviates(input.figure->label)));
        }
        usd = at(settings.level, owned_cost(scenario, own, *report.campaign, report.energy)) + cost.staff;
    }
    const auto power = std::ranges::find(cost.items, "power", &CostItem::name);
    const hw::Usd powered = power != cost.items.end() ? power->usd.mid : hw::Usd();
    const UsdRange staff{cost.staff, cost.staff, cost.staff};
    return (usd - cost.staff) *
               price_factor(*cost.range + staff * -1.0, deviates(inputs::price_term(scenario))) +
           cost.staff + powered * std::expm1(inputs::kPowerSigma * deviates(inputs::power_term(scenario)));
}

} // namespace chokepoint::sim
