// SPDX-License-Identifier: Apache-2.0
// 1F1B: after a warm-up each rank alternates forward and backward, so that stage s holds at most ranks - s
// micro-batches. Source: PipeDream-Flush, Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN
// Training", ICML 2021, section 3.2.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::work {

std::string fault_1f1b(const ScheduleSize& size) {
    ScheduleSize plain = size;
    plain.pairs = false;
    if (size.pairs && size.ranks > 1) {
        // Megatron-Core asks for virtual stages too: each rank would wait for its neighbour's whole pair.
        return fmt::format("1f1b: pairs of a forward and a backward on {} pipeline ranks; expected 1, or "
                           "interleaved-1f1b",
                           size.ranks);
    }
    return fault_of_size("1f1b", plain, 1);
}

Schedule order_1f1b(const ScheduleSize& size) {
    refuse(fault_1f1b(size));
    Schedule schedule = empty_schedule("1f1b", size, loop_hosts(size.ranks, 1));
    for (int rank = 0; rank < size.ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        const int warm_up = std::min(size.ranks - 1 - rank + (size.pairs ? 1 : 0), size.micro_batches);
        for (int mb = 0; mb < warm_up; ++mb) {
            order.push_back(forward(rank, mb));
        }
        for (int mb = warm_up; mb < size.micro_batches; ++mb) {
            const Action ahead = forward(rank, mb);
            const Action back = backward(ActionKind::backward, rank, mb - warm_up);
            if (size.pairs) {
                order.push_back(overlapped(ahead, back));
            } else {
                order.insert(order.end(), {ahead, back});
            }
        }
        for (int mb = size.micro_batches - warm_up; mb < size.micro_batches; ++mb) {
            order.push_back(backward(ActionKind::backward, rank, mb));
        }
    }
    return schedule;
}

} // namespace chokepoint::work
