// SPDX-License-Identifier: Apache-2.0
// GPipe: all forwards, then all backwards, so that every micro-batch is held at once. Sources: Huang et al.,
// arXiv 1811.06965, section 2.3; backwards in the order of the forwards as in Narayanan et al., arXiv
// 2104.04473, figure 3.
#include "orders.hpp"

namespace chokepoint::work {

std::string fault_gpipe(const ScheduleSize& size) { return fault_of_size("gpipe", size, 1); }

Schedule order_gpipe(const ScheduleSize& size) {
    refuse(fault_gpipe(size));
    Schedule schedule = empty_schedule("gpipe", size, loop_hosts(size.ranks, 1));
    for (int rank = 0; rank < size.ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        for (int mb = 0; mb < size.micro_batches; ++mb) {
            order.push_back(forward(rank, mb));
        }
        for (int mb = 0; mb < size.micro_batches; ++mb) {
            order.push_back(backward(ActionKind::backward, rank, mb));
        }
    }
    return schedule;
}

} // namespace chokepoint::work
