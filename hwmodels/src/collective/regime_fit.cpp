// SPDX-License-Identifier: Apache-2.0
// Bounded least squares by dropping what turns negative, and the best partition by dynamic programming.
#include "regime_fit.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>

namespace chokepoint::hw {
namespace {

constexpr int kCoefficients = 5;
constexpr int kShare = 2;
constexpr int kOwn = 3;
constexpr int kMemory = 4;
constexpr int kReweightings = 12;
constexpr double kRidge = 1e-9;      // only where the data say nothing at all
constexpr double kPriorRidge = 1e-5; // of a squared relative error: gives way to any data
/// A line through two points fits exactly, so a range holds three at least.
constexpr std::size_t kPoints = 3;
constexpr double kNever = std::numeric_limits<double>::infinity();

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// The relative errors as a linear problem in coefficients scaled to order one.
struct Scaled {
    Matrix slopes; ///< of predicted / measured
    Vector scale;  ///< of each coefficient
    Vector lower;  ///< bounds, scaled
    Vector prior;
    double ridge = kRidge;
};

Scaled scaled(std::span<const RegimeRow> rows, bool streaming,
              const std::optional<RegimeCoefficients>& prior) {
    Scaled problem{.slopes = Matrix(rows.size(), kCoefficients),
                   .scale = Vector::Ones(kCoefficients),
                   .lower = Vector::Zero(kCoefficients),
                   .prior = Vector::Zero(kCoefficients)};
    for (Eigen::Index r = 0; r < problem.slopes.rows(); ++r) {
        for (int c = 0; c < kCoefficients; ++c) {
            const RegimeRow& row = rows[static_cast<std::size_t>(r)];
            problem.slopes(r, c) = row.features[static_cast<std::size_t>(c)] / row.seconds;
        }
    }
    problem.slopes.col(streaming ? kOwn : kMemory).setZero();
    for (int c = 0; c < kCoefficients; ++c) {
        const double largest = problem.slopes.col(c).maxCoeff();
        const double known = prior && largest > 0.0 ? (*prior)[static_cast<std::size_t>(c)] : 0.0;
        problem.scale[c] = known > 0.0 ? known : largest > 0.0 ? 1.0 / largest : 1.0;
        problem.prior[c] = known / problem.scale[c];
        problem.slopes.col(c) *= problem.scale[c];
    }
    problem.lower[kShare] = 1.0 / problem.scale[kShare];
    problem.ridge = prior ? kPriorRidge : kRidge;
    return problem;
}

/// Weighted least squares over the coefficients that stay above their bounds; the others rest on them.
Vector bounded(const Scaled& problem, const Vector& weights) {
    std::vector<int> active(kCoefficients);
    for (int c = 0; c < kCoefficients; ++c) {
        active[static_cast<std::size_t>(c)] = c;
    }
    Vector result = problem.lower;
    while (!active.empty()) {
        const Matrix slopes = problem.slopes(Eigen::all, active);
        Matrix normal = slopes.transpose() * weights.asDiagonal() * slopes;
        normal.diagonal().array() += problem.ridge * static_cast<double>(weights.size());
        const Vector rest = Vector::Ones(weights.size()) - problem.slopes * problem.lower;
        const Vector above_bound = (problem.prior - problem.lower)(active);
        const Vector right = slopes.transpose() * weights.cwiseProduct(rest) +
                             problem.ridge * static_cast<double>(weights.size()) * above_bound;
        const Vector found = normal.ldlt().solve(right);
        Eigen::Index lowest = 0;
        if (found.minCoeff(&lowest) >= 0.0) {
            result(active) += found;
            return result;
        }
        active.erase(active.begin() + lowest);
    }
    return result;
}

double huber(double relative_error) {
    const double z = std::abs(relative_error) / kNoise;
    return z <= 1.0 ? z * z : 2.0 * z - 1.0;
}

std::size_t distinct_pieces(std::span<const RegimeRow> rows) {
    std::set<double> pieces;
    for (const RegimeRow& row : rows) {
        pieces.insert(row.piece);
    }
    return pieces.size();
}

/// Rows of one piece have one place in the order: the index behind each piece's last row.
std::vector<std::size_t> ends_of_pieces(std::span<const RegimeRow> rows) {
    std::vector<std::size_t> ends{0};
    for (std::size_t i = 1; i <= rows.size(); ++i) {
        if (i == rows.size() || rows[i].piece > rows[i - 1].piece * (1.0 + 1e-6)) {
            ends.push_back(i);
        }
    }
    return ends;
}

} // namespace

RegimeFit fit_regime(std::span<const RegimeRow> rows, bool streaming,
                     const std::optional<RegimeCoefficients>& prior) {
    const Scaled problem = scaled(rows, streaming, prior);
    Vector weights = Vector::Ones(static_cast<Eigen::Index>(rows.size()));
    Vector found;
    Vector errors;
    for (int pass = 0; pass < kReweightings; ++pass) {
        found = bounded(problem, weights);
        errors = problem.slopes * found - Vector::Ones(weights.size());
        weights =
            errors.unaryExpr([](double e) { return std::abs(e) <= kNoise ? 1.0 : kNoise / std::abs(e); });
    }
    RegimeFit fit;
    for (int c = 0; c < kCoefficients; ++c) {
        fit.coefficients[static_cast<std::size_t>(c)] = found[c] * problem.scale[c];
    }
    fit.cost = errors.unaryExpr(&huber).sum();
    return fit;
}

std::vector<FittedRegime> fit_regimes(std::vector<RegimeRow> rows, int regimes, const RegimePrior& prior) {
    std::ranges::sort(rows, {}, &RegimeRow::piece);
    const std::vector<std::size_t> ends = ends_of_pieces(rows);
    const std::size_t pieces = ends.size() - 1;
    if (distinct_pieces(rows) < 2 || rows.size() < kPoints) {
        return {};
    }
    const auto ways = static_cast<std::size_t>(regimes);
    // best[k][j]: the cheapest way to cover the first j pieces with k lines; from[k][j]: where the last
    // begins.
    std::vector best(ways + 1, std::vector<double>(pieces + 1, kNever));
    std::vector from(ways + 1, std::vector<std::size_t>(pieces + 1, 0));
    std::vector fits(pieces + 1, std::vector<RegimeFit>(pieces + 1));
    for (std::size_t i = 0; i < pieces; ++i) {
        for (std::size_t j = i + 1; j <= pieces; ++j) {
            const std::span<const RegimeRow> range(rows.data() + ends[i], ends[j] - ends[i]);
            const double middle = std::sqrt(range.front().piece * range.back().piece);
            const bool enough = distinct_pieces(range) >= 2 && range.size() >= kPoints;
            fits[i][j] = enough ? fit_regime(range, j == pieces, prior(middle)) : RegimeFit{{}, kNever};
        }
    }
    best[0][0] = 0.0;
    std::size_t used = 0;
    for (std::size_t k = 1; k <= ways; ++k) {
        for (std::size_t j = 1; j <= pieces; ++j) {
            for (std::size_t i = 0; i < j; ++i) {
                if (const double cost = best[k - 1][i] + fits[i][j].cost; cost < best[k][j]) {
                    best[k][j] = cost;
                    from[k][j] = i;
                }
            }
        }
        if (used == 0 || best[k][pieces] < best[used][pieces]) {
            used = k;
        }
    }
    std::vector<FittedRegime> result;
    double until = kNever;
    for (std::size_t j = pieces; j > 0; j = from[used--][j]) {
        const std::size_t i = from[used][j];
        result.insert(result.begin(), {until, fits[i][j]});
        if (i > 0) {
            until = std::sqrt(rows[ends[i] - 1].piece * rows[ends[i]].piece);
        }
    }
    return result;
}

} // namespace chokepoint::hw
