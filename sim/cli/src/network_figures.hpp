// SPDX-License-Identifier: Apache-2.0
// What `show` says of nodes, links and fabrics, and of a fabric with a cluster plugged in.
#pragma once

#include "commands.hpp"
#include "figures.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <vector>

namespace chokepoint::cli {

std::vector<Figure> node_figures(const hw::NodeEntry&);
std::vector<Figure> link_figures(const hw::LinkEntry&);
/// @throws UsageError if the GPUs of `plugged` do not fill their nodes, or the fabric cannot join them.
std::vector<Figure> fabric_figures(const hw::FabricEntry&, const hw::Catalog&, const PluggedIn& plugged);

} // namespace chokepoint::cli
