// SPDX-License-Identifier: Apache-2.0
// The loop over the points of a grid.
#include <chokepoint/sim/run_sweep.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace chokepoint::sim {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

class SweepRun {
public:
    SweepRun(const ScenarioTemplate& source, const Grid& grid, ResultStore& store, std::int64_t sweep,
             Workers& workers, const SweepOptions& options)
        : source_(source),
          grid_(grid),
          store_(store),
          sweep_(sweep),
          workers_(workers),
          options_(options) {
        for (const std::int64_t position : store.finished(sweep)) {
            finished_.insert(position);
        }
        outcome_.progress.points = grid.points();
        for (const StoredPoint& point : store.points(sweep)) {
            finish(point.result.status);
        }
    }

    SweepOutcome run() {
        tell();
        while (!stopped() && (next_ < grid_.points() || !running_.empty())) {
            hand_out();
            if (!running_.empty()) {
                constexpr std::chrono::milliseconds kBetween{100};
                for (const Answer& answer : workers_.wait(kBetween)) {
                    take(answer);
                }
            }
            tell();
        }
        outcome_.stopped = outcome_.progress.finished < grid_.points();
        outcome_.wall = hw::Seconds(seconds_since(started_));
        return outcome_;
    }

private:
    struct Running {
        std::string key;
        std::vector<std::int64_t> positions; ///< of equal content
    };

    [[nodiscard]] bool stopped() const { return options_.stop && options_.stop(); }

    /// Gives every idle worker a point. Points that need none are settled on the way, in one write.
    void hand_out() {
        if (workers_.idle() == 0 || next_ == grid_.points()) {
            return;
        }
        store_.gather();
        const Clock::time_point begun = Clock::now();
        constexpr double kLongEnough = 0.5; // then progress is told and stop() asked
        while (workers_.idle() > 0 && next_ < grid_.points() && seconds_since(begun) < kLongEnough) {
            const std::int64_t position = next_++;
            if (!finished_.contains(position)) {
                consider(position);
            }
        }
        store_.settle();
    }

    void consider(std::int64_t position) {
        const std::vector<std::string> overrides = grid_.overrides(position);
        std::string key;
        PointResult refused{.status = PointStatus::infeasible};
        try {
            key = content_key(source_.with(overrides));
        } catch (const ScenarioError& error) {
            key = content_key(source_, overrides);
            refused.error = one_line(error);
        }
        if (const auto status = store_.status(key); status && status != PointStatus::failed) {
            store_.link(sweep_, position, key);
            ++outcome_.reused;
            finish(*status);
        } else if (!refused.error.empty()) {
            store_.record(sweep_, position, key, refused);
            finish(PointStatus::infeasible);
        } else if (const auto same = by_key_.find(key); same != by_key_.end()) {
            running_.at(same->second).positions.push_back(position);
        } else {
            const auto task = static_cast<std::size_t>(position);
            by_key_.emplace(key, task);
            running_.emplace(task, Running{key, {position}});
            workers_.start(task, point_task(overrides));
        }
    }

    void take(const Answer& answer) {
        const Running running = std::move(running_.at(answer.task));
        running_.erase(answer.task);
        by_key_.erase(running.key);
        const PointResult result = point_result(answer);
        store_.record(sweep_, running.positions.front(), running.key, result);
        ++outcome_.progress.simulated;
        outcome_.worked += result.wall;
        finish(result.status);
        for (std::size_t i = 1; i < running.positions.size(); ++i) {
            store_.link(sweep_, running.positions[i], running.key);
            ++outcome_.reused;
            finish(result.status);
        }
        recent_.push_back(Clock::now());
    }

    void finish(PointStatus status) {
        ++outcome_.progress.finished;
        outcome_.progress.infeasible += status == PointStatus::infeasible ? 1 : 0;
        outcome_.progress.failed += status == PointStatus::failed ? 1 : 0;
    }

    /// The rate over the last hundred points, so that it follows points that take longer.
    void tell() {
        if (!options_.progress) {
            return;
        }
        SweepProgress& progress = outcome_.progress;
        constexpr std::size_t kWindow = 100;
        if (recent_.size() > kWindow) {
            recent_.erase(recent_.begin(), recent_.end() - kWindow);
        }
        const Clock::time_point since = recent_.size() < kWindow ? started_ : recent_.front();
        if (!recent_.empty() && seconds_since(since) > 0.0) {
            progress.points_per_second = static_cast<double>(recent_.size()) / seconds_since(since);
            progress.left = hw::Seconds(static_cast<double>(progress.points - progress.finished) /
                                        progress.points_per_second);
        }
        options_.progress(progress);
    }

    const ScenarioTemplate& source_;
    const Grid& grid_;
    ResultStore& store_;
    std::int64_t sweep_;
    Workers& workers_;
    const SweepOptions& options_;
    std::set<std::int64_t> finished_; ///< before this run
    std::map<std::size_t, Running> running_;
    std::map<std::string, std::size_t> by_key_;
    std::int64_t next_ = 0;
    std::vector<Clock::time_point> recent_;
    Clock::time_point started_ = Clock::now();
    SweepOutcome outcome_;
};

/// One point for each position of each axis, the others at their first.
std::vector<std::int64_t> star(const Grid& grid) {
    std::vector<std::int64_t> points{0};
    std::int64_t stride = grid.points();
    for (const Axis& axis : grid.axes()) {
        stride /= static_cast<std::int64_t>(axis.positions.size());
        for (std::size_t i = 1; i < axis.positions.size(); ++i) {
            points.push_back(static_cast<std::int64_t>(i) * stride);
        }
    }
    return points;
}

} // namespace

SweepOutcome run_sweep(const ScenarioTemplate& source, const Grid& grid, ResultStore& store,
                       std::int64_t sweep, Workers& workers, const SweepOptions& options) {
    return SweepRun(source, grid, store, sweep, workers, options).run();
}

std::vector<Diagnostic> common_faults(const ScenarioTemplate& source, const Grid& grid) {
    std::optional<std::vector<Diagnostic>> common;
    for (const std::int64_t point : star(grid)) {
        try {
            (void)source.with(grid.overrides(point));
            return {};
        } catch (const ScenarioError& error) {
            const std::vector<Diagnostic>& faults = error.faults();
            if (!common) {
                common = faults;
            } else {
                std::erase_if(*common, [&](const Diagnostic& fault) {
                    return std::ranges::find(faults, fault) == faults.end();
                });
            }
            if (common->empty()) {
                return {};
            }
        }
    }
    return common.value_or(std::vector<Diagnostic>{});
}

} // namespace chokepoint::sim
