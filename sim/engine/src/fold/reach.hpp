// SPDX-License-Identifier: Apache-2.0
// How far through the fabric a GPU's network traffic goes, by the places of those it exchanges it with.
#pragma once

#include "relations.hpp"

#include <array>
#include <vector>

namespace chokepoint::sim::folding {

constexpr std::size_t kTiers = 4; ///< of uplinks, at most

/// Of one GPU's traffic within a group.
struct Reach {
    /// Members on other nodes that are reached by climbing 0, 1, … uplinks.
    std::array<std::int32_t, kTiers + 1> members{};
    std::int32_t remote = 0; ///< all of them
    std::int8_t to_next = 0; ///< uplinks to climb on the way to the ring's next node
    std::int8_t from_previous = 0;
    friend bool operator==(const Reach&, const Reach&) = default;
};

/// The uplinks that can slow a transfer. One whose capacity is at least that of all NICs below it never does.
class Uplinks {
public:
    /// @throws std::invalid_argument if there are more than kTiers tiers.
    Uplinks(const Relations&, const Conditions&, hw::BytesPerSecond nic);

    [[nodiscard]] bool any() const { return any_; }
    /// By tier: the GPUs below each uplink that binds; those below another are in no block.
    [[nodiscard]] const std::vector<Blocks>& binding() const { return binding_; }
    /// Whether any uplink above the GPU binds: otherwise it does not matter how far its traffic goes.
    [[nodiscard]] bool matter_to(Gpu) const;
    /// Uplinks that `from` climbs to reach `to`; 0 if none above `from` matters.
    [[nodiscard]] int climbs(Gpu from, Gpu to) const;
    /// By GPU, within its group of the relation.
    [[nodiscard]] std::vector<Reach> reach(const GroupRelation&, const work::RankLayout&) const;

private:
    [[nodiscard]] int distance(Gpu a, Gpu b) const;

    const Conditions& conditions_;
    std::vector<Blocks> binding_;
    bool any_ = false;
};

std::uint64_t colour_of(const Reach&);

/// Whether the NICs below an uplink can ask more of it than it carries.
bool binds(const Conditions::Shared& uplink, hw::BytesPerSecond nic);

} // namespace chokepoint::sim::folding
