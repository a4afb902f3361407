// SPDX-License-Identifier: Apache-2.0
// Subtracts what each random variable does to one run from what it does to the other.
#include <chokepoint/sim/difference.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace chokepoint::sim {
namespace {

double effect_on(const Effect& effect, Measure measure, const RunReport& report) {
    switch (measure) {
    case Measure::step_seconds:
        return effect.step.value();
    case Measure::gpu_hours:
        return effect.gpu_hours;
    case Measure::days:
        return effect.gpu_hours / sum(*parts_of(report, Measure::gpu_hours)) *
               sum(*parts_of(report, Measure::days));
    case Measure::usd:
        return effect.usd.value();
    }
    throw std::logic_error("a measure without an effect");
}

/// By input, then by term: what one deviation does to b less what it does to a.
using Apart = std::map<std::string, std::map<std::string, double>>;

void add(Apart& apart, double& squares, const RunReport& report, Measure measure, double sign) {
    for (const Driver& driver : report.uncertainty.drivers) {
        for (const Term& term : driver.terms) {
            const double effect = effect_on(half_distance(term.ends), measure, report);
            apart[driver.input][term.name] += sign * effect;
            squares += effect * effect;
        }
    }
}

Difference difference(const RunReport& a, const RunReport& b, Measure measure) {
    Difference made;
    made.measure = measure;
    made.centre = sum(*parts_of(b, measure)) - sum(*parts_of(a, measure));
    Apart apart;
    double squares = 0.0;
    add(apart, squares, a, measure, -1.0);
    add(apart, squares, b, measure, 1.0);
    made.independent_sigma = std::sqrt(squares);
    double variance = 0.0;
    for (const auto& [input, terms] : apart) {
        double own = 0.0;
        for (const auto& [term, effect] : terms) {
            own += effect * effect;
        }
        variance += own;
        if (own > 0.0) {
            made.drivers.emplace_back(input, std::sqrt(own));
        }
    }
    made.sigma = std::sqrt(variance);
    std::ranges::stable_sort(made.drivers, std::greater{}, &std::pair<std::string, double>::second);
    std::vector<double> apart_by_draw = drawn(b, measure);
    std::ranges::transform(
        apart_by_draw, drawn(a, measure), apart_by_draw.begin(), [](double to, double from) {
            return to == from ? 0.0 : to - from; // two runs that never end are as far from it
        });
    made.percentiles = percentiles(std::move(apart_by_draw));
    return made;
}

} // namespace

std::vector<double> drawn(const RunReport& report, Measure measure) {
    const Drawn& known = report.uncertainty.drawn;
    switch (measure) {
    case Measure::step_seconds:
        return known.step_seconds;
    case Measure::gpu_hours:
        return known.gpu_hours;
    case Measure::days: {
        const double days =
            sum(*parts_of(report, Measure::days)) / sum(*parts_of(report, Measure::gpu_hours));
        std::vector<double> made = known.gpu_hours;
        std::ranges::transform(made, made.begin(), [&](double hours) { return hours * days; });
        return made;
    }
    case Measure::usd:
        return known.usd;
    }
    throw std::logic_error("a measure without draws");
}

std::vector<Difference> differences(const RunReport& a, const RunReport& b) {
    std::vector<Difference> all;
    for (const Measure measure : kMeasures) {
        if (parts_of(a, measure) && parts_of(b, measure)) {
            all.push_back(difference(a, b, measure));
        }
    }
    return all;
}

} // namespace chokepoint::sim
