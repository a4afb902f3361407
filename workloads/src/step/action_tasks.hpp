// SPDX-License-Identifier: Apache-2.0
// The tasks inside one action of a rank, made once per (kind, stages) and copied for every micro-batch.
#pragma once

#include "work_table.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace chokepoint::work {

/// Numbers within one action: 0 is its entry marker, the tasks follow from 1.
using LocalId = std::uint32_t;
constexpr LocalId kEntry = 0;

enum class Side : std::uint8_t { forward, backward };

struct ActionTasks {
    struct Entry {
        Task task; ///< rank, micro-batch and action are filled in when copied
        Side side = Side::forward;
    };
    /// One pass over a block, forward or backward.
    struct Use {
        Block block;
        Side side = Side::forward;
        bool reads_weights = false;    ///< not for weight gradients alone
        LocalId first = kEntry;        ///< its first kernel; kEntry if it has none
        LocalId last = kEntry;         ///< its last kernel
        LocalId weights_done = kEntry; ///< its last weight gradient; kEntry if it computes none
    };
    std::vector<Entry> tasks; ///< in issue order; local number = position + 1
    std::vector<std::pair<LocalId, LocalId>> edges;
    std::vector<Use> uses;     ///< in issue order
    std::vector<LocalId> last; ///< the last task of every stream used: the action is over when these are
    std::vector<LocalId> forward_output;  ///< all done when the next stage's input exists
    std::vector<LocalId> backward_output; ///< all done when the gradient for the previous stage exists
};

/// Tasks of a stage's forward and another's backward, or of one of them: `kind` says which blocks are used.
/// An overlapped action interleaves layer by layer, in the order of DeepSeek's published profile of such a
/// pair, unless plan.overlap is false.
ActionTasks action_tasks(ActionKind kind, std::span<const Block> forward_blocks,
                         std::span<const Block> backward_blocks, const ParallelPlan&, WorkTable&);

} // namespace chokepoint::work
