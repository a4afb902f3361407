// SPDX-License-Identifier: Apache-2.0
// 1F1B: after a warm-up each rank alternates forward and backward, so that stage s holds at most ranks - s
// micro-batches. Source: PipeDream-Flush, Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN
// Training", ICML 2021, section 3.2.
#include "orders.hpp"

#include <algorithm>

namespace chokepoint::work {

std::string fault_1f1b(const ScheduleSize& size) { return fault_of_size("1f1b", size, 1); }

Schedule order_1f1b(const ScheduleSize& size) {
    refuse(fault_1f1b(size));
    Schedule schedule = empty_schedule("1f1b", size, loop_hosts(size.ranks, 1));
    for (int rank = 0; rank < size.ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        const int warm_up = std::min(size.ranks - 1 - rank, size.micro_batches);
        for (int mb = 0; mb < warm_up; ++mb) {
            order.push_back(forward(rank, mb));
        }
        for (int mb = warm_up; mb < size.micro_batches; ++mb) {
            order.push_back(forward(rank, mb));
            order.push_back(backward(ActionKind::backward, rank, mb - warm_up));
        }
        for (int mb = size.micro_batches - warm_up; mb < size.micro_batches; ++mb) {
            order.push_back(backward(ActionKind::backward, rank, mb));
        }
    }
    return schedule;
}

} // namespace chokepoint::work
