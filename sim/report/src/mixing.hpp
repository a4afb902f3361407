// SPDX-License-Identifier: Apache-2.0
// Numbers that look random and are the same everywhere.
#pragma once

#include <cstdint>

namespace chokepoint::sim {

/// SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA
/// 2014): its output is fixed, unlike that of the standard library's distributions.
inline std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

} // namespace chokepoint::sim
