// SPDX-License-Identifier: Apache-2.0
// Draws are reproducible, and their percentiles are those of the interval without them.
#include "sim/compare/clusters.hpp"

#include <chokepoint/sim/monte_carlo.hpp>
#include <chokepoint/sim/quantile.hpp>

#include <gmock/gmock.h>

#include <cmath>

using namespace chokepoint;
using sim::Draw;
using sim::Sample;

namespace {

Sample draws(const sim::Scenario& scenario, int trials, std::uint64_t seed = 1, int jobs = 2) {
    const auto workers = sim::process_workers(jobs, sim::draw_work(scenario, seed));
    return sim::monte_carlo(*workers, {.trials = trials, .seed = seed, .progress = {}, .stop = {}}).value();
}

/// Of logarithms, as far as p5 and p95 tell.
double spread(double low, double high) { return std::log(high / low) / (2.0 * sim::kP95); }

} // namespace

TEST(Draw, DeviatesAreStandardNormal) {
    constexpr int kDraws = 20'000;
    double sum = 0.0, squares = 0.0;
    int beyond = 0;
    for (int i = 0; i < kDraws; ++i) {
        const double z = Draw(7, static_cast<std::uint64_t>(i)).deviate("sustained clock");
        sum += z;
        squares += z * z;
        beyond += z > sim::kP95 ? 1 : 0;
    }
    // Four and a half standard errors each.
    EXPECT_NEAR(sum / kDraws, 0.0, 4.5 / std::sqrt(kDraws));
    EXPECT_NEAR(squares / kDraws, 1.0, 4.5 * std::sqrt(2.0 / kDraws));
    EXPECT_NEAR(double(beyond) / kDraws, 0.05, 4.5 * std::sqrt(0.05 * 0.95 / kDraws));
}

TEST(Draw, BelongsToSeedTrialAndName) {
    const Draw draw(1, 2);
    EXPECT_EQ(draw.deviate("a"), Draw(1, 2).deviate("a"));
    EXPECT_NE(draw.deviate("a"), draw.deviate("b"));
    EXPECT_NE(draw.deviate("a"), Draw(1, 3).deviate("a"));
    EXPECT_NE(draw.deviate("a"), Draw(2, 2).deviate("a"));
    EXPECT_EQ(draw.factor("a", 0.0), 1.0);
}

TEST(Quantile, LiesBetweenNeighbours) {
    const double never = std::numeric_limits<double>::infinity();
    EXPECT_DOUBLE_EQ(sim::quantile({1.0, 2.0, 4.0}, 0.75), 3.0);
    EXPECT_DOUBLE_EQ(sim::quantile({1.0, 2.0, never}, 0.5), 2.0);
    EXPECT_EQ(sim::quantile({1.0, 2.0, never}, 0.75), never);
    EXPECT_EQ(sim::quantile({1.0, never, never}, 0.75), never);
    EXPECT_THROW((void)sim::quantile({}, 0.5), std::invalid_argument);
}

TEST(MonteCarlo, DoesNotDependOnTheNumberOfProcesses) {
    const sim::Scenario scenario = test::small();
    const Sample one = draws(scenario, 20, 1, 1);
    const Sample three = draws(scenario, 20, 1, 3);
    EXPECT_EQ(one, three);
    EXPECT_NE(one.step, draws(scenario, 20, 2).step);
}

/// A p5 or p95 of n draws of something near a normal is off by 0.218 / 0.103 / sqrt(n) standard deviations, a
/// median by 1.25 / sqrt(n).
void expect_agreement(const sim::Percentiles& found, const std::array<double, 3>& sample, int draws) {
    const double sigma = spread(found[0], found[2]);
    const double slack = 0.15; // chains that no pass over the graph found
    EXPECT_NEAR(std::log(sample[0] / found[0]) / sigma, 0.0, 3.0 * 2.11 / std::sqrt(draws) + slack);
    EXPECT_NEAR(std::log(sample[1] / found[1]) / sigma, 0.0, 3.0 * 1.25 / std::sqrt(draws) + slack);
    EXPECT_NEAR(std::log(sample[2] / found[2]) / sigma, 0.0, 3.0 * 2.11 / std::sqrt(draws) + slack);
}

TEST(MonteCarlo, AgreesWithTheInterval) {
    constexpr int kTrials = 400;
    // As it is, waited for by its host; without a host; with waits for the slowest rank that are often longer
    // than what hides them, which lengthen a step by more than they shorten it.
    for (const std::vector<std::string>& overrides :
         {std::vector<std::string>{},
          {"cluster.host_call=0 us"},
          {"cluster.host_call=0 us", "plan.routing_imbalance=0.5"}}) {
        const sim::Scenario scenario = test::small(overrides);
        const sim::RunReport report = sim::run(scenario);
        ASSERT_GT(report.uncertainty.relative_sigma, 0.02);
        const Sample sample = draws(scenario, kTrials);
        expect_agreement(report.uncertainty.step_seconds,
                         {sample.step[0].value(), sample.step[1].value(), sample.step[2].value()}, kTrials);
        expect_agreement(report.uncertainty.usd,
                         {sample.usd->at(0).value(), sample.usd->at(1).value(), sample.usd->at(2).value()},
                         kTrials);
    }
}

TEST(MonteCarlo, DrawsFailuresAndPricesToo) {
    const sim::Scenario scenario =
        test::small({"reliability.gpu_mtbf=50 h", "reliability.checkpoint_time=30 s", "cost.model=rental",
                     "cost.date=2024-12-01", "cluster.host_call=0 us"});
    const sim::RunReport report = sim::run(scenario);
    const Sample sample = draws(scenario, 200);
    const double step = spread(sample.step[0].value(), sample.step[2].value());
    const double hours = spread(sample.gpu_hours->front(), sample.gpu_hours->back());
    EXPECT_GT(hours, step);
    EXPECT_GT(sample.gpu_hours->at(1), 0.98 * report.campaign->gpu_hours);
    expect_agreement(report.uncertainty.gpu_hours, *sample.gpu_hours, 200);
    expect_agreement(report.uncertainty.usd,
                     {sample.usd->at(0).value(), sample.usd->at(1).value(), sample.usd->at(2).value()}, 200);
}

TEST(MonteCarlo, DrawsFiguresOfOwnership) {
    const sim::Scenario scenario = test::small({"cost.model=bottom-up"});
    const sim::RunReport report = sim::run(scenario);
    const Sample sample = draws(scenario, 400);
    const double spread_of_usd = spread(sample.usd->front().value(), sample.usd->back().value());
    expect_agreement(report.uncertainty.usd,
                     {sample.usd->at(0).value(), sample.usd->at(1).value(), sample.usd->at(2).value()}, 400);
    EXPECT_GT(spread_of_usd, 1.2 * spread(sample.step[0].value(), sample.step[2].value()));
    EXPECT_NEAR(sample.usd->at(1) / *report.cost->campaign, 1.0, 0.1);
}

TEST(MonteCarlo, EndsWhenStopped) {
    const sim::Scenario scenario = test::small();
    const auto workers = sim::process_workers(1, sim::draw_work(scenario, 1));
    int asked = 0;
    EXPECT_EQ(sim::monte_carlo(
                  *workers, {.trials = 1000, .seed = 1, .progress = {}, .stop = [&] { return ++asked > 3; }}),
              std::nullopt);
}

TEST(MonteCarlo, NamesTheDrawThatFailed) {
    const auto workers = sim::process_workers(1, [](std::string_view task) -> std::string {
        if (task == "2") {
            throw std::runtime_error("no luck");
        }
        return "1 - -";
    });
    try {
        (void)sim::monte_carlo(*workers, {.trials = 5, .seed = 1, .progress = {}, .stop = {}});
        FAIL() << "expected an exception";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "draw 2 of the Monte-Carlo failed: no luck");
    }
}
