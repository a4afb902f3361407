// SPDX-License-Identifier: Apache-2.0
// fork, a pipe of lines, and a second try after the shape that broke the first.
#include "framework/supervisor.hpp"

#include "framework/cuda_error.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chokepoint::kref {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kGpuErrorStatus = 3;

void write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return; // nobody reads any more
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

/// The child's whole life.
int run_child(const WorkOrder& order, const WorkFunction& function, int pipe_end) {
    const Emit emit = [&](const std::string& line) { write_all(pipe_end, line + "\n"); };
    try {
        function(order, emit);
        return 0;
    } catch (const std::exception& e) {
        std::string reason = e.what();
        for (char& c : reason) {
            c = c == '\n' ? ' ' : c;
        }
        emit("fatal\t" + reason);
        return kGpuErrorStatus;
    }
}

class Child {
public:
    Child(const WorkOrder& order, const WorkFunction& function) {
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
            _exit(run_child(order, function, ends[1])); // the parent's destructors are the parent's
        }
        close(ends[1]);
        input_ = ends[0];
    }
    ~Child() {
        close(input_);
        end();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    enum class Read { line, closed, silent };
    Read next(std::string& line, Seconds patience) {
        const auto deadline = Clock::now() + patience;
        while (true) {
            if (const std::size_t newline = buffer_.find('\n'); newline != std::string::npos) {
                line = buffer_.substr(0, newline);
                buffer_.erase(0, newline + 1);
                return Read::line;
            }
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
            if (left <= 0) {
                return Read::silent;
            }
            pollfd waiting{input_, POLLIN, 0};
            if (poll(&waiting, 1, static_cast<int>(left)) <= 0) {
                continue;
            }
            std::array<char, 4096> piece{};
            const ssize_t count = read(input_, piece.data(), piece.size());
            if (count <= 0) {
                return Read::closed;
            }
            buffer_.append(piece.data(), static_cast<std::size_t>(count));
        }
    }

    /// Ends the process if it still runs; says how it ended.
    std::string end() {
        if (process_ <= 0) {
            return "already gone";
        }
        kill(process_, SIGKILL);
        int status = 0;
        waitpid(process_, &status, 0);
        process_ = 0;
        return WIFSIGNALED(status) ? std::string("signal ") + std::to_string(WTERMSIG(status))
                                   : "exit status " + std::to_string(WEXITSTATUS(status));
    }
    /// Waits for a process that closed its pipe.
    std::string wait() {
        int status = 0;
        waitpid(process_, &status, 0);
        process_ = 0;
        return WIFSIGNALED(status) ? std::string("signal ") + std::to_string(WTERMSIG(status))
                                   : "exit status " + std::to_string(WEXITSTATUS(status));
    }

private:
    pid_t process_ = 0;
    int input_ = -1;
    std::string buffer_;
};

/// One worker's lines, taken in.
class Conversation {
public:
    Conversation(PhaseResult& result, const Progress& progress) : result_(result), progress_(progress) {}

    void take(const std::string& line) {
        const std::size_t tab = line.find('\t');
        const std::string word = line.substr(0, tab);
        const std::string rest = tab == std::string::npos ? "" : line.substr(tab + 1);
        if (word == "begin") {
            current = std::stoul(rest);
            begun = true;
        } else if (word == "row") {
            add(measurement_from(rest));
        } else if (word == "fact") {
            const std::size_t at = rest.find('\t');
            add_fact(rest.substr(0, at), at == std::string::npos ? "" : rest.substr(at + 1));
        } else if (word == "fatal") {
            fatal = rest;
        } else if (word == "end") {
            ended = true;
        }
    }
    void add(const Measurement& m) {
        result_.measurements.push_back(m);
        progress_(result_);
    }

    std::size_t current = 0;
    bool begun = false;
    bool ended = false;
    std::string fatal;

private:
    void add_fact(const std::string& key, const std::string& value) {
        for (auto& [name, known] : result_.facts) {
            if (name == key) {
                known = value;
                return;
            }
        }
        result_.facts.emplace_back(key, value);
    }

    PhaseResult& result_;
    const Progress& progress_;
};

} // namespace

PhaseResult supervise(WorkOrder order, const WorkFunction& function, const Patience& patience,
                      const Progress& progress) {
    PhaseResult result;
    const auto start = Clock::now();
    const Seconds whole_budget = order.budget;
    for (int lost = 0; order.first < order.items.size(); ++lost) {
        if (lost > patience.restarts) {
            result.fatal = "gave up after " + std::to_string(lost) + " lost workers";
            return result;
        }
        order.budget = whole_budget - (Clock::now() - start);
        Conversation talk(result, progress);
        Child child(order, function);
        std::string line;
        Child::Read read = Child::Read::line;
        while (!talk.ended && (read = child.next(line, patience.silence)) == Child::Read::line) {
            talk.take(line);
        }
        if (talk.ended) {
            return result;
        }
        const std::string how =
            read == Child::Read::silent
                ? "silent for " + std::to_string(static_cast<int>(patience.silence.count())) + " s"
                : child.wait();
        if (!talk.begun) {
            result.fatal = talk.fatal.empty() ? "the worker ended at once: " + how : talk.fatal;
            return result;
        }
        Measurement m;
        m.kernel = order.items[talk.current].kernel;
        m.case_index = order.items[talk.current].case_index;
        m.outcome = Outcome::died;
        m.note = how + (talk.fatal.empty() ? "" : ": " + talk.fatal);
        talk.add(m);
        order.first = talk.current + 1;
    }
    return result;
}

} // namespace chokepoint::kref
