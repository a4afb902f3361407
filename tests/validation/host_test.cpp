// SPDX-License-Identifier: Apache-2.0
// Toy models whose GPUs wait for their hosts: what cluster.host_call is known by.
#include <chokepoint/sim/validation.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

namespace chokepoint::sim {
namespace {

TEST(PublishedHost, ToyModelsTakeAsLongAsTheirHosts) {
    const auto runs = load_published_runs(CHOKEPOINT_SOURCE_DIR "/scenarios/validation/host.tsv");
    ASSERT_GT(runs.size(), 8U);
    double signed_sum = 0.0;
    for (const PublishedRun& run : runs) {
        const Prediction prediction = predict(run);
        ASSERT_TRUE(prediction.error()) << run.id << ": " << prediction.reason;
        const double error = *prediction.error();
        std::cout << fmt::format("{:80} {:+.1f}%\n", run.id, 100.0 * error);
        // Experts' bookkeeping is counted from source, not from a profile.
        const bool experts = !run.key("model.moe.experts").empty();
        EXPECT_LT(std::abs(error), experts ? 0.30 : 0.12) << run.id;
        signed_sum += error;
    }
    EXPECT_LT(std::abs(signed_sum / static_cast<double>(runs.size())), 0.08);
}

TEST(PublishedHost, WithoutItTheyAreSeveralTimesTooFast) {
    for (PublishedRun run : load_published_runs(CHOKEPOINT_SOURCE_DIR "/scenarios/validation/host.tsv")) {
        run.keys.emplace(run.keys.begin(), "cluster.host_call", "0 us");
        const Prediction prediction = predict(run);
        ASSERT_TRUE(prediction.error()) << run.id << ": " << prediction.reason;
        EXPECT_LT(*prediction.error(), -0.7) << run.id;
    }
}

} // namespace
} // namespace chokepoint::sim
