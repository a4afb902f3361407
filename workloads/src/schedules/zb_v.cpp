// SPDX-License-Identifier: Apache-2.0
// ZB-V: two stages on each rank, laid down the ranks and back up, and every backward split, so that with
// even passes no rank idles between its first forward and its last weight gradient, in 1F1B's memory.
// Sources: Qi et al., arXiv 2401.10241, section 6 and figure 6; the same order as V-ZB of arXiv 2405.15362.
#include "orders.hpp"

#include <algorithm>

namespace chokepoint::work {

namespace {

/// One of a rank's two stages, and how far it has come.
struct Chunk {
    int stage = 0;
    int forwards = 0, inputs = 0, weights = 0;
};

class RankOrder {
public:
    RankOrder(int rank, int ranks) : rank_(rank), ranks_(ranks), down_{rank}, up_{2 * ranks - 1 - rank} {}

    std::vector<Action> make(int micro_batches) {
        warm_up();
        while (up_.forwards < down_.forwards || down_.forwards < micro_batches) {
            if (down_.forwards < micro_batches) {
                run_forward(down_);
            }
            run_backward(down_);
            run_forward(up_);
            run_backward(up_);
        }
        cool_down();
        return std::move(order_);
    }

private:
    void run_forward(Chunk& chunk) { order_.push_back(forward(chunk.stage, chunk.forwards++)); }
    void run_input(Chunk& chunk) {
        order_.push_back(backward(ActionKind::input_backward, chunk.stage, chunk.inputs++));
    }
    void run_weight(Chunk& chunk) {
        order_.push_back(backward(ActionKind::weight_backward, chunk.stage, chunk.weights++));
    }
    void run_backward(Chunk& chunk) {
        run_input(chunk);
        run_weight(chunk);
    }

    void warm_up() {
        for (int i = 0; i < 2 * (ranks_ - rank_) - 1; ++i) {
            run_forward(down_);
        }
        for (int i = 0; i < rank_; ++i) {
            run_forward(up_);
            run_forward(down_);
        }
        for (int i = 0; i < ranks_ - rank_; ++i) {
            run_forward(up_);
            run_backward(up_);
        }
    }

    /// Weight gradients that wait from here on fill what would be the last bubble.
    void cool_down() {
        for (int i = 0; i < rank_; ++i) {
            run_input(down_);
            run_input(up_);
        }
        for (int i = 0; i < ranks_ - rank_; ++i) {
            run_backward(down_);
        }
        for (Chunk* chunk : {&up_, &down_}) {
            while (chunk->weights < chunk->inputs) {
                run_weight(*chunk);
            }
        }
    }

    int rank_, ranks_;
    Chunk down_, up_;
    std::vector<Action> order_;
};

int micro_batch(const Action& action) {
    return runs_forward(action.kind) ? action.forward_micro_batch : action.backward_micro_batch;
}

} // namespace

std::string fault_zb_v(const ScheduleSize& size) { return fault_of_size("zb-v", size, 2); }

Schedule order_zb_v(const ScheduleSize& size) {
    refuse(fault_zb_v(size));
    Schedule schedule = empty_schedule("zb-v", size, v_hosts(size.ranks));
    // With fewer micro-batches than the warm-up wants, the order of enough of them without the last ones:
    // leaving actions out of a sound order cannot deadlock it.
    const int enough = std::max(2 * size.ranks - 1, size.micro_batches);
    for (int rank = 0; rank < size.ranks; ++rank) {
        auto& order = schedule.order[static_cast<std::size_t>(rank)];
        order = RankOrder(rank, size.ranks).make(enough);
        std::erase_if(order, [&](const Action& a) { return micro_batch(a) >= size.micro_batches; });
    }
    return schedule;
}

} // namespace chokepoint::work
