// SPDX-License-Identifier: Apache-2.0
// Processes that work through tasks one at a time, since SimGrid allows one simulation at a time in each: a
// task that ends its process takes no other with it.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

struct Answer {
    std::size_t task = 0;
    std::string text;
    std::string failure; ///< why there is no text: "the process ended by signal 11 (Segmentation fault)"
};

class Workers {
public:
    virtual ~Workers() = default;
    /// How many there are, busy or not.
    [[nodiscard]] virtual int count() const = 0;
    /// How many wait for a task.
    [[nodiscard]] virtual int idle() const = 0;
    /// Hands a task to an idle one. @throws std::logic_error if there is none
    virtual void start(std::size_t task, std::string_view text) = 0;
    /// Waits until a task is answered, a signal arrives or the time is over.
    virtual std::vector<Answer> wait(std::chrono::milliseconds longest) = 0;
};

struct WorkerLimits {
    std::optional<hw::Seconds> time_out; ///< of a task; its process is killed and another started
    std::optional<hw::Bytes> memory;     ///< of a process, beyond its program
};

/// What a worker answers to the text of a task; what it throws is the task's failure.
using Work = std::function<std::string(std::string_view)>;

/// Child processes of this one, with all that it holds in memory. They end with it.
/// @throws std::system_error if they cannot be started
std::unique_ptr<Workers> process_workers(int count, Work, WorkerLimits = {});

/// As many as this machine has cores.
int cores();

} // namespace chokepoint::sim
