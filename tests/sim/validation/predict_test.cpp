// SPDX-License-Identifier: Apache-2.0
// A published run goes through the ordinary loader and engine; one that cannot is listed with its reason.
#include <chokepoint/sim/run.hpp>
#include <chokepoint/sim/validation_report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chokepoint::sim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

PublishedRun small_run() {
    PublishedRun run;
    run.id = "small";
    run.source = "made up";
    run.seconds = hw::Seconds(1.0);
    run.keys = {{"cluster.gpu", "h100-sxm"}, {"cluster.nodes", "1"},      {"model.arch", "moe-tiny"},
                {"plan.pipeline", "1"},      {"plan.expert", "8"},        {"plan.schedule", "1f1b"},
                {"plan.micro_batch", "1"},   {"plan.global_batch", "16"}, {"plan.sequence", "2048"}};
    return run;
}

PublishedRun with(PublishedRun run, const std::string& key, const std::string& value) {
    std::erase_if(run.keys, [&](const auto& pair) { return pair.first == key; });
    run.keys.emplace_back(key, value);
    return run;
}

TEST(Prediction, IsTheStepOfTheRunsScenario) {
    const PublishedRun run = small_run();
    const Prediction prediction = predict(run);
    ASSERT_TRUE(prediction.predicted) << prediction.reason;
    const Scenario scenario = parse_scenario(scenario_text(run), "it");
    EXPECT_DOUBLE_EQ(prediction.predicted->value(),
                     run_step(scenario, scenario.plan()).timeline.makespan.value());
    EXPECT_DOUBLE_EQ(*prediction.error(), prediction.predicted->value() - 1.0);
    EXPECT_EQ(prediction.gpus, 8);
    EXPECT_TRUE(prediction.moe);
    EXPECT_GT(prediction.memory->value(), 0.0);
}

double continued_over_whole(const PublishedRun& run) {
    const Prediction prediction = predict(run);
    const Scenario scenario = parse_scenario(scenario_text(run), "it");
    EXPECT_GT(scenario.plan().micro_batches(), 12); // long enough to be continued
    return prediction.predicted->value() / run_step(scenario, scenario.plan()).timeline.makespan.value();
}

TEST(Prediction, OfALongStepIsThatOfItsWholeSimulation) {
    for (const char* pipeline : {"1", "2", "4"}) {
        const PublishedRun run = with(with(with(small_run(), "plan.pipeline", pipeline), "plan.expert", "2"),
                                      "plan.global_batch", "512");
        EXPECT_NEAR(continued_over_whole(with(run, "cluster.host_call", "0 us")), 1.0, 2e-4) << pipeline;
        // A host that is ahead at first is come up with after any number of rounds.
        for (const char* call : {"20 us", "92 us", "300 us"}) {
            EXPECT_NEAR(continued_over_whole(with(run, "cluster.host_call", call)), 1.0, 5e-3)
                << pipeline << ", " << call;
        }
    }
}

TEST(Prediction, OfALongInterleavedStepIsThatOfItsWholeSimulationToo) {
    for (const char* pairs : {"false", "true"}) {
        PublishedRun run = with(with(with(small_run(), "plan.pipeline", "4"), "plan.expert", "2"),
                                "plan.global_batch", "256");
        run = with(with(run, "plan.schedule", "interleaved-1f1b"), "plan.virtual_stages", "2");
        run = with(run, "plan.overlap_expert", pairs);
        const Prediction prediction = predict(run);
        ASSERT_TRUE(prediction.predicted) << prediction.reason;
        const Scenario scenario = parse_scenario(scenario_text(run), "it");
        EXPECT_GT(scenario.plan().micro_batches(), 12);
        const double whole = run_step(scenario, scenario.plan()).timeline.makespan.value();
        EXPECT_NEAR(prediction.predicted->value() / whole, 1.0, 2e-4) << pairs;
    }
}

TEST(Prediction, OfARateCountsFlopsAsItsSourceDoes) {
    PublishedRun run = small_run();
    run.score = Score::tflops;
    run.seconds.reset();
    run.rate = hw::FlopsPerSecond(100e12);
    const auto measured = [&](FlopConvention flops) {
        run.flops = flops;
        return predict(run).measured->value();
    };
    const Scenario scenario = parse_scenario(scenario_text(run), "it");
    const double causal = work::training_flops_per_token(scenario.model(), 2048, true).value();
    const double full = work::training_flops_per_token(scenario.model(), 2048, false).value();
    const double head = 6.0 * 2048 * 32000; // hidden x vocabulary
    const double tokens_per_rate = 16.0 * 2048.0 / (8 * 100e12);
    EXPECT_NEAR(measured(FlopConvention::causal), causal * tokens_per_rate, 1e-12);
    EXPECT_NEAR(measured(FlopConvention::full), full * tokens_per_rate, 1e-12);
    EXPECT_NEAR(measured(FlopConvention::full_recompute), (full + (full - head) / 3) * tokens_per_rate,
                1e-12);
}

TEST(Prediction, ThatCannotBeMadeGivesTheLoadersReasons) {
    const Prediction unknown = predict(with(small_run(), "plan.colour", "red"));
    EXPECT_FALSE(unknown.predicted);
    EXPECT_FALSE(unknown.error());
    EXPECT_THAT(unknown.reason, HasSubstr("unknown key 'colour' in [plan]"));
    PublishedRun held = small_run();
    held.score = Score::hold;
    held.note = "nobody described the model";
    EXPECT_EQ(predict(held).reason, "nobody described the model");
}

TEST(Predictions, AreTheSameFromOneProcessAndFromMany) {
    std::vector<PublishedRun> runs{small_run(), with(small_run(), "plan.global_batch", "32"),
                                   with(small_run(), "plan.expert", "3"), small_run()};
    runs.back().id = "again";
    runs.back().seconds = hw::Seconds(2.0);
    const auto expect_same = [&](const std::vector<Prediction>& all) {
        ASSERT_EQ(all.size(), runs.size());
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const Prediction alone = predict(runs[i]);
            EXPECT_EQ(all[i].predicted.has_value(), alone.predicted.has_value()) << i;
            if (alone.predicted) {
                EXPECT_DOUBLE_EQ(all[i].predicted->value(), alone.predicted->value()) << i;
                EXPECT_DOUBLE_EQ(all[i].measured->value(), runs[i].seconds->value()) << i;
                EXPECT_DOUBLE_EQ(all[i].memory->value(), alone.memory->value()) << i;
                EXPECT_THAT(all[i].reason, IsEmpty());
            } else {
                EXPECT_EQ(all[i].reason, alone.reason) << i;
            }
        }
    };
    expect_same(predict_all(runs, {.processes = 1, .progress = {}}));
    expect_same(predict_all(runs, {.processes = 3, .progress = {}}));
}

} // namespace
} // namespace chokepoint::sim
