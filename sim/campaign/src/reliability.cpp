// SPDX-License-Identifier: Apache-2.0
// Expected wall time under failures, in closed form.
#include "renewal.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

void need(bool holds, std::string_view figure, double value, std::string_view expected) {
    if (!holds) {
        throw std::invalid_argument(fmt::format("{} is {:g}; expected {}", figure, value, expected));
    }
}

void check(const Reliability& r, const Job& job) {
    need(job.gpus > 0, "the job's number of GPUs", job.gpus, "at least 1");
    need(job.nodes > 0, "the job's number of nodes", job.nodes, "at least 1");
    need(job.work >= Seconds(), "the job's work", job.work.value(), "no negative time");
    need(r.gpu_mtbf > Seconds(), "gpu_mtbf", r.gpu_mtbf.value(), "a positive time");
    need(r.checkpoint >= Seconds(), "checkpoint", r.checkpoint.value(), "no negative time");
    need(r.restart >= Seconds(), "restart", r.restart.value(), "no negative time");
    need(r.repair >= Seconds(), "repair", r.repair.value(), "no negative time");
    need(!r.interval || *r.interval > Seconds(), "interval", r.interval.value_or(Seconds()).value(),
         "a positive time");
    need(r.spares.value_or(0) >= 0, "spares", r.spares.value_or(0), "at least 0");
    need(r.slow_hosts >= 0.0 && r.slow_hosts <= 1.0, "slow_hosts", r.slow_hosts, "a share from 0 to 1");
    need(r.slow_speed > 0.0 && r.slow_speed <= 1.0, "slow_speed", r.slow_speed, "a share above 0, up to 1");
}

/// Sums over the segments of one run; each term is linear in segments, so a long run costs no more.
struct Sums {
    double checkpoints = 0.0, lost = 0.0, restarts = 0.0, failures = 0.0;
    double total = 0.0;

    /// `count` segments of `work` each. From the renewal equation of a segment of s = work + checkpoint: wall
    /// (e^(rate s) - 1) e^(rate restart) / rate, of which (e^(rate s) - 1) / rate before restarts.
    void add(const Renewal& p, double work, double count) {
        const double again = std::expm1(p.rate * (work + p.checkpoint)) / p.rate;
        const double per_failure = std::expm1(p.rate * p.restart);
        checkpoints += count * p.checkpoint;
        lost += count * (again - work - p.checkpoint);
        restarts += count * again * per_failure;
        total += count * again * (1.0 + per_failure);
        failures += count * again * (1.0 + per_failure) * p.rate;
    }
};

/// A run's segments: all of the interval's work but the last, which has the rest.
Sums sum_segments(const Renewal& p, double work) {
    Sums sums;
    const double whole = std::floor(work / p.interval);
    const double rest = work - whole * p.interval;
    if (whole > 0.0) {
        sums.add(p, p.interval, whole);
    }
    if (rest > 0.0) {
        sums.add(p, rest, 1.0);
    }
    return sums;
}

/// Expected wait per failure for a node to come back, once every spare is out.
double wait_per_failure(const Renewal& p) {
    if (!p.spares || p.repair <= 0.0) {
        return 0.0;
    }
    return blocking_probability(*p.spares, p.load()) * p.repair / (*p.spares + 1);
}

} // namespace

Renewal make_renewal(const Reliability& r, const Job& job) {
    check(r, job);
    Renewal p;
    p.rate = job.gpus / r.gpu_mtbf.value();
    p.checkpoint = r.checkpoint.value();
    p.restart = r.restart.value();
    p.repair = r.repair.value();
    p.spares = r.spares;
    const Seconds daly = daly_interval(r.checkpoint, Seconds(1.0 / p.rate));
    // A free checkpoint is taken all the time: no work is ever lost. One second stands for that.
    p.interval = r.interval ? r.interval->value() : std::max(1.0, daly.value());
    p.any_slow = -std::expm1(job.nodes * std::log1p(-r.slow_hosts));
    p.slow_factor = 1.0 / r.slow_speed;
    return p;
}

Seconds young_interval(Seconds checkpoint, Seconds mtbf) {
    return Seconds(std::sqrt(2.0 * checkpoint.value() * mtbf.value()));
}

Seconds daly_interval(Seconds checkpoint, Seconds mtbf) {
    if (checkpoint >= 2.0 * mtbf) {
        return mtbf;
    }
    const double half = checkpoint / (2.0 * mtbf);
    return young_interval(checkpoint, mtbf) * (1.0 + std::sqrt(half) / 3.0 + half / 9.0) - checkpoint;
}

double blocking_probability(int spares, double load) {
    double blocked = 1.0;
    for (int n = 1; n <= spares; ++n) { // Erlang B by its recursion, which neither over- nor underflows
        blocked = load * blocked / (n + load * blocked);
    }
    return blocked;
}

FailureCost expected_cost(const Reliability& reliability, const Job& job) {
    const Renewal p = make_renewal(reliability, job);
    const double work = job.work.value();
    const Sums fast = sum_segments(p, work);
    const Sums slow = sum_segments(p, work * p.slow_factor);
    const auto mean = [&](double Sums::* term) {
        return Seconds((1.0 - p.any_slow) * (fast.*term) + p.any_slow * (slow.*term));
    };
    FailureCost cost;
    cost.interval = Seconds(p.interval);
    cost.mtbf = Seconds(1.0 / p.rate);
    cost.failures = mean(&Sums::failures).value();
    cost.checkpoints = mean(&Sums::checkpoints);
    cost.lost = mean(&Sums::lost);
    cost.restarts = mean(&Sums::restarts);
    cost.waiting = Seconds(cost.failures * wait_per_failure(p));
    cost.slowed = Seconds(work * p.any_slow * (p.slow_factor - 1.0));
    cost.wall = mean(&Sums::total) + cost.waiting;
    cost.goodput = job.work > Seconds() ? job.work / cost.wall : 1.0;
    return cost;
}

double long_run_goodput(const Reliability& reliability, const Job& job) {
    const Renewal p = make_renewal(reliability, job);
    Sums sums;
    sums.add(p, p.interval, 1.0);
    const double wait = wait_per_failure(p);
    // Where no luck is enough, the failures are infinitely many, and no wait times them is still none.
    return p.interval / (sums.total + (wait > 0.0 ? sums.failures * wait : 0.0));
}

} // namespace chokepoint::sim
