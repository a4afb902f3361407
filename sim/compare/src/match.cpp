// SPDX-License-Identifier: Apache-2.0
// Walks over the feasible numbers of replicas towards another scenario's days or dollars.
#include <chokepoint/sim/match.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {
namespace {

constexpr std::array<std::string_view, 3> kNames{"gpus", "days", "usd"};

/// A step of the walk that brings cost nearer by less than this share is the last: fewer replicas have more
/// micro-batches each, so that walking on costs ever more and changes ever less.
constexpr double kHardly = 0.01;

double amount(const RunReport& report, Match by, const Scenario& scenario) {
    if (by == Match::gpus) {
        return report.gpus;
    }
    const auto parts = parts_of(report, by == Match::days ? Measure::days : Measure::usd);
    if (!parts) {
        throw std::invalid_argument(fmt::format(
            "{}: has no {} to match; expected {}", scenario.file(), name(by),
            by == Match::days ? "campaign.tokens" : "campaign.tokens, and campaign.price or [cost]"));
    }
    return sum(*parts);
}

/// Numbers of nodes that hold whole replicas, ascending.
std::vector<int> counts(const Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    const std::int64_t replica = std::int64_t{plan.pipeline} * plan.tensor * plan.context;
    const int per_node = scenario.cluster().node.gpus;
    const int replicas = plan.global_batch / plan.micro_batch;
    std::vector<int> nodes;
    for (int data = 1; data <= replicas; ++data) {
        if (replicas % data == 0 && data * replica % per_node == 0) {
            nodes.push_back(static_cast<int>(data * replica / per_node));
        }
    }
    return nodes;
}

struct Trial {
    Scenario scenario;
    double amount = 0.0;
};

class Walk {
public:
    Walk(double target, Match by, const Resize& resize, const RunOptions& options)
        : target_(target),
          by_(by),
          resize_(resize),
          options_(options) {}

    [[nodiscard]] double distance(const Trial& trial) const {
        return std::abs(std::log(trial.amount / target_));
    }

    /// @return the nearest trial; `limit` says why it is not nearer
    Trial go(Trial at, const std::vector<int>& counts, std::string& limit) const {
        const bool above = at.amount > target_;
        // More GPUs end earlier and cost no less.
        const bool more = by_ == Match::days ? above : !above;
        auto next = std::ranges::find(counts, at.scenario.cluster().nodes);
        while (at.amount != target_) {
            if (next == counts.end() || (more ? ++next == counts.end() : next-- == counts.begin())) {
                limit = fmt::format("no {} number of GPUs is feasible", more ? "larger" : "smaller");
                return at;
            }
            std::optional<Trial> tried = trial(*next);
            if (!tried) {
                continue;
            }
            const bool passed = (tried->amount > target_) != above;
            const double gain = distance(at) - distance(*tried);
            const int other = (gain > 0.0 ? at : *tried).scenario.cluster().gpus();
            if (gain > 0.0) {
                at = std::move(*tried);
            }
            if (passed) {
                limit =
                    fmt::format("the next feasible number on the other side is {}", hw::group_digits(other));
                return at;
            }
            if (by_ == Match::usd && gain < kHardly) {
                limit = fmt::format("{} GPUs hardly change the cost", more ? "more" : "fewer");
                return at;
            }
        }
        return at;
    }

    [[nodiscard]] std::optional<Trial> trial(int nodes) const {
        std::optional<Scenario> scenario = resize_(nodes);
        if (!scenario) {
            return std::nullopt;
        }
        const double found = amount(run_headline(*scenario, options_), by_, *scenario);
        return Trial{std::move(*scenario), found};
    }

private:
    double target_;
    Match by_;
    const Resize& resize_;
    const RunOptions& options_;
};

} // namespace

std::string_view name(Match by) { return kNames.at(static_cast<std::size_t>(by)); }

std::optional<Match> match_from(std::string_view text) {
    const auto found = std::ranges::find(kNames, text);
    return found == kNames.end() ? std::nullopt : std::optional(static_cast<Match>(found - kNames.begin()));
}

Matched match(const Scenario& target, const Scenario& scenario, Match by, const Resize& resize,
              const RunOptions& options) {
    const double wanted = amount(run_headline(target, options), by, target);
    const Trial start{scenario, amount(run_headline(scenario, options), by, scenario)};
    Matched matched{scenario, by, scenario.cluster().gpus(), wanted, start.amount, {}};
    Trial found = Walk(wanted, by, resize, options).go(start, counts(scenario), matched.limit);
    matched.scenario = std::move(found.scenario);
    matched.reached = found.amount;
    return matched;
}

} // namespace chokepoint::sim
