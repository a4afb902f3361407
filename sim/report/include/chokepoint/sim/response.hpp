// SPDX-License-Identifier: Apache-2.0
// How long a step takes with inputs off their best values, without simulating it again.
#pragma once

#include <chokepoint/workloads/task_graph.hpp>

#include <chokepoint/sim/timeline.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// The standard normal deviate of a random variable, by its name (Term::name).
using Deviates = std::function<double(std::string_view)>;

enum class Scales { one_kernel, all_compute, transfers, waiting, host };

/// A log-normal factor with a median of 1. Two runs that name the same one share it.
struct Variable {
    std::string input; ///< what reports list it under: "gemm kernels, fp8"
    std::string name;  ///< "hopper gemm kernels, fp8: q_b"
    Scales scales = Scales::one_kernel;
    double sigma = 0.0; ///< of its logarithm; the largest, where pieces of work know it differently
};

/// What scales the time of every piece of work of a step. A slice is whatever the same factors scale.
class SlicedWork {
public:
    /// Shares of a piece of work's time, by slice.
    using Shares = std::vector<std::pair<std::size_t, double>>;

    /// @param architecture of the part: parts of one share the errors of its kernels
    SlicedWork(const work::TaskGraph&, const StepCosts&, const std::string& architecture);

    [[nodiscard]] const std::vector<Variable>& variables() const { return variables_; }
    [[nodiscard]] std::size_t slices() const { return slices_.size(); }
    [[nodiscard]] const Shares& compute(std::size_t work) const { return compute_[work]; }
    [[nodiscard]] std::size_t transfer(std::size_t work) const { return transfer_[work]; }
    [[nodiscard]] std::size_t waiting() const { return waiting_; } ///< for the slowest member
    [[nodiscard]] std::size_t host() const { return host_; }
    [[nodiscard]] bool depends(std::size_t slice, std::size_t variable) const;
    /// By slice.
    [[nodiscard]] std::vector<double> factors(const Deviates&) const;
    /// The same of `variables` by index.
    [[nodiscard]] std::vector<double> factors(const std::vector<double>& deviates) const;

private:
    /// Variables by index, each with the standard deviation that it has for this slice.
    using Factors = std::vector<std::pair<std::size_t, double>>;
    std::size_t slice(Factors);
    /// Adds one that scales something, unless it is exact.
    void add(Factors&, const Variable&);

    std::vector<Variable> variables_;
    std::map<std::string, std::size_t> by_name_;
    std::vector<Factors> slices_;
    std::map<Factors, std::size_t> by_factors_;
    std::vector<Shares> compute_;
    std::vector<std::size_t> transfer_;
    std::size_t waiting_ = 0, host_ = 0;
};

/// One chain of tasks that nothing but each other holds up: seconds by slice.
using Chain = std::vector<double>;

/// A step is as long as its longest chain of tasks, so that its time is a convex function of the factors of
/// its slices, and each chain is a bound that holds for all of them: the chains that are critical for some
/// factors give the function exactly there, and from below elsewhere.
struct StepResponse {
    SlicedWork work;
    std::vector<Chain> chains; ///< the first is critical with all factors at 1
    [[nodiscard]] double seconds(const std::vector<double>& factors) const;
};

} // namespace chokepoint::sim
