// SPDX-License-Identifier: Apache-2.0
// The only place where our units become SimGrid's bare numbers, and where its clock becomes ours.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace chokepoint::sim::to_simgrid {

/// SimGrid counts payload in whole units. Our flows carry fractions of a byte, so its unit is 1/256 byte: a
/// power of two, which scales sizes and rates without rounding.
inline constexpr double kUnitsPerByte = 256.0;

/// Stands for an unlimited port: no flow is slowed by it, and shares of it stay finite.
inline constexpr double kUnlimited = 1e24;

inline double seconds(hw::Seconds time) { return time.value(); }
inline hw::Seconds duration(double seconds) { return hw::Seconds(seconds); }

inline double bandwidth(hw::BytesPerSecond rate) {
    return std::min(rate.value(), kUnlimited) * kUnitsPerByte;
}

/// At least one unit: SimGrid never starts an empty flow.
inline std::uint64_t payload(hw::Bytes bytes) {
    return static_cast<std::uint64_t>(std::max(1LL, std::llround(bytes.value() * kUnitsPerByte)));
}

} // namespace chokepoint::sim::to_simgrid
