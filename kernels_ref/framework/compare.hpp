// SPDX-License-Identifier: Apache-2.0
// How far results lie from a double-precision reference.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace chokepoint::kref {

/// Verdict on one kernel and shape. `error` is a relative Frobenius norm; where results must be exact, the
/// number of elements that differ; where one element failed, how many times what it may be off it is.
struct Check {
    bool passed = false;
    double error = 0.0;
    double bound = 0.0;
    std::string note;
};

/// Accumulates ||result - reference|| / ||reference||; NaN never passes.
class FrobeniusError {
public:
    void add(double result, double reference);
    [[nodiscard]] double relative() const;
    [[nodiscard]] std::size_t count() const { return count_; }

private:
    double squared_difference_ = 0.0;
    double squared_reference_ = 0.0;
    std::size_t count_ = 0;
};

/// The worst element's error in units of what that element may be off: a norm over 10^5 elements does not see
/// one that is wrong. NaN never passes.
class WorstElement {
public:
    /// `allowed`: what rounding and arithmetic may change, above zero.
    void add(double result, double reference, double allowed);
    [[nodiscard]] double worst() const { return worst_; }

private:
    double worst_ = 0.0;
};

/// Takes in results that FP32 arithmetic on a few values around one, rounded once to BF16, has given.
void compare_rounded(const std::vector<double>& results, const std::vector<double>& references,
                     FrobeniusError&, WorstElement&);

/// Passes if something was compared, the error is within the bound and nothing was left unwritten.
Check judge(const FrobeniusError&, double bound, std::size_t unwritten = 0);
/// The norm's verdict, unless one element is off by more than it may be.
Check judge(const FrobeniusError&, double bound, const WorstElement&, std::size_t unwritten = 0);
/// For kernels that only move or select: every compared element must be equal.
Check judge_exact(std::size_t compared, std::size_t different, std::size_t unwritten = 0);
/// Both have to pass; keeps the failing one, else the one nearer to its bound.
Check both(const Check&, const Check&);

} // namespace chokepoint::kref
