// SPDX-License-Identifier: GPL-3.0-or-later
// Published runs as `chokepoint validate` tells of them, which of them a filter shows, and how far off those
// are.
#pragma once

#include "charts/description.hpp"

#include <QJsonObject>
#include <QString>

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace chokepoint::gui {

/// A row of `chokepoint validate --json`.
struct ValidatedRun {
    QString id, model, kind, gpu, scale, precision, stack, software, source, published, assumed, note, reason;
    double gpus = 0.0;
    int layout = 0;                                    ///< equal for runs with the same scenario
    std::optional<double> measured, predicted, error;  ///< seconds, and relative
    std::optional<std::pair<double, double>> interval; ///< of the predicted seconds, 5% to 95%
};
std::vector<ValidatedRun> validated_runs(const QJsonObject& validate);

/// Which errors are shown.
struct ErrorBand {
    const char* name; ///< to be translated
    bool (*admits)(const ValidatedRun&);
};
/// The first shows every run.
std::span<const ErrorBand> error_bands();

/// An empty field admits every run.
struct RunFilter {
    QString words; ///< each is part of what is said of the run
    QString gpu, kind, software, scale, precision;
    std::size_t band = 0; ///< of error_bands()
    friend bool operator==(const RunFilter&, const RunFilter&) = default;
};
bool admits(const RunFilter&, const ValidatedRun&);

/// As `chokepoint validate` scores a family: of runs with a published step time, those with the same scenario
/// weigh as one.
struct RunSummary {
    int rows = 0, layouts = 0;
    double median = 0.0, p90 = 0.0, bias = 0.0; ///< of absolute errors, and the mean of signed ones
};
RunSummary summary_of(const std::vector<ValidatedRun>& all, const std::vector<const ValidatedRun*>& shown);

/// Predicted against measured step times, a series per part, with the diagonal and 10% around it. A part's
/// colour is its own, whichever others are shown.
Chart validation_chart(const std::vector<ValidatedRun>& all, const std::vector<const ValidatedRun*>& shown,
                       const ValidatedRun* chosen);

} // namespace chokepoint::gui
