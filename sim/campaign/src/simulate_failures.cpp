// SPDX-License-Identifier: Apache-2.0
// The failure process, drawn instead of averaged.
#include "renewal.hpp"

#include <chokepoint/sim/quantile.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

/// The engine's output is fixed by the standard, that of its distributions is not.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    /// In [0, 1).
    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    double exponential(double mean) { return -mean * std::log1p(-uniform()); }

private:
    std::mt19937_64 engine_;
};

/// Failed nodes under repair, on the clock of the time that the job holds all its nodes.
class RepairShop {
public:
    RepairShop(const Renewal& p, Draw& draw) : p_(p), draw_(draw) {
        if (limited()) {
            out_ = settled();
        }
    }

    /// A node fails `after` the last failure; returns how long the job waits for a node.
    double fail(double after) {
        if (!limited()) {
            return 0.0;
        }
        const double back = -std::expm1(-after / p_.repair);
        int returned = 0;
        for (int i = 0; i < out_; ++i) {
            returned += draw_.uniform() < back ? 1 : 0;
        }
        out_ -= returned;
        if (out_ < *p_.spares) {
            ++out_;
            return 0.0;
        }
        return draw_.exponential(p_.repair / (*p_.spares + 1)); // the first of them to come back
    }

private:
    [[nodiscard]] bool limited() const { return p_.spares && p_.repair > 0.0; }

    /// A draw from the long run's distribution: Poisson, cut at the number of spares.
    int settled() {
        std::vector<double> weight{1.0};
        for (int n = 1; n <= *p_.spares; ++n) {
            weight.push_back(weight.back() * p_.load() / n);
        }
        double sum = 0.0;
        for (const double w : weight) {
            sum += w;
        }
        double at = draw_.uniform() * sum;
        int n = 0;
        while (n < *p_.spares && at >= weight[static_cast<std::size_t>(n)]) {
            at -= weight[static_cast<std::size_t>(n++)];
        }
        return n;
    }

    const Renewal& p_;
    Draw& draw_;
    int out_ = 0;
};

struct Trial {
    double wall = 0.0;
    double failures = 0.0;
};

class Run {
public:
    Run(const Renewal& p, Draw& draw) : p_(p), draw_(draw), shop_(p, draw) {}

    Trial play(double work) {
        double left = std::floor(work / p_.interval);
        const double rest = work - left * p_.interval;
        do_segments(left, p_.interval + p_.checkpoint);
        do_segments(rest > 0.0 ? 1.0 : 0.0, rest + p_.checkpoint);
        return trial_;
    }

private:
    void do_segments(double left, double length) {
        while (left > 0.0) {
            const double next = draw_.exponential(1.0 / p_.rate);
            const double done = std::min(left, std::floor(next / length));
            left -= done;
            if (left <= 0.0) {
                trial_.wall += done * length;
                since_failure_ += done * length;
                return;
            }
            advance(next);
            fail_and_restart();
        }
    }

    void advance(double seconds) {
        trial_.wall += seconds;
        since_failure_ += seconds;
    }

    void fail_and_restart() {
        for (;;) {
            trial_.failures += 1.0;
            trial_.wall += shop_.fail(since_failure_);
            since_failure_ = 0.0;
            const double next = draw_.exponential(1.0 / p_.rate);
            advance(std::min(next, p_.restart));
            if (next >= p_.restart) {
                return;
            }
        }
    }

    const Renewal& p_;
    Draw& draw_;
    RepairShop shop_;
    Trial trial_;
    double since_failure_ = 0.0;
};

} // namespace

RenewalSample simulate_failures(const Reliability& reliability, const Job& job, int trials,
                                std::uint64_t seed) {
    if (trials < 1) {
        throw std::invalid_argument("a Monte-Carlo without trials; expected at least 1");
    }
    const Renewal p = make_renewal(reliability, job);
    Draw draw(seed);
    std::vector<double> walls;
    double sum = 0.0, failures = 0.0;
    for (int i = 0; i < trials; ++i) {
        const bool slow = draw.uniform() < p.any_slow;
        const Trial trial = Run(p, draw).play(job.work.value() * (slow ? p.slow_factor : 1.0));
        walls.push_back(trial.wall);
        sum += trial.wall;
        failures += trial.failures;
    }
    const double mean = sum / trials;
    double squares = 0.0;
    for (const double wall : walls) {
        squares += (wall - mean) * (wall - mean);
    }
    std::ranges::sort(walls);
    RenewalSample sample;
    sample.trials = trials;
    sample.mean = Seconds(mean);
    sample.standard_error = Seconds(trials > 1 ? std::sqrt(squares / (trials - 1.0) / trials) : 0.0);
    sample.quantiles = {Seconds(quantile(walls, 0.05)), Seconds(quantile(walls, 0.5)),
                        Seconds(quantile(walls, 0.95))};
    sample.failures = failures / trials;
    return sample;
}

} // namespace chokepoint::sim
