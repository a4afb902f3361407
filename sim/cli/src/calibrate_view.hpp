// SPDX-License-Identifier: Apache-2.0
// What `calibrate` found, as text by row and as charts.
#pragma once

#include <chokepoint/hwmodels/fit.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace chokepoint::cli {

inline constexpr double kMicro = 1e-6;
inline constexpr double kMega = 1e6;
inline constexpr double kPercent = 100.0;

/// The curves of one architecture and how far they are off.
struct Calibrated {
    hw::FitSet fits;
    std::vector<hw::SeriesScore> scores;
    std::vector<hw::RowScore> rows;
};

/// "bf16", "fp8 block_128"; empty for memory-bound classes.
std::string format_name(hw::KernelClass, hw::DType, hw::Scaling);

/// "4096 x 7168 x 2048", "2 x 4096, 128 heads 192/128 causal", "117.4 + 117.4 MB": what a row timed.
std::string shape_text(const hw::Measurement&);
/// A line for each row.
std::string rows_text(const std::vector<hw::RowScore>&);
nlohmann::ordered_json rows_json(const std::vector<hw::RowScore>&);

/// A page: of each part, class and format the roofline with measured points and fits, beside it the errors.
nlohmann::ordered_json calibration_chart(const std::vector<Calibrated>&);

} // namespace chokepoint::cli
