// SPDX-License-Identifier: Apache-2.0
// Tasks and answers as MPI messages. Open MPI's blocking calls burn a core while they wait, so both sides
// look for messages now and then, and sleep between.
#include <chokepoint/sim/mpi_ranks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include <mpi.h>

namespace chokepoint::sim {
namespace {

using Clock = std::chrono::steady_clock;

enum class Kind : int { set_up = 1, task, answer, failure, end };

struct Message {
    Kind kind = Kind::end;
    int rank = 0; ///< that sent it
    std::uint64_t task = 0;
    std::string text;
};

int rank() {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int ranks() {
    int ranks = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    return ranks;
}

void send(int to, Kind kind, std::uint64_t task = 0, std::string_view text = {}) {
    std::string bytes(sizeof task, '\0');
    std::memcpy(bytes.data(), &task, sizeof task);
    bytes += text;
    MPI_Send(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, to, static_cast<int>(kind),
             MPI_COMM_WORLD);
}

/// The next message, if one is there.
std::optional<Message> receive() {
    int there = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
    if (there == 0) {
        return std::nullopt;
    }
    int count = 0;
    MPI_Get_count(&status, MPI_BYTE, &count);
    Message message{static_cast<Kind>(status.MPI_TAG), status.MPI_SOURCE, 0,
                    std::string(static_cast<std::size_t>(count), '\0')};
    MPI_Recv(message.text.data(), count, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    std::memcpy(&message.task, message.text.data(), sizeof message.task);
    message.text.erase(0, sizeof message.task);
    return message;
}

/// Sleeps a little longer each time: what comes at once is met at once, and a long wait costs next to
/// nothing.
class Nap {
public:
    /// @return false if a signal ended it
    bool take() {
        const timespec time{0, nanoseconds_};
        nanoseconds_ = std::min(kLongest, nanoseconds_ + nanoseconds_ / 2);
        return ::nanosleep(&time, nullptr) == 0;
    }

private:
    static constexpr long kShortest = 50'000; // nanoseconds; a look for messages takes about one microsecond
    static constexpr long kLongest =
        2'000'000; // 500 looks a second; a point of a sweep takes tens of milliseconds
    long nanoseconds_ = kShortest;
};

class RankWorkers : public Workers {
public:
    explicit RankWorkers(std::string_view set_up) : tasks_(static_cast<std::size_t>(ranks() - 1)) {
        for (int to = 1; to < ranks(); ++to) {
            send(to, Kind::set_up, 0, set_up);
        }
    }

    [[nodiscard]] int count() const override { return static_cast<int>(tasks_.size()); }
    [[nodiscard]] int idle() const override {
        return static_cast<int>(std::ranges::count(tasks_, std::optional<std::size_t>()));
    }

    void start(std::size_t task, std::string_view text) override {
        const auto idle = std::ranges::find(tasks_, std::optional<std::size_t>());
        if (idle == tasks_.end()) {
            throw std::logic_error(fmt::format("task {} was started although every rank is busy", task));
        }
        *idle = task;
        send(static_cast<int>(idle - tasks_.begin()) + 1, Kind::task, task, text);
    }

    std::vector<Answer> wait(std::chrono::milliseconds longest) override {
        const Clock::time_point until = Clock::now() + longest;
        std::vector<Answer> answers;
        Nap nap;
        for (;;) {
            while (std::optional<Message> message = receive()) {
                const bool answered = message->kind == Kind::answer;
                Answer answer{static_cast<std::size_t>(message->task), {}, {}};
                (answered ? answer.text : answer.failure) = std::move(message->text);
                answers.push_back(std::move(answer));
                tasks_[static_cast<std::size_t>(message->rank - 1)].reset();
            }
            if (!answers.empty() || Clock::now() >= until || !nap.take()) {
                return answers;
            }
        }
    }

private:
    std::vector<std::optional<std::size_t>> tasks_; ///< of ranks 1 and after
};

/// The other end of RankWorkers.
class Server {
public:
    explicit Server(const std::function<std::unique_ptr<Workers>(const std::string&)>& make) : make_(make) {}

    void run() {
        Nap nap;
        for (;;) {
            if (const std::optional<Message> message = receive()) {
                nap = {};
                if (message->kind == Kind::end) {
                    send(0, Kind::end);
                    return;
                }
                take(*message);
            } else if (worker_ && worker_->idle() == 0) {
                constexpr std::chrono::milliseconds kBetween{20}; // until the word to end is heard
                for (const Answer& answer : worker_->wait(kBetween)) {
                    reply(answer);
                    nap = {};
                }
            } else {
                nap.take();
            }
        }
    }

private:
    void take(const Message& message) {
        if (message.kind == Kind::set_up) {
            try {
                worker_ = make_(message.text);
            } catch (const std::exception& error) {
                fault_ = fmt::format("rank {} cannot work: {}", rank(), error.what());
            }
        } else if (worker_) {
            worker_->start(static_cast<std::size_t>(message.task), message.text);
        } else {
            send(0, Kind::failure, message.task, fault_);
        }
    }

    static void reply(const Answer& answer) {
        if (answer.failure.empty()) {
            send(0, Kind::answer, answer.task, answer.text);
        } else {
            send(0, Kind::failure, answer.task, answer.failure);
        }
    }

    const std::function<std::unique_ptr<Workers>(const std::string&)>& make_;
    std::unique_ptr<Workers> worker_;
    std::string fault_;
};

} // namespace

MpiRanks::MpiRanks() {
    MPI_Init(nullptr, nullptr); // which ends the process where it cannot
}

MpiRanks::~MpiRanks() {
    if (hands_out()) {
        for (int to = 1; to < ranks(); ++to) {
            send(to, Kind::end);
        }
        // Each replies when it is done; answers before that nobody waits for any more, but their senders do.
        Nap nap;
        for (int left = ranks() - 1; left > 0;) {
            const std::optional<Message> message = receive();
            left -= message && message->kind == Kind::end ? 1 : 0;
            if (!message) {
                nap.take();
            }
        }
    }
    MPI_Finalize();
}

bool MpiRanks::hands_out() const { return rank() == 0; }

std::unique_ptr<Workers> MpiRanks::workers(std::string_view set_up) {
    return std::make_unique<RankWorkers>(set_up);
}

void MpiRanks::serve(const std::function<std::unique_ptr<Workers>(const std::string&)>& make) {
    Server(make).run();
}

} // namespace chokepoint::sim
