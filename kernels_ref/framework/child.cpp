// SPDX-License-Identifier: Apache-2.0
// fork, a pipe of lines, and waits with an end.
#include "framework/child.hpp"

#include "framework/cuda_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace chokepoint::kref {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kGpuErrorStatus = 3;
constexpr Seconds kPoll{0.01}; // waitpid has no time limit of its own

volatile std::sig_atomic_t stop_signal_seen = 0;

void write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return; // nobody reads any more
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
}

/// The child's whole life.
int run_child(const WorkOrder& order, const WorkFunction& function, int pipe_end) {
    const Emit emit = [&](const std::string& line) { write_all(pipe_end, line + "\n"); };
    try {
        function(order, emit);
        return 0;
    } catch (const NoDevice& e) {
        emit("absent\t" + one_line(e.what()));
    } catch (const std::exception& e) {
        emit("fatal\t" + one_line(e.what()));
    }
    return kGpuErrorStatus;
}

} // namespace

Child::Child(const WorkOrder& order, const WorkFunction& function) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    process_ = fork();
    if (process_ < 0) {
        throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));
    }
    if (process_ == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a worker without a supervisor would keep the device
        std::signal(SIGTERM, SIG_DFL);
        std::signal(SIGINT, SIG_DFL);
        _exit(run_child(order, function, ends[1])); // the parent's destructors are the parent's
    }
    close(ends[1]);
    input_ = ends[0];
}

Child::~Child() {
    close(input_);
    kill();
}

Child::Read Child::next(std::string& line, Seconds patience) {
    const auto deadline = Clock::now() + patience;
    while (true) {
        if (const std::size_t newline = buffer_.find('\n'); newline != std::string::npos) {
            line = buffer_.substr(0, newline);
            buffer_.erase(0, newline + 1);
            return Read::line;
        }
        // What was written before the signal still counts.
        const bool stopping = told_to_stop();
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0 && !stopping) {
            return Read::silent;
        }
        pollfd waiting{input_, POLLIN, 0};
        if (poll(&waiting, 1, stopping ? 0 : static_cast<int>(left)) <= 0) {
            if (stopping) {
                return Read::stopped;
            }
            continue;
        }
        std::array<char, 4096> piece{};
        const ssize_t count = read(input_, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) { // the signal may have been the worker's too
            return told_to_stop() ? Read::stopped : Read::closed;
        }
        buffer_.append(piece.data(), static_cast<std::size_t>(count));
    }
}

std::optional<std::string> Child::end_within(Seconds most) {
    const std::optional<int> status = reap(process_, most);
    if (!status) {
        return std::nullopt;
    }
    process_ = 0;
    return WIFSIGNALED(*status) ? "signal " + std::to_string(WTERMSIG(*status))
                                : "exit status " + std::to_string(WEXITSTATUS(*status));
}

std::optional<pid_t> Child::kill() {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        end_within(Seconds(0));
    }
    return process_ > 0 ? std::optional(process_) : std::nullopt;
}

std::optional<int> reap(pid_t process, Seconds most) {
    const auto deadline = Clock::now() + most;
    while (true) {
        int status = 0;
        const pid_t gone = waitpid(process, &status, WNOHANG);
        if (gone == process || (gone < 0 && errno == ECHILD)) {
            return status;
        }
        if (Clock::now() >= deadline || told_to_stop()) {
            return std::nullopt;
        }
        std::this_thread::sleep_for(kPoll);
    }
}

void stop_on_signals() {
    struct sigaction action{};
    action.sa_handler = [](int) { stop_signal_seen = 1; };
    // Without SA_RESTART, so that waiting for a line ends.
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
}

bool told_to_stop() { return stop_signal_seen != 0; }

void pause_for(Seconds most) {
    const auto deadline = Clock::now() + most;
    while (!told_to_stop() && Clock::now() < deadline) {
        std::this_thread::sleep_for(std::min<Seconds>(kPoll, deadline - Clock::now()));
    }
}

} // namespace chokepoint::kref
