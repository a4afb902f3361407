// SPDX-License-Identifier: Apache-2.0
// AdamW in double precision: decoupled weight decay, arXiv:1711.05101, algorithm 2.
#include "optimizer/adam.hpp"

#include <cmath>

namespace chokepoint::kref {

AdamState adam_reference(const AdamState& before, double gradient, const AdamRule& rule) {
    const double beta1 = rule.beta1;
    const double beta2 = rule.beta2;
    AdamState after;
    after.first = beta1 * before.first + (1.0 - beta1) * gradient;
    after.second = beta2 * before.second + (1.0 - beta2) * gradient * gradient;
    const double unbiased_first = after.first / static_cast<double>(rule.correction1);
    const double unbiased_second = after.second / static_cast<double>(rule.correction2);
    const double step = unbiased_first / (std::sqrt(unbiased_second) + static_cast<double>(rule.epsilon));
    after.master = before.master -
                   static_cast<double>(rule.rate) * (step + static_cast<double>(rule.decay) * before.master);
    return after;
}

} // namespace chokepoint::kref
