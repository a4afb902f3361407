// SPDX-License-Identifier: Apache-2.0
// Every switch and every bundle of cables of a fabric as a graph: routes, reachability and maximum flow come
// from here.
#pragma once

#include <chokepoint/hwmodels/wiring.hpp>

#include <memory>
#include <optional>
#include <span>

namespace chokepoint::hw {

/// Leaves, spines and cores; NICs are counted at their leaf, so that the graph grows with switches alone.
class SwitchGraph {
public:
    explicit SwitchGraph(const Wiring&);
    /// @throws std::invalid_argument with every fault of the fabric.
    explicit SwitchGraph(const Cluster&);
    ~SwitchGraph();
    SwitchGraph(SwitchGraph&&) noexcept;
    SwitchGraph& operator=(SwitchGraph&&) noexcept;

    [[nodiscard]] const Wiring& wiring() const { return wiring_; }
    [[nodiscard]] int spines() const;
    [[nodiscard]] int cores() const;
    [[nodiscard]] std::int64_t cables() const; ///< between switches

    /// Cables from a leaf to its spines.
    [[nodiscard]] int uplinks_of_leaf(int leaf) const;
    /// Cables from the spines of a pod to their cores.
    [[nodiscard]] int uplinks_of_pod(int plane, int pod) const;

    struct Route {
        int switches = 0;       ///< on the way
        std::int64_t paths = 0; ///< of so many switches: equal-cost
        friend bool operator==(const Route&, const Route&) = default;
    };
    /// All shortest routes between NICs of two leaves; nothing if there is none.
    [[nodiscard]] std::optional<Route> route(int leaf_from, int leaf_to) const;
    /// Leaves without a way to the first leaf of their plane.
    [[nodiscard]] int unreachable_leaves() const;
    /// The most NICs' worth of traffic that can run at once from `from[leaf]` NICs of each leaf to `to[leaf]`
    /// NICs of each.
    [[nodiscard]] std::int64_t max_flow(std::span<const int> from, std::span<const int> to) const;

private:
    struct Graph;
    Wiring wiring_;
    std::unique_ptr<Graph> graph_;
};

} // namespace chokepoint::hw
