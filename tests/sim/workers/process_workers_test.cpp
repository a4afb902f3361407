// SPDX-License-Identifier: Apache-2.0
// Child processes answer every task once, and no task takes another with it.
#include <chokepoint/sim/workers.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <numeric>
#include <unistd.h>

using namespace chokepoint;
using sim::Answer;
using testing::HasSubstr;

namespace {

std::map<std::size_t, Answer> answers_to(const std::vector<std::string>& tasks, const sim::Work& work,
                                         sim::WorkerLimits limits = {}) {
    const auto workers = sim::process_workers(2, work, limits);
    std::map<std::size_t, Answer> answers;
    std::size_t next = 0;
    while (answers.size() < tasks.size()) {
        while (workers->idle() > 0 && next < tasks.size()) {
            workers->start(next, tasks[next]);
            ++next;
        }
        for (const Answer& answer : workers->wait(std::chrono::seconds(1))) {
            EXPECT_TRUE(answers.emplace(answer.task, answer).second) << answer.task << " was answered twice";
        }
    }
    return answers;
}

std::string doubled(std::string_view text) { return std::string(text) + std::string(text); }

/// Ends its process in the way that the task names.
std::string hazard(std::string_view task) {
    if (task == "signal") {
        ::raise(SIGKILL);
    } else if (task == "interrupt") {
        ::raise(SIGINT);
    } else if (task == "terminate") {
        ::raise(SIGTERM);
    } else if (task == "exit") {
        ::_exit(3);
    } else if (task == "throw") {
        throw std::runtime_error("no such luck");
    } else if (task == "hang") {
        for (;;) {
            ::pause();
        }
    } else if (task == "hunger") {
        std::vector<char> food(std::size_t{1} << 30, 'x');
        return std::to_string(std::accumulate(food.begin(), food.end(), 0LL));
    }
    return "well";
}

} // namespace

TEST(ProcessWorkers, AnswerEveryTaskOnce) {
    std::vector<std::string> tasks;
    for (int i = 0; i < 50; ++i) {
        tasks.push_back(std::string(static_cast<std::size_t>(i) * 1000, 'a')); // more than a socket's buffer
    }
    for (const auto& [task, answer] : answers_to(tasks, doubled)) {
        EXPECT_EQ(answer.text, doubled(tasks[task]));
        EXPECT_EQ(answer.failure, "");
    }
}

TEST(ProcessWorkers, TellWhatEndedATaskAndGoOnWithTheOthers) {
    const auto answers = answers_to({"fine", "signal", "fine", "exit", "throw", "fine", "fine"}, hazard);
    EXPECT_THAT(answers.at(1).failure, HasSubstr("ended by signal 9"));
    EXPECT_THAT(answers.at(3).failure, HasSubstr("ended with code 3"));
    EXPECT_EQ(answers.at(4).failure, "no such luck");
    for (const std::size_t fine : {0, 2, 5, 6}) {
        EXPECT_EQ(answers.at(fine).text, "well");
    }
}

TEST(ProcessWorkers, GiveUpATaskThatTakesTooLong) {
    const auto answers = answers_to({"hang", "fine", "hang", "fine"}, hazard, {.time_out = hw::Seconds(0.3)});
    EXPECT_THAT(answers.at(0).failure, HasSubstr("timed out after 300"));
    EXPECT_EQ(answers.at(1).text, "well");
    EXPECT_EQ(answers.at(3).text, "well");
}

TEST(ProcessWorkers, GiveUpATaskThatNeedsTooMuchMemory) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer keeps more memory than any bound";
#endif
    const auto answers = answers_to({"hunger", "fine"}, hazard, {.time_out = {}, .memory = hw::Bytes(256e6)});
    EXPECT_THAT(answers.at(0).failure, HasSubstr("out of memory: more than 256"));
    EXPECT_EQ(answers.at(1).text, "well");
    EXPECT_EQ(answers_to({"hunger"}, hazard).at(0).failure, "") << "without a bound it is well fed";
}

TEST(ProcessWorkers, LeaveItToTheirParentWhatASignalToAllMeans) {
    const auto answers = answers_to({"interrupt", "terminate"}, hazard);
    EXPECT_EQ(answers.at(0).text, "well");
    EXPECT_EQ(answers.at(1).text, "well") << answers.at(1).failure;
}

TEST(ProcessWorkers, RefuseATaskWhileAllAreBusy) {
    const auto workers = sim::process_workers(1, hazard);
    workers->start(0, "hang");
    EXPECT_EQ(workers->idle(), 0);
    EXPECT_THROW(workers->start(1, "fine"), std::logic_error);
}
