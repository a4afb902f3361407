// SPDX-License-Identifier: Apache-2.0
// Weighted quantiles and rank correlation.
#include <chokepoint/sim/validation_report.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chokepoint::sim {
namespace {

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
    std::vector<double> out(values.size());
    for (std::size_t from = 0; from < order.size();) {
        std::size_t to = from;
        while (to < order.size() && values[order[to]] == values[order[from]]) {
            ++to;
        }
        for (std::size_t i = from; i < to; ++i) {
            out[order[i]] = (static_cast<double>(from + to) + 1.0) / 2.0;
        }
        from = to;
    }
    return out;
}

} // namespace

double quantile(std::vector<Weighted> values, double share) {
    if (values.empty()) {
        return std::nan("");
    }
    std::ranges::sort(values, {}, &Weighted::value);
    double all = 0.0;
    for (const Weighted& each : values) {
        all += each.weight;
    }
    constexpr double kTolerance = 1e-9; // weights such as 1/3 do not add up exactly
    double seen = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        seen += values[i].weight;
        if (std::abs(seen - share * all) <= kTolerance * all && i + 1 < values.size()) {
            return (values[i].value + values[i + 1].value) / 2.0;
        }
        if (seen > share * all) {
            return values[i].value;
        }
    }
    return values.back().value;
}

double mean(std::span<const Weighted> values) {
    double sum = 0.0, weight = 0.0;
    for (const Weighted& each : values) {
        sum += each.value * each.weight;
        weight += each.weight;
    }
    return sum / weight;
}

std::optional<double> spearman(std::span<const std::pair<double, double>> pairs) {
    constexpr std::size_t kFewest = 3;
    if (pairs.size() < kFewest) {
        return std::nullopt;
    }
    std::vector<double> a, b;
    for (const auto& [first, second] : pairs) {
        a.push_back(first);
        b.push_back(second);
    }
    const std::vector<double> x = ranks(a), y = ranks(b);
    const double centre = (static_cast<double>(pairs.size()) + 1.0) / 2.0;
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - centre) * (y[i] - centre);
        xx += (x[i] - centre) * (x[i] - centre);
        yy += (y[i] - centre) * (y[i] - centre);
    }
    return xx > 0.0 && yy > 0.0 ? std::optional(xy / std::sqrt(xx * yy)) : std::nullopt;
}

} // namespace chokepoint::sim
