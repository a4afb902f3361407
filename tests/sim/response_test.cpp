// SPDX-License-Identifier: Apache-2.0
// What a step takes with its inputs off their best values, from a few chains of tasks, against simulating it.
#include <chokepoint/sim/draws.hpp>
#include <chokepoint/sim/run.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

using namespace chokepoint;

namespace {

sim::Scenario scenario(std::vector<std::string> overrides = {}) {
    return sim::load_scenario(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios/small-16-gpus.toml",
                              {std::move(overrides), {}});
}

sim::StepResponse response_of(const sim::Scenario& s) {
    return sim::step_response(sim::run_step(s, s.plan()), s.cluster().node.gpu.architecture);
}

/// One input away from its best value, the others at theirs.
double seconds(const sim::StepResponse& response, std::string_view variable, double deviate) {
    return response.seconds(
        response.work.factors([&](std::string_view name) { return name == variable ? deviate : 0.0; }));
}

const std::vector<std::vector<std::string>> kSteps{
    {},
    {"cluster.host_call=0 us"},
    {"cluster.host_call=0 us", "plan.routing_imbalance=0.6"},
    {"plan.schedule=zb-h1", "plan.split=[]"},
    {"plan.schedule=dualpipe", "plan.split=[]", "cluster.host_call=200 us"},
    // Hosts that wait for a dispatch which starts at the moment when a kernel does.
    {"plan.schedule=1f1b", "plan.pipeline=1", "plan.split=[]", "plan.overlap_expert=true",
     "plan.delay_weight_gradient=true", R"(plan.cuda_graphs=["attention", "router"])",
     "cluster.host_call=150 us"},
    {"plan.overlap_gradients=true", "plan.zero=3", "plan.schedule=1f1b", "plan.split=[]"},
    {"simulation.compute=roofline", "plan.routing_imbalance=0.1"}};

} // namespace

TEST(StepResponse, IsTheSimulatedStepWithInputsAtTheirBest) {
    for (const auto& overrides : kSteps) {
        const sim::Scenario s = scenario(overrides);
        const double simulated = sim::run_step(s, s.plan()).timeline.makespan.value();
        EXPECT_NEAR(seconds(response_of(s), "", 0.0), simulated, 1e-9 * simulated)
            << testing::PrintToString(overrides);
    }
}

TEST(StepResponse, IsTheSimulatedStepWithMoreOrLessRoutingImbalance) {
    const std::string base = "plan.routing_imbalance=0.4";
    const sim::StepResponse response = response_of(scenario({"cluster.host_call=0 us", base}));
    double before = 0.0;
    for (const double deviate : {-2.0, -1.0, 0.0, 1.0, 2.0}) {
        const double imbalance = 0.4 * std::pow(sim::kRoutingFactor, deviate);
        const sim::Scenario other =
            scenario({"cluster.host_call=0 us", "plan.routing_imbalance=" + std::to_string(imbalance)});
        const double simulated = sim::run_step(other, other.plan()).timeline.makespan.value();
        const double found = seconds(response, "routing imbalance", deviate);
        EXPECT_NEAR(found, simulated, 0.002 * simulated) << deviate;
        EXPECT_GE(found, before);
        before = found;
    }
}

TEST(StepResponse, IsTheSimulatedStepWithAFasterOrSlowerHost) {
    const sim::StepResponse response = response_of(scenario({"cluster.host_call=60 us"}));
    for (const double deviate : {-2.0, -1.0, 1.0, 2.0}) {
        const double call = 60.0 * std::exp(deviate * sim::host_sigma());
        const sim::Scenario other = scenario({"cluster.host_call=" + std::to_string(call) + " us"});
        const double simulated = sim::run_step(other, other.plan()).timeline.makespan.value();
        EXPECT_NEAR(seconds(response, sim::kHostInput, deviate), simulated, 0.005 * simulated) << deviate;
    }
}

TEST(StepResponse, IsConvexInEveryFactorAndNeverBelowTheFirstChain) {
    for (const auto& overrides : kSteps) {
        const sim::StepResponse response = response_of(scenario(overrides));
        const double best = seconds(response, "", 0.0);
        for (const sim::Variable& variable : response.work.variables()) {
            const double up = seconds(response, variable.name, 1.0);
            const double down = seconds(response, variable.name, -1.0);
            EXPECT_GE(up, best);
            EXPECT_LE(down, best);
            // Chords of a convex function of exp(sigma z) rise.
            const double sigma = variable.sigma;
            EXPECT_GE((up - best) / std::expm1(sigma) - (best - down) / -std::expm1(-sigma), -1e-9 * best);
        }
    }
}

TEST(StepResponse, GrowsWithAllOfItsWork) {
    const sim::StepResponse response = response_of(scenario());
    EXPECT_NEAR(response.seconds(std::vector(response.work.slices(), 1.7)), 1.7 * seconds(response, "", 0.0),
                1e-12);
}

TEST(Uncertainty, OfOneLogNormalInputIsThatLogNormal) {
    // Only the host is not exact for all but a hundredth of the step: nothing else is waited for there.
    const sim::RunReport report = sim::run(scenario({"cluster.host_call=1 ms", "campaign.tokens=1e12"}));
    const double best = report.step.seconds.value();
    const auto [low, middle, high] = report.uncertainty.step_seconds;
    EXPECT_NEAR(low / best, std::exp(-sim::kP95 * sim::host_sigma()), 0.006);
    EXPECT_NEAR(middle / best, 1.0, 0.002);
    EXPECT_NEAR(high / best, std::exp(sim::kP95 * sim::host_sigma()), 0.006);
    ASSERT_FALSE(report.uncertainty.drivers.empty());
    EXPECT_EQ(report.uncertainty.drivers.front().input, sim::kHostInput);
}

TEST(Uncertainty, OfAOneSidedInputIsLongerOnThatSide) {
    const sim::RunReport report =
        sim::run(scenario({"cluster.host_call=0 us", "plan.routing_imbalance=0.4", "campaign.tokens=1e12"}));
    const auto driver =
        std::ranges::find(report.uncertainty.drivers, "routing imbalance", &sim::Driver::input);
    ASSERT_NE(driver, report.uncertainty.drivers.end());
    EXPECT_GT(driver->ends.high.step, 1.2 * -driver->ends.low.step);
    const auto [low, middle, high] = report.uncertainty.step_seconds;
    EXPECT_GT(high - middle, 1.2 * (middle - low));
    EXPECT_GT(high / report.step.seconds.value(), 1.0 + sim::kP95 * report.uncertainty.relative_sigma);
}

TEST(Uncertainty, EndsAreThoseOfTheEffect) {
    for (const auto& overrides : kSteps) {
        std::vector<std::string> all = overrides;
        all.emplace_back("campaign.tokens=1e12");
        for (const sim::Driver& driver : sim::run(scenario(all)).uncertainty.drivers) {
            EXPECT_LE(driver.ends.low.step, driver.ends.high.step);
            for (const sim::Term& term : driver.terms) {
                EXPECT_LE(term.ends.low.step, hw::Seconds()) << term.name;
                EXPECT_GE(term.ends.high.step, hw::Seconds()) << term.name;
            }
            const double half = sim::half_distance(driver.ends).step.value();
            EXPECT_LE(driver.effect.step.value(), half * (1.0 + 1e-9)) << driver.input; // Minkowski
            EXPECT_GE(driver.effect.step.value(), half * std::numbers::sqrt2 / 2.0) << driver.input;
        }
    }
}

TEST(EvenDraws, TakeEveryRangeOfANormalOnceInAnOrderOfTheName) {
    sim::EvenDraws draws;
    const std::vector<double> a = draws.of("a");
    const std::vector<double> b = draws.of("b");
    EXPECT_EQ(a.size(), sim::kEvenDraws);
    EXPECT_EQ(std::set(a.begin(), a.end()), std::set(b.begin(), b.end()));
    EXPECT_EQ(a, sim::EvenDraws().of("a"));
    EXPECT_NE(a, b);
    const double squares = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
    EXPECT_NEAR(squares / static_cast<double>(a.size()), 1.0, 0.001);
    // No more correlated than chance has them: 4.5 standard errors.
    const double product = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    EXPECT_LT(std::abs(product) / static_cast<double>(a.size()), 4.5 / std::sqrt(a.size()));
}

TEST(NormalQuantile, UndoesTheDistribution) {
    for (const double x : {-3.7, -0.3, 0.0, 0.3, 1.6448536269514722, 3.7}) {
        EXPECT_NEAR(sim::normal_quantile(0.5 * std::erfc(-x / std::sqrt(2.0))), x, 1e-9);
    }
}
