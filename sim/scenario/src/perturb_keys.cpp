// SPDX-License-Identifier: Apache-2.0
// The keys of [[perturb]].
#include "shapes.hpp"

#include <array>

namespace chokepoint::sim::loader {
namespace {

using hw::Dimension;

template <auto Member> constexpr Binding perturb_field = field<&Draft::perturbation, Member>;

constexpr NameList kLinks{[](const Library&) {
                              return std::vector<std::string>{std::string(name(PerturbedLink::nvlink)),
                                                              std::string(name(PerturbedLink::nic)),
                                                              std::string(name(PerturbedLink::uplink))};
                          },
                          "link", ""};
constexpr NameList kSkews{[](const Library&) {
                              return std::vector<std::string>{std::string(name(RoutingSkew::zipf)),
                                                              std::string(name(RoutingSkew::histogram))};
                          },
                          "routing", ""};

// path, shape, need, fallback, reason, doc, field
const std::array kPerturbKeys{
    Key{"perturb.gpu", integer("0", "75497471"), Need::unset, "", "the whole node's",
        "the GPU that is slow, or whose port is degraded", perturb_field<&Perturbation::gpu>},
    Key{"perturb.node", integer("0", "131071"), Need::unset, "", "a single GPU's",
        "the node all of whose GPUs are, or whose network card failed", perturb_field<&Perturbation::node>},
    Key{"perturb.speed", number("0.01", "1"), Need::unset, "", "other trouble",
        "kernels run at this share of their rate", perturb_field<&Perturbation::speed>},
    Key{"perturb.link", choice(kLinks), Need::unset, "", "other trouble",
        "a GPU's port, or all cables of a leaf to its spines, have less capacity, both ways",
        perturb_field<&Perturbation::link>},
    Key{"perturb.leaf", integer("0", "1048575"), Need::unset, "", "no uplink is degraded",
        "the leaf whose uplink is degraded, as the GPUs' leaves are numbered: node after node, and rail "
        "after rail "
        "or plane after plane among those of a node",
        perturb_field<&Perturbation::leaf>},
    Key{"perturb.factor", number("0.001", "1"), Need::unset, "", "no link is degraded",
        "share of the link's capacity that is left", perturb_field<&Perturbation::factor>},
    Key{"perturb.from", quantity(Dimension::seconds, "0 s", "1e9 s"), Need::unset, "",
        "the start of the step", "when a link's trouble begins", perturb_field<&Perturbation::from>},
    Key{"perturb.to", quantity(Dimension::seconds, "0 s", "1e9 s"), Need::unset, "", "not within the step",
        "when it ends", perturb_field<&Perturbation::to>},
    Key{"perturb.nic", integer("0", "575"), Need::unset, "", "other trouble",
        "the failed network card of the node; the next GPU's carries its traffic too",
        perturb_field<&Perturbation::nic>},
    Key{"perturb.routing", choice(kSkews), Need::unset, "", "other trouble",
        "experts that get more rows than others, the same in every layer",
        perturb_field<&Perturbation::routing>},
    Key{"perturb.s", number("0", "10"), Need::unset, "", "no Zipf",
        "Zipf's exponent: the i-th most popular expert gets a share like 1/i^s; popular experts are dealt to "
        "the "
        "ranks of a group in turn",
        perturb_field<&Perturbation::s>},
    Key{"perturb.file", text(), Need::unset, "", "no histogram",
        "CSV or JSON with a real router's count of rows for each expert, in order; relative to the scenario",
        perturb_field<&Perturbation::file>},
};

} // namespace

std::span<const Key> perturb_keys() { return kPerturbKeys; }

} // namespace chokepoint::sim::loader
