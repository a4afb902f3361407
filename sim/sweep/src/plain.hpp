// SPDX-License-Identifier: Apache-2.0
// The number of a figure, in its SI unit.
#pragma once

#include <type_traits>

namespace chokepoint::sim {

template <class Figure> double plain(const Figure& figure) {
    if constexpr (std::is_same_v<Figure, double>) {
        return figure;
    } else {
        return figure.value();
    }
}

} // namespace chokepoint::sim
