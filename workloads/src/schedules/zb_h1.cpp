// SPDX-License-Identifier: Apache-2.0
// ZB-H1: 1F1B whose weight gradients wait, on rank r for r micro-batches, and fill the bubble; no rank holds
// more than 1F1B's first rank. Source: Qi et al., arXiv 2401.10241, section 2.1 and figure 2 (top).
#include "orders.hpp"

#include <algorithm>

namespace chokepoint::work {

std::string fault_zb_h1(const ScheduleSize& size) { return fault_of_size("zb-h1", size, 1); }

Schedule order_zb_h1(const ScheduleSize& size) {
    refuse(fault_zb_h1(size));
    Schedule schedule = empty_schedule("zb-h1", size, loop_hosts(size.ranks, 1));
    const int count = size.micro_batches;
    for (int rank = 0; rank < size.ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        const int warm_up = std::min(size.ranks - 1 - rank, count);
        int weights = 0;
        for (int i = 0; i < count + warm_up; ++i) {
            if (i < count) {
                order.push_back(forward(rank, i));
            }
            if (i >= warm_up) {
                const int mb = i - warm_up;
                order.push_back(backward(ActionKind::input_backward, rank, mb));
                if (mb >= rank) {
                    order.push_back(backward(ActionKind::weight_backward, rank, weights++));
                }
            }
        }
        while (weights < count) {
            order.push_back(backward(ActionKind::weight_backward, rank, weights++));
        }
    }
    return schedule;
}

} // namespace chokepoint::work
