// SPDX-License-Identifier: Apache-2.0
// Reads parts, caps and sizes given as options.
#include "part_options.hpp"

#include "result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::cli {
namespace {

double quantity_from(std::string_view option, std::string_view text, hw::Dimension dimension) {
    const auto parsed = hw::parse_quantity(text);
    if (!parsed || parsed->dimension != dimension || parsed->base <= 0.0) {
        throw UsageError(fmt::format("{}: '{}' is not {}", option, text, hw::describe(dimension)));
    }
    return parsed->base;
}

} // namespace

hw::Bytes size_from(std::string_view option, const std::string& text) {
    return hw::Bytes(quantity_from(option, text, hw::Dimension::bytes));
}

hw::Caps caps_from(const std::vector<std::string>& texts) {
    hw::Caps caps;
    for (const std::string& text : texts) {
        const auto equals = text.find('=');
        const std::string key = text.substr(0, equals);
        const std::string option = "--cap " + key;
        const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
        const auto bandwidth = [&] {
            return hw::BytesPerSecond(quantity_from(option, value, hw::Dimension::bandwidth));
        };
        if (key == "nvlink") {
            caps.nvlink = bandwidth();
        } else if (key == "nic") {
            caps.nic = bandwidth();
        } else if (key == "memory_bandwidth") {
            caps.memory_bandwidth = bandwidth();
        } else if (key == "tpp") {
            caps.tpp = quantity_from(option, value, hw::Dimension::count);
        } else {
            throw UsageError(fmt::format("--cap: '{}' is no cap; expected nvlink=RATE, nic=RATE, "
                                         "memory_bandwidth=RATE or tpp=NUMBER",
                                         text));
        }
    }
    return caps;
}

hw::Node node_from(const hw::Catalog& catalog, const std::string& part, const hw::Caps& caps) {
    const hw::GpuSpec* gpu = catalog.find_gpu(part);
    if (gpu == nullptr) {
        std::vector<std::string> ids;
        std::ranges::transform(catalog.gpus(), std::back_inserter(ids), &hw::GpuSpec::id);
        throw unknown("part", part, ids);
    }
    const auto node = catalog.usual_node(*gpu);
    if (!node) {
        throw UsageError(
            fmt::format("no node file of the catalog holds {}: say in one how many GPUs and NICs its "
                        "node has",
                        part));
    }
    return hw::apply(caps, *node);
}

hw::Cluster cluster_from(const hw::Catalog& catalog, hw::Node node, int nodes) {
    constexpr std::string_view kFabric = "multi-plane"; // as scenarios default to
    const hw::Fabric fabric = hw::trimmed(catalog.find_fabric(kFabric)->fabric, node);
    return {std::move(node), fabric, nodes};
}

hw::TransferRates rates_from(const std::string& file) {
    if (file.empty()) {
        return hw::load_transfer_rates();
    }
    try {
        return hw::load_transfer_rates(file);
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
}

} // namespace chokepoint::cli
