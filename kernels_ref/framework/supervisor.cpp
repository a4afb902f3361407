// SPDX-License-Identifier: Apache-2.0
// fork, a pipe of lines, and a second try after the shape that broke the first.
#include "framework/supervisor.hpp"

#include "framework/cuda_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chokepoint::kref {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kGpuErrorStatus = 3;

volatile std::sig_atomic_t told_to_stop = 0;

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
            prctl(PR_SET_PDEATHSIG, SIGKILL); // a worker without a supervisor would keep the device
            std::signal(SIGTERM, SIG_DFL);
            std::signal(SIGINT, SIG_DFL);
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

    enum class Read { line, closed, silent, stopped };
    Read next(std::string& line, Seconds patience) {
        const auto deadline = Clock::now() + patience;
        while (true) {
            if (told_to_stop != 0) {
                return Read::stopped;
            }
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
            if (count < 0 && errno == EINTR) {
                continue;
            }
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
        return wait();
    }
    /// Waits for a process that closed its pipe.
    std::string wait() {
        int status = 0;
        while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
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
            running = false;
        } else if (word == "launch") {
            running = true;
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
    bool running = false; ///< the current item has been launched
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

Measurement of_item(const Item& item, Outcome outcome, std::string note) {
    Measurement m;
    m.kernel = item.kernel;
    m.case_index = item.case_index;
    m.outcome = outcome;
    m.note = std::move(note);
    return m;
}

/// Takes a kernel's later shapes from the order, and says so.
void give_up(int kernel, WorkOrder& order, Conversation& talk, PhaseResult& result) {
    result.given_up.push_back(kernel);
    std::vector<Item> kept(order.items.begin(),
                           order.items.begin() + static_cast<std::ptrdiff_t>(order.first));
    for (std::size_t i = order.first; i < order.items.size(); ++i) {
        if (order.items[i].kernel != kernel) {
            kept.push_back(order.items[i]);
        } else {
            talk.add(of_item(order.items[i], Outcome::skipped,
                             "given up: earlier shapes of the kernel hung or died"));
        }
    }
    order.items = std::move(kept);
}

} // namespace

void stop_on_signals() {
    struct sigaction action{};
    action.sa_handler = [](int) { told_to_stop = 1; };
    // Without SA_RESTART, so that waiting for a line ends.
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
}

PhaseResult supervise(WorkOrder order, const WorkFunction& function, const Patience& patience,
                      const Progress& progress) {
    PhaseResult result;
    const auto start = Clock::now();
    const Seconds whole_budget = order.budget;
    const auto left = [&]() -> Seconds { return whole_budget - (Clock::now() - start); };
    std::map<int, int> deaths;
    for (int lost = 0; order.first < order.items.size(); ++lost) {
        if (lost > patience.restarts) {
            result.fatal = "gave up after " + std::to_string(lost) + " lost workers";
            return result;
        }
        order.budget = left();
        Conversation talk(result, progress);
        Child child(order, function);
        std::string line;
        Child::Read read = Child::Read::line;
        Seconds waited{0};
        while (!talk.ended) {
            const Seconds most = talk.running ? patience.running : patience.loading;
            waited = std::min(most, std::max(left(), Seconds(0)) + patience.overtime);
            read = child.next(line, waited);
            if (read != Child::Read::line) {
                break;
            }
            talk.take(line);
        }
        if (talk.ended) {
            return result;
        }
        if (read == Child::Read::stopped) {
            result.fatal = "told to stop; what was measured is kept";
            return result;
        }
        const bool hung = read == Child::Read::silent;
        const std::string how =
            hung ? "silent for " + std::to_string(static_cast<int>(waited.count())) + " s" : child.wait();
        if (!talk.begun) {
            result.fatal = talk.fatal.empty() ? "the worker ended at once: " + how : talk.fatal;
            return result;
        }
        const Item culprit = order.items[talk.current];
        talk.add(of_item(culprit, Outcome::died, how + (talk.fatal.empty() ? "" : ": " + talk.fatal)));
        order.first = talk.current + 1;
        // What hangs on one shape hangs on most, and each costs minutes of the lease.
        if ((hung && talk.running) || ++deaths[culprit.kernel] >= patience.deaths) {
            give_up(culprit.kernel, order, talk, result);
        }
    }
    return result;
}

} // namespace chokepoint::kref
