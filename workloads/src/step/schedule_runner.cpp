// SPDX-License-Identifier: Apache-2.0
// Takes each rank as far as its inputs allow, round and round.
#include "schedule_runner.hpp"

#include "../schedules/orders.hpp"

#include <algorithm>

namespace chokepoint::work {
namespace {

/// What each stage has produced for each micro-batch so far.
class Products {
public:
    explicit Products(const Schedule& s)
        : micro_batches_(s.micro_batches),
          tasks_(static_cast<std::size_t>(s.stages * s.micro_batches)) {}
    std::vector<TaskId>& at(Stage stage, int micro_batch) {
        return tasks_[static_cast<std::size_t>(index(stage) * micro_batches_ + micro_batch)];
    }

private:
    int micro_batches_;
    std::vector<std::vector<TaskId>> tasks_;
};

class ScheduleRunner {
public:
    ScheduleRunner(const Schedule& schedule, const std::vector<Blocks>& stages, StepBuilder& builder)
        : schedule_(schedule),
          stages_(stages),
          builder_(builder),
          forwards_(schedule),
          gradients_(schedule) {
        int streams = 1;
        for (const Blocks& blocks : stages) {
            streams += static_cast<int>(std::ranges::count(blocks, BlockKind::mtp_projection, &Block::kind));
            streams_.push_back(streams);
        }
    }

    void run() {
        std::vector<std::size_t> done(schedule_.order.size(), 0);
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t rank = 0; rank < done.size(); ++rank) {
                while (done[rank] < schedule_.order[rank].size() &&
                       run_if_ready(Rank{static_cast<int>(rank)}, schedule_.order[rank][done[rank]])) {
                    ++done[rank];
                    moved = true;
                }
            }
        }
    }

private:
    /// False if an input does not exist yet.
    bool run_if_ready(Rank rank, const Action& action) {
        std::vector<TaskId> inputs;
        std::vector<StepBuilder::Send> sends;
        const Stage f = action.forward_stage;
        const Stage b = action.backward_stage;
        if (runs_forward(action.kind)) {
            if (index(f) > 0 &&
                !collect(forwards_.at(Stage{index(f) - 1}, action.forward_micro_batch), inputs)) {
                return false;
            }
            if (index(f) + 1 < schedule_.stages) {
                send(Side::forward, rank, f, Stage{index(f) + 1}, action.forward_micro_batch, sends);
            }
        }
        if (runs_input_gradient(action.kind)) {
            if (index(b) + 1 < schedule_.stages &&
                !collect(gradients_.at(Stage{index(b) + 1}, action.backward_micro_batch), inputs)) {
                return false;
            }
            if (index(b) > 0) {
                send(Side::backward, rank, b, Stage{index(b) - 1}, action.backward_micro_batch, sends);
            }
        }
        const auto outputs = builder_.run(rank, action, blocks(f), blocks(b), inputs, sends);
        if (runs_forward(action.kind)) {
            forwards_.at(f, action.forward_micro_batch) = outputs.forward;
        }
        if (runs_input_gradient(action.kind)) {
            gradients_.at(b, action.backward_micro_batch) = outputs.backward;
        }
        return true;
    }

    static bool collect(const std::vector<TaskId>& product, std::vector<TaskId>& inputs) {
        inputs.insert(inputs.end(), product.begin(), product.end());
        return !product.empty();
    }
    void send(Side side, Rank from, Stage stage, Stage to, int micro_batch,
              std::vector<StepBuilder::Send>& sends) const {
        if (const Rank host = schedule_.host(to, micro_batch); host != from) {
            const Stage boundary = std::min(stage, to);
            sends.push_back({side, host, streams_[static_cast<std::size_t>(index(boundary))]});
        }
    }
    [[nodiscard]] const Blocks& blocks(Stage stage) const {
        return stages_[static_cast<std::size_t>(index(stage))];
    }

    const Schedule& schedule_;
    const std::vector<Blocks>& stages_;
    StepBuilder& builder_;
    /// Behind each stage: the hidden states of a token that the head will want, the MTP modules' among them.
    std::vector<int> streams_;
    Products forwards_, gradients_;
};

} // namespace

void run_schedule(const Schedule& schedule, const std::vector<Blocks>& stages, StepBuilder& builder) {
    ScheduleRunner(schedule, stages, builder).run();
}

} // namespace chokepoint::work
