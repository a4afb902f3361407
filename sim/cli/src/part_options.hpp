// SPDX-License-Identifier: Apache-2.0
// A cluster named on the command line: a catalog part, caps on it and a number of GPUs.
#pragma once

#include "commands.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::cli {

/// That scenarios take where they name none.
inline constexpr std::string_view kDefaultFabric = "multi-plane";

/// "512MiB", "1 GB". @throws UsageError naming the option.
hw::Bytes size_from(std::string_view option, const std::string& text);

/// "nvlink=200GB/s", "nic=200 Gb/s", "memory_bandwidth=2 TB/s", "fp64=1 TFLOPS", "tpp=4800".
/// @throws UsageError for the first that is none.
hw::Caps caps_from(const std::vector<std::string>& texts);

/// The part in its usual node, with the caps applied. @throws UsageError for an unknown part or one without
/// node.
hw::Node node_from(const hw::Catalog&, const std::string& part, const hw::Caps&);

/// On a fabric of the catalog. @throws UsageError for an unknown one, or one that cannot join the nodes.
hw::Cluster cluster_from(const hw::Catalog&, hw::Node, int nodes, const std::string& fabric);

/// Of the first `per_node` GPUs of every node from each other; nothing within one node.
std::optional<hw::Distance> distance_in(const hw::Cluster&, int per_node);

/// Estimates among the figures that transfers on the cluster rest on, by entry of the catalog.
std::vector<std::string> transfer_estimates(const hw::Catalog&, const hw::Cluster&, const hw::Caps&,
                                            const std::string& fabric);

/// The shipped rates, or those of a file. @throws UsageError with the file's faults.
hw::TransferRates rates_from(const std::string& file);

} // namespace chokepoint::cli
