// SPDX-License-Identifier: Apache-2.0
// The inputs that are not exact, by name and spread: what intervals rest on and what a draw draws.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/workloads/task_graph.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim::inputs {

inline const std::string kSoftware = "training software";
inline const std::string kClock = "sustained clock";
inline const std::string kTransfers = "transfer rates";
inline const std::string kRouting = "routing imbalance";
inline const std::string kFailures = "failure rate";

/// "gemm kernels, fp8".
std::string kernels(const hw::Operator&);
/// A variable of its own for each operator of a class: they lie on different sides of its fitted curve.
std::string kernel_term(const std::string& architecture, const hw::Operator&);
std::string clock_term(const std::string& architecture);
std::string transfer_term(work::TransferKind);
/// "rent of h800-sxm", "price of h800-sxm".
std::string price_term(const Scenario&);
std::string power_term(const Scenario&);

/// A figure of ownership, with the values that a deviate of -kP95 and kP95 stand for.
struct OwnedInput {
    const OwnershipFigure* figure = nullptr;
    double low = 0.0, mid = 0.0, high = 0.0;
    /// Between them in logarithms.
    [[nodiscard]] double at(double deviate) const;
    [[nodiscard]] double sigma() const; ///< of the logarithm
};
std::vector<OwnedInput> owned_inputs(const Ownership&);

/// One standard deviation of the clock, as a share.
double clock_sigma();
/// Whether the sustained clock scales the operator: a bound has no error of its own.
bool follows_clock(const hw::Operator&, double sigma);
/// Standard deviation of the logarithm.
double failure_sigma();

/// Of what nodes draw: a judgement. MLPerf's nodes of 8 H100 draw 6.85 kW where their profile says 7.5 kW,
/// and the states' shares of the rated power are estimates.
inline constexpr double kPowerSigma = 0.1;

} // namespace chokepoint::sim::inputs
