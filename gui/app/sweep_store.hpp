// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the store that `chokepoint sweep` writes, also while it writes: docs/sweeps.md describes its tables.
#pragma once

#include "contract.hpp"

#include <QString>

#include <memory>
#include <optional>
#include <vector>

namespace chokepoint::gui {

/// Where a position stands on an axis: the keys' values, as --set takes them.
struct StoredStep {
    QString value, label;         ///< of the first key
    std::optional<double> number; ///< in base units; none of a name
};
struct StoredAxis {
    QString name;     ///< its key, or several
    QString key;      ///< the first
    bool one = false; ///< key
    qint64 stride = 1;
    std::vector<StoredStep> steps;
    /// The step of a position of the grid.
    [[nodiscard]] std::size_t step(qint64 position) const {
        return static_cast<std::size_t>(position / stride) % steps.size();
    }
};
struct StoredSweep {
    qint64 id = 0, points = 0;
    QString title;
    std::vector<StoredAxis> axes;
};
struct StoredPoint {
    qint64 position = 0;
    QString error; ///< why there is no result; empty if there is one
    RunResult run; ///< its figures: the step, the campaign's, utilisation
};

class SweepStore {
public:
    /// @throws std::runtime_error saying why the file is no store that this program reads
    explicit SweepStore(const QString& file);
    ~SweepStore();

    /// The sweep of this number, or the latest; nothing if it is not there (yet).
    [[nodiscard]] std::optional<StoredSweep> sweep(std::optional<qint64> id = std::nullopt) const;
    /// Finished points of a sweep at positions that are not `known` yet, at most so many.
    /// @throws std::runtime_error
    [[nodiscard]] std::vector<StoredPoint> points(const StoredSweep&, const std::vector<bool>& known,
                                                  std::size_t most) const;

private:
    struct Content;
    std::unique_ptr<Content> content_;
};

} // namespace chokepoint::gui
