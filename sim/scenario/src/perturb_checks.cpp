// SPDX-License-Identifier: Apache-2.0
// Checks of [[perturb]] that need more than one key, and the experts' shares that a routing skew means.
#include "histogram.hpp"
#include "reading.hpp"
#include "text.hpp"

#include <chokepoint/hwmodels/wiring.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace chokepoint::sim {

std::string_view name(PerturbedLink link) {
    constexpr std::array<std::string_view, 3> kNames{"nvlink", "nic", "uplink"};
    return kNames.at(static_cast<std::size_t>(link));
}
std::optional<PerturbedLink> perturbed_link_from(std::string_view text) {
    for (const auto link : {PerturbedLink::nvlink, PerturbedLink::nic, PerturbedLink::uplink}) {
        if (name(link) == text) {
            return link;
        }
    }
    return std::nullopt;
}

std::string_view name(RoutingSkew skew) { return skew == RoutingSkew::zipf ? "zipf" : "histogram"; }
std::optional<RoutingSkew> routing_skew_from(std::string_view text) {
    for (const auto skew : {RoutingSkew::zipf, RoutingSkew::histogram}) {
        if (name(skew) == text) {
            return skew;
        }
    }
    return std::nullopt;
}

} // namespace chokepoint::sim

namespace chokepoint::sim::loader {
namespace {

/// A key that says what is wrong, and the keys that may stand beside it.
struct Trouble {
    std::string_view key;
    std::string_view beside; ///< in the order messages name them
    bool (*allows)(std::string_view);
};

bool among(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

constexpr std::array kTroubles{
    Trouble{"speed", "gpu or node", [](std::string_view n) { return among(n, {"gpu", "node"}); }},
    Trouble{"link", "factor, from, to and one of gpu, node and leaf",
            [](std::string_view n) { return among(n, {"factor", "from", "to", "gpu", "node", "leaf"}); }},
    Trouble{"nic", "node", [](std::string_view n) { return n == "node"; }},
    Trouble{"routing", "s or file", [](std::string_view n) { return among(n, {"s", "file"}); }},
};

class PerturbChecks {
public:
    explicit PerturbChecks(Reading& reading) : reading_(reading) {}

    void run() {
        std::size_t item = 0;
        for (const RecordReading& record : reading_.records()) {
            if (record.section->path == "perturb") {
                record_ = &record;
                item_ = item++;
                check_item(reading_.draft.perturbations[item_]);
            }
        }
    }

private:
    [[nodiscard]] bool has(std::string_view key) const { return record_->slot(key).given; }
    /// Whether the key is there and its value can be used.
    [[nodiscard]] bool usable(std::string_view key) const {
        const Slot& slot = record_->slot(key);
        return slot.given && slot.sound;
    }
    /// At the key, or at the table if it lacks the key.
    void fault(std::string_view key, std::string message) {
        const Slot& slot = record_->slot(key);
        reading_.fault(slot.given ? slot.place : record_->place, std::move(message));
    }
    void fault(std::string message) { reading_.fault(record_->place, std::move(message)); }

    void check_item(Perturbation& perturbation) {
        std::vector<const Trouble*> found;
        for (const Trouble& trouble : kTroubles) {
            if (has(trouble.key)) {
                found.push_back(&trouble);
            }
        }
        if (found.empty()) {
            // A misspelt key was named already.
            fault("[[perturb]] says nothing; expected one of speed, link, nic and routing");
            return;
        }
        if (found.size() > 1) {
            fault(found.back()->key, fmt::format("{} and {} in one [[perturb]]; expected a table for each",
                                                 found.front()->key, found.back()->key));
            return;
        }
        for (const Slot& slot : record_->slots) {
            const std::string_view key = label(slot.key->path);
            if (slot.given && key != found.front()->key && !found.front()->allows(key)) {
                fault(key, fmt::format("{} has no meaning beside {}; expected {}", key, found.front()->key,
                                       found.front()->beside));
            }
        }
        check_places(perturbation);
        if (has("speed")) {
            need_one_of("speed", {"gpu", "node"});
        } else if (has("link")) {
            check_link(perturbation);
        } else if (has("nic")) {
            check_nic(perturbation);
        } else if (usable("routing")) {
            check_routing(perturbation);
        }
    }

    bool need(std::string_view key, std::string_view of) {
        if (!has(key)) {
            fault(of, fmt::format("{} needs '{}'", of, key));
        }
        return usable(key);
    }

    void need_one_of(std::string_view of, std::initializer_list<std::string_view> keys) {
        const auto count = std::ranges::count_if(keys, [&](std::string_view key) { return has(key); });
        if (count != 1) {
            fault(of,
                  fmt::format("{} needs exactly one of {}; found {}", of, fmt::join(keys, " and "), count));
        }
    }

    void within(std::string_view key, std::optional<int> value, std::int64_t count, std::string_view noun) {
        if (usable(key) && value && *value >= count) {
            fault(key,
                  fmt::format("{} is {}; the cluster has {} {}, numbered from 0", key, *value, count, noun));
        }
    }

    void check_places(const Perturbation& perturbation) {
        const Draft& draft = reading_.draft;
        if (reading_.sound({"cluster.nodes", "cluster.gpus_per_node"})) {
            within("gpu", perturbation.gpu, draft.gpus(), "GPUs");
            within("node", perturbation.node, draft.nodes, "nodes");
        }
        if (reading_.sound({"cluster.nics_per_node"})) {
            within("nic", perturbation.nic, draft.nics_per_node, "network cards in a node");
        }
    }

    void check_link(const Perturbation& perturbation) {
        need("factor", "link");
        if (usable("link") && *perturbation.link == PerturbedLink::uplink) {
            check_uplink(perturbation);
        } else if (has("leaf")) {
            fault("leaf", "leaf says where an uplink is; expected gpu or node");
        } else {
            need_one_of("link", {"gpu", "node"});
        }
        if (usable("from") && usable("to") && *perturbation.to <= *perturbation.from) {
            fault("to", "to is not after from");
        }
    }

    void check_uplink(const Perturbation& perturbation) {
        for (const std::string_view place : {"gpu", "node"}) {
            if (has(place)) {
                fault(place, fmt::format("an uplink belongs to a leaf, not to a {}; expected leaf", place));
            }
        }
        if (!need("leaf", "link") ||
            !reading_.sound({"cluster.nodes", "cluster.gpus_per_node", "cluster.nics_per_node"}) ||
            !reading_.faults.empty()) {
            return; // leaves can be counted in a sound fabric alone
        }
        const Draft& draft = reading_.draft;
        hw::Node node;
        node.gpus = draft.gpus_per_node;
        node.nics = draft.nics_per_node;
        std::vector<hw::FabricFault> faults;
        const hw::Wiring wiring = hw::wire(draft.network, node, draft.nodes, faults);
        within("leaf", perturbation.leaf, wiring.leaves(), "leaves");
        if (usable("leaf") && wiring.leaf_uplinks == 0) {
            fault("leaf",
                  fmt::format("the leaves of a {} fabric have no uplinks", hw::name(draft.network.kind)));
        }
    }

    void check_nic(const Perturbation& perturbation) {
        if (!need("node", "nic") || !usable("nic") || !reading_.sound({"cluster.nics_per_node"})) {
            return;
        }
        const auto& all = reading_.draft.perturbations;
        const auto failed_before = std::count_if(
            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(item_), [&](const Perturbation& other) {
                return other.nic && other.node == perturbation.node && other.nic != perturbation.nic;
            });
        if (failed_before + 1 >= reading_.draft.nics_per_node) {
            fault("nic",
                  fmt::format("network card {} is the last of node {}: none is left to carry its traffic",
                              *perturbation.nic, *perturbation.node));
        }
    }

    void check_routing(Perturbation& perturbation) {
        const auto& all = reading_.draft.perturbations;
        if (std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(item_),
                        [](const Perturbation& other) { return other.routing.has_value(); })) {
            fault("routing", "a second routing; expected one");
        }
        const bool zipf = *perturbation.routing == RoutingSkew::zipf;
        if (has(zipf ? "file" : "s")) {
            fault(zipf ? "file" : "s", fmt::format("{} has no meaning for routing \"{}\"",
                                                   zipf ? "file" : "s", name(*perturbation.routing)));
        }
        const bool given = need(zipf ? "s" : "file", "routing");
        if (!given || !reading_.sound({"model.moe.experts", "plan.expert"})) {
            return;
        }
        const int experts = reading_.draft.model.moe.experts;
        const int ranks = reading_.draft.plan.expert;
        if (experts == 0) {
            fault("routing", "routing skew in a model without experts");
        } else if (zipf && ranks >= 1 && experts % ranks == 0) {
            perturbation.expert_share = zipf_shares(experts, ranks, *perturbation.s);
        } else if (!zipf) {
            const std::filesystem::path file =
                reading_.file_named(*perturbation.file, record_->slot("file").place);
            const Histogram histogram = read_histogram(file, experts);
            if (!histogram.fault.empty()) {
                fault("file", fmt::format("file: {}", histogram.fault));
            }
            perturbation.expert_share = histogram.shares;
            reading_.draft.digests[fmt::format("perturb[{}].file", record_->index)] =
                digest(fmt::format("{}", fmt::join(histogram.shares, " "))); // the file may be standard input
        }
    }

    /// Popular experts are dealt to the ranks in turn, as whoever places experts would: numbered as
    /// popularity goes, the first rank would hold all the popular ones.
    static std::vector<double> zipf_shares(int experts, int ranks, double s) {
        std::vector<double> shares(static_cast<std::size_t>(experts));
        double sum = 0.0;
        for (int popularity = 0; popularity < experts; ++popularity) {
            const double weight = std::pow(popularity + 1.0, -s);
            const int expert = popularity % ranks * (experts / ranks) + popularity / ranks;
            shares[static_cast<std::size_t>(expert)] = weight;
            sum += weight;
        }
        for (double& share : shares) {
            share /= sum;
        }
        return shares;
    }

    Reading& reading_;
    const RecordReading* record_ = nullptr; ///< the table under check
    std::size_t item_ = 0;
};

} // namespace

void check_perturbations(Reading& reading) { PerturbChecks(reading).run(); }

} // namespace chokepoint::sim::loader
