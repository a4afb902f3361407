// SPDX-License-Identifier: Apache-2.0
// AdamW with BF16 moments over FP32 masters and gradients, leaving BF16 parameters: DeepSeek-V3
// report, 3.3.3.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

struct AdamRule {
    float rate = 2.2e-4F, beta1 = 0.9F, beta2 = 0.95F, epsilon = 1e-8F, decay = 0.1F; // report 4.2
    float correction1 = 1.0F, correction2 = 1.0F;                                     ///< 1 - beta^step
};

struct Adam {
    float* master = nullptr;
    const float* gradient = nullptr;
    Bf16Bits* first = nullptr; ///< moments, updated in place
    Bf16Bits* second = nullptr;
    Bf16Bits* parameter = nullptr; ///< rounded copy of the master
    std::int64_t count = 0;        ///< a multiple of 8
    AdamRule rule;
};
void adam(const Adam&, const Launch&);

struct AdamState {
    double master = 0.0, first = 0.0, second = 0.0;
};
/// One element; moments before they are rounded to BF16.
AdamState adam_reference(const AdamState&, double gradient, const AdamRule&);

std::vector<Case> adam_cases();
Work adam_work(const Case&);
std::unique_ptr<Workload> make_adam(const Case&, Device&);

} // namespace chokepoint::kref
