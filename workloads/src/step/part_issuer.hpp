// SPDX-License-Identifier: Apache-2.0
// Adds the tasks of a block's parts to an action, each on its stream and behind what it needs.
#pragma once

#include "action_tasks.hpp"

#include <array>
#include <string_view>

namespace chokepoint::work {

/// What has to be done before a side can go on.
using Ends = std::vector<LocalId>;

class PartIssuer {
public:
    explicit PartIssuer(WorkTable& works) : works_(works) {}

    /// The tasks of a part: `kernels` is done when its own kernels and all transfers that kernels behind it
    /// need are, `output` when its result exists. Both are `after` if the block lacks the part.
    struct PartEnds {
        Ends kernels, output;
    };
    PartEnds run(const Block&, Part, Side, hw::Occupancy, const Ends& after, Stream stream = Stream::compute);

    /// Members drift apart over the routed work before the transfer's input. Beside compute they go on
    /// drifting while the transfer flies; alone, all compute waits for it, and they start level again.
    Ends transfer(const Block&, TransferKind, std::string_view name, Side, bool beside, const Ends& after);

    /// A layer's activations on their way to the host, behind its forward, or back.
    LocalId host_copy(const Block&, hw::Bytes, Side, const Ends& after);

    /// Begins a pass over a block: the kernels issued for its side from here on are the block's.
    void open_use(const Block&, Side, bool reads_weights);

    /// What the side drifted by up to here counts for its next transfer.
    void note_drift(Side side) { drift_[static_cast<std::size_t>(side)] = since_wait_; }

    /// The tasks, with the last one of every stream.
    ActionTasks take();

private:
    LocalId issue(Stream, TaskKind, Side, const Block&, WorkIndex, std::span<const LocalId> after);
    void note_use(Side, Part, LocalId kernel);
    /// Every micro-batch of a routed block is one draw of the router: its rows set the time of the forward,
    /// or of the backward and the weight gradient together.
    void drift(const Block&, Part, Side, const std::vector<WorkIndex>& runs);

    WorkTable& works_;
    ActionTasks tasks_;
    std::array<std::size_t, 2> use_{}; ///< the block each side is at, in tasks_.uses
    std::array<LocalId, kStreams> last_{};
    Draws since_wait_;           ///< routed compute issued since the members last waited for each other
    std::array<Draws, 2> drift_; ///< since_wait_ as each side's last input gradient or activation was issued
    std::size_t backward_draw_ = 0; ///< the backward's draw in since_wait_
};

} // namespace chokepoint::work
