// SPDX-License-Identifier: Apache-2.0
// Sweeps under mpirun: four ranks on this machine stand for four machines.
#include "run_cli.hpp"
#include "support/json_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

using chokepoint::test::CliResult;
using chokepoint::test::published_schema_violations;
using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using nlohmann::json;
using testing::HasSubstr;

namespace {

constexpr const char* kSmall = "scenarios/small-16-gpus.toml";

CliResult under_mpi(int ranks, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"--oversubscribe",     "--bind-to",   "none", "-n",
                                   std::to_string(ranks), CHOKEPOINT_CLI};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return chokepoint::test::run_program("mpirun", words);
}

class Mpi : public testing::Test {
protected:
    void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
        GTEST_SKIP() << "Open MPI leaks at its end, which the sanitizer takes for ours";
#endif
        ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1); // containers have no other user
        ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
        if (chokepoint::test::run_program("mpirun", {"--version"}).exit_code != 0) {
            GTEST_SKIP() << "no mpirun here: sweeps over several machines are not checked";
        }
        const CliResult probe = under_mpi(2, {"sweep", kSmall, "--store", store()});
        if (probe.err.find("built without MPI") != std::string::npos) {
            GTEST_SKIP() << "built without MPI: sweeps over several machines are not checked";
        }
    }
    [[nodiscard]] std::string store(const std::string& name = "s.db") const {
        return (scratch_.path() / name).string();
    }

private:
    ScratchDirectory scratch_;
};

/// The points of a store as `results` lists them, without what differs from run to run.
json points_of(const std::string& store) {
    json points = json::parse(run_cli({"results", store, "--json", "-"}).out).at("points");
    for (json& point : points) {
        point.erase("wall_seconds");
    }
    return points;
}

/// The process of a rank whose command line names this store.
std::optional<pid_t> process_of_rank(int rank, const std::string& store) {
    const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank) + '\0';
    std::optional<pid_t> lowest; // the rank itself: its children have higher numbers
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos ||
            read_file(entry.path() / "cmdline").find(store) == std::string::npos ||
            read_file(entry.path() / "environ").find(variable) == std::string::npos) {
            continue;
        }
        const pid_t process = std::stoi(name);
        lowest = std::min(lowest.value_or(process), process);
    }
    return lowest;
}

} // namespace

TEST_F(Mpi, ComputesWhatOneMachineDoes) {
    const std::vector<std::string> sweep{"sweep",  kSmall,
                                         "--axis", "cluster.caps.nvlink=log:20 GB/s:400 GB/s:9",
                                         "--axis", "plan.pipeline=1,2,3"};
    std::vector<std::string> arguments = sweep;
    arguments.insert(arguments.end(), {"--store", store("many.db"), "--json", "-"});
    const CliResult many = under_mpi(4, arguments);
    ASSERT_EQ(many.exit_code, 0) << many.err;
    EXPECT_EQ(published_schema_violations("sweep", many.out), "");
    EXPECT_EQ(json::parse(many.out).at("workers"), 3) << "the first rank hands out";

    arguments = sweep;
    arguments.insert(arguments.end(), {"--store", store("one.db")});
    ASSERT_EQ(run_cli(arguments).exit_code, 0);
    EXPECT_EQ(points_of(store("many.db")), points_of(store("one.db")));
}

TEST_F(Mpi, APointThatFailsDoesNotEndTheJob) {
    const CliResult late = under_mpi(4, {"sweep", kSmall, "--axis", "cluster.caps.nvlink=50 GB/s:400 GB/s:8",
                                         "--time-out", "1 us", "--store", store(), "--json", "-"});
    EXPECT_EQ(late.exit_code, 1) << late.err;
    EXPECT_EQ(json::parse(late.out).at("failed"), 8);
    EXPECT_THAT(points_of(store()).at(7).at("error").get<std::string>(), HasSubstr("timed out"));
}

TEST_F(Mpi, GoesOnAfterALostRank) {
    const std::vector<std::string> sweep{"sweep",   "scenarios/deepseek-v3-h800.toml",
                                         "--axis",  "cluster.caps.nvlink=log:50 GB/s:400 GB/s:30",
                                         "--store", store()};
    std::future<CliResult> job = std::async(std::launch::async, [&] { return under_mpi(4, sweep); });
    constexpr std::size_t kEnough = 3;
    std::size_t seen = 0;
    while (seen < kEnough) {
        ASSERT_NE(job.wait_for(std::chrono::milliseconds(50)), std::future_status::ready) << job.get().err;
        const CliResult listed = run_cli({"results", store(), "--json", "-"});
        seen = listed.exit_code == 0 ? json::parse(listed.out).at("points").size() : 0;
    }
    const std::optional<pid_t> lost = process_of_rank(2, store());
    ASSERT_TRUE(lost);
    ::kill(*lost, SIGKILL);
    EXPECT_NE(job.get().exit_code, 0);

    const std::size_t kept = points_of(store()).size();
    EXPECT_GE(kept, seen);
    ASSERT_LT(kept, 30U) << "the rank was lost too late to tell";
    const CliResult rest = under_mpi(4, {"sweep", "--resume", "--store", store(), "--json", "-"});
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    EXPECT_EQ(json::parse(rest.out).at("simulated").get<std::size_t>(), 30 - kept);
    for (const json& point : points_of(store())) {
        EXPECT_EQ(point.at("status"), "done");
    }
}

TEST_F(Mpi, TellsWrongInputOnce) {
    for (const auto& [axis, more, message] :
         {std::tuple{"plan.zer=0,1", std::vector<std::string>{}, "did you mean 'plan.zero'?"},
          std::tuple{"plan.zero=0,1", std::vector<std::string>{"--jobs", "2"},
                     "--jobs is for one machine"}}) {
        std::vector<std::string> arguments{"sweep", kSmall, "--axis", axis, "--store", store()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const CliResult result = under_mpi(3, arguments);
        EXPECT_EQ(result.exit_code, 2);
        const std::size_t first = result.err.find(message);
        ASSERT_NE(first, std::string::npos) << result.err;
        EXPECT_EQ(result.err.find(message, first + 1), std::string::npos) << result.err;
    }
}
