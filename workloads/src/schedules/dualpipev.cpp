// SPDX-License-Identifier: Apache-2.0
// DualPipeV: DualPipe cut in half. Its ranks are the first half of a DualPipe of twice the ranks; what the
// other half would send them, they send themselves, so that the two directions become one V through two
// stages on each rank. Sources: github.com/deepseek-ai/DualPipe, dualpipe/dualpipev.py, and its README.
#include "orders.hpp"

#include <fmt/format.h>

namespace chokepoint::work {

std::string fault_dualpipev(const ScheduleSize& size) { return fault_of_size("dualpipev", size, 2); }

Schedule order_dualpipev(const ScheduleSize& size) {
    refuse(fault_dualpipev(size));
    Schedule whole = order_dualpipe({.ranks = 2 * size.ranks, .micro_batches = 2 * size.micro_batches});
    Schedule schedule = empty_schedule("dualpipev", size, v_hosts(size.ranks));
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        schedule.order[rank] = std::move(whole.order[rank]);
        for (Action& action : schedule.order[rank]) {
            // The second half of the numbers is DualPipe's other direction.
            for (int* mb : {&action.forward_micro_batch, &action.backward_micro_batch}) {
                *mb -= *mb >= size.micro_batches ? size.micro_batches : 0;
            }
        }
    }
    if (!whole.note.empty()) {
        schedule.note =
            fmt::format("{} micro-batches are fewer than the {} that DualPipeV's published order "
                        "needs on {} ranks: it runs that order with the first {} left out",
                        size.micro_batches, 2 * size.ranks, size.ranks, 2 * size.ranks - size.micro_batches);
    }
    return schedule;
}

} // namespace chokepoint::work
