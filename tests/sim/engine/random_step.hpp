// SPDX-License-Identifier: Apache-2.0
// Random steps for the laws that every step must keep.
#pragma once

#include "step_builder.hpp"

#include <rapidcheck.h>

namespace chokepoint::test {

struct RandomStepOptions {
    bool latency = true;
};

inline hw::TransferShape random_shape(const RandomStepOptions& options) {
    hw::TransferShape shape;
    shape.latency = hw::Seconds(1e-6 * (options.latency ? *rc::gen::inRange(0, 1000) : 0));
    const int flows = *rc::gen::inRange(0, 3);
    for (int i = 0; i < flows; ++i) {
        const hw::Port port = *rc::gen::element(hw::Port::nvlink, hw::Port::nic);
        // Bytes that are no whole number, and caps on either side of the port's rate.
        shape.flows.push_back({port, hw::Bytes(1e6 / 3.0 * *rc::gen::inRange(0, 3000)),
                               hw::BytesPerSecond(1e9 * *rc::gen::inRange(1, 300))});
    }
    return shape;
}

/// Up to 60 tasks on up to 4 ranks, each after up to three earlier ones.
inline StepBuilder random_step(const RandomStepOptions& options = {}) {
    const int ranks = *rc::gen::inRange(1, 5);
    StepBuilder step(ranks, hw::BytesPerSecond(200e9), hw::BytesPerSecond(50e9));
    const int tasks = *rc::gen::inRange(1, 61);
    for (int i = 0; i < tasks; ++i) {
        StepBuilder::After after;
        const int predecessors = i == 0 ? 0 : *rc::gen::inRange(0, 4);
        for (int p = 0; p < predecessors; ++p) {
            after.push_back(static_cast<work::TaskId>(*rc::gen::inRange(std::max(0, i - 12), i)));
        }
        std::sort(after.begin(), after.end());
        after.erase(std::unique(after.begin(), after.end()), after.end());
        const int rank = *rc::gen::inRange(0, ranks);
        switch (*rc::gen::inRange(0, 5)) {
        case 0:
            step.marker(after);
            break;
        case 1:
            step.compute(rank, hw::Seconds(1e-6 * *rc::gen::inRange(0, 20000)), after);
            break;
        case 2:
            step.send(rank, *rc::gen::inRange(0, ranks), random_shape(options), after);
            break;
        default:
            step.transfer(rank, random_shape(options), after,
                          hw::Seconds(1e-6 * (options.latency ? *rc::gen::inRange(0, 1000) : 0)));
        }
    }
    return step;
}

} // namespace chokepoint::test
