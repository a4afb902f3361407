// SPDX-License-Identifier: Apache-2.0
// Names the figures that rest on an estimate, so that every report can say so in the same words.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chokepoint::hw {

/// "h800-sxm: dense_peak.fp32, memory": those of `fields` that `citations` mark as estimates; nothing if none
/// is.
std::optional<std::string> estimates_among(const std::string& entry,
                                           const std::map<std::string, Citation>& citations,
                                           std::vector<std::string> fields);

} // namespace chokepoint::hw
