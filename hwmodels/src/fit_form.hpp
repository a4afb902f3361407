// SPDX-License-Identifier: Apache-2.0
// The formulas of the efficiency curves, apart from how they are fitted and where their parameters come from.
#pragma once

#include <chokepoint/hwmodels/fit.hpp>

#include <span>

namespace chokepoint::hw {

/// A curve's parameter. All are positive and fitted as logarithms, or as logits if they are shares.
struct FormParameter {
    std::string_view name;
    double initial;
    double prior_sigma; ///< of the transform: keeps what the data do not determine near its physical guess
    bool share;         ///< between 0 and 1
};
std::span<const FormParameter> form_parameters(CurveForm);

double to_free(const FormParameter&, double value);
double from_free(const FormParameter&, double transform);

/// What is left of a part for one kernel.
struct Device {
    FlopsPerSecond tensor; ///< dense peak of the kernel's format, at the sustained clock
    FlopsPerSecond vector; ///< FP32 peak outside the tensor cores, at the sustained clock
    BytesPerSecond memory;
    int sms = 0; ///< of the whole part
    int sms_free = 0;
    std::string_view architecture; ///< decides which tiles its libraries choose among
};
/// @throws std::invalid_argument if the part lacks the kernel's format, or `sms_held` leaves no SM.
Device device_for(const GpuSpec&, const Operator&, int sms_held, double clock);

/// Time of the kernel without launch, transfer beside it, correction and training factor.
Seconds form_time(CurveForm, std::span<const double> parameters, const Operator&, const Device&);

} // namespace chokepoint::hw
