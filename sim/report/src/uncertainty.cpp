// SPDX-License-Identifier: Apache-2.0
// First-order error of the step time: an input's relative error times its seconds on the critical path.
#include <chokepoint/sim/report.hpp>

#include "inputs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <tuple>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

/// Seconds on the critical path of what shares one error.
struct OnPath {
    Seconds seconds;
    double sigma = 0.0;
};
/// By term: the operators of a class lie on different sides of its fitted curve.
using Terms = std::map<std::string, OnPath>;
using Inputs = std::map<std::string, Terms>;

void add(Inputs& known, const std::string& input, const std::string& term, Seconds seconds, double sigma) {
    OnPath& entry = known[input][term];
    entry.seconds += seconds;
    entry.sigma = sigma;
}

void add_compute(Inputs& known, const work::ComputeWork& work, const StepCosts& costs, std::size_t index,
                 Seconds duration, const std::string& architecture) {
    Seconds total;
    for (const Seconds s : costs.operator_seconds[index]) {
        total += s;
    }
    if (total.value() <= 0.0) {
        return;
    }
    const double scale = duration / total;
    for (std::size_t i = 0; i < work.operators.size(); ++i) {
        const hw::Operator& op = work.operators[i];
        const double sigma = costs.operator_sigma[index][i];
        const Seconds seconds = costs.operator_seconds[index][i] * scale;
        add(known, inputs::kernels(op), inputs::kernel_term(architecture, op), seconds, sigma);
        add(known, inputs::kSoftware, inputs::kSoftware, seconds, costs.framework_sigma);
        if (inputs::follows_clock(op, sigma)) {
            add(known, inputs::kClock, inputs::clock_term(architecture), seconds, inputs::clock_sigma());
        }
    }
}

Effect root_of_squares(const std::vector<Term>& terms) {
    double step = 0.0;
    double gpu_hours = 0.0;
    double usd = 0.0;
    for (const Term& term : terms) {
        step += std::pow(term.effect.step.value(), 2);
        gpu_hours += std::pow(term.effect.gpu_hours, 2);
        usd += std::pow(term.effect.usd.value(), 2);
    }
    return {Seconds(std::sqrt(step)), std::sqrt(gpu_hours), hw::Usd(std::sqrt(usd))};
}

Driver driver(const std::string& input, const Terms& terms) {
    Driver made{input, 0.0, {}, {}};
    Seconds on_path;
    for (const auto& [name, term] : terms) {
        on_path += term.seconds;
        made.terms.push_back({name, {term.seconds * term.sigma, 0.0, hw::Usd()}});
    }
    made.effect = root_of_squares(made.terms);
    made.relative_sigma = on_path.value() > 0.0 ? made.effect.step / on_path : 0.0;
    return made;
}

/// Root of the drivers' squares over the centre.
template <class Get> double relative(const std::vector<Driver>& drivers, double centre, Get get) {
    double variance = 0.0;
    for (const Driver& each : drivers) {
        variance += std::pow(get(each.effect), 2);
    }
    return centre > 0.0 ? std::sqrt(variance) / centre : 0.0;
}

/// By dollars where they are known, or else GPU-hours, or the step: each rises with the next.
void sort_drivers(std::vector<Driver>& drivers) {
    std::ranges::stable_sort(drivers, std::greater{}, [](const Driver& d) {
        return std::tuple(d.effect.usd, d.effect.gpu_hours, d.effect.step);
    });
}

/// GPU-hours with failures this many times as far apart, less those as the scenario says.
double extra_hours(const Scenario& scenario, const CampaignReport& campaign, double factor) {
    const FailureReport& failures = *campaign.failures;
    Reliability process = failures.settings.process;
    process.gpu_mtbf *= factor;
    const Job job{scenario.cluster().gpus(), scenario.cluster().nodes, campaign.wall};
    return failures.gpu_hours * (expected_cost(process, job).wall / failures.expected.wall - 1.0);
}

void add_failure_rate(std::vector<Driver>& drivers, const Scenario& scenario, const RunReport& report) {
    const CampaignReport& campaign = *report.campaign;
    if (!campaign.failures) {
        return;
    }
    // Fewer failures only: as many more could keep a run from ever ending.
    const double hours = -extra_hours(scenario, campaign, std::exp(inputs::failure_sigma()));
    const hw::Usd usd = report.cost ? report.cost->price * (hours * hw::kHour) : hw::Usd();
    drivers.push_back(single_driver(inputs::kFailures, inputs::failure_sigma(), {Seconds(), hours, usd}));
}

/// Dollars with each figure of ownership at its ends.
void add_owned(std::vector<Driver>& drivers, const Scenario& scenario, const RunReport& report) {
    const Ownership& own = *scenario.cost()->ownership;
    for (const inputs::OwnedInput& input : inputs::owned_inputs(own)) {
        const auto usd = [&](double value) {
            Ownership other = own;
            input.figure->set(other.model, value);
            return at(scenario.cost()->level, owned_cost(scenario, other, *report.campaign, report.energy));
        };
        const hw::Usd moved = (usd(input.high) - usd(input.low)) / (2.0 * kP95);
        if (moved != hw::Usd()) {
            drivers.push_back(
                single_driver(std::string(input.figure->label), input.sigma(), {Seconds(), 0.0, moved}));
        }
    }
}

void add_prices(std::vector<Driver>& drivers, const Scenario& scenario, const RunReport& report) {
    const CostReport& cost = *report.cost;
    if (!cost.range || !scenario.cost()) {
        return;
    }
    if (scenario.cost()->ownership) {
        add_owned(drivers, scenario, report);
    }
    const hw::Usd usd = (cost.range->high - cost.range->low) / (2.0 * kP95);
    if (usd.value() > 0.0) {
        drivers.push_back(
            single_driver(inputs::price_term(scenario), usd / cost.range->mid, {Seconds(), 0.0, usd}));
    }
    const auto power = std::ranges::find(cost.items, "power", &CostItem::name);
    if (power != cost.items.end()) {
        drivers.push_back(single_driver(inputs::power_term(scenario), inputs::kPowerSigma,
                                        {Seconds(), 0.0, power->usd.mid * inputs::kPowerSigma}));
    }
}

} // namespace

Driver single_driver(std::string input, double relative_sigma, const Effect& effect) {
    Driver made{input, relative_sigma, {}, {{std::move(input), effect}}};
    made.effect = root_of_squares(made.terms);
    return made;
}

Uncertainty uncertainty(const work::TaskGraph& graph, const StepCosts& costs, const CriticalPath& path,
                        const std::string& architecture, std::vector<Driver> others) {
    Inputs known;
    std::map<std::size_t, Seconds> computed; ///< by piece of work, which many tasks run
    for (const PathStep& step : path.steps) {
        const work::Task& task = graph.tasks()[step.task];
        const auto index = static_cast<std::size_t>(task.work);
        const Seconds duration = step.finish - step.start;
        if (task.kind == work::TaskKind::compute) {
            if (!waited_for_host(costs, index, duration)) { // the host is among `others`
                computed[index] += duration;
            }
        } else if (task.kind == work::TaskKind::transfer) {
            const Seconds wait = std::min(costs.straggler_wait[index], duration);
            add(known, inputs::kTransfers, inputs::transfer_term(graph.transfers()[index].kind),
                duration - wait, costs.transfer_sigma);
        }
    }
    for (const auto& [index, duration] : computed) {
        add_compute(known, graph.computes()[index], costs, index, duration, architecture);
    }
    Uncertainty result;
    result.drivers = std::move(others);
    for (const auto& [name, terms] : known) {
        result.drivers.push_back(driver(name, terms));
    }
    std::erase_if(result.drivers, [](const Driver& d) { return d.effect.step.value() <= 0.0; });
    sort_drivers(result.drivers);
    const double makespan = path.steps.empty() ? 0.0 : path.steps.back().finish.value();
    result.relative_sigma =
        relative(result.drivers, makespan, [](const Effect& effect) { return effect.step.value(); });
    return result;
}

void add_campaign_drivers(Uncertainty& known, const Scenario& scenario, const RunReport& report) {
    if (!report.campaign) {
        return;
    }
    const CampaignReport& campaign = *report.campaign;
    const double paid = paid_gpu_time(campaign) / hw::kHour;
    const double simulated = 1.0 - campaign.spent.given / campaign.wall; // what is given is exact
    const hw::Usd usd = report.cost && report.cost->campaign ? *report.cost->campaign : hw::Usd();
    const hw::Usd by_the_hour = report.cost ? usd - report.cost->staff : usd;
    for (Driver& driver : known.drivers) {
        for (Term& term : driver.terms) {
            const double share = term.effect.step / report.step.seconds * simulated;
            term.effect.gpu_hours = paid * share;
            term.effect.usd = by_the_hour * share;
        }
        driver.effect = root_of_squares(driver.terms);
    }
    const auto hours = [](const Effect& effect) { return effect.gpu_hours; };
    known.uninterrupted_sigma = relative(known.drivers, paid, hours);
    add_failure_rate(known.drivers, scenario, report);
    if (report.cost && report.cost->campaign) {
        add_prices(known.drivers, scenario, report);
    }
    sort_drivers(known.drivers);
    known.gpu_hours_sigma = relative(known.drivers, paid, hours);
    known.usd_sigma =
        relative(known.drivers, usd.value(), [](const Effect& effect) { return effect.usd.value(); });
}

std::array<double, 2> interval(double centre, double relative_sigma) {
    const double factor = std::exp(kP95 * relative_sigma);
    return {centre / factor, centre * factor};
}

std::array<double, 2> Uncertainty::interval(double centre) const {
    return sim::interval(centre, relative_sigma);
}

} // namespace chokepoint::sim
