// SPDX-License-Identifier: Apache-2.0
// A sweep runs each content once, records what fails, and loses nothing to a kill.
#include "small_sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace chokepoint;
using testing::HasSubstr;

namespace {

sim::SweepOutcome sweep(const sim::ScenarioTemplate& source, const sim::Grid& grid,
                        const std::filesystem::path& file, const sim::Work& work,
                        const sim::SweepOptions& options = {}) {
    sim::ResultStore store = sim::ResultStore::open_to_write(file);
    const auto workers = sim::process_workers(2, work);
    return sim::run_sweep(source, grid, store, store.enter(sim::sweep_record(source, {}, grid)), *workers,
                          options);
}

std::vector<sim::StoredPoint> points_in(const std::filesystem::path& file) {
    return sim::ResultStore::open_to_read(file).points(1);
}

} // namespace

TEST(RunSweep, SimulatesEveryPointOnceAndARerunNone) {
    const auto source = test::small_template();
    const sim::Grid grid =
        test::grid_over(source, {"cluster.caps.nvlink=log:50 GB/s:400 GB/s:9", "plan.zero=0,1"});
    const test::Folder folder;
    const auto first = sweep(source, grid, folder.file("s.db"), test::quick_work);
    EXPECT_EQ(first.progress.simulated, 18);
    EXPECT_FALSE(first.stopped);
    const auto second = sweep(source, grid, folder.file("s.db"), test::quick_work);
    EXPECT_EQ(second.progress.simulated, 0);
    EXPECT_EQ(second.progress.finished, 18);
}

TEST(RunSweep, SharesPointsOfEqualContentBetweenPositionsAndSweeps) {
    const auto source = test::small_template();
    const test::Folder folder;
    // 100 and 0.1 with another prefix are one bandwidth; the text differs, the content does not.
    const sim::Grid twice = test::grid_over(source, {"cluster.caps.nvlink=100 GB/s,0.1 TB/s,200 GB/s"});
    EXPECT_EQ(sweep(source, twice, folder.file("s.db"), test::quick_work).progress.simulated, 2);
    const sim::Grid more = test::grid_over(source, {"cluster.caps.nvlink=200 GB/s,300 GB/s"});
    const auto outcome = sweep(source, more, folder.file("s.db"), test::quick_work);
    EXPECT_EQ(outcome.progress.simulated, 1);
    EXPECT_EQ(outcome.reused, 1);
}

TEST(RunSweep, RecordsWhatFailsAndGoesOn) {
    const auto source = test::small_template();
    const sim::Grid grid = test::grid_over(source, {"plan.pipeline=1,2,3", "plan.zero=0,1"});
    const test::Folder folder;
    const auto outcome = sweep(source, grid, folder.file("s.db"), [](std::string_view task) {
        if (task.find("zero=1") != std::string_view::npos) {
            ::raise(SIGSEGV);
        }
        return test::quick_work(task);
    });
    EXPECT_EQ(outcome.progress.finished, 6);
    EXPECT_GE(outcome.progress.infeasible, 2) << "3 pipeline ranks do not divide 16 GPUs";
    const auto points = points_in(folder.file("s.db"));
    EXPECT_EQ(points.at(2).result.status, sim::PointStatus::done);
    EXPECT_EQ(points.at(3).result.status, sim::PointStatus::failed);
    EXPECT_THAT(points.at(3).result.error, HasSubstr("signal 11"));
    EXPECT_EQ(points.at(4).result.status, sim::PointStatus::infeasible);
    EXPECT_NE(points.at(4).result.error, "");
}

TEST(RunSweep, ItsPointsAreWhatRunSays) {
    const auto source = test::small_template();
    const sim::Grid grid = test::grid_over(source, {"cluster.caps.nvlink=100 GB/s,200 GB/s"});
    const test::Folder folder;
    sweep(source, grid, folder.file("s.db"), sim::point_work(source));
    const sim::ResultStore store = sim::ResultStore::open_to_read(folder.file("s.db"));
    const auto point = store.points(1).at(1);
    const auto alone =
        sim::point_result({0, sim::point_work(source)(sim::point_task(grid.overrides(1))), ""});
    EXPECT_EQ(point.result.headline, alone.headline);
    EXPECT_EQ(nlohmann::json::parse(store.json(point.key)).at("step").at("seconds").get<double>(),
              alone.headline.step.value.value());
}

TEST(RunSweep, StopsWhenAskedAndGoesOnLater) {
    const auto source = test::small_template();
    const sim::Grid grid = test::grid_over(source, {"cluster.caps.nvlink=50 GB/s:400 GB/s:40"});
    const test::Folder folder;
    std::int64_t finished = 0;
    const auto stopped = sweep(
        source, grid, folder.file("s.db"), test::quick_work,
        {[&](const sim::SweepProgress& now) { finished = now.finished; }, [&] { return finished >= 10; }});
    EXPECT_TRUE(stopped.stopped);
    EXPECT_LT(stopped.progress.finished, 40);
    const auto rest = sweep(source, grid, folder.file("s.db"), test::quick_work);
    EXPECT_EQ(rest.progress.simulated + stopped.progress.simulated, 40);
}

TEST(RunSweep, NamesFaultsThatNoPointCanMend) {
    const auto source = test::small_template("\n[clutser]\nnodes = 2\n");
    const sim::Grid grid = test::grid_over(source, {"plan.pipeline=1,2,3"});
    const auto faults = sim::common_faults(source, grid);
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_THAT(faults.front().message, HasSubstr("unknown section [clutser]"));
    const auto sound = test::small_template();
    EXPECT_TRUE(sim::common_faults(sound, test::grid_over(sound, {"plan.pipeline=3,2"})).empty());
}

// The child is killed wherever it happens to be: opening, making tables, handing out, writing.
TEST(RunSweep, LosesNoFinishedPointToAKillAtAnyMoment) {
    const auto source = test::small_template();
    const sim::Grid grid = test::grid_over(
        source, {"cluster.caps.nvlink=50 GB/s:400 GB/s:60", "cluster.caps.nic=50 Gb/s:400 Gb/s:60"});
    const test::Folder folder;
    const auto file = folder.file("s.db");
    constexpr int kKills = 100;
    constexpr int kLongestMilliseconds = 20;
    std::mt19937 random(7);
    std::size_t finished = 0;
    for (int kill = 0; kill < kKills; ++kill) {
        const pid_t child = ::fork();
        if (child == 0) {
            sweep(source, grid, file, test::quick_work);
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % (kLongestMilliseconds * 1000)));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        try {
            const auto points = points_in(file);
            ASSERT_GE(points.size(), finished) << "points were lost";
            finished = points.size();
            for (const sim::StoredPoint& point : points) {
                ASSERT_EQ(point.result.status, sim::PointStatus::done);
            }
        } catch (const std::runtime_error& error) {
            ASSERT_EQ(finished, 0U) << "a store that had points cannot be read any more: " << error.what();
        }
    }
    const auto rest = sweep(source, grid, file, test::quick_work);
    EXPECT_EQ(rest.progress.finished, grid.points());
    EXPECT_EQ(static_cast<std::size_t>(rest.progress.simulated + rest.reused) + finished,
              static_cast<std::size_t>(grid.points()));
}
