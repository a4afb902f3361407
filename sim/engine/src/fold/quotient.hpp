// SPDX-License-Identifier: Apache-2.0
// Groups and links as the classes of a partition see them: one for each kind of block that occurs.
#pragma once

#include "partition.hpp"

namespace chokepoint::sim::folding {

/// Blocks that hold equally many of each class, as one.
struct BlockClass {
    struct Part {
        int gpu_class = 0;
        int gpus = 0; ///< of the class, in each block
    };
    int block = 0; ///< one of them
    std::vector<Part> parts;
    [[nodiscard]] int gpus_of(int gpu_class) const;
};

struct Quotient {
    std::vector<int> of; ///< by GPU class; kNone: in no block
    std::vector<BlockClass> blocks;
};

Quotient quotient(const Blocks&, const Partition&);

/// Ports, rails and uplinks of each class. Where a link carries every class with a multiple of some number,
/// it stands for one of a fraction of its capacity that carries each class less often.
Network quotient_network(const Relations&, const Uplinks&, const Conditions&, const Partition&);

} // namespace chokepoint::sim::folding
