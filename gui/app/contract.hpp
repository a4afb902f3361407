// SPDX-License-Identifier: GPL-3.0-or-later
// The command line's JSON as values (docs/schema): the only place that knows its field names.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace chokepoint::gui {

/// An answer of another program, or of another version of ours.
class ContractError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The object of an answer. @throws ContractError unless its "schema" is the given one.
QJsonObject parse_answer(const QByteArray& json, const QString& schema);

/// A figure with the interval (p5, p95) that its uncertainty leaves, in SI units.
struct Figure {
    double value = 0.0;
    std::optional<std::pair<double, double>> interval;
};
struct Share {
    QString name; ///< as a person reads it
    double value = 0.0;
};

/// What the pages show of `chokepoint run --json` (run.schema.json).
struct RunResult {
    QString title;
    QString gpu;
    double gpus = 0.0;
    Figure step_seconds;
    double tokens_per_second_per_gpu = 0.0, mfu = 0.0;
    std::vector<Share> phases; ///< seconds; they add up to the step
    double exposed_communication = 0.0;
    std::vector<Share> waits;  ///< seconds of the critical path
    std::vector<Share> memory; ///< bytes
    double memory_peak = 0.0, memory_capacity = 0.0;
    std::optional<Figure> gpu_hours, usd; ///< of the campaign, where the scenario has one
    double days = 0.0, campaign_kwh = 0.0;
    std::vector<Share> drivers; ///< of the step's uncertainty, in seconds
    QStringList warnings;       ///< what the command line remarks on the run
};
/// `name`: what the scenario is called that came by standard input. @throws ContractError as parse_answer
/// does.
RunResult parse_run(const QByteArray& json, const QString& name = {});
RunResult run_of(const QJsonObject& run);

} // namespace chokepoint::gui
