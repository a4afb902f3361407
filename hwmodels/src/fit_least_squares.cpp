// SPDX-License-Identifier: Apache-2.0
// Levenberg-Marquardt with numeric derivatives: the problems have ten unknowns and a few hundred rows.
#include "fit_least_squares.hpp"

#include <cmath>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr int kSteps = 200;
constexpr double kDerivativeStep = 1e-5; // unknowns are logarithms and logits: of order one

double huber_cost(const LeastSquaresProblem& problem, const Eigen::VectorXd& residuals) {
    double cost = 0.0;
    for (const double r : residuals) {
        const double z = std::abs(r) / problem.noise;
        cost += z <= problem.huber ? z * z : problem.huber * (2.0 * z - problem.huber);
    }
    return cost;
}

double prior_cost(const LeastSquaresProblem& problem, const Eigen::VectorXd& at) {
    return (at - problem.prior_mean).cwiseQuotient(problem.prior_sigma).squaredNorm();
}

Eigen::VectorXd huber_weights(const LeastSquaresProblem& problem, const Eigen::VectorXd& residuals) {
    const auto weight = [&](double r) {
        const double z = std::abs(r) / problem.noise;
        return (z <= problem.huber ? 1.0 : problem.huber / z) / (problem.noise * problem.noise);
    };
    return residuals.unaryExpr(weight);
}

Eigen::MatrixXd jacobian(const LeastSquaresProblem& problem, const Eigen::VectorXd& at) {
    Eigen::MatrixXd result;
    for (Eigen::Index i = 0; i < at.size(); ++i) {
        Eigen::VectorXd above = at;
        Eigen::VectorXd below = at;
        above[i] += kDerivativeStep;
        below[i] -= kDerivativeStep;
        const Eigen::VectorXd slope =
            (problem.residuals(above) - problem.residuals(below)) / (2.0 * kDerivativeStep);
        if (i == 0) {
            result.resize(slope.size(), at.size());
        }
        result.col(i) = slope;
    }
    return result;
}

} // namespace

LeastSquaresSolution solve(const LeastSquaresProblem& problem) {
    Eigen::VectorXd at = problem.start;
    Eigen::VectorXd residuals = problem.residuals(at);
    if (!residuals.allFinite()) {
        throw std::runtime_error("a residual is not finite at the initial parameters");
    }
    const Eigen::VectorXd precision = problem.prior_sigma.cwiseAbs2().cwiseInverse();
    double cost = huber_cost(problem, residuals) + prior_cost(problem, at);
    double damping = 1e-3;
    Eigen::MatrixXd normal;
    for (int step = 0; step < kSteps; ++step) {
        const Eigen::MatrixXd slopes = jacobian(problem, at);
        const Eigen::VectorXd weights = huber_weights(problem, residuals);
        normal = slopes.transpose() * weights.asDiagonal() * slopes;
        normal += precision.asDiagonal();
        const Eigen::VectorXd gradient = slopes.transpose() * weights.cwiseProduct(residuals) +
                                         precision.cwiseProduct(at - problem.prior_mean);
        bool improved = false;
        double decrease = 0.0;
        while (!improved && damping < 1e12) {
            Eigen::MatrixXd damped = normal;
            damped.diagonal() *= 1.0 + damping;
            const Eigen::VectorXd trial = at - damped.ldlt().solve(gradient);
            const Eigen::VectorXd trial_residuals = problem.residuals(trial);
            const double trial_cost = huber_cost(problem, trial_residuals) + prior_cost(problem, trial);
            improved = trial_residuals.allFinite() && trial_cost < cost;
            damping *= improved ? 0.3 : 4.0;
            if (improved) {
                decrease = (cost - trial_cost) / cost;
                at = trial;
                residuals = trial_residuals;
                cost = trial_cost;
            }
        }
        if (!improved || decrease < problem.done) {
            break;
        }
    }
    const Eigen::Index n = at.size();
    return {at, residuals, normal.ldlt().solve(Eigen::MatrixXd::Identity(n, n))};
}

} // namespace chokepoint::hw
