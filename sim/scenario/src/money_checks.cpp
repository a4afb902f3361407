// SPDX-License-Identifier: Apache-2.0
// What [energy] and [cost] leave open comes from the catalog; what the catalog does not know is a fault where
// the scenario asks for it.
#include "reading.hpp"

#include "shapes.hpp"
#include "text.hpp"

#include <chokepoint/hwmodels/switch_graph.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>

namespace chokepoint::sim::loader {
namespace {

bool any_given(const Reading& reading, std::string_view section) {
    return std::ranges::any_of(reading.slots(), [&](const Slot& slot) {
        return slot.given && slot.sound && section_of(slot.key->path) == section;
    });
}

/// The network's price follows from the node, the fabric and its parameters, whatever they are called.
bool sound_section(const Reading& reading, std::string_view section) {
    return std::ranges::all_of(
        reading.slots(), [&](const Slot& slot) { return slot.sound || !below(slot.key->path, section); });
}

/// A figure of the catalog, unless the scenario gives its own.
class Filler {
public:
    Filler(Reading& reading, std::string section, std::string id,
           const std::map<std::string, hw::Citation>& from)
        : reading_(reading),
          section_(std::move(section)),
          id_(std::move(id)),
          citations_(from) {}
    template <class T> void fill(std::string_view key, const T& value) { fill(key, value, key); }
    template <class T> void fill(std::string_view key, const T& value, std::string_view field) {
        const std::string path = fmt::format("{}.{}", section_, key);
        if (const Slot& slot = reading_.slot(path); !slot.given && slot.sound) {
            reading_.derive(path, to_value(value), cite(id_, citations_, std::string(field)),
                            Origin::catalog);
        }
    }

private:
    Reading& reading_;
    std::string section_, id_;
    const std::map<std::string, hw::Citation>& citations_;
};

hw::PriceRange flat(hw::UsdPerSecond price) { return {price, price, price, {}}; }

/// The rent on the scenario's day, or a fault.
std::optional<hw::PriceRange> rent(Reading& reading, const hw::GpuSpec& gpu) {
    const Draft& draft = reading.draft;
    if (draft.campaign.price) {
        return flat(*draft.campaign.price);
    }
    if (gpu.prices.empty()) {
        std::vector<std::string> priced;
        for (const hw::GpuSpec& other : reading.library.catalog.gpus()) {
            if (!other.prices.empty()) {
                priced.push_back(other.id);
            }
        }
        reading.fault("cost.model",
                      fmt::format("no rental price of {} is known; expected campaign.price, or one "
                                  "of the parts with a price: {}",
                                  gpu.id, fmt::join(priced, ", ")));
        return std::nullopt;
    }
    if (!draft.cost.date && !draft.campaign.start) {
        reading.fault("cost.model", "a rental price holds on a day; expected cost.date or campaign.start");
        return std::nullopt;
    }
    const Day day = draft.cost.date ? *draft.cost.date : *draft.campaign.start;
    const auto found = hw::rental_price(gpu, sim::to_text(day));
    if (!found) {
        const std::string_view key = draft.cost.date ? "cost.date" : "campaign.start";
        reading.fault(key,
                      fmt::format("{}: no price of {} within a year of {}; its history runs from {} to {}",
                                  label(key), gpu.id, sim::to_text(day), gpu.prices.front().date,
                                  gpu.prices.back().date));
    }
    return found;
}

/// The product of all premiums in force; an announced one that is not yet is a fault.
double premium(Reading& reading, const std::optional<Day>& day, std::vector<std::string>& notes) {
    const CostDraft& cost = reading.draft.cost;
    double factor = 1.0 + cost.premium;
    for (const std::string& id : cost.premiums) {
        const hw::Premium& found =
            *std::ranges::find(reading.library.economics.premiums, id, &hw::Premium::id);
        const bool fits = found.parts.empty() || std::ranges::count(found.parts, reading.draft.gpu) > 0;
        if (!fits) {
            reading.fault("cost.premiums", fmt::format("{} is paid on {}, not on {}", id,
                                                       fmt::join(found.parts, ", "), reading.draft.gpu));
        } else if (day && sim::to_text(*day) < found.since) {
            reading.fault("cost.premiums", fmt::format("{} holds from {}, after the {} of the scenario", id,
                                                       found.since, sim::to_text(*day)));
        }
        factor *= 1.0 + found.share;
        notes.push_back(
            fmt::format("premium of {:.0f}% from {}: {}", 100.0 * found.share, found.since, found.title));
    }
    return factor;
}

UsdRange accelerator_price(Reading& reading, const hw::PurchasePrice* quote) {
    if (reading.draft.cost.accelerator_price) {
        const hw::Usd usd = *reading.draft.cost.accelerator_price;
        return {usd, usd, usd};
    }
    if (quote == nullptr) {
        reading.fault("cost.model",
                      fmt::format("no purchase price of {} is known; expected "
                                  "cost.accelerator_price, or one of the parts with a price: {}",
                                  reading.draft.gpu,
                                  fmt::join(ids(reading.library.economics.purchases), ", ")));
        return {};
    }
    return {quote->low, quote->mid(), quote->high};
}

/// One NIC's share of what a network costs, and how it comes to that.
struct NetworkShare {
    hw::Usd usd;
    std::string where;
};

/// Of the fabric that is simulated, cable by cable.
NetworkShare share_of_fabric(const hw::Cluster& cluster, const hw::NetworkCosts& table) {
    const hw::SwitchGraph graph(cluster);
    const double endpoints = static_cast<double>(cluster.nodes) * cluster.node.nics;
    const auto links = static_cast<double>(graph.cables());
    return {hw::network_cost(table.prices, endpoints, links) / endpoints,
            fmt::format("{} NICs and {} cables between {} switches of a {} network, at {:.0f} and {:.0f} USD "
                        "each: fitted to {}",
                        hw::group_digits(endpoints), hw::group_digits(links),
                        hw::group_digits(graph.wiring().leaves() + graph.spines() + graph.cores()),
                        name(cluster.fabric.kind), table.prices.endpoint.value(), table.prices.link.value(),
                        table.citation.source)};
}

/// As built elsewhere.
NetworkShare share_of_row(const hw::NetworkCost& row, const hw::NetworkCosts& table) {
    return {row.cost / row.endpoints, fmt::format("{} of {} for {} NICs: {}", row.topology, to_text(row.cost),
                                                  hw::group_digits(row.endpoints), table.citation.source)};
}

/// One GPU's share of the switches, optics and cables.
void fill_network(Reading& reading, const hw::NetworkCosts& table) {
    const Draft& draft = reading.draft;
    if (reading.slot("cost.network").given) {
        if (draft.cost.topology) {
            reading.fault("cost.topology",
                          "cost.topology: cost.network says what the network costs; expected "
                          "one of the two");
        }
        return;
    }
    const hw::Cluster cluster = make_cluster(draft, reading.library);
    if (!draft.cost.topology && !hw::check_fabric(cluster.fabric, cluster.node, cluster.nodes).empty()) {
        return; // a fault already
    }
    const NetworkShare share = draft.cost.topology ? share_of_row(*table.row_of(*draft.cost.topology), table)
                                                   : share_of_fabric(cluster, table);
    const double per_gpu = static_cast<double>(cluster.node.nics) / cluster.node.gpus;
    reading.derive("cost.network", to_value(share.usd * per_gpu), share.where, Origin::catalog);
}

void check_ownership(Reading& reading, const hw::OwnershipModel& model, CostSettings& settings) {
    const hw::Economics& economics = reading.library.economics;
    CostDraft& cost = reading.draft.cost;
    Filler filler(reading, "cost", model.id, model.citations);
    filler.fill("server_overhead", model.server_overhead);
    filler.fill("power_price", model.power_price);
    const bool straight = model.depreciation == hw::Depreciation::straight_line;
    if (straight) {
        filler.fill("storage", model.storage);
        filler.fill("facility", model.facility);
        filler.fill("lifetime", model.lifetime);
        filler.fill("utilisation", model.utilisation);
        filler.fill("cost_of_capital", model.cost_of_capital);
        fill_network(reading, economics.networks);
    }
    const hw::PurchasePrice* quote = economics.purchase_of(reading.draft.gpu);
    Ownership own;
    own.accelerator = accelerator_price(reading, quote);
    own.premium = settings.premium;
    own.model = model;
    own.model.server_overhead = cost.server_overhead.value_or(model.server_overhead);
    own.model.storage = cost.storage.value_or(model.storage);
    own.model.facility = cost.facility.value_or(model.facility);
    own.model.lifetime = cost.lifetime.value_or(model.lifetime);
    own.model.utilisation = cost.utilisation.value_or(model.utilisation);
    own.model.cost_of_capital = cost.cost_of_capital.value_or(model.cost_of_capital);
    own.model.power_price = cost.power_price.value_or(model.power_price);
    std::erase_if(own.model.ranges, [&](const auto& range) { // what the scenario says is exact
        const std::string key = fmt::format("cost.{}", range.first);
        return find_key(key) != nullptr && reading.slot(key).given;
    });
    own.network = cost.network.value_or(hw::Usd());
    own.pue = reading.draft.energy.pue;
    const hw::PowerProfile* profile = economics.power_of(reading.draft.gpu);
    if (profile != nullptr) {
        own.rated_power = reading.library.catalog.find_gpu(reading.draft.gpu)->tdp * profile->rated;
    } else {
        reading.fault("cost.model",
                      fmt::format("no power profile lists {}, so its server's power is unknown; expected a "
                                  "file power/*.toml of a --catalog directory whose parts list it; known: {}",
                                  reading.draft.gpu, fmt::join(ids(economics.power), ", ")));
    }
    if (quote != nullptr && settings.day && sim::to_text(*settings.day) < quote->released) {
        const std::string_view key = cost.date ? "cost.date" : "campaign.start";
        reading.fault(key,
                      fmt::format("{}: {} could not be bought on {}; expected a day from {} on", label(key),
                                  reading.draft.gpu, sim::to_text(*settings.day), quote->released));
    }
    if (!straight) {
        if (quote == nullptr || !settings.day) {
            reading.fault("cost.model",
                          "value lost with time needs the day of the run and the day the part could "
                          "be bought; expected cost.date or campaign.start, and a part of the "
                          "purchase catalog");
            return;
        }
        own.age = std::max(0.0, hw::years_between(quote->released, sim::to_text(*settings.day)) -
                                    model.delay / (365.25 * hw::kDay));
    }
    settings.ownership = own;
}

/// What owning costs, and of that what is written off in a straight line.
constexpr std::array<std::string_view, 10> kOfOwning{
    "cost.network",         "cost.topology",    "cost.storage",         "cost.facility",
    "cost.lifetime",        "cost.utilisation", "cost.cost_of_capital", "cost.accelerator_price",
    "cost.server_overhead", "cost.power_price"};
constexpr std::span kWrittenOff = std::span(kOfOwning).first<7>();
constexpr std::array<std::string_view, 1> kRent{"campaign.price"};

/// What the scenario gives and the way it prices does not ask for.
void warn_of_idle(Reading& reading, std::span<const std::string_view> paths, std::string_view why) {
    for (const std::string_view path : paths) {
        if (reading.slot(path).given) {
            reading.warn(path, fmt::format("{} changes nothing: {}", label(path), why));
        }
    }
}

std::string what_is_left_out(const CostSettings& settings) {
    const bool research = settings.research > 0.0;
    const bool staff = settings.staff > hw::Usd();
    return research && staff ? "research and staff as the scenario gives them"
           : research        ? "research as the scenario gives it; staff is not in it"
           : staff           ? "staff as the scenario gives it; research is not in it"
                             : "staff and research are not in it";
}

} // namespace

void check_energy(Reading& reading) {
    if (!reading.sound({"cluster.gpu", "energy.pue", "energy.grid", "energy.carbon"})) {
        return;
    }
    Draft& draft = reading.draft;
    const hw::PowerProfile* profile = reading.library.economics.power_of(draft.gpu);
    if (profile != nullptr) {
        Filler filler(reading, "energy", profile->id, profile->citations);
        filler.fill("compute", profile->compute);
        filler.fill("communication", profile->communication);
        filler.fill("idle", profile->idle);
        filler.fill("host", profile->host);
    }
    const EnergyDraft& energy = draft.energy;
    if (!energy.compute || !energy.communication || !energy.idle || !energy.host) {
        if (any_given(reading, "energy") && reading.sound({"energy.compute", "energy.host"})) {
            reading.fault(
                reading.section_place("energy"),
                fmt::format("no power profile lists {}; expected compute, communication, idle and host",
                            draft.gpu));
        }
        return;
    }
    const auto grid = std::ranges::find(reading.library.economics.grids, energy.grid, &hw::Grid::id);
    Filler(reading, "energy", grid->id, grid->citations).fill("carbon", grid->carbon);
    const hw::Watts tdp = reading.library.catalog.find_gpu(draft.gpu)->tdp;
    EnergySettings settings;
    settings.states = {tdp * *energy.compute, tdp * *energy.communication, tdp * *energy.idle, *energy.host,
                       energy.pue};
    settings.carbon = *energy.carbon;
    settings.grid = reading.slot("energy.carbon").given ? "given" : grid->name;
    draft.power = settings;
}

void check_cost(Reading& reading) {
    if (!sound_section(reading, "cluster") ||
        !reading.sound({"cost.model", "cost.date", "campaign.start", "campaign.price", "cost.premiums"})) {
        return;
    }
    Draft& draft = reading.draft;
    if (!draft.cost.model) {
        if (any_given(reading, "cost")) {
            reading.fault(reading.section_place("cost"),
                          fmt::format("missing key 'model' in [cost]; expected \"{}\" or one of {}", kRental,
                                      fmt::join(ids(reading.library.economics.cost_models), ", ")));
        }
        return;
    }
    CostSettings settings;
    settings.level = draft.cost.level;
    settings.day = draft.cost.date ? draft.cost.date : draft.campaign.start;
    settings.premium = premium(reading, settings.day, settings.notes);
    settings.notes.emplace_back("US dollars of each quote's day, not corrected for inflation");
    settings.research = draft.cost.research;
    settings.staff = draft.cost.staff;
    settings.notes.push_back(what_is_left_out(settings));
    if (*draft.cost.model == kRental) {
        settings.title = "rent";
        settings.rent = rent(reading, *reading.library.catalog.find_gpu(draft.gpu));
        warn_of_idle(reading, kOfOwning, "a rent covers what owning costs; expected another cost.model");
    } else {
        const auto& models = reading.library.economics.cost_models;
        const hw::OwnershipModel& model =
            *std::ranges::find(models, *draft.cost.model, &hw::OwnershipModel::id);
        settings.title = model.title;
        check_ownership(reading, model, settings);
        warn_of_idle(reading, kRent,
                     fmt::format("cost.model \"{}\" prices what the cluster costs to own; expected "
                                 "cost.model = \"{}\"",
                                 model.id, kRental));
        if (model.depreciation != hw::Depreciation::straight_line) {
            warn_of_idle(reading, kWrittenOff, fmt::format("cost.model \"{}\" has no such term", model.id));
        }
    }
    draft.money = settings;
}

} // namespace chokepoint::sim::loader
