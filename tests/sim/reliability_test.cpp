// SPDX-License-Identifier: Apache-2.0
// The closed form, the Monte-Carlo and the published approximations of a run that fails tell one story.
#include <chokepoint/sim/reliability.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

using namespace chokepoint;
using hw::Seconds;
using sim::Job;
using sim::Reliability;

namespace {

constexpr int kGpus = 1000;

/// Times in mean times between failures of the job.
Reliability process(double checkpoint, double restart, std::optional<double> interval = std::nullopt) {
    Reliability r;
    r.gpu_mtbf = Seconds(1e4 * kGpus);
    r.checkpoint = Seconds(1e4 * checkpoint);
    r.restart = Seconds(1e4 * restart);
    if (interval) {
        r.interval = Seconds(1e4 * *interval);
    }
    return r;
}
Job job(double work) { return {kGpus, kGpus / 8, Seconds(1e4 * work)}; }

double share(double low, double high) { return low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0; }

Reliability any_process() {
    Reliability r = process(share(0.0, 0.3), share(0.0, 0.7));
    if (*rc::gen::arbitrary<bool>()) {
        r.interval = Seconds(1e4 * share(0.05, 1.5));
    }
    if (*rc::gen::arbitrary<bool>()) {
        r.slow_hosts = share(0.0, 0.01);
        r.slow_speed = share(0.7, 1.0);
    }
    return r;
}

/// Whether a sample's mean is the closed form's wall, give or take @p systematic. A sample further off than
/// four of its standard errors is bad luck about once in ten thousand, and this law is asked a hundred times
/// at every run: the answer is then that of sixteen times as many draws.
bool mean_agrees(const Reliability& r, const Job& j, Seconds systematic) {
    const Seconds wall = sim::expected_cost(r, j).wall;
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    const auto agrees = [&](int draws, std::uint64_t stream) {
        const sim::RenewalSample sample = sim::simulate_failures(r, j, draws, stream);
        return std::abs((sample.mean - wall).value()) <=
               4.0 * sample.standard_error.value() + systematic.value() + 1e-9 * wall.value();
    };
    constexpr int kDraws = 400;
    return agrees(kDraws, seed) || agrees(16 * kDraws, seed + 1ULL);
}

} // namespace

RC_GTEST_PROP(Reliability, MonteCarloAgreesWithTheExpectationWithinItsError, ()) {
    RC_ASSERT(mean_agrees(any_process(), job(share(0.1, 40.0)), Seconds(0.0)));
}

RC_GTEST_PROP(Reliability, FewSparesAgreeTooOnceTheRunIsLong, ()) {
    Reliability r = any_process();
    r.spares = *rc::gen::inRange(0, 4);
    r.repair = Seconds(1e4 * share(0.0, 3.0));
    // The last node that fails finds fewer nodes out than the long run has: part of one wait.
    RC_ASSERT(mean_agrees(r, job(60.0), 0.5 * r.repair));
}

RC_GTEST_PROP(Reliability, PartsAddUpToTheWall, ()) {
    Reliability r = any_process();
    r.spares = *rc::gen::inRange(0, 4);
    r.repair = Seconds(1e4 * share(0.0, 3.0));
    const Job j = job(share(0.1, 100.0));
    const sim::FailureCost c = sim::expected_cost(r, j);
    const Seconds sum = j.work + c.checkpoints + c.lost + c.restarts + c.waiting + c.slowed;
    RC_ASSERT(std::abs(sum / c.wall - 1.0) < 1e-9);
    RC_ASSERT(c.goodput > 0.0 && c.goodput <= 1.0);
}

TEST(Reliability, ARunThatCannotFailTakesItsWorkAndItsCheckpoints) {
    Reliability r = process(0.01, 0.1, 0.5);
    r.gpu_mtbf = Seconds(1e30);
    const sim::FailureCost cost = sim::expected_cost(r, job(10.0));
    EXPECT_NEAR(cost.wall.value(), 1e5 + 20 * 100.0, 1e-6);
    EXPECT_NEAR(cost.failures, 0.0, 1e-12);
}

TEST(Reliability, DalysIntervalIsNextToTheBest) {
    for (const double checkpoint : {0.001, 0.01, 0.1}) {
        const double daly = sim::long_run_goodput(process(checkpoint, 0.05), job(1.0));
        double best = 0.0;
        for (double interval = 0.002; interval < 2.0; interval *= 1.01) {
            best = std::max(best, sim::long_run_goodput(process(checkpoint, 0.05, interval), job(1.0)));
        }
        EXPECT_LE(daly, best * (1.0 + 1e-4));
        EXPECT_GE(daly, best * (1.0 - 1e-3));
    }
}

TEST(Reliability, YoungAndDalyMeetWhereCheckpointsAreCheap) {
    const Seconds mtbf(1e6);
    EXPECT_NEAR(sim::daly_interval(Seconds(1.0), mtbf) / sim::young_interval(Seconds(1.0), mtbf), 1.0, 1e-3);
    EXPECT_EQ(sim::daly_interval(Seconds(2e6), mtbf), mtbf);
}

TEST(Reliability, SmallRatesCostWhatFirstOrderSays) {
    // Lost: half an interval per failure; (J. W. Young 1974).
    const Reliability r = process(0.0, 0.001, 0.01);
    const sim::FailureCost cost = sim::expected_cost(r, job(100.0));
    EXPECT_NEAR(cost.wall / job(100.0).work, 1.0 + 0.5 * 0.01 + 0.001, 1e-4);
}

TEST(Reliability, OneSlowHostSlowsTheJob) {
    Reliability r = process(0.0, 0.0, 1.0);
    r.gpu_mtbf = Seconds(1e30);
    r.slow_hosts = 1.0;
    r.slow_speed = 0.8;
    EXPECT_NEAR(sim::expected_cost(r, job(1.0)).wall / job(1.0).work, 1.25, 1e-9);
    r.slow_hosts = 0.005; // of 125 nodes
    EXPECT_NEAR(sim::expected_cost(r, job(1.0)).slowed / job(1.0).work, 0.25 * (1.0 - std::pow(0.995, 125)),
                1e-9);
}

TEST(Reliability, ErlangsFormulaHasItsKnownValues) {
    EXPECT_DOUBLE_EQ(sim::blocking_probability(0, 3.0), 1.0);
    EXPECT_DOUBLE_EQ(sim::blocking_probability(1, 1.0), 0.5);
    EXPECT_NEAR(sim::blocking_probability(2, 1.0), 0.2, 1e-15);
    EXPECT_NEAR(sim::blocking_probability(10, 5.0), 0.018384570, 1e-9); // tables of the Erlang B formula
}

TEST(Reliability, MoreSparesNeverWaitLonger) {
    Reliability r = process(0.01, 0.05);
    r.repair = Seconds(5e4);
    Seconds before(1e300);
    for (int spares = 0; spares < 20; ++spares) {
        r.spares = spares;
        const Seconds waiting = sim::expected_cost(r, job(50.0)).waiting;
        EXPECT_LT(waiting, before);
        before = waiting;
    }
    r.spares.reset();
    EXPECT_EQ(sim::expected_cost(r, job(50.0)).waiting, Seconds());
}

TEST(Reliability, ASegmentLongerThanLuckNeverEnds) {
    EXPECT_LT(sim::long_run_goodput(process(0.1, 0.1, 20.0), job(1.0)), 1e-6);
    EXPECT_EQ(sim::long_run_goodput(process(0.1, 0.1, 2000.0), job(1.0)), 0.0);
}

TEST(Reliability, SameSeedSameSample) {
    const auto a = sim::simulate_failures(process(0.01, 0.1), job(10.0), 50, 7);
    const auto b = sim::simulate_failures(process(0.01, 0.1), job(10.0), 50, 7);
    EXPECT_EQ(a.mean, b.mean);
    EXPECT_NE(a.mean, sim::simulate_failures(process(0.01, 0.1), job(10.0), 50, 8).mean);
    EXPECT_LE(a.quantiles[0], a.quantiles[1]);
    EXPECT_LE(a.quantiles[1], a.quantiles[2]);
}

TEST(Reliability, RefusesFiguresWithoutSense) {
    Reliability r = process(0.01, 0.1);
    r.gpu_mtbf = Seconds(0.0);
    EXPECT_THROW((void)sim::expected_cost(r, job(1.0)), std::invalid_argument);
    r = process(-0.01, 0.1);
    EXPECT_THROW((void)sim::expected_cost(r, job(1.0)), std::invalid_argument);
    EXPECT_THROW((void)sim::simulate_failures(process(0.1, 0.1), job(1.0), 0, 1), std::invalid_argument);
}
