// SPDX-License-Identifier: Apache-2.0
// Meets PyTorch itself: its dumped schedules are ours, and it loads those that we write.
#include <chokepoint/workloads/schedule_csv.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/wait.h>

namespace chokepoint::work {

namespace {

constexpr int kSkipped = 77; // tests/data/pytorch_schedules.py
constexpr ScheduleSize kSize{.ranks = 4, .micro_batches = 12, .virtual_stages = 2};

int run(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Schedule read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return parse_schedule_csv(
        std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()},
        file.filename().string());
}

class PyTorch : public testing::Test {
protected:
    void SetUp() override {
        if (run("python3 -c 'import torch' >/dev/null 2>&1") != 0) {
            GTEST_SKIP() << "PyTorch's own schedules are not compared: python3 cannot import torch";
        }
        std::string pattern = (std::filesystem::temp_directory_path() / "chokepoint-torch-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::filesystem::path folder_;
};

} // namespace

TEST_F(PyTorch, OrdersAsWeDoAndLoadsWhatWeWrite) {
    const std::vector<std::string> ids{"interleaved-1f1b", "zb-v", "dualpipev"};
    for (const std::string& id : ids) {
        std::ofstream(folder_ / (id + ".ours.csv")) << to_csv(find_schedule(id)->make(kSize));
    }
    const int code = run("python3 tests/data/pytorch_schedules.py '" + folder_.string() + "'");
    if (code == kSkipped) {
        GTEST_SKIP() << "PyTorch's own schedules are not compared: this version does not have them";
    }
    ASSERT_EQ(code, 0);
    for (const std::string& id : ids) {
        const Schedule ours = find_schedule(id)->make(kSize);
        for (const std::string kind : {".compute.csv", ".comms.csv", ".returned.csv"}) {
            EXPECT_EQ(read(folder_ / (id + kind)).order, ours.order) << id << kind;
        }
    }
}

} // namespace chokepoint::work
