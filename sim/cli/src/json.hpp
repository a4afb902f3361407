// SPDX-License-Identifier: Apache-2.0
// JSON as this program writes it: keys in the order in which they were added.
#pragma once

#include <nlohmann/json.hpp>

namespace chokepoint::cli {

using Json = nlohmann::ordered_json;

} // namespace chokepoint::cli
