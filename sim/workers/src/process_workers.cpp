// SPDX-License-Identifier: Apache-2.0
// Child processes, each at the other end of a socket.
#include "frames.hpp"

#include <chokepoint/sim/workers.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chokepoint::sim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kAnswered = '+';
constexpr char kThrown = '-';

std::system_error failed(const char* what) { return {errno, std::generic_category(), what}; }

std::string out_of_memory(const WorkerLimits& limits) {
    return limits.memory ? fmt::format("out of memory: more than {} needed", hw::to_text(*limits.memory))
                         : std::string("out of memory");
}

std::string answer_to(const std::string& task, const Work& work, const WorkerLimits& limits) {
    try {
        return kAnswered + work(task);
    } catch (const std::bad_alloc&) {
        return kThrown + out_of_memory(limits);
    } catch (const std::exception& error) {
        return kThrown + std::string(error.what());
    }
}

[[noreturn]] void serve(int socket, pid_t parent, const Work& work, const WorkerLimits& limits) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(EXIT_FAILURE); // it died before it could be asked to take us along
    }
    // A terminal sends Ctrl-C to every process, mpirun and Slurm SIGTERM: the parent decides about both.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    if (limits.memory) {
        const auto bytes = static_cast<rlim_t>(limits.memory->value());
        const rlimit limit{bytes, bytes};
        ::setrlimit(RLIMIT_DATA, &limit);
    }
    while (const auto task = receive_frame(socket)) {
        if (!send_frame(socket, answer_to(*task, work, limits))) {
            break;
        }
    }
    ::_exit(EXIT_SUCCESS);
}

std::string ending(int status) {
    if (WIFSIGNALED(status)) {
        return fmt::format("the process ended by signal {} ({})", WTERMSIG(status),
                           ::strsignal(WTERMSIG(status)));
    }
    return fmt::format("the process ended with code {}", WEXITSTATUS(status));
}

/// One child and what it is doing.
struct Child {
    pid_t process = -1;
    int socket = -1;
    std::string buffer;
    std::optional<std::size_t> task;
    Clock::time_point deadline = Clock::time_point::max();
};

class ProcessWorkers : public Workers {
public:
    ProcessWorkers(int count, Work work, WorkerLimits limits)
        : work_(std::move(work)),
          limits_(limits),
          children_(static_cast<std::size_t>(std::max(1, count))) {
        for (Child& child : children_) {
            launch(child);
        }
    }
    ~ProcessWorkers() override {
        for (Child& child : children_) {
            end(child);
        }
    }
    ProcessWorkers(const ProcessWorkers&) = delete;
    ProcessWorkers& operator=(const ProcessWorkers&) = delete;

    [[nodiscard]] int count() const override { return static_cast<int>(children_.size()); }
    [[nodiscard]] int idle() const override {
        return static_cast<int>(std::ranges::count_if(children_, [](const Child& c) { return !c.task; }));
    }

    void start(std::size_t task, std::string_view text) override {
        const auto child = std::ranges::find_if(children_, [](const Child& c) { return !c.task; });
        if (child == children_.end()) {
            throw std::logic_error(fmt::format("task {} was started although every worker is busy", task));
        }
        child->task = task;
        if (limits_.time_out) {
            child->deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                 std::chrono::duration<double>(limits_.time_out->value()));
        }
        send_frame(child->socket, text); // if it is gone, wait() finds out
    }

    std::vector<Answer> wait(std::chrono::milliseconds longest) override {
        Clock::time_point until = Clock::now() + longest;
        std::vector<pollfd> waiting;
        for (const Child& child : children_) {
            until = std::min(until, child.deadline);
            waiting.push_back({child.socket, POLLIN, 0});
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<long>(0, left))) < 0) {
            if (errno == EINTR) {
                return {};
            }
            throw failed("cannot wait for child processes");
        }
        std::vector<Answer> answers;
        for (std::size_t i = 0; i < children_.size(); ++i) {
            if (waiting[i].revents != 0) {
                receive(children_[i], answers);
            } else if (children_[i].deadline <= Clock::now()) {
                end(children_[i]);
                lose(children_[i], fmt::format("timed out after {}", hw::to_text(*limits_.time_out)),
                     answers);
            }
        }
        return answers;
    }

private:
    void launch(Child& child) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            throw failed("cannot open a socket to a child process");
        }
        std::fflush(nullptr); // or the child would print again what the parent has buffered
        const pid_t parent = ::getpid();
        child.process = ::fork();
        if (child.process < 0) {
            throw failed("cannot start a process");
        }
        if (child.process == 0) {
            ::close(ends[0]);
            serve(ends[1], parent, work_, limits_);
        }
        ::close(ends[1]);
        child.socket = ends[0];
        child.buffer.clear();
        child.task.reset();
        child.deadline = Clock::time_point::max();
    }

    /// @return its status
    static int reap(Child& child) {
        int status = 0;
        while (::waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
        }
        ::close(child.socket);
        child.socket = -1;
        return status;
    }

    static void end(Child& child) {
        ::kill(child.process, SIGKILL);
        reap(child);
    }

    /// The child is gone; another takes its place.
    void lose(Child& child, std::string failure, std::vector<Answer>& answers) {
        if (child.task) {
            answers.push_back({*child.task, {}, std::move(failure)});
        }
        launch(child);
    }

    void receive(Child& child, std::vector<Answer>& answers) {
        std::array<char, 65536> chunk{};
        const ssize_t got = ::read(child.socket, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            return;
        }
        if (got <= 0) {
            lose(child, ending(reap(child)), answers); // it closed its end by ending
            return;
        }
        child.buffer.append(chunk.data(), static_cast<std::size_t>(got));
        if (std::optional<std::string> text = take_frame(child.buffer)) {
            const bool answered = text->front() == kAnswered;
            text->erase(0, 1);
            Answer answer{child.task.value(), {}, {}};
            (answered ? answer.text : answer.failure) = std::move(*text);
            answers.push_back(std::move(answer));
            child.task.reset();
            child.deadline = Clock::time_point::max();
        }
    }

    Work work_;
    WorkerLimits limits_;
    std::vector<Child> children_;
};

} // namespace

std::unique_ptr<Workers> process_workers(int count, Work work, WorkerLimits limits) {
    return std::make_unique<ProcessWorkers>(count, std::move(work), limits);
}

int cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

} // namespace chokepoint::sim
