// SPDX-License-Identifier: GPL-3.0-or-later
// chokepoint-plot by itself, and as the command line runs it.
#include "cli/run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sys/wait.h>

namespace {

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kLine =
    R"({"schema":"chokepoint/chart/1","kind":"line","series":[{"name":"a","points":[[1,1],[2,3]]}]})";

struct Plotted {
    int exit_code = -1;
    std::string out; ///< with what went to stderr
};

Plotted plot(const std::string& arguments) {
    Plotted result;
    std::FILE* pipe = popen((std::string(CHOKEPOINT_PLOT) + " " + arguments + " 2>&1").c_str(), "r");
    std::array<char, 4096> block{};
    for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
        result.out.append(block.data(), got);
    }
    result.exit_code = WEXITSTATUS(pclose(pipe));
    return result;
}

const std::vector<std::string> kSchedule{"schedule", "dualpipe", "--pp", "4", "--micro-batches", "8"};

std::vector<std::string> schedule_with(std::initializer_list<std::string> more) {
    std::vector<std::string> all = kSchedule;
    all.insert(all.end(), more);
    return all;
}

} // namespace

TEST(Plot, WritesSvgAndPngByTheFilesEnding) {
    const ScratchDirectory scratch;
    const std::string json = scratch.write("line.json", kLine);
    const auto svg = scratch.path() / "line.svg";
    const auto png = scratch.path() / "line.png";
    EXPECT_EQ(plot(json + " -o " + svg.string()).exit_code, 0);
    EXPECT_EQ(plot("< " + json + " -o " + png.string()).exit_code, 0);
    EXPECT_THAT(read_file(svg), HasSubstr("<svg"));
    EXPECT_THAT(read_file(png), StartsWith("\x89PNG"));
    EXPECT_EQ(plot(json + " --format svg").out, read_file(svg));
}

TEST(Plot, RefusesWrongInputWithExitCodeTwoAndWritesNothing) {
    const ScratchDirectory scratch;
    const std::string json = scratch.write("bad.json", R"({"schema":"chokepoint/chart/1","kind":"pie"})");
    const auto svg = scratch.path() / "bad.svg";
    const auto bad = plot(json + " -o " + svg.string());
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_THAT(bad.out, HasSubstr("/kind: found \"pie\""));
    EXPECT_FALSE(std::filesystem::exists(svg));
    EXPECT_EQ(plot(json + " -o x.gif").exit_code, 2);
    EXPECT_EQ(plot(json + " --format svg --scale 0").exit_code, 2);
    EXPECT_EQ(plot("--no-such-option").exit_code, 2);
    EXPECT_EQ(plot("no-such-file.json --format svg").exit_code, 1);
    EXPECT_EQ(plot(scratch.write("line.json", kLine) + " -o /no/such/directory/x.svg").exit_code, 1);
}

TEST(Plot, DrawsASchedule) {
    const ScratchDirectory scratch;
    const std::string svg = (scratch.path() / "x.svg").string();
    const std::string png = (scratch.path() / "x.png").string();
    const auto result = run_cli(schedule_with({"--svg", svg, "--png", png}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(read_file(svg), HasSubstr("rank 3"));
    EXPECT_THAT(read_file(png), StartsWith("\x89PNG"));
    EXPECT_THAT(result.out, StartsWith("dualpipe: 4 ranks"));
    const auto printed = run_cli(schedule_with({"--svg", "-"}));
    EXPECT_EQ(printed.out, read_file(svg));
}

TEST(Plot, DrawsRooflinesAndResidualsOfACalibration) {
    const ScratchDirectory scratch;
    const std::string svg = (scratch.path() / "kernels.svg").string();
    const std::string chart = (scratch.path() / "kernels.json").string();
    const std::string published = "hwmodels/measurements/published/";
    const auto result = run_cli({"calibrate", published + "gemm_tables.json", published + "memory_bound.json",
                                 "--part", "h100-sxm", "--svg", svg, "--chart", chart});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::string picture = read_file(svg);
    EXPECT_THAT(picture, HasSubstr("h100-sxm, gemm, bf16"));
    EXPECT_THAT(picture, HasSubstr("kept from the fit"));
    EXPECT_THAT(picture, HasSubstr("arithmetic intensity (FLOP/B)"));
    EXPECT_THAT(picture, HasSubstr("fit against measured (%)"));
    EXPECT_THAT(picture, testing::Not(HasSubstr("h800-sxm"))) << "another part's";
    const auto streaming = run_cli({"calibrate", published + "memory_bound.json", "--svg", "-"});
    EXPECT_THAT(streaming.out, HasSubstr("h800-sxm, quantize"));
    EXPECT_THAT(streaming.out, HasSubstr("memory bandwidth"));
    EXPECT_EQ(plot(chart + " --format svg").out, picture);
}

TEST(Plot, LeavesNoPictureWhereItCannotWriteOne) {
    const auto result = run_cli(schedule_with({"--svg", "/no/such/directory/x.svg"}));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("cannot write '/no/such/directory/x.svg'"));
}
