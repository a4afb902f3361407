// SPDX-License-Identifier: Apache-2.0
// Names and spreads of the inputs that are not exact.
#include "inputs.hpp"

#include <chokepoint/sim/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::sim::inputs {

namespace {

/// How far a run of weeks may be from the clock of the benchmarks, in either direction, nine times in ten.
/// DeepGEMM's H800 rows lose 5% to 9% from kernels of 0.5 ms to kernels of 10 ms as power limits the clock
/// (hwmodels/measurements/published/gemm_fp8_block.json: 7168 x 16384 and 36864 x 7168 at M = 4,096 and
/// 32,768).
constexpr double kSustainedClock90 = 0.08;

} // namespace

std::string kernels(const hw::Operator& op) {
    return fmt::format("{} kernels, {}", hw::name(op.kernel), hw::name(op.dtype));
}

std::string kernel_term(const std::string& architecture, const hw::Operator& op) {
    return fmt::format("{} {}: {}", architecture, kernels(op), op.name);
}

std::string clock_term(const std::string& architecture) { return fmt::format("{} {}", architecture, kClock); }

std::string transfer_term(work::TransferKind kind) { return fmt::format("{}: {}", kTransfers, name(kind)); }

std::string price_term(const Scenario& scenario) {
    return fmt::format("{} of {}", scenario.cost()->rent ? "rent" : "price", scenario.cluster().node.gpu.id);
}

std::string power_term(const Scenario& scenario) {
    return fmt::format("power of {} nodes", scenario.cluster().node.gpu.architecture);
}

double OwnedInput::at(double deviate) const {
    const double end = deviate < 0.0 ? low : high;
    return std::min(figure->most, mid * std::pow(end / mid, std::abs(deviate) / kP95));
}

double OwnedInput::sigma() const { return std::log(high / low) / (2.0 * kP95); }

std::vector<OwnedInput> owned_inputs(const Ownership& own) {
    std::vector<OwnedInput> inputs;
    for (const OwnershipFigure& figure : ownership_figures()) {
        const auto range = own.model.ranges.find(figure.key);
        if (range != own.model.ranges.end()) {
            inputs.push_back({&figure, range->second[0], figure.get(own.model), range->second[1]});
        }
    }
    return inputs;
}

double clock_sigma() { return kSustainedClock90 / kP95; }

bool follows_clock(const hw::Operator& op, double sigma) {
    return !hw::is_memory_bound(op.kernel) && sigma > 0.0;
}

double failure_sigma() {
    // How far published failure rates lie apart: half the distance, in logarithms, between 50,677 h and
    // 8,090 h between failures of a GPU (Llama 3, arXiv 2407.21783; Meta's research clusters, arXiv
    // 2410.21680).
    return std::log(50'677.0 / 8'090.0) / 2.0;
}

} // namespace chokepoint::sim::inputs
