// SPDX-License-Identifier: Apache-2.0
// Figures of a catalog file: a value with its source, read alike for parts, nodes, links, fabrics and prices.
#pragma once

#include "data_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

namespace chokepoint::hw {

using Citations = std::map<std::string, Citation>;

/// A figure is a table of `value`, `source`, `date` and, where no good source exists, `estimate = true`.
Section read_citation(DataFile&, const Section& parent, std::string_view key, Citations&);
double read_figure(DataFile&, const Section& parent, std::string_view key, Dimension, Citations&);
int read_count(DataFile&, const Section& parent, std::string_view key, Citations&);

LinkEntry read_link(DataFile&);
FabricEntry read_fabric(DataFile&);
/// Latencies that fabrics leave to their link.
void fill_latencies(FabricEntry&, const LinkEntry&);

} // namespace chokepoint::hw
