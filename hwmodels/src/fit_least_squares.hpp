// SPDX-License-Identifier: Apache-2.0
// Robust nonlinear least squares with a prior, small enough to be read: Levenberg-Marquardt on Huber weights.
#pragma once

#include <Eigen/Dense>

#include <functional>

namespace chokepoint::hw {

struct LeastSquaresProblem {
    std::function<Eigen::VectorXd(const Eigen::VectorXd&)> residuals;
    Eigen::VectorXd start;
    Eigen::VectorXd prior_mean;
    Eigen::VectorXd prior_sigma; ///< of each unknown about its mean
    double noise = 0.05;         ///< standard deviation expected of a residual
    double huber = 2.0;          ///< residuals beyond this many `noise` count linearly
    double done = 1e-13;         ///< relative decrease of the cost at which the search ends
};

struct LeastSquaresSolution {
    Eigen::VectorXd unknowns;
    Eigen::VectorXd residuals;
    Eigen::MatrixXd covariance;
};

/// @throws std::runtime_error if a residual is not finite at the start.
LeastSquaresSolution solve(const LeastSquaresProblem&);

} // namespace chokepoint::hw
