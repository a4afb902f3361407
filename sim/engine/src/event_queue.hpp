// SPDX-License-Identifier: Apache-2.0
// Holds the timers of one simulation: a step has millions, most of them at the same few moments, and
// SimGrid's own queue takes three allocations for each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// Earliest first; those of one date in the order they came.
class EventQueue {
public:
    /// @param callback with captures of at most two pointers it allocates nothing
    void push(double date, std::function<void()> callback) {
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(callbacks_.size()));
            callbacks_.emplace_back();
        }
        callbacks_[free_.back()] = std::move(callback);
        queue_.push({date, ++pushed_, free_.back()});
        free_.pop_back();
    }

    [[nodiscard]] std::optional<double> next() const {
        return queue_.empty() ? std::nullopt : std::optional(queue_.top().date);
    }

    /// Runs the first event, which may push others.
    void run_next() {
        const std::uint32_t slot = queue_.top().slot;
        queue_.pop();
        const std::function<void()> callback = std::move(callbacks_[slot]);
        free_.push_back(slot);
        callback();
    }

private:
    struct Event {
        double date;
        std::uint64_t number;
        std::uint32_t slot;
        bool operator<(const Event& other) const { // std::priority_queue puts the greatest first
            return date > other.date || (date == other.date && number > other.number);
        }
    };
    std::priority_queue<Event> queue_;
    std::vector<std::function<void()>> callbacks_; ///< by slot
    std::vector<std::uint32_t> free_;
    std::uint64_t pushed_ = 0;
};

} // namespace chokepoint::sim
