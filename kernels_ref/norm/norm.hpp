// SPDX-License-Identifier: Apache-2.0
// RMSNorm forward and backward on BF16 rows: y = x w / rms(x), rms over the row, arithmetic in FP32.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

inline constexpr float kNormEpsilon = 1e-6F; // DeepSeek-V3 config.json, rms_norm_eps
inline constexpr std::int64_t kNormMostColumns = 16384;

/// `columns` is a multiple of 8, at most kNormMostColumns. `inverse_rms` gets one value a row.
struct NormForward {
    const Bf16Bits* x = nullptr;      ///< [rows][columns]
    const Bf16Bits* weight = nullptr; ///< [columns]
    Bf16Bits* y = nullptr;
    float* inverse_rms = nullptr;
    std::int64_t rows = 0, columns = 0;
};
void norm_forward(const NormForward&, const Launch&);

/// dx and the weight's gradient, the latter summed over rows in two launches through `partial`.
struct NormBackward {
    const Bf16Bits* dy = nullptr;
    const Bf16Bits* x = nullptr;
    const Bf16Bits* weight = nullptr;
    const float* inverse_rms = nullptr;
    Bf16Bits* dx = nullptr;
    float* dweight = nullptr; ///< [columns], overwritten
    float* partial = nullptr; ///< norm_partial_rows() x columns
    std::int64_t rows = 0, columns = 0;
};
void norm_backward(const NormBackward&, const Launch&);
std::int64_t norm_partial_rows(int sms);

/// One row in double precision.
std::vector<double> norm_forward_reference(const std::vector<double>& x, const std::vector<double>& weight);
std::vector<double> norm_backward_reference(const std::vector<double>& dy, const std::vector<double>& x,
                                            const std::vector<double>& weight);
double inverse_rms_reference(const std::vector<double>& x);
/// One column: the sum over rows of dy x inverse_rms.
double norm_dweight_reference(const std::vector<double>& dy_column, const std::vector<double>& x_column,
                              const std::vector<double>& inverse_rms);

std::vector<Case> norm_cases();
Work norm_forward_work(const Case&);
Work norm_backward_work(const Case&);
std::unique_ptr<Workload> make_norm_forward(const Case&, Device&);
std::unique_ptr<Workload> make_norm_backward(const Case&, Device&);

} // namespace chokepoint::kref
