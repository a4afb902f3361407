// SPDX-License-Identifier: Apache-2.0
// 1F1B: after a warm-up each rank alternates forward and backward, so that stage s holds at most ranks - s
// micro-batches. Source: PipeDream-Flush, Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN
// Training", ICML 2021, section 3.2.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::work {

std::string fault_1f1b(int ranks, int micro_batches) {
    if (ranks < 1) {
        return fmt::format("1f1b: {} pipeline ranks; expected at least 1", ranks);
    }
    if (micro_batches < 1) {
        return fmt::format("1f1b: {} micro-batches; expected at least 1", micro_batches);
    }
    return {};
}

Schedule order_1f1b(int ranks, int micro_batches) {
    if (const std::string fault = fault_1f1b(ranks, micro_batches); !fault.empty()) {
        throw std::invalid_argument(fault);
    }
    Schedule schedule = empty_schedule("1f1b", ranks, micro_batches);
    for (int rank = 0; rank < ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        const int warm_up = std::min(ranks - 1 - rank, micro_batches);
        for (int mb = 0; mb < warm_up; ++mb) {
            order.push_back(forward(rank, mb));
        }
        for (int mb = warm_up; mb < micro_batches; ++mb) {
            order.push_back(forward(rank, mb));
            order.push_back(backward(ActionKind::backward, rank, mb - warm_up));
        }
        for (int mb = micro_batches - warm_up; mb < micro_batches; ++mb) {
            order.push_back(backward(ActionKind::backward, rank, mb));
        }
    }
    return schedule;
}

} // namespace chokepoint::work
