// SPDX-License-Identifier: Apache-2.0
// Toy models whose GPUs wait for their hosts: what cluster.host_call is known by.
#include <chokepoint/sim/validation.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

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

// The figure of Megatron-DeepSpeed's host rests on these: no bias is left, and the half of what Transformer
// Engine's modules take is what they need. Every 16th of the 1,440.
TEST(PublishedHost, WithoutTransformerEngineItIsTwiceAsFast) {
    const auto runs = load_published_runs(CHOKEPOINT_SOURCE_DIR "/scenarios/validation/host_a100.tsv");
    ASSERT_EQ(runs.size(), 1440U);
    std::vector<double> errors;
    double signed_sum = 0.0;
    for (std::size_t i = 0; i < runs.size(); i += 16) {
        const Prediction prediction = predict(runs[i]);
        ASSERT_TRUE(prediction.error()) << runs[i].id << ": " << prediction.reason;
        errors.push_back(std::abs(*prediction.error()));
        signed_sum += *prediction.error();
    }
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::ranges::nth_element(errors, middle);
    EXPECT_LT(*middle, 0.13);
    EXPECT_LT(std::abs(signed_sum / static_cast<double>(errors.size())), 0.05);
}

} // namespace
} // namespace chokepoint::sim
