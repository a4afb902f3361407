// SPDX-License-Identifier: Apache-2.0
// Sorts a step's work by what scales it.
#include <chokepoint/sim/response.hpp>

#include <chokepoint/sim/draw.hpp>

#include "inputs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chokepoint::sim {

void SlicedWork::add(Factors& factors, const Variable& variable) {
    if (variable.sigma <= 0.0) {
        return;
    }
    const auto [found, added] = by_name_.try_emplace(variable.name, variables_.size());
    if (added) {
        variables_.push_back(variable);
    }
    Variable& known = variables_[found->second];
    known.sigma = std::max(known.sigma, variable.sigma);
    factors.emplace_back(found->second, variable.sigma);
}

std::size_t SlicedWork::slice(Factors factors) {
    const auto [found, added] = by_factors_.try_emplace(factors, slices_.size());
    if (added) {
        slices_.push_back(std::move(factors));
    }
    return found->second;
}

SlicedWork::SlicedWork(const work::TaskGraph& graph, const StepCosts& costs,
                       const std::string& architecture) {
    for (std::size_t work = 0; work < graph.computes().size(); ++work) {
        const std::vector<hw::Operator>& operators = graph.computes()[work].operators;
        std::map<std::size_t, double> seconds;
        double total = 0.0;
        for (std::size_t i = 0; i < operators.size(); ++i) {
            const hw::Operator& op = operators[i];
            const double sigma = costs.operator_sigma[work][i];
            Factors factors;
            add(factors,
                {inputs::kernels(op), inputs::kernel_term(architecture, op), Scales::one_kernel, sigma});
            add(factors, {inputs::kSoftware, inputs::kSoftware, Scales::all_compute, costs.framework_sigma});
            if (inputs::follows_clock(op, sigma)) {
                add(factors, {inputs::kClock, inputs::clock_term(architecture), Scales::all_compute,
                              inputs::clock_sigma()});
            }
            seconds[slice(std::move(factors))] += costs.operator_seconds[work][i].value();
            total += costs.operator_seconds[work][i].value();
        }
        Shares& shares = compute_.emplace_back(seconds.begin(), seconds.end());
        if (total <= 0.0) {
            shares = {{slice({}), 1.0}};
            continue;
        }
        for (auto& [of, share] : shares) {
            share /= total;
        }
    }
    const auto slice_of = [&](const Variable& variable) {
        Factors factors;
        add(factors, variable);
        return slice(std::move(factors));
    };
    for (const work::TransferWork& transfer : graph.transfers()) {
        transfer_.push_back(slice_of({inputs::kTransfers, inputs::transfer_term(transfer.kind),
                                      Scales::transfers, costs.transfer_sigma}));
    }
    waiting_ = slice_of({inputs::kRouting, inputs::kRouting, Scales::waiting, std::log(kRoutingFactor)});
    host_ = slice_of({std::string(kHostInput), std::string(kHostInput), Scales::host, host_sigma()});
}

bool SlicedWork::depends(std::size_t slice, std::size_t variable) const {
    return std::ranges::find(slices_[slice], variable, &std::pair<std::size_t, double>::first) !=
           slices_[slice].end();
}

std::vector<double> SlicedWork::factors(const std::vector<double>& deviates) const {
    std::vector<double> found(slices_.size());
    std::ranges::transform(slices_, found.begin(), [&](const Factors& of) {
        double logarithm = 0.0;
        for (const auto& [variable, sigma] : of) {
            logarithm += sigma * deviates[variable];
        }
        return std::exp(logarithm);
    });
    return found;
}

std::vector<double> SlicedWork::factors(const Deviates& deviates) const {
    std::vector<double> by_index(variables_.size());
    std::ranges::transform(variables_, by_index.begin(),
                           [&](const Variable& each) { return deviates(each.name); });
    return factors(by_index);
}

double StepResponse::seconds(const std::vector<double>& factors) const {
    double longest = 0.0;
    for (const Chain& chain : chains) {
        longest = std::max(longest, std::inner_product(chain.begin(), chain.end(), factors.begin(), 0.0));
    }
    return longest;
}

} // namespace chokepoint::sim
