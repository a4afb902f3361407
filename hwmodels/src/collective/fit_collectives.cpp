// SPDX-License-Identifier: Apache-2.0
// Fits NCCL's protocols to timings, one curve per architecture, operation and algorithm.
#include <chokepoint/hwmodels/collective.hpp>

#include "regime_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace chokepoint::hw {
namespace {

/// The tables do not say the protocol. NCCL has three inside a node; its largest transfers run in two ways,
/// while the pipeline of a ring fills and once it streams, so that the last is drawn by two lines.
constexpr std::array<std::string_view, 4> kProtocols{"ll", "ll128", "simple", "simple-streaming"};

struct Timing {
    const CollectiveSeries* series = nullptr;
    CollectiveSeries::Point point;
};

RegimeRow row_of(const Timing& timing, Algorithm algorithm) {
    const CollectiveSeries& series = *timing.series;
    const Node& node = series.node;
    const CollectiveTraffic moved = traffic(series.op, algorithm, series.ranks);
    const BytesPerSecond port = node.gpu.nvlink / 2.0;
    const Bytes bytes = timing.point.bytes;
    return {.piece = (bytes * moved.piece / port).value(),
            .features = {1.0, moved.hops * node.nvlink_latency.value(), (bytes * moved.wire / port).value(),
                         (bytes * moved.own / port).value(),
                         (bytes * moved.own / node.gpu.memory_bandwidth).value()},
            .seconds = timing.point.time.value()};
}

std::vector<RegimeRow> rows_of(const std::vector<Timing>& timings, Algorithm algorithm) {
    std::vector<RegimeRow> rows;
    for (const Timing& timing : timings) {
        rows.push_back(row_of(timing, algorithm));
    }
    return rows;
}

RegimeCoefficients coefficients_of(const CollectiveRegime& regime) {
    const auto inverse = [](double share) { return share > 0.0 ? 1.0 / share : 0.0; };
    return {regime.start.value(), regime.per_hop, 1.0 / regime.share, inverse(regime.own),
            inverse(regime.memory)};
}

RegimePrior prior_of(const CollectiveCurve* curve) {
    return [curve](double piece) -> std::optional<RegimeCoefficients> {
        if (curve == nullptr) {
            return std::nullopt;
        }
        const auto at = std::ranges::find_if(curve->regimes, [&](const CollectiveRegime& regime) {
            return !regime.until || piece <= regime.until->value();
        });
        return coefficients_of(*at);
    };
}

/// Six significant digits: more than a timing carries, and what the file holds.
double rounded(double value) { return std::stod(fmt::format("{:.6g}", value)); }

CollectiveRegime regime_of(const FittedRegime& fitted, std::string_view protocol) {
    const auto& [start, per_hop, wire, own, memory] = fitted.fit.coefficients;
    CollectiveRegime regime;
    regime.protocol = protocol;
    regime.start = Seconds(rounded(start * 1e6) * 1e-6);
    if (std::isfinite(fitted.until)) {
        regime.until = Seconds(rounded(fitted.until * 1e6) * 1e-6);
    }
    regime.per_hop = rounded(per_hop);
    regime.share = rounded(1.0 / wire);
    regime.own = own > 0.0 ? rounded(1.0 / own) : 0.0;
    regime.memory = memory > 0.0 ? rounded(1.0 / memory) : 0.0;
    return regime;
}

double cost_of(const std::vector<FittedRegime>& regimes) {
    double cost = 0.0;
    for (const FittedRegime& regime : regimes) {
        cost += regime.fit.cost;
    }
    return cost;
}

CollectiveCurve curve_of(std::string_view architecture, Collective op, Algorithm algorithm,
                         const std::vector<FittedRegime>& regimes) {
    CollectiveCurve curve{std::string(architecture), op, algorithm, {}};
    for (std::size_t i = 0; i < regimes.size(); ++i) {
        // Fewer lines than protocols: the sizes measured begin later.
        const std::size_t protocol = kProtocols.size() - regimes.size() + i;
        curve.regimes.push_back(
            regime_of(regimes[i], algorithm == Algorithm::nvls ? "simple" : kProtocols[protocol]));
    }
    return curve;
}

/// Two GPUs have nothing to reduce in a switch.
bool may_use_nvls(const Timing& timing) {
    return timing.series->op == Collective::all_reduce && timing.series->node.nvls &&
           timing.series->ranks > 2;
}

/// The size from which NVLS takes over, by the number of GPUs; those not listed never use it.
using NvlsSizes = std::map<int, Bytes>;

bool uses_nvls(const Timing& timing, const NvlsSizes& from) {
    const auto size = from.find(timing.series->ranks);
    return may_use_nvls(timing) && size != from.end() && timing.point.bytes >= size->second;
}

/// One way to share the timings out between the two algorithms.
struct Division {
    std::vector<FittedRegime> ring, nvls;
    [[nodiscard]] double cost() const { return cost_of(ring) + cost_of(nvls); }
};

Division divide(const std::vector<Timing>& timings, const NvlsSizes& from, const RegimePrior& ring_prior,
                const RegimePrior& nvls_prior) {
    std::vector<Timing> ring, nvls;
    for (const Timing& timing : timings) {
        (uses_nvls(timing, from) ? nvls : ring).push_back(timing);
    }
    const int lines = static_cast<int>(kProtocols.size());
    return {fit_regimes(rows_of(ring, Algorithm::ring), lines, ring_prior),
            nvls.empty() ? std::vector<FittedRegime>{}
                         : fit_regimes(rows_of(nvls, Algorithm::nvls), 1, nvls_prior)};
}

/// Nobody says which algorithm ran: the sizes from which NVLS took over are those that fit best, found from
/// the most GPUs down, since it pays most among many.
Division best_division(const std::vector<Timing>& timings, const RegimePrior& ring_prior,
                       const RegimePrior& nvls_prior) {
    std::map<int, std::set<double>, std::greater<>> sizes;
    for (const Timing& timing : timings) {
        if (may_use_nvls(timing)) {
            sizes[timing.series->ranks].insert(timing.point.bytes.value());
        }
    }
    NvlsSizes from;
    Division best = divide(timings, from, ring_prior, nvls_prior);
    for (const auto& [ranks, candidates] : sizes) {
        NvlsSizes kept = from;
        for (const double size : candidates) {
            NvlsSizes trial_from = from;
            trial_from[ranks] = Bytes(size);
            Division trial = divide(timings, trial_from, ring_prior, nvls_prior);
            // Small sizes are never NVLS': a line through a few of them would say so only for want of others.
            if (!trial.nvls.empty() && !trial.ring.empty() && trial.cost() < best.cost()) {
                best = std::move(trial);
                kept = trial_from;
            }
        }
        from = kept;
    }
    return best;
}

} // namespace

std::vector<CollectiveCurve> fit_collectives(std::span<const CollectiveSeries> all, const FitFilter& filter,
                                             std::span<const CollectiveCurve> prior) {
    std::map<std::pair<std::string, Collective>, std::vector<Timing>> groups;
    for (const CollectiveSeries& series : all) {
        if (series.nodes > 1) {
            continue; // the port to the network decides there: fit_nic_shares()
        }
        const std::string architecture = prior.empty() ? series.node.gpu.architecture : "any";
        for (const CollectiveSeries::Point& point : series.points) {
            if (filter(series, point)) {
                groups[{architecture, series.op}].push_back({&series, point});
            }
        }
    }
    std::vector<CollectiveCurve> curves;
    for (const auto& [key, timings] : groups) {
        const auto& [architecture, op] = key;
        const std::string_view kin = timings.front().series->node.gpu.architecture;
        const auto prior_for = [&](Algorithm algorithm) {
            return prior_of(prior.empty() ? nullptr : find_curve(prior, kin, op, algorithm));
        };
        const Division division =
            best_division(timings, prior_for(Algorithm::ring), prior_for(Algorithm::nvls));
        if (!division.ring.empty()) {
            curves.push_back(curve_of(architecture, op, Algorithm::ring, division.ring));
        }
        if (!division.nvls.empty()) {
            curves.push_back(curve_of(architecture, op, Algorithm::nvls, division.nvls));
        }
    }
    return curves;
}

} // namespace chokepoint::hw
