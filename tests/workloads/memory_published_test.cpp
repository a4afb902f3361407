// SPDX-License-Identifier: Apache-2.0
// Predicted memory against what training runs reported.
#include "presets.hpp"

#include <chokepoint/workloads/memory.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace chokepoint::work {
namespace {

struct PublishedRun {
    ModelArch model;
    ParallelPlan plan;
    hw::Bytes peak;
    std::string text;
};

PublishedRun read_run(const std::string& line) {
    std::istringstream in(line);
    std::string id;
    PublishedRun run{.text = line};
    int layers = 0;
    int kv_heads = 0;
    double peak_gib = 0.0;
    ParallelPlan& plan = run.plan;
    in >> id >> layers >> kv_heads >> plan.tensor >> plan.context >> plan.pipeline >> plan.expert >>
        plan.data >> plan.sequence >> plan.global_batch >> peak_gib;
    EXPECT_TRUE(in) << line;
    run.model = test::preset(id);
    run.model.layers = layers;
    run.model.dense_layers = run.model.moe.experts > 0 ? 1 : layers;
    run.model.mtp_modules = 0;
    run.model.attention.kv_heads = kv_heads > 0 ? kv_heads : run.model.attention.kv_heads;
    plan.split.assign(static_cast<std::size_t>(plan.pipeline), layers / plan.pipeline);
    plan.dispatcher = Dispatcher::all_to_all;
    plan.capacity_factor = 1.0;
    run.peak = hw::Bytes(peak_gib * 1024.0 * 1024.0 * 1024.0);
    return run;
}

std::vector<PublishedRun> published_runs() {
    std::ifstream in(CHOKEPOINT_SOURCE_DIR "/hwmodels/measurements/published/memory.tsv");
    std::vector<PublishedRun> runs;
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with('#') && !line.starts_with("model\t")) {
            runs.push_back(read_run(line));
        }
    }
    return runs;
}

TEST(PublishedMemory, IsPredictedWithinOnePercentOnAverage) {
    const std::vector<PublishedRun> runs = published_runs();
    ASSERT_EQ(runs.size(), 18U);
    double sum = 0.0;
    for (const PublishedRun& run : runs) {
        const Schedule order = find_schedule("1f1b")->make({run.plan.pipeline, run.plan.micro_batches()});
        hw::Bytes most;
        for (const MemoryUse& rank : memory_per_rank(run.model, run.plan, order)) {
            most = std::max(most, rank.allocated());
        }
        const double error = most / run.peak - 1.0;
        fmt::print("{}: {:+.1f}%\n", run.text, 100.0 * error);
        EXPECT_LT(std::abs(error), 0.02) << run.text;
        sum += std::abs(error);
    }
    EXPECT_LT(sum / static_cast<double>(runs.size()), 0.01);
}

} // namespace
} // namespace chokepoint::work
