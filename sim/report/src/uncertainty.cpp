// SPDX-License-Identifier: Apache-2.0
// Puts a step's response, failures and prices together, and asks what each input moves and what all of them
// do.
#include <chokepoint/sim/report.hpp>

#include "inputs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

struct Figures {
    double step = 0.0; ///< seconds
    double gpu_hours = 0.0, uninterrupted = 0.0, usd = 0.0;
};

/// A report's figures with its inputs at other values.
class Answer {
public:
    Answer(const StepResponse& response, const Scenario& scenario, const RunReport& report)
        : response_(response),
          scenario_(scenario),
          report_(report),
          step_(response.seconds(std::vector(response.work.slices(), 1.0))) {
        if (report_.campaign) {
            const CampaignReport& campaign = *report_.campaign;
            simulated_ = 1.0 - campaign.spent.given / campaign.wall;
            paid_ = paid_gpu_time(campaign) / hw::kHour;
        }
    }

    [[nodiscard]] Figures at(const Deviates& deviates) const {
        return at(response_.seconds(response_.work.factors(deviates)), deviates);
    }

    /// With the step's seconds known.
    [[nodiscard]] Figures at(double step, const Deviates& deviates) const {
        Figures made{.step = step};
        if (!report_.campaign) {
            return made;
        }
        const CampaignReport& campaign = *report_.campaign;
        const double longer = 1.0 + simulated_ * (step / step_ - 1.0); // what is given is exact
        made.uninterrupted = campaign.gpu_hours * longer;
        made.gpu_hours = campaign.failures ? interrupted(campaign, longer, deviates) : made.uninterrupted;
        if (priced()) {
            const double staff = report_.cost->staff.value();
            const double by_the_hour = drawn_usd(scenario_, report_, deviates).value() - staff;
            made.usd = by_the_hour * made.gpu_hours / paid_ + staff;
        }
        return made;
    }

    /// The share of the campaign that is simulated, rather than given as measured.
    [[nodiscard]] double simulated() const { return simulated_; }
    /// GPU-hours that are paid for.
    [[nodiscard]] double paid() const { return paid_; }
    [[nodiscard]] bool campaign() const { return report_.campaign.has_value(); }
    [[nodiscard]] bool priced() const { return campaign() && report_.cost && report_.cost->campaign; }
    [[nodiscard]] const StepResponse& response() const { return response_; }

    /// Inputs that no step depends on, each with its name and relative standard deviation.
    [[nodiscard]] std::vector<std::pair<std::string, double>> others() const {
        std::vector<std::pair<std::string, double>> names;
        if (campaign() && report_.campaign->failures) {
            names.emplace_back(inputs::kFailures, inputs::failure_sigma());
        }
        if (!priced() || !report_.cost->range || !scenario_.cost()) {
            return names;
        }
        if (const auto& own = scenario_.cost()->ownership) {
            for (const inputs::OwnedInput& input : inputs::owned_inputs(*own)) {
                names.emplace_back(input.figure->label, input.sigma());
            }
        }
        const UsdRange& range = *report_.cost->range;
        if (range.high > range.low) {
            names.emplace_back(inputs::price_term(scenario_),
                               (range.high - range.low) / (2.0 * kP95 * range.mid));
        }
        if (std::ranges::find(report_.cost->items, "power", &CostItem::name) != report_.cost->items.end()) {
            names.emplace_back(inputs::power_term(scenario_), inputs::kPowerSigma);
        }
        return names;
    }

private:
    [[nodiscard]] double interrupted(const CampaignReport& campaign, double longer,
                                     const Deviates& deviates) const {
        const FailureReport& failures = *campaign.failures;
        const Job job{scenario_.cluster().gpus(), scenario_.cluster().nodes, campaign.wall * longer};
        const FailureSettings settings = drawn(failures.settings, deviates);
        return failures.gpu_hours * (expected_cost(settings.process, job).wall / failures.expected.wall);
    }

    const StepResponse& response_;
    const Scenario& scenario_;
    const RunReport& report_;
    double step_ = 0.0, simulated_ = 1.0, paid_ = 0.0;
};

Effect less(const Figures& a, const Figures& b) {
    return {Seconds(a.step - b.step), a.gpu_hours - b.gpu_hours, hw::Usd(a.usd - b.usd)};
}

Ends ends_of(const Answer& answer, const Figures& best, std::string_view variable) {
    const auto moved = [&](double deviate) {
        return less(answer.at([&](std::string_view name) { return name == variable ? deviate : 0.0; }), best);
    };
    return {moved(-1.0), moved(1.0)};
}

bool moves(const Effect& effect) {
    return effect.step != Seconds() || effect.gpu_hours != 0.0 || effect.usd != hw::Usd();
}

Effect root_of_squares_of(const std::vector<Term>& terms, double sign, Effect (*of)(const Ends&)) {
    double step = 0.0;
    double gpu_hours = 0.0;
    double usd = 0.0;
    for (const Term& term : terms) {
        const Effect effect = of(term.ends);
        step += std::pow(effect.step.value(), 2);
        gpu_hours += std::pow(effect.gpu_hours, 2);
        usd += std::pow(effect.usd.value(), 2);
    }
    return {Seconds(sign * std::sqrt(step)), sign * std::sqrt(gpu_hours), hw::Usd(sign * std::sqrt(usd))};
}

Ends ascending(Ends ends) {
    const auto order = [&](auto Effect::* figure) {
        if (ends.high.*figure < ends.low.*figure) {
            std::swap(ends.low.*figure, ends.high.*figure);
        }
    };
    order(&Effect::step);
    order(&Effect::gpu_hours);
    order(&Effect::usd);
    return ends;
}

Driver driver(const std::string& input, double relative_sigma, std::vector<Term> terms) {
    Driver made{input, relative_sigma, {}, {}, std::move(terms)};
    made.effect = root_of_squares_of(made.terms, 1.0, &half_distance);
    made.ends = made.terms.size() == 1 ? ascending(made.terms.front().ends) : root_of_squares(made.terms);
    return made;
}

/// By dollars where they are known, or else GPU-hours, or the step: each rises with the next.
void sort_drivers(std::vector<Driver>& drivers) {
    std::ranges::stable_sort(drivers, std::greater{}, [](const Driver& d) {
        return std::tuple(d.effect.usd, d.effect.gpu_hours, d.effect.step);
    });
}

/// Seconds on the step's own critical path that a variable scales.
double on_path(const StepResponse& response, std::size_t variable) {
    double seconds = 0.0;
    for (std::size_t slice = 0; slice < response.work.slices(); ++slice) {
        seconds += response.work.depends(slice, variable) ? response.chains.front()[slice] : 0.0;
    }
    return seconds;
}

std::vector<Driver> drivers_of(const Answer& answer) {
    const StepResponse& response = answer.response();
    const Figures best = answer.at([](std::string_view) { return 0.0; });
    struct Known {
        std::vector<Term> terms;
        double on_path = 0.0, sigma = 0.0;
    };
    std::map<std::string, Known> inputs;
    for (std::size_t i = 0; i < response.work.variables().size(); ++i) {
        const Variable& variable = response.work.variables()[i];
        const Ends ends = ends_of(answer, best, variable.name);
        if (moves(ends.low) || moves(ends.high)) {
            Known& known = inputs[variable.input];
            known.terms.push_back({variable.name, ends});
            known.on_path += on_path(response, i);
            known.sigma = std::max(known.sigma, variable.sigma);
        }
    }
    std::vector<Driver> drivers;
    for (auto& [input, known] : inputs) {
        const bool several = known.terms.size() > 1 && known.on_path > 0.0;
        drivers.push_back(driver(input, known.sigma, std::move(known.terms)));
        if (several) {
            drivers.back().relative_sigma = drivers.back().effect.step.value() / known.on_path;
        }
    }
    for (const auto& [name, sigma] : answer.others()) {
        const Ends ends = ends_of(answer, best, name);
        if (moves(ends.low) || moves(ends.high)) {
            drivers.push_back(driver(name, sigma, {{name, ends}}));
        }
    }
    sort_drivers(drivers);
    return drivers;
}

/// Root of the drivers' squares over the centre.
template <class Get> double relative(const std::vector<Driver>& drivers, double centre, Get get) {
    double variance = 0.0;
    for (const Driver& each : drivers) {
        variance += std::pow(get(each.effect), 2);
    }
    return centre > 0.0 ? std::sqrt(variance) / centre : 0.0;
}

Drawn drawn_figures(const Answer& answer) {
    EvenDraws draws;
    Drawn made{.step_seconds = step_seconds(answer.response(), draws)};
    if (!answer.campaign()) {
        return made;
    }
    for (std::size_t draw = 0; draw < kEvenDraws; ++draw) {
        const Figures figures =
            answer.at(made.step_seconds[draw], [&](std::string_view name) { return draws.of(name)[draw]; });
        made.gpu_hours.push_back(figures.gpu_hours);
        made.uninterrupted_gpu_hours.push_back(figures.uninterrupted);
        if (answer.priced()) {
            made.usd.push_back(figures.usd);
        }
    }
    return made;
}

} // namespace

Effect half_distance(const Ends& ends) {
    // A run that never ends at one of its ends is as far from the other as that is from the middle.
    const auto half = [](double low, double high) {
        return std::isinf(low) ? high : std::isinf(high) ? -low : (high - low) / 2.0;
    };
    return {Seconds(half(ends.low.step.value(), ends.high.step.value())),
            half(ends.low.gpu_hours, ends.high.gpu_hours),
            hw::Usd(half(ends.low.usd.value(), ends.high.usd.value()))};
}

Ends root_of_squares(const std::vector<Term>& terms) {
    return {root_of_squares_of(terms, -1.0, [](const Ends& ends) { return ends.low; }),
            root_of_squares_of(terms, 1.0, [](const Ends& ends) { return ends.high; })};
}

Uncertainty uncertainty(const Scenario& scenario, const RunReport& report, const StepResponse& response) {
    const Answer answer(response, scenario, report);
    Uncertainty known;
    known.drivers = drivers_of(answer);
    known.relative_sigma = relative(known.drivers, report.step.seconds.value(),
                                    [](const Effect& effect) { return effect.step.value(); });
    known.drawn = drawn_figures(answer);
    known.step_seconds = percentiles(known.drawn.step_seconds);
    if (!answer.campaign()) {
        return known;
    }
    const auto hours = [](const Effect& effect) { return effect.gpu_hours; };
    known.gpu_hours_sigma = relative(known.drivers, answer.paid(), hours);
    known.gpu_hours = percentiles(known.drawn.gpu_hours);
    known.uninterrupted_gpu_hours = percentiles(known.drawn.uninterrupted_gpu_hours);
    known.uninterrupted_sigma = known.relative_sigma * answer.simulated();
    if (answer.priced()) {
        known.usd_sigma = relative(known.drivers, report.cost->campaign->value(),
                                   [](const Effect& effect) { return effect.usd.value(); });
        known.usd = percentiles(known.drawn.usd);
    }
    return known;
}

} // namespace chokepoint::sim
