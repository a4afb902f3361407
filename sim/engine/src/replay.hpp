// SPDX-License-Identifier: Apache-2.0
// A step's chains of tasks: which of them is critical when some of its work takes longer or shorter.
#pragma once

#include <chokepoint/sim/response.hpp>
#include <chokepoint/sim/run.hpp>

#include <vector>

namespace chokepoint::sim {

/// Goes over a simulated step again in one pass, with its work scaled. Transfers take as long as they did
/// where they met others on their ports, and slow the kernels beside them as they did.
class Replay {
public:
    Replay(const StepRun&, const SlicedWork&);
    /// The critical chain at these factors, in seconds at factors of 1.
    [[nodiscard]] Chain critical_chain(const std::vector<double>& factors) const;

private:
    [[nodiscard]] bool with_host() const { return !step_.costs.host.empty(); }

    const StepRun& step_;
    const SlicedWork& work_;
    std::vector<double> slowdown_; ///< of each compute task, by the collectives beside it
};

} // namespace chokepoint::sim
