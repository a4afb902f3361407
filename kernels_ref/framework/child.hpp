// SPDX-License-Identifier: Apache-2.0
// A worker process and its lines; nothing here waits longer than it is told to, whatever the driver does.
#pragma once

#include "framework/worker.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace chokepoint::kref {

/// How a worker is run; tests replace the GPU by a function.
using WorkFunction = std::function<void(const WorkOrder&, const Emit&)>;

class Child {
public:
    /// @throws std::runtime_error if the system has no pipe or process to give.
    Child(const WorkOrder&, const WorkFunction&);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    enum class Read { line, closed, silent, stopped };
    Read next(std::string& line, Seconds patience);
    /// "signal 9" or "exit status 1" if the process ends in time.
    std::optional<std::string> end_within(Seconds most);
    /// Sends SIGKILL. The process, unless it is gone already: while the driver tears its context down it may
    /// stay.
    std::optional<pid_t> kill();

private:
    pid_t process_ = 0;
    int input_ = -1;
    std::string buffer_;
};

/// Waits for a child process; its status once it is gone.
std::optional<int> reap(pid_t, Seconds most);

/// From now on SIGTERM and SIGINT end a supervised phase with what it has, instead of the process.
void stop_on_signals();
bool told_to_stop();
/// Returns early when told to stop.
void pause_for(Seconds);

} // namespace chokepoint::kref
