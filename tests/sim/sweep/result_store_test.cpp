// SPDX-License-Identifier: Apache-2.0
// A store gives back what it was given, and refuses files that are none.
#include "small_sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace chokepoint;
using sim::ResultStore;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace {

sim::PointResult result_of(double seconds) {
    sim::PointResult result{
        .status = sim::PointStatus::done, .json = "{\"step\":1}", .wall = hw::Seconds(0.5)};
    result.headline.step = {hw::Seconds(seconds), hw::Seconds(seconds - 1.0), hw::Seconds(seconds + 1.0)};
    result.headline.gpu_hours = {10.0, 9.0, 11.0};
    result.headline.gpu = "h800-sxm";
    result.headline.gpus = 16;
    result.headline.mfu = 0.4;
    result.headline.peak_memory = hw::Bytes(1e9);
    return result;
}

struct Opened {
    sim::ScenarioTemplate source = test::small_template();
    sim::Grid grid =
        test::grid_over(source, {"plan.pipeline=1,2; labels=one,two", "cluster.caps.nvlink=50 GB/s,60 GB/s"});
    test::Folder folder;
    std::filesystem::path file = folder.file("store.db");
};

} // namespace

TEST(ResultStore, GivesBackWhatItWasGiven) {
    const Opened o;
    const sim::SweepRecord record = sim::sweep_record(o.source, {{"plan.zero=1"}, {}}, o.grid);
    std::int64_t id = 0;
    {
        ResultStore store = ResultStore::open_to_write(o.file);
        id = store.enter(record);
        store.record(id, 2, "b", result_of(3.0));
        store.record(id, 0, "a", {.status = sim::PointStatus::infeasible, .error = "does not fit"});
        store.link(id, 3, "b");
    }
    const ResultStore store = ResultStore::open_to_read(o.file);
    ASSERT_EQ(store.sweeps().size(), 1U);
    EXPECT_EQ(store.sweeps().front(), record);
    EXPECT_EQ(store.sweeps().front().axes, o.grid.axes());
    EXPECT_THAT(store.finished(id), ElementsAre(0, 2, 3));
    const std::vector<sim::StoredPoint> points = store.points(id);
    EXPECT_EQ(points.at(0).result.error, "does not fit");
    EXPECT_EQ(points.at(1).result.headline, result_of(3.0).headline);
    EXPECT_EQ(points.at(2).key, "b");
    EXPECT_EQ(store.json("b"), "{\"step\":1}");
    EXPECT_EQ(store.status("a"), sim::PointStatus::infeasible);
    EXPECT_EQ(store.status("c"), std::nullopt);
}

TEST(ResultStore, KnowsASweepThatAsksForTheSame) {
    const Opened o;
    ResultStore store = ResultStore::open_to_write(o.file);
    const auto record = [&](std::vector<std::string> overrides) {
        return sim::sweep_record(o.source, {std::move(overrides), {}}, o.grid);
    };
    const std::int64_t first = store.enter(record({}));
    EXPECT_EQ(store.enter(record({})), first);
    EXPECT_NE(store.enter(record({"plan.zero=1"})), first);
}

TEST(ResultStore, ForgetsFailedPointsOnly) {
    const Opened o;
    ResultStore store = ResultStore::open_to_write(o.file);
    const std::int64_t id = store.enter(sim::sweep_record(o.source, {}, o.grid));
    store.record(id, 0, "a", result_of(1.0));
    store.record(id, 1, "b", {.status = sim::PointStatus::failed, .error = "timed out"});
    store.forget_failed(id);
    EXPECT_THAT(store.finished(id), ElementsAre(0));
    EXPECT_EQ(store.status("b"), std::nullopt);
}

TEST(ResultStore, HasOneWriterAndAnyNumberOfReaders) {
    const Opened o;
    ResultStore store = ResultStore::open_to_write(o.file);
    EXPECT_THAT([&] { (void)ResultStore::open_to_write(o.file); },
                ThrowsMessage<std::runtime_error>(HasSubstr("runs a sweep into it")));
    const std::int64_t id = store.enter(sim::sweep_record(o.source, {}, o.grid));
    const ResultStore reader = ResultStore::open_to_read(o.file);
    store.record(id, 0, "a", result_of(1.0));
    EXPECT_THAT(reader.finished(id), ElementsAre(0)) << "a reader sees each point as it is written";
}

TEST(ResultStore, RefusesWhatIsNoStoreAndLeavesItAsItWas) {
    const test::Folder folder;
    const auto text = folder.file("notes.txt");
    std::ofstream(text) << std::string(4096, 'n');
    EXPECT_THAT([&] { (void)ResultStore::open_to_write(text); },
                ThrowsMessage<sim::StoreFormatError>(HasSubstr("is not a result store")));
    EXPECT_EQ(std::filesystem::file_size(text), 4096U);
    EXPECT_THAT([&] { (void)ResultStore::open_to_read(folder.file("none.db")); },
                ThrowsMessage<std::runtime_error>(HasSubstr("no such file")));
    EXPECT_THAT([&] { (void)ResultStore::open_to_write(folder.file("no/such/folder.db")); },
                ThrowsMessage<std::runtime_error>(HasSubstr("cannot write")));
    EXPECT_THAT([&] { (void)ResultStore::open_to_write(folder.file("")); },
                ThrowsMessage<std::runtime_error>(HasSubstr("it is a directory")));
}

TEST(ResultStore, SaysThatItMayNotWrite) {
    const Opened o;
    (void)ResultStore::open_to_write(o.file);
    namespace fs = std::filesystem;
    // A process of its own, since root may write anywhere until it gives that up.
    const pid_t child = ::fork();
    if (child == 0) {
        fs::permissions(o.file.parent_path(), fs::perms(0555));
        fs::permissions(o.file, fs::perms(0444));
        constexpr unsigned kNobody = 65534;
        if (::getuid() == 0 && ::setuid(kNobody) != 0) {
            ::_exit(2);
        }
        try {
            (void)ResultStore::open_to_write(o.file);
        } catch (const std::runtime_error& error) {
            const std::string text = error.what();
            ::_exit(text.starts_with("cannot write '" + o.file.string() + "': ") ? 0 : 3);
        }
        ::_exit(4);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    fs::permissions(o.file.parent_path(), fs::perms(0755));
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(ResultStore::open_to_write(o.file).sweeps().empty()) << "and leaves it as it was";
}

TEST(ResultStore, NamesTheFormatOfAnotherVersion) {
    const Opened o;
    (void)ResultStore::open_to_write(o.file);
    std::fstream file(o.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(63); // the low byte of user_version: sqlite.org/fileformat2.html, 1.3
    file.put(9);
    file.close();
    EXPECT_THAT([&] { (void)ResultStore::open_to_write(o.file); },
                ThrowsMessage<sim::StoreFormatError>(HasSubstr("format 9; this program knows format 1")));
}
