// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep_curves.hpp"

#include <QCoreApplication>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>
#include <queue>
#include <set>
#include <stdexcept>

namespace chokepoint::gui {

namespace {

/// A number as short as it was typed: four digits are as exact as any cap is set.
double rounded(double value) {
    constexpr int kDigits = 4;
    return QString::number(value, 'g', kDigits).toDouble();
}

struct Written {
    double number = 0.0;
    QString unit; ///< with the space before it
};
/// "50 GB/s" taken apart.
std::optional<Written> written(const QString& value) {
    static const QRegularExpression kNumber(
        R"(^\s*([-+]?[0-9][0-9._]*(?:[eE][-+]?[0-9]+)?)(\s*[^0-9\s].*)?$)");
    const auto match = kNumber.match(value);
    if (!match.hasMatch()) {
        return std::nullopt;
    }
    bool fine = false;
    const double number = match.captured(1).remove('_').toDouble(&fine);
    return fine ? std::optional(Written{number, match.captured(2)}) : std::nullopt;
}

/// How many numbers an axis could be drawn along; 0 if it is of names, or of keys that change together.
std::size_t numbers_of(const StoredAxis& axis) {
    const bool all =
        std::ranges::all_of(axis.steps, [](const StoredStep& s) { return s.number.has_value(); });
    return all && axis.one ? axis.steps.size() : 0;
}

/// The axis as it was written: in the unit of its first value, with what is known of its key.
CurveAxis axis_of(const StoredAxis& stored) {
    const auto first = written(stored.steps.front().value);
    const QString unit = first ? first->unit : QString();
    for (const CurveAxis& known : curve_axes()) {
        if (known.key == stored.key && stored.steps.front().value.endsWith(known.unit)) {
            return known;
        }
    }
    CurveAxis axis;
    axis.key = stored.key;
    axis.unit = unit;
    axis.label = stored.key + (unit.trimmed().isEmpty() ? QString() : ", " + unit.trimmed());
    return axis;
}

double value_of(const StoredStep& step, const CurveAxis& axis, const StoredStep& first) {
    const QString& text = step.value;
    bool fine = false;
    const double plain = text.endsWith(axis.unit) ? text.chopped(axis.unit.size()).toDouble(&fine) : 0.0;
    if (fine) {
        return plain;
    }
    // Another unit than the first value has: by way of base units.
    const auto basis = written(first.value);
    const double per_base = basis && *first.number != 0.0 ? basis->number / *first.number : 1.0;
    return rounded(*step.number * per_base);
}

/// "h20-sxm", "expert 64"
QString name_of(const StoredAxis& axis, std::size_t step) {
    const StoredStep& at = axis.steps[step];
    const bool bare = at.number && axis.one;
    return bare ? axis.key.section('.', -1).replace('_', ' ') + " " + at.label : at.label;
}

} // namespace

std::vector<double> axis_values(double from, double to, int count, bool by_factors, bool whole) {
    if (count < 2) {
        throw std::invalid_argument("a curve needs at least 2 points");
    }
    if (!(to > from)) {
        throw std::invalid_argument("the range's end must lie above its beginning");
    }
    if (by_factors && from <= 0.0) {
        throw std::invalid_argument("a logarithmic axis begins above 0");
    }
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
        const double share = static_cast<double>(i) / (count - 1);
        const double value = by_factors ? from * std::pow(to / from, share) : from + (to - from) * share;
        values.push_back(whole ? std::round(value) : rounded(value));
    }
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<std::size_t> coarse_to_fine(std::size_t count) {
    std::vector<std::size_t> order;
    if (count == 0) {
        return order;
    }
    order.push_back(0);
    if (count > 1) {
        order.push_back(count - 1);
    }
    std::queue<std::pair<std::size_t, std::size_t>> gaps;
    gaps.emplace(0, count - 1);
    for (; !gaps.empty(); gaps.pop()) {
        const auto [from, to] = gaps.front();
        if (to - from < 2 || to < from) {
            continue;
        }
        const std::size_t middle = (from + to) / 2;
        order.push_back(middle);
        gaps.emplace(from, middle);
        gaps.emplace(middle, to);
    }
    return order;
}

QString axis_argument(const CurveAxis& axis, const std::vector<double>& values) {
    constexpr int kDigits = 12;
    QStringList list;
    for (const std::size_t i : coarse_to_fine(values.size())) {
        list << QString::number(values[i], 'g', kDigits) + axis.unit;
    }
    return axis.key + "=" + list.join(',');
}

SweepCurves::SweepCurves(StoredSweep sweep, const QString& key) : sweep_(std::move(sweep)) {
    const auto& axes = sweep_.axes;
    std::size_t most = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::size_t numbers = numbers_of(axes[i]);
        if (key.isEmpty() ? numbers > most : numbers > 0 && axes[i].key == key) {
            most = numbers;
            across_ = i;
        }
    }
    if (most == 0) {
        throw std::runtime_error(QCoreApplication::translate("SweepCurves",
                                                             "the sweep '%1' has no axis of numbers to draw "
                                                             "a curve along")
                                     .arg(sweep_.title)
                                     .toStdString());
    }
    const StoredAxis& across = axes[across_];
    axis_ = axis_of(across);
    for (const StoredStep& step : across.steps) {
        values_.push_back(value_of(step, axis_, across.steps.front()));
    }
    known_.assign(static_cast<std::size_t>(sweep_.points), false);
    names_ = {QString()};
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (i == across_) {
            continue;
        }
        std::vector<QString> longer;
        for (const QString& name : names_) {
            for (std::size_t step = 0; step < axes[i].steps.size(); ++step) {
                longer.push_back((name.isEmpty() ? QString() : name + ", ") + name_of(axes[i], step));
            }
        }
        names_ = std::move(longer);
    }
    if (names_.size() == 1 && names_.front().isEmpty()) {
        names_.front() = sweep_.title;
    }
    curves_.resize(names_.size());
}

std::size_t SweepCurves::curve_of(qint64 position) const {
    std::size_t curve = 0;
    for (std::size_t i = 0; i < sweep_.axes.size(); ++i) {
        if (i != across_) {
            curve = curve * sweep_.axes[i].steps.size() + sweep_.axes[i].step(position);
        }
    }
    return curve;
}

void SweepCurves::add(const StoredPoint& point) {
    const auto at = static_cast<std::size_t>(point.position);
    if (at >= known_.size() || known_[at]) {
        return;
    }
    known_[at] = true;
    ++finished_;
    const std::size_t curve = curve_of(point.position);
    const StoredAxis& across = sweep_.axes[across_];
    const std::size_t step = across.step(point.position);
    if (point.error.isEmpty()) {
        curves_[curve].insert_or_assign(values_[step], point.run);
    } else {
        const QString why = point.error.section('\n', 0, 0);
        whys_[{curve, values_[step]}] = why;
        refusals_ << QCoreApplication::translate("SweepCurves", "%1 at %2: %3")
                         .arg(names_[curve], across.steps[step].value, why);
    }
}

QString SweepCurves::refusal(std::size_t curve, double x) const {
    const auto found = whys_.find({curve, x});
    return found == whys_.end() ? QString() : found->second;
}

std::vector<double> SweepCurves::places() const {
    std::set<double> all;
    for (const Curve& curve : curves_) {
        for (const auto& [x, run] : curve) {
            all.insert(x);
        }
    }
    return {all.begin(), all.end()};
}

bool SweepCurves::empty() const {
    return std::ranges::all_of(curves_, [](const Curve& curve) { return curve.empty(); });
}

} // namespace chokepoint::gui
