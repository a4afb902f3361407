// SPDX-License-Identifier: GPL-3.0-or-later
#include "point_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <queue>
#include <stdexcept>

namespace chokepoint::gui {

std::vector<double> axis_values(double from, double to, int count, bool by_factors) {
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
        // Four digits are as exact as any cap is set, and keep what is typed and printed short.
        values.push_back(std::stod(QString::number(value, 'g', 4).toStdString()));
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

PointSweep::PointSweep(int jobs, QObject* parent) : QObject(parent) {
    for (int i = 0; i < jobs; ++i) {
        runners_.push_back(std::make_unique<Runner>());
    }
}

PointSweep::~PointSweep() = default;

void PointSweep::start(SweepPlan plan) {
    cancel();
    plan_ = std::move(plan);
    waiting_.clear();
    const std::vector<std::size_t> order = coarse_to_fine(plan_.values.size());
    for (const std::size_t value : order) {
        for (std::size_t series = 0; series < plan_.series.size(); ++series) {
            waiting_.push_back({static_cast<int>(series), static_cast<int>(value)});
        }
    }
    std::ranges::reverse(waiting_);
    total_ = waiting_.size();
    done_ = 0;
    for (const auto& runner : runners_) {
        feed(*runner);
    }
}

void PointSweep::cancel() {
    const bool was = running();
    waiting_.clear();
    for (const auto& runner : runners_) {
        runner->disconnect(this);
        runner->cancel();
    }
    if (was) {
        emit ended(false);
    }
}

bool PointSweep::running() const {
    return !waiting_.empty() ||
           std::ranges::any_of(runners_, [](const auto& runner) { return runner->running(); });
}

void PointSweep::feed(Runner& runner) {
    runner.disconnect(this);
    if (waiting_.empty()) {
        if (!running() && done_ == total_ && total_ > 0) {
            emit ended(true);
        }
        return;
    }
    const Point point = waiting_.back();
    waiting_.pop_back();
    connect(&runner, &Runner::finished, this, [this, point](const QByteArray& json) {
        try {
            emit computed(point.series, point.value, parse_run(json));
        } catch (const std::exception& error) {
            emit refused(point.series, point.value, QString::fromUtf8(error.what()));
        }
    });
    connect(&runner, &Runner::failed, this,
            [this, point](const QString& message) { emit refused(point.series, point.value, message); });
    // The runner is free only once its signal has returned.
    connect(
        &runner, &Runner::ended, this,
        [this, &runner] {
            ++done_;
            emit progressed(static_cast<double>(done_) / static_cast<double>(total_));
            feed(runner);
        },
        Qt::QueuedConnection);
    Invocation call = plan_.base;
    for (const QString& override : plan_.series[static_cast<std::size_t>(point.series)].overrides) {
        call.arguments << "--set" << override;
    }
    call.arguments << "--set"
                   << QString("%1=%2%3")
                          .arg(plan_.key)
                          .arg(plan_.values[static_cast<std::size_t>(point.value)])
                          .arg(plan_.unit);
    runner.start(call);
}

} // namespace chokepoint::gui
