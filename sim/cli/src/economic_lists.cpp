// SPDX-License-Identifier: Apache-2.0
// One line for each way to count costs, premium, grid and record of failures.
#include "economic_lists.hpp"

#include <fmt/format.h>

namespace chokepoint::cli {

std::vector<Entry> list_costs(const hw::Economics& economics) {
    std::vector<Entry> entries{{"rental", "rent by the price history of the part, or campaign.price"}};
    for (const hw::OwnershipModel& model : economics.cost_models) {
        entries.push_back({model.id, model.title});
    }
    return entries;
}

std::vector<Entry> list_networks(const hw::Economics& economics) {
    std::vector<Entry> entries;
    const hw::NetworkCosts& table = economics.networks;
    for (const hw::NetworkCost& row : table.rows) {
        const hw::Usd priced = hw::network_cost(table.prices, row.endpoints, row.links);
        entries.push_back(
            {row.topology,
             fmt::format(
                 "{} NICs, {} switches, {} cables between them: {:.0f} USD for each NIC; at {:.0f} USD "
                 "a NIC and {:.0f} USD a cable {:+.1f}%",
                 hw::group_digits(row.endpoints), hw::group_digits(row.switches), hw::group_digits(row.links),
                 row.cost.value() / row.endpoints, table.prices.endpoint.value(), table.prices.link.value(),
                 100.0 * (priced / row.cost - 1.0))});
    }
    return entries;
}

std::vector<Entry> list_premiums(const hw::Economics& economics) {
    std::vector<Entry> entries;
    for (const hw::Premium& premium : economics.premiums) {
        entries.push_back({premium.id, fmt::format("{:.0f}% from {}: {}", 100.0 * premium.share,
                                                   premium.since, premium.title)});
    }
    return entries;
}

std::vector<Entry> list_grids(const hw::Economics& economics) {
    constexpr double kKilowattHour = 3.6e6; // joules
    std::vector<Entry> entries;
    for (const hw::Grid& grid : economics.grids) {
        entries.push_back(
            {grid.id, fmt::format("{}: {:.3f} kg/kWh ({})", grid.name, grid.carbon.value() * kKilowattHour,
                                  grid.citations.at("carbon").date)});
    }
    return entries;
}

std::vector<Entry> list_failures(const hw::Economics& economics) {
    std::vector<Entry> entries;
    for (const hw::FailureRecord& record : economics.failures) {
        entries.push_back({record.id, fmt::format("{}: one failure of a GPU in {} h", record.title,
                                                  hw::group_digits(record.gpu_mtbf / hw::kHour))});
    }
    return entries;
}

} // namespace chokepoint::cli
