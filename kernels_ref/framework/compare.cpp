// SPDX-License-Identifier: Apache-2.0
// Error norms and verdicts.
#include "framework/compare.hpp"

#include "framework/number_formats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chokepoint::kref {

void FrobeniusError::add(double result, double reference) {
    const double difference = result - reference;
    squared_difference_ += difference * difference;
    squared_reference_ += reference * reference;
    ++count_;
}

double FrobeniusError::relative() const {
    if (squared_reference_ == 0.0) {
        return squared_difference_ == 0.0 ? 0.0 : std::numeric_limits<double>::infinity();
    }
    return std::sqrt(squared_difference_ / squared_reference_);
}

Check judge(const FrobeniusError& error, double bound, std::size_t unwritten) {
    Check check;
    check.error = error.relative();
    check.bound = bound;
    // Written so that NaN fails.
    check.passed = error.count() > 0 && check.error <= bound && unwritten == 0;
    if (error.count() == 0) {
        check.note = "nothing was compared";
    } else if (unwritten > 0) {
        check.note = std::to_string(unwritten) + " elements unwritten or NaN";
    } else if (!check.passed) {
        check.note = "relative error above its bound over " + std::to_string(error.count()) + " elements";
    }
    return check;
}

void WorstElement::add(double result, double reference, double allowed) {
    const double share = std::abs(result - reference) / allowed;
    worst_ = std::isnan(share) ? std::numeric_limits<double>::infinity() : std::max(worst_, share);
}

void compare_rounded(const std::vector<double>& results, const std::vector<double>& references,
                     FrobeniusError& norm, WorstElement& worst) {
    constexpr double kSlack = 1e-5; // some fifty times what FP32 rounds
    for (std::size_t i = 0; i < references.size(); ++i) {
        const double reference = references[i];
        norm.add(results.at(i), reference);
        worst.add(results[i], reference, bf16_half_step(reference) + kSlack * (1.0 + std::abs(reference)));
    }
}

Check judge(const FrobeniusError& error, double bound, const WorstElement& element, std::size_t unwritten) {
    const Check of_norm = judge(error, bound, unwritten);
    if (!of_norm.passed || element.worst() <= 1.0) {
        return of_norm;
    }
    return {false, element.worst(), 1.0, "an element is off by more than rounding explains; the norm is not"};
}

Check judge_exact(std::size_t compared, std::size_t different, std::size_t unwritten) {
    Check check;
    check.error = static_cast<double>(different);
    check.passed = compared > 0 && different == 0 && unwritten == 0;
    if (compared == 0) {
        check.note = "nothing was compared";
    } else if (unwritten > 0) {
        check.note = std::to_string(unwritten) + " elements unwritten";
    } else if (different > 0) {
        check.note = std::to_string(different) + " of " + std::to_string(compared) + " elements differ";
    }
    return check;
}

Check both(const Check& a, const Check& b) {
    if (a.passed != b.passed) {
        return a.passed ? b : a;
    }
    const auto share = [](const Check& c) { return c.bound > 0.0 ? c.error / c.bound : c.error; };
    return share(b) > share(a) ? b : a;
}

} // namespace chokepoint::kref
