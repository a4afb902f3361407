// SPDX-License-Identifier: Apache-2.0
// Spreads published runs over child processes and gathers what they answer.
#include <chokepoint/sim/validation.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <system_error>
#include <thread>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chokepoint::sim {
namespace {

/// One line of a child's answer: index, measured, predicted, memory, gpus, moe, reason; separated by tabs.
std::string to_line(std::size_t index, const Prediction& p) {
    const auto number = [](const auto& quantity) {
        return quantity ? fmt::format("{:.17g}", quantity->value()) : std::string("-");
    };
    std::string reason = p.reason;
    std::ranges::replace_if(reason, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", index, number(p.measured), number(p.predicted),
                       number(p.memory), p.gpus, p.moe ? 1 : 0, reason);
}

struct Answer {
    std::size_t index = 0;
    Prediction prediction;
};

Answer from_line(std::string_view line) {
    std::array<std::string, 7> cells;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t tab = i + 1 < cells.size() ? line.find('\t') : line.size();
        cells[i] = line.substr(0, tab);
        line.remove_prefix(std::min(tab + 1, line.size()));
    }
    const auto number = [](const std::string& cell) {
        return cell == "-" ? std::nullopt : std::optional(std::stod(cell));
    };
    Answer answer{std::stoul(cells[0]), {}};
    Prediction& p = answer.prediction;
    if (const auto measured = number(cells[1])) {
        p.measured = hw::Seconds(*measured);
    }
    if (const auto predicted = number(cells[2])) {
        p.predicted = hw::Seconds(*predicted);
    }
    if (const auto memory = number(cells[3])) {
        p.memory = hw::Bytes(*memory);
    }
    p.gpus = std::stoi(cells[4]);
    p.moe = cells[5] == "1";
    p.reason = cells[6];
    return answer;
}

void write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            ::_exit(EXIT_FAILURE); // nobody listens any more
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// A process that works through a list of runs, and the end of a pipe that it answers on.
class Worker {
public:
    Worker(std::span<const PublishedRun> runs, std::vector<std::size_t> todo)
        : runs_(runs),
          todo_(std::move(todo)) {
        start();
    }

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Every run is answered and the process gone.
    [[nodiscard]] bool finished() const { return descriptor_ < 0; }

    /// Reads what has arrived. @return whole answers, among them that of a run which ended the process
    std::vector<Answer> receive() {
        std::array<char, 65536> chunk{};
        const ssize_t count = ::read(descriptor_, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) {
            return {};
        }
        if (count <= 0) {
            return ended();
        }
        buffer_.append(chunk.data(), static_cast<std::size_t>(count));
        std::vector<Answer> answers;
        for (std::size_t end = 0; (end = buffer_.find('\n')) != std::string::npos;
             buffer_.erase(0, end + 1)) {
            answers.push_back(from_line(std::string_view(buffer_).substr(0, end)));
            std::erase(todo_, answers.back().index);
        }
        return answers;
    }

private:
    void start() {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) {
            throw std::system_error(errno, std::generic_category(), "cannot open a pipe");
        }
        std::fflush(nullptr); // or the child would print again what the parent has buffered
        child_ = ::fork();
        if (child_ < 0) {
            throw std::system_error(errno, std::generic_category(), "cannot start a process");
        }
        if (child_ == 0) {
            ::close(ends[0]);
            for (const std::size_t index : todo_) {
                write_all(ends[1], to_line(index, predict(runs_[index])));
            }
            ::_exit(EXIT_SUCCESS);
        }
        ::close(ends[1]);
        descriptor_ = ends[0];
    }

    /// The process is gone. The first run without an answer is what ended it; another process takes the rest.
    std::vector<Answer> ended() {
        ::close(descriptor_);
        descriptor_ = -1;
        int status = 0;
        while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
        }
        buffer_.clear();
        if (todo_.empty()) {
            return {};
        }
        Answer answer{todo_.front(), {}};
        answer.prediction.measured = runs_[answer.index].seconds;
        answer.prediction.reason =
            WIFSIGNALED(status)
                ? fmt::format("not simulated: the process ended by signal {}", WTERMSIG(status))
                : fmt::format("not simulated: the process ended with code {}", WEXITSTATUS(status));
        todo_.erase(todo_.begin());
        if (!todo_.empty()) {
            start();
        }
        return {answer};
    }

    std::span<const PublishedRun> runs_;
    std::vector<std::size_t> todo_;
    std::string buffer_;
    pid_t child_ = -1;
    int descriptor_ = -1;
};

/// Runs that are the same scenario and are measured the same way, by the first of them.
std::map<std::size_t, std::vector<std::size_t>> equal_runs(std::span<const PublishedRun> runs) {
    std::map<std::string, std::size_t> first;
    std::map<std::size_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        std::string signature;
        for (const auto& [path, value] : runs[i].keys) {
            signature += fmt::format("{}={}\n", path, value);
        }
        if (runs[i].score != Score::time) {
            signature = runs[i].id; // its measured time follows from more than the scenario
        }
        groups[first.emplace(signature, i).first->second].push_back(i);
    }
    return groups;
}

/// Interleaved, so that every process gets its share of a long series of large runs.
std::vector<Worker> start_workers(std::span<const PublishedRun> runs,
                                  const std::map<std::size_t, std::vector<std::size_t>>& groups,
                                  int processes) {
    std::vector<std::vector<std::size_t>> shares(static_cast<std::size_t>(processes));
    std::size_t next = 0;
    for (const auto& [index, same] : groups) {
        shares[next++ % shares.size()].push_back(index);
    }
    std::vector<Worker> workers;
    for (std::vector<std::size_t>& share : shares) {
        if (!share.empty()) {
            workers.emplace_back(runs, std::move(share));
        }
    }
    return workers;
}

} // namespace

std::vector<Prediction> predict_all(std::span<const PublishedRun> runs, const PredictOptions& options) {
    const auto groups = equal_runs(runs);
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    std::vector<Worker> workers =
        start_workers(runs, groups, options.processes > 0 ? options.processes : cores);
    std::vector<Prediction> predictions(runs.size());
    std::size_t answered = 0;
    while (!workers.empty()) {
        std::vector<pollfd> waiting;
        for (const Worker& worker : workers) {
            waiting.push_back({worker.descriptor(), POLLIN, 0});
        }
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot wait for child processes");
        }
        for (std::size_t i = 0; i < workers.size(); ++i) {
            if (waiting[i].revents == 0) {
                continue;
            }
            for (const Answer& answer : workers[i].receive()) {
                for (const std::size_t index : groups.at(answer.index)) {
                    predictions[index] = answer.prediction;
                    predictions[index].measured =
                        runs[index].seconds ? runs[index].seconds : answer.prediction.measured;
                }
                ++answered;
                if (options.progress) {
                    options.progress(static_cast<double>(answered) / static_cast<double>(groups.size()));
                }
            }
        }
        std::erase_if(workers, [](const Worker& worker) { return worker.finished(); });
    }
    return predictions;
}

} // namespace chokepoint::sim
