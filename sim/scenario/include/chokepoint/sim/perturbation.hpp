// SPDX-License-Identifier: Apache-2.0
// What sets some of a cluster's GPUs, links or experts apart from the others: the scenario's [[perturb]].
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

enum class PerturbedLink { nvlink, nic, uplink };
std::string_view name(PerturbedLink);
std::optional<PerturbedLink> perturbed_link_from(std::string_view);

enum class RoutingSkew { zipf, histogram };
std::string_view name(RoutingSkew);
std::optional<RoutingSkew> routing_skew_from(std::string_view);

/// One of four: GPUs at a share of their speed, a link at a share of its capacity, a failed network card, or
/// experts that get more rows than others. The loader lets no mixture pass.
struct Perturbation {
    std::optional<int> gpu, node, leaf; ///< whom it hits
    std::optional<double> speed;
    std::optional<PerturbedLink> link;
    std::optional<double> factor;        ///< of the link's capacity
    std::optional<hw::Seconds> from, to; ///< of the step; absent: its start, its end
    std::optional<int> nic;              ///< of the node, failed
    std::optional<RoutingSkew> routing;
    std::optional<double> s;          ///< Zipf's exponent
    std::optional<std::string> file;  ///< the histogram
    std::vector<double> expert_share; ///< by expert, adds up to 1; only with `routing`
    friend bool operator==(const Perturbation&, const Perturbation&) = default;
};

} // namespace chokepoint::sim
