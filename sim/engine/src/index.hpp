// SPDX-License-Identifier: Apache-2.0
// Where something counted from 0 lies in a vector.
#pragma once

#include <cstddef>

namespace chokepoint::sim {

constexpr std::size_t index(int i) { return static_cast<std::size_t>(i); }

} // namespace chokepoint::sim
