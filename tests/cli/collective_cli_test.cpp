// SPDX-License-Identifier: Apache-2.0
// The commands around collectives: what they print is what nccl-tests prints, and what is imported is what
// was measured.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

nlohmann::json rows_of(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{"collective"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--json", "-"});
    const auto result = run_cli(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("rows");
}

const std::vector<std::string> kSweep{"--from", "1KiB", "--to", "4GiB"};

std::vector<std::string> sweep(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), kSweep.begin(), kSweep.end());
    return all;
}

} // namespace

TEST(CollectiveCommand, PrintsTheTableOfNcclTestsBesideWhatWasMeasured) {
    const auto result = run_cli(
        {"collective", "--gpu", "h100-sxm", "--op", "all_reduce", "--gpus", "8", "--bytes", "512MiB"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.err, IsEmpty());
    EXPECT_THAT(result.out,
                HasSubstr("#       size         count      type   redop    root     time   algbw   busbw"));
    EXPECT_THAT(result.out, HasSubstr("   536870912     134217728     float     sum      -1"));
    EXPECT_THAT(result.out, HasSubstr("nvls"));
    EXPECT_THAT(result.out, HasSubstr(" 2111.")) << "NCCL 2.27.3, aiconfigurator";
}

TEST(CollectiveCommand, ACappedLinkIsSlowerAndHasNoMeasurement) {
    const auto whole = rows_of({"--gpu", "h100-sxm", "--op", "all_gather"}).at(0);
    const auto capped = rows_of({"--gpu", "h100-sxm", "--op", "all_gather", "--cap", "nvlink=200GB/s"}).at(0);
    EXPECT_GT(capped.at("seconds").get<double>(), 3.5 * whole.at("seconds").get<double>());
    EXPECT_FALSE(whole.at("measured_seconds").is_null());
    EXPECT_TRUE(capped.at("measured_seconds").is_null());
}

TEST(CollectiveCommand, ACapAboveThePartWarnsOnceAndChangesNothing) {
    const std::vector<std::string> plain{"collective", "--gpu", "h100-sxm", "--op", "all_gather"};
    std::vector<std::string> capped = plain;
    capped.insert(capped.end(), {"--cap", "nvlink=2TB/s"});
    const auto with = run_cli(capped), without = run_cli(plain);
    EXPECT_EQ(with.exit_code, 0);
    EXPECT_EQ(with.err, "chokepoint: warning: caps.nvlink of 2 TB/s is above the 900 GB/s that h100-sxm has "
                        "without it, and changes nothing\n");
    EXPECT_THAT(without.err, IsEmpty());
}

TEST(CollectiveCommand, RunsOnTheFabricAskedForAndNamesEstimates) {
    const auto seconds = [](const char* fabric) {
        return rows_of({"--gpu", "h100-sxm", "--op", "all_gather", "--gpus", "64", "--fabric", fabric})
            .at(0)
            .at("seconds")
            .get<double>();
    };
    EXPECT_LE(seconds("single-switch"), seconds("fat-tree"));
    const auto unknown = run_cli({"collective", "--gpu", "h100-sxm", "--gpus", "64", "--fabric", "moebius"});
    EXPECT_EQ(unknown.exit_code, 2);
    EXPECT_THAT(unknown.err, HasSubstr("expected one of fat-tree"));
    EXPECT_THAT(run_cli({"collective", "--gpu", "h100-sxm", "--gpus", "8"}).out,
                HasSubstr("# estimates, without a good source: h100-sxm: nvlink_achievable"));
}

TEST(CollectiveCommand, DispatchCountsAsDeepEpDoes) {
    const auto result = run_cli({"collective", "--gpu", "h800-sxm", "--op", "dispatch", "--nodes", "8"});
    EXPECT_THAT(result.out, HasSubstr("3.98 nodes (3.49 remote)"));
    EXPECT_THAT(result.out, HasSubstr("RDMA 45.")) << "46 GB/s in DeepEP's README, without latency";
    EXPECT_THAT(run_cli({"collective", "--gpu", "h100-sxm", "--op", "combine"}).out,
                HasSubstr("measured (aiconfigurator, 20 SMs)"));
}

TEST(CollectiveCommand, RefusesWhatItCannotRun) {
    const auto refusal = [](const std::vector<std::string>& arguments) {
        std::vector<std::string> all{"collective", "--gpu", "h100-sxm"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const auto result = run_cli(all);
        EXPECT_EQ(result.exit_code, 2) << result.out;
        EXPECT_THAT(result.out, IsEmpty());
        return result.err;
    };
    EXPECT_THAT(refusal({"--op", "all_rescue"}), HasSubstr("no operation is called 'all_rescue'"));
    EXPECT_THAT(refusal({"--bytes", "12 Gb/s"}), HasSubstr("--bytes: '12 Gb/s' is not a size"));
    EXPECT_THAT(refusal({"--gpus", "12", "--nodes", "1"}), HasSubstr("at most 8 of h100-sxm"));
    EXPECT_THAT(refusal({"--from", "1MiB"}), HasSubstr("--from SIZE and --to SIZE go together"));
    EXPECT_THAT(refusal({"--cap", "nvlink=fast"}), HasSubstr("--cap nvlink: 'fast' is not a bandwidth"));
    EXPECT_THAT(refusal({"--cap", "luck=1"}), HasSubstr("'luck=1' is no cap"));
    EXPECT_THAT(refusal({"--transfers", "/no/such.toml"}), HasSubstr("/no/such.toml"));
}

TEST(ImportCommand, ReturnsTheModelThatMadeTheTimings) {
    const ScratchDirectory scratch;
    std::string text;
    for (const char* gpus : {"2", "4", "8"}) {
        for (const char* op : {"all_gather", "all_reduce", "reduce_scatter", "alltoall"}) {
            std::vector<std::string> command{"collective"};
            const auto rest = sweep({"--gpu", "h800-sxm", "--gpus", gpus, "--op", op});
            command.insert(command.end(), rest.begin(), rest.end());
            text += run_cli(command).out;
        }
    }
    const std::string timings = scratch.write("timings.txt", text);
    const std::string rates = (scratch.path() / "rates.toml").string();
    const auto imported = run_cli({"import", "nccl-tests", timings, "--gpu", "h800-sxm", "--out", rates});
    ASSERT_EQ(imported.exit_code, 0) << imported.err;
    for (const char* op : {"all_gather", "all_reduce", "alltoall"}) {
        const auto arguments = sweep({"--gpu", "h800-sxm", "--op", op, "--gpus", "8"});
        auto by_import = arguments;
        by_import.insert(by_import.end(), {"--transfers", rates});
        const auto shipped = rows_of(arguments);
        const auto again = rows_of(by_import);
        ASSERT_EQ(shipped.size(), again.size());
        for (std::size_t i = 0; i < shipped.size(); ++i) {
            // Between two of the sizes nobody knows where a protocol ends, and it does so below 1 MiB.
            const double bound = shipped[i].at("bytes").get<double>() < 1048576.0 ? 0.08 : 0.03;
            EXPECT_NEAR(again[i].at("seconds").get<double>() / shipped[i].at("seconds").get<double>(), 1.0,
                        bound)
                << op << ' ' << shipped[i].at("bytes");
        }
    }
}

TEST(ImportCommand, ASlowerClusterIsFoundAndReachesAScenario) {
    const ScratchDirectory scratch;
    std::string text;
    for (const char* gpus : {"4", "8"}) {
        std::vector<std::string> command{"collective"};
        const auto rest =
            sweep({"--gpu", "h800-sxm", "--gpus", gpus, "--op", "reduce_scatter", "--cap", "nvlink=200GB/s"});
        command.insert(command.end(), rest.begin(), rest.end());
        text += run_cli(command).out;
    }
    const std::string rates = (scratch.path() / "rates.toml").string();
    // Measured on links of half the speed, but imported as whole ones: every share must come out halved.
    ASSERT_EQ(
        run_cli({"import", "nccl-tests", scratch.write("t.txt", text), "--gpu", "h800-sxm", "--out", rates})
            .exit_code,
        0);
    const auto whole = rows_of({"--gpu", "h800-sxm", "--op", "reduce_scatter"}).at(0);
    const auto halved = rows_of({"--gpu", "h800-sxm", "--op", "reduce_scatter", "--transfers", rates}).at(0);
    EXPECT_NEAR(halved.at("seconds").get<double>() / whole.at("seconds").get<double>(), 1.93, 0.1)
        << "copies in memory stay as fast";

    const auto checked =
        run_cli({"check", "scenarios/deepseek-v3-h800.toml", "--set", "cluster.transfers=" + rates});
    EXPECT_EQ(checked.exit_code, 0) << checked.err;
    EXPECT_THAT(checked.out, HasSubstr("rates.toml"));
    const auto missing =
        run_cli({"check", "scenarios/deepseek-v3-h800.toml", "--set", "cluster.transfers=/no/such.toml"});
    EXPECT_EQ(missing.exit_code, 2);
    EXPECT_THAT(missing.err, HasSubstr("transfers: "));
}

TEST(ImportCommand, FindsThePartByTheDeviceItNames) {
    const auto result =
        run_cli({"import", "nccl-tests", "tests/data/nccl_tests/all_reduce.txt", "--json", "-"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json.at("gpu"), "h100-sxm");
    EXPECT_EQ(json.at("runs").at(0).at("op"), "all_reduce");
    EXPECT_LT(json.at("runs").at(0).at("median_error").get<double>(), 0.1);
}

TEST(ImportCommand, FaultsNameTheLineAndNothingIsWritten) {
    const ScratchDirectory scratch;
    const std::string broken = scratch.write("broken.txt", "# size count type redop root time algbw busbw\n"
                                                           "1024 256 float sum -1 fast 1 1\n");
    const std::string out = (scratch.path() / "rates.toml").string();
    const auto result = run_cli({"import", "nccl-tests", broken, "--gpu", "h100-sxm", "--out", out});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("broken.txt:2: error: time: 'fast' is no positive number"));
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_EQ(run_cli({"import", "nccl-tests", "/no/such/file", "--gpu", "h100-sxm"}).exit_code, 2);
}
