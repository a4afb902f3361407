// SPDX-License-Identifier: Apache-2.0
// The keys of [reliability], [energy] and [cost].
#include "shapes.hpp"

#include <array>

namespace chokepoint::sim::loader {
namespace {

using hw::Dimension;

constexpr NameList kFailures{[](const Library& l) { return ids(l.economics.failures); }, "record of failures",
                             "chokepoint list failures"};
constexpr NameList kGrids{[](const Library& l) { return ids(l.economics.grids); }, "grid",
                          "chokepoint list grids"};
constexpr NameList kPremiums{[](const Library& l) { return ids(l.economics.premiums); }, "premium",
                             "chokepoint list premiums"};
constexpr NameList kCostModels{[](const Library& l) {
                                   std::vector<std::string> names = ids(l.economics.cost_models);
                                   names.emplace_back(kRental);
                                   return names;
                               },
                               "way to count costs", "chokepoint list costs"};
constexpr NameList kTopologies{[](const Library& l) {
                                   std::vector<std::string> names;
                                   for (const hw::NetworkCost& row : l.economics.networks.rows) {
                                       names.push_back(row.topology);
                                   }
                                   return names;
                               },
                               "published network", "chokepoint list networks"};
constexpr NameList kLevels{[](const Library&) {
                               std::vector<std::string> names;
                               for (const PriceLevel l :
                                    {PriceLevel::low, PriceLevel::mid, PriceLevel::high}) {
                                   names.emplace_back(sim::name(l));
                               }
                               return names;
                           },
                           "price level", ""};

constexpr std::string_view kOfModel = "the cost model's";
constexpr std::string_view kOfPart = "the catalog's power profile of the part";
constexpr Shape kLongTime = quantity(Dimension::seconds, "1 s", "1e9 h");
constexpr Shape kShortTime = quantity(Dimension::seconds, "0 s", "1000 d");

template <auto Member> constexpr Binding reliability_field = field<&Draft::reliability, Member>;
template <auto Member> constexpr Binding energy_field = field<&Draft::energy, Member>;
template <auto Member> constexpr Binding cost_field = field<&Draft::cost, Member>;
using R = ReliabilityDraft;
using E = EnergyDraft;
using C = CostDraft;

// path, shape, need, fallback, reason, doc, field
const std::array kMoneyKeys{
    Key{"reliability.record", choice(kFailures), Need::unset, "", "gpu_mtbf instead",
        "published interruptions to take the rate of failures from", reliability_field<&R::record>},
    Key{"reliability.gpu_mtbf", kLongTime, Need::computed, "", "the record's",
        "mean time between failures of one GPU with its part of the node", reliability_field<&R::gpu_mtbf>},
    Key{"reliability.storage_bandwidth", quantity(Dimension::bandwidth, "1 MB/s", "1000 TB/s"), Need::unset,
        "", "checkpoint_time instead",
        "what the whole job writes to storage; training waits for the checkpoint",
        reliability_field<&R::storage_bandwidth>},
    Key{"reliability.checkpoint_time", kShortTime, Need::computed, "",
        "master weights and moments / storage_bandwidth", "time that training stands still for a checkpoint",
        reliability_field<&R::checkpoint_time>},
    Key{"reliability.checkpoint_interval", kLongTime, Need::unset, "", "Daly's higher-order optimum",
        "work between two checkpoints", reliability_field<&R::checkpoint_interval>},
    Key{"reliability.restart", kShortTime, Need::defaulted, "10 min",
        "detection and diagnosis take less than 10 minutes on average (MegaScale, arXiv 2402.15627, section "
        "6.3)",
        "from a failure until training goes on", reliability_field<&R::restart>},
    Key{"reliability.spares", integer("0", "100000"), Need::unset, "", "there is always one",
        "nodes that stand by to take a failed one's place", reliability_field<&R::spares>},
    Key{"reliability.repair", kShortTime, Need::defaulted, "24 h", "an estimate; counts only with spares",
        "mean time until a failed node is a spare again", reliability_field<&R::repair>},
    Key{"reliability.slow_hosts", number("0", "1"), Need::defaulted, "0.0",
        "slow hosts are found and removed",
        "share of nodes that are slow and stay (about 0.005 in MegaScale, arXiv 2402.15627, section 6.3)",
        reliability_field<&R::slow_hosts>},
    Key{"reliability.slow_host_speed", number("0.01", "1"), Need::defaulted, "0.9",
        "about 10% slower (MegaScale, arXiv 2402.15627, section 6.3)",
        "speed of a slow node, and of a job with one", reliability_field<&R::slow_host_speed>},
    Key{"reliability.trials", integer("0", "1000000"), Need::defaulted, "1000", "percentiles to about 1%",
        "runs of the Monte-Carlo that gives the spread; 0: none", reliability_field<&R::trials>},
    Key{"reliability.seed", integer("0", "9007199254740991"), Need::defaulted, "1", "any number does",
        "seed of the Monte-Carlo", reliability_field<&R::seed>},

    Key{"energy.pue", number("1", "5"), Need::defaulted, "1.25",
        "operators who are not hyperscalers (epoch-research/training-cost-trends@263c40a)",
        "power of the building for each watt of its nodes", energy_field<&E::pue>},
    Key{"energy.grid", choice(kGrids), Need::defaulted, "world",
        "where the cluster stands is rarely published", "whose carbon intensity counts",
        energy_field<&E::grid>},
    Key{"energy.carbon", quantity(Dimension::kg_per_kwh, "0 kg/kWh", "5 kg/kWh"), Need::computed, "",
        "the grid's", "CO2 equivalent of electricity", energy_field<&E::carbon>},
    Key{"energy.compute", number("0", "1.5"), Need::computed, "", kOfPart,
        "power while kernels run, as a share of the TDP", energy_field<&E::compute>},
    Key{"energy.communication", number("0", "1.5"), Need::computed, "", kOfPart,
        "the same while only transfers run", energy_field<&E::communication>},
    Key{"energy.idle", number("0", "1.5"), Need::computed, "", kOfPart, "the same while the GPU waits",
        energy_field<&E::idle>},
    Key{"energy.host", quantity(Dimension::watts, "0 W", "100 kW"), Need::computed, "", kOfPart,
        "power of the rest of the node, for each GPU", energy_field<&E::host>},

    Key{"cost.model", choice(kCostModels), Need::unset, "", "campaign.price alone",
        "rent by the part's price history, or what owning the cluster costs", cost_field<&C::model>},
    Key{"cost.date", date(), Need::unset, "", "campaign.start", "day whose prices hold",
        cost_field<&C::date>},
    Key{"cost.level", choice(kLevels), Need::defaulted, "mid", "the report shows all three",
        "which of the known prices the headline takes", cost_field<&C::level>},
    Key{"cost.premiums", choices(kPremiums), Need::defaulted, "[]", "none",
        "dated premiums on the part's price", cost_field<&C::premiums>},
    Key{"cost.premium", number("0", "100"), Need::defaulted, "0.0", "none",
        "a premium of your own on the part's price, 0.5 for half on top", cost_field<&C::premium>},
    Key{"cost.research", number("0", "100"), Need::defaulted, "0.0", "none",
        "compute of experiments and failed runs, as a multiple of the training's cost",
        cost_field<&C::research>},
    Key{"cost.staff", quantity(Dimension::usd, "0 USD", "100 billion USD"), Need::defaulted, "0 USD", "none",
        "staff of the whole campaign", cost_field<&C::staff>},
    Key{"cost.accelerator_price", quantity(Dimension::usd, "1 USD", "10 million USD"), Need::unset, "",
        "the catalog's quotes", "price of one GPU without its server", cost_field<&C::accelerator_price>},
    Key{"cost.server_overhead", number("1", "10"), Need::computed, "", kOfModel,
        "price of GPU and server, as a multiple of the GPU's", cost_field<&C::server_overhead>},
    Key{"cost.network", quantity(Dimension::usd, "0 USD", "1 million USD"), Need::computed, "",
        "the fabric's NICs and cables at the prices of arXiv 2505.09343, table 3",
        "price of the network for one GPU: switches, optics and cables", cost_field<&C::network>},
    Key{"cost.topology", choice(kTopologies), Need::unset, "", "the fabric that is simulated",
        "whose published price the network has instead: FT2, MPFT, FT3, SF (Slim Fly) or DF (Dragonfly)",
        cost_field<&C::topology>},
    Key{"cost.storage", quantity(Dimension::usd, "0 USD", "1 million USD"), Need::computed, "", kOfModel,
        "price of storage for one GPU", cost_field<&C::storage>},
    Key{"cost.facility", quantity(Dimension::usd_per_watt, "0 USD/W", "1000 USD/W"), Need::computed, "",
        kOfModel, "price of the building with power and cooling", cost_field<&C::facility>},
    Key{"cost.lifetime", quantity(Dimension::seconds, "1 d", "100 y"), Need::computed, "", kOfModel,
        "time over which the equipment is written off", cost_field<&C::lifetime>},
    Key{"cost.utilisation", number("0.01", "1"), Need::computed, "", kOfModel,
        "share of the lifetime in which jobs run and pay", cost_field<&C::utilisation>},
    Key{"cost.cost_of_capital", number("0", "1"), Need::computed, "", kOfModel,
        "interest on the capital, a year", cost_field<&C::cost_of_capital>},
    Key{"cost.power_price", quantity(Dimension::usd_per_kwh, "0 USD/kWh", "10 USD/kWh"), Need::computed, "",
        kOfModel, "price of electricity", cost_field<&C::power_price>},
};

} // namespace

std::span<const Key> money_keys() { return kMoneyKeys; }

} // namespace chokepoint::sim::loader
