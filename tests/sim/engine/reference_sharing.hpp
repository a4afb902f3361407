// SPDX-License-Identifier: Apache-2.0
// Max-min sharing written down a second time, slowly and without SimGrid, to hold the engine against.
#pragma once

#include "step_builder.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace chokepoint::test {

/// Finish times of a step in plain seconds: the textbook's progressive filling between any two events.
class ReferenceSharing {
public:
    explicit ReferenceSharing(const StepBuilder& step)
        : step_(step),
          waiting_(step.parts().tasks.size(), 0),
          finish_(waiting_.size(), 0.0) {
        for (const auto& edge : step.parts().edges) {
            ++waiting_[edge.second];
        }
    }

    std::vector<double> run() {
        std::vector<work::TaskId> roots;
        for (work::TaskId task = 0; task < waiting_.size(); ++task) {
            if (waiting_[task] == 0) {
                roots.push_back(task);
            }
        }
        for (const work::TaskId root : roots) {
            start(root);
        }
        while (!timers_.empty() || !flows_.empty()) {
            share();
            advance(next_event());
        }
        return finish_;
    }

private:
    struct Timer {
        double date;
        work::TaskId task;
        bool flows_follow;
    };
    struct Flow {
        work::TaskId task;
        std::size_t out, in;
        double cap, left, rate;
    };

    [[nodiscard]] const hw::TransferShape& shape(const work::Task& task) const {
        return step_.costs().transfer[static_cast<std::size_t>(task.work)];
    }

    void start(work::TaskId id) {
        const work::Task& task = step_.parts().tasks[id];
        const auto work = static_cast<std::size_t>(task.work);
        if (task.kind == work::TaskKind::marker) {
            end(id);
        } else if (task.kind == work::TaskKind::compute) {
            timers_.push_back({now_ + step_.costs().compute[work].value(), id, false});
        } else {
            const hw::Seconds delay = step_.costs().straggler_wait[work] + shape(task).latency;
            timers_.push_back({now_ + delay.value(), id, true});
        }
    }

    void start_flows(work::TaskId id) {
        const work::Task& task = step_.parts().tasks[id];
        const bool pipeline =
            step_.parts().transfers[static_cast<std::size_t>(task.work)].kind == work::TransferKind::pipeline;
        for (const hw::PortFlow& flow : shape(task).flows) {
            if (flow.bytes.value() > 0.0) {
                ++waiting_[id];
                flows_.push_back({id, link(task.rank, flow.port, 0),
                                  link(pipeline ? task.peer : task.rank, flow.port, 1), flow.rate_cap.value(),
                                  flow.bytes.value(), 0.0});
            }
        }
        if (waiting_[id] == 0) {
            end(id);
        }
    }

    void end(work::TaskId id) {
        finish_[id] = now_;
        for (const auto& [before, after] : step_.parts().edges) {
            if (before == id && --waiting_[after] == 0) {
                start(after);
            }
        }
    }

    static std::size_t link(int rank, hw::Port port, int direction) {
        return static_cast<std::size_t>(4 * rank + 2 * static_cast<int>(port) + direction);
    }

    [[nodiscard]] double capacity(std::size_t link) const {
        return (link / 2 % 2 == static_cast<std::size_t>(hw::Port::nvlink) ? step_.costs().nvlink
                                                                           : step_.costs().nic)
            .value();
    }

    /// Raises all rates together; who meets a limit stays there.
    void share() {
        const std::size_t links = 4 * static_cast<std::size_t>(step_.parts().ranks);
        std::vector<double> left(links);
        for (std::size_t l = 0; l < links; ++l) {
            left[l] = capacity(l);
        }
        std::vector<Flow*> open;
        for (Flow& flow : flows_) {
            open.push_back(&flow);
        }
        while (!open.empty()) {
            std::vector<int> users(links, 0);
            for (const Flow* flow : open) {
                ++users[flow->out];
                ++users[flow->in];
            }
            const auto limit = [&](const Flow& flow) {
                return std::min({flow.cap, left[flow.out] / users[flow.out], left[flow.in] / users[flow.in]});
            };
            const auto tightest =
                std::min_element(open.begin(), open.end(),
                                 [&](const Flow* a, const Flow* b) { return limit(*a) < limit(*b); });
            Flow& fixed = **tightest;
            fixed.rate = limit(fixed);
            left[fixed.out] -= fixed.rate;
            left[fixed.in] -= fixed.rate;
            open.erase(tightest);
        }
    }

    [[nodiscard]] double next_event() const {
        double next = std::numeric_limits<double>::infinity();
        for (const Timer& timer : timers_) {
            next = std::min(next, timer.date);
        }
        for (const Flow& flow : flows_) {
            next = std::min(next, now_ + flow.left / flow.rate);
        }
        return next;
    }

    void advance(double date) {
        constexpr double kSame = 1e-12;
        for (Flow& flow : flows_) {
            flow.left -= flow.rate * (date - now_);
        }
        now_ = date;
        std::vector<work::TaskId> ended;
        std::erase_if(flows_, [&](const Flow& flow) {
            const bool done = flow.left <= flow.rate * kSame;
            if (done) {
                ended.push_back(flow.task);
            }
            return done;
        });
        std::vector<Timer> due;
        std::erase_if(timers_, [&](const Timer& timer) {
            const bool done = timer.date <= date + kSame;
            if (done) {
                due.push_back(timer);
            }
            return done;
        });
        for (const work::TaskId task : ended) {
            if (--waiting_[task] == 0) {
                end(task);
            }
        }
        for (const Timer& timer : due) {
            timer.flows_follow ? start_flows(timer.task) : end(timer.task);
        }
    }

    const StepBuilder& step_;
    std::vector<int> waiting_; ///< predecessors, then flows
    std::vector<double> finish_;
    std::vector<Timer> timers_;
    std::vector<Flow> flows_;
    double now_ = 0.0;
};

} // namespace chokepoint::test
