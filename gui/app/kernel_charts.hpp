// SPDX-License-Identifier: GPL-3.0-or-later
// What kernels were measured at and what the fits say, as charts: the roofline and the residuals.
#pragma once

#include "charts/description.hpp"

#include <QJsonObject>
#include <QString>

#include <optional>
#include <vector>

namespace chokepoint::gui {

struct KernelPoint {
    double flops = 0.0, bytes = 0.0; ///< of one call; the traffic with each tensor once
    double measured_seconds = 0.0, fit_seconds = 0.0;
};
/// Rows of one source.
struct KernelSeries {
    QString id;
    bool fitted = false, held_out = false;
    std::vector<KernelPoint> points;
};
/// What was measured of one kernel in one number format on one part.
struct KernelGroup {
    QString part, kernel, format;
    std::optional<double> peak_flops_per_second, memory_bytes_per_second;
    std::vector<KernelSeries> series;
    [[nodiscard]] QString label() const;
    [[nodiscard]] std::size_t rows() const;
};
/// Of `chokepoint calibrate --holdout --points --json`, in the order of the answer.
std::vector<KernelGroup> kernel_groups(const QJsonObject& calibrate);

/// Throughput against arithmetic intensity: the part's roof, the measured points, and the fit's.
Chart roofline_chart(const KernelGroup&);
/// The fit's time over the measured one, less 1, against the measured time.
Chart residual_chart(const KernelGroup&);

} // namespace chokepoint::gui
