// SPDX-License-Identifier: Apache-2.0
// Packs a curve's unknowns into a vector of logarithms and logits, and back.
#include "fit_unknowns.hpp"

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

enum Extra : std::size_t { kLaunch, kSide, kSideLaunch, kSustained };
constexpr std::array kExtras{
    ExtraUnknown{{"launch", 3.0e-6, 0.2, false}, &State::launch},
    ExtraUnknown{{"side", 0.6, 0.7, true}, &State::side},
    ExtraUnknown{{"side_launch", 5.0e-6, 0.7, false}, &State::side_launch},
    ExtraUnknown{{"sustained", 0.10, 0.4, false}, &State::sustained},
};

constexpr double kVintageSigma = 0.10; // two releases of one library differ by about this much
constexpr double kLibrarySigma = 0.30; // and two libraries by this

Eigen::VectorXd vector_of(const std::vector<double>& values) {
    return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

bool has_side_traffic(const Sample& sample) { return sample.measurement->side > Bytes(0.0); }

} // namespace

std::span<const ExtraUnknown> extra_unknowns() { return kExtras; }

bool Unknowns::has_side() const { return std::ranges::find(extras, std::size_t{kSide}) != extras.end(); }

bool is_free(const CurvePlan& plan, std::string_view parameter) {
    return plan.free.empty() || std::ranges::find(plan.free, parameter) != plan.free.end();
}

Unknowns unknowns_of(const CurvePlan& plan, const std::vector<Sample>& samples) {
    Unknowns unknowns;
    const auto form = form_parameters(plan.form);
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (is_free(plan, form[i].name)) {
            unknowns.parameters.push_back(i);
        }
    }
    // What starts the kernels beside and what starts this one cannot be told apart.
    if (std::ranges::any_of(samples, has_side_traffic)) {
        unknowns.extras = {kSide, kSideLaunch};
    } else if (is_free(plan, kExtras[kLaunch].parameter.name)) {
        unknowns.extras = {kLaunch};
    }
    if (plan.sustained) {
        unknowns.extras.push_back(kSustained);
    }
    const MeasurementSeries& first = *samples.front().series;
    std::map<std::string, double> others;
    for (const Sample& sample : samples) {
        if (sample.series->vintage != first.vintage) {
            const bool release = sample.series->software == first.software;
            others.emplace(sample.series->vintage, release ? kVintageSigma : kLibrarySigma);
        }
    }
    for (const auto& [vintage, sigma] : others) {
        unknowns.vintages.push_back(vintage);
        unknowns.vintage_sigmas.push_back(sigma);
    }
    return unknowns;
}

State initial_state(const CurvePlan& plan, const Fit* parent) {
    State state;
    for (const FormParameter& parameter : form_parameters(plan.form)) {
        state.parameters.push_back(parameter.initial);
    }
    for (const ExtraUnknown& extra : kExtras) {
        state.*extra.value = extra.parameter.initial;
    }
    if (!plan.sustained) {
        state.sustained = plan.sustained_loss;
    }
    if (parent != nullptr) {
        state.parameters = parent->parameters;
        state.launch = parent->launch.value();
        state.sustained = parent->sustained_loss;
        state.side = parent->side_bandwidth > 0.0 ? parent->side_bandwidth : state.side;
    }
    return state;
}

Eigen::VectorXd pack(const CurvePlan& plan, const Unknowns& unknowns, const State& state) {
    std::vector<double> values;
    for (const std::size_t i : unknowns.parameters) {
        values.push_back(to_free(form_parameters(plan.form)[i], state.parameters[i]));
    }
    for (const std::size_t i : unknowns.extras) {
        values.push_back(to_free(kExtras[i].parameter, state.*kExtras[i].value));
    }
    for (const std::string& vintage : unknowns.vintages) {
        const auto offset = state.vintages.find(vintage);
        values.push_back(offset == state.vintages.end() ? 0.0 : offset->second);
    }
    return vector_of(values);
}

State unpack(const CurvePlan& plan, const Unknowns& unknowns, State state, const Eigen::VectorXd& values) {
    Eigen::Index next = 0;
    for (const std::size_t i : unknowns.parameters) {
        state.parameters[i] = from_free(form_parameters(plan.form)[i], values[next++]);
    }
    for (const std::size_t i : unknowns.extras) {
        state.*kExtras[i].value = from_free(kExtras[i].parameter, values[next++]);
    }
    for (const std::string& vintage : unknowns.vintages) {
        state.vintages[vintage] = values[next++];
    }
    return state;
}

Eigen::VectorXd prior(const CurvePlan& plan, const Unknowns& unknowns) {
    std::vector<double> sigmas;
    for (const std::size_t i : unknowns.parameters) {
        sigmas.push_back(form_parameters(plan.form)[i].prior_sigma);
    }
    for (const std::size_t i : unknowns.extras) {
        sigmas.push_back(kExtras[i].parameter.prior_sigma);
    }
    sigmas.insert(sigmas.end(), unknowns.vintage_sigmas.begin(), unknowns.vintage_sigmas.end());
    return vector_of(sigmas);
}

} // namespace chokepoint::hw
