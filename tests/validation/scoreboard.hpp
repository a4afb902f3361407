// SPDX-License-Identifier: Apache-2.0
// Prints predicted against measured, and fails where a figure is outside its bound without being a known
// deviation, or where a known deviation has become worse.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace chokepoint::test {

/// A deviation we know and explain in docs/model.md, with the relative error it had when it was recorded.
struct KnownDeviation {
    double recorded_error = 0.0;
    std::string reason;
};

struct Score {
    std::string figure, unit;
    double predicted = 0.0, measured = 0.0;
    double bound = 0.0; ///< relative error that the figure must keep
    std::optional<KnownDeviation> known;
    [[nodiscard]] double error() const { return predicted / measured - 1.0; }
};

class Scoreboard {
public:
    explicit Scoreboard(std::string title) : title_(std::move(title)) {}
    void add(Score score) { scores_.push_back(std::move(score)); }
    /// Shown, not judged.
    void report_only(Score score) { shown_.push_back(std::move(score)); }

    void print_and_judge() const {
        fmt::print("\n{}\n  {:<34} {:>12} {:>12} {:>8}  {}\n", title_, "", "predicted", "measured", "error",
                   "bound");
        for (const Score& score : scores_) {
            print(score, fmt::format("{:.1f}%", 100.0 * score.bound));
            judge(score);
        }
        for (const Score& score : shown_) {
            print(score, "reported");
        }
    }

private:
    static void print(const Score& score, const std::string& bound) {
        fmt::print("  {:<34} {:>10.5g} {:1} {:>10.5g} {:1} {:>+7.1f}%  {}{}\n", score.figure, score.predicted,
                   score.unit, score.measured, score.unit, 100.0 * score.error(), bound,
                   score.known ? "   KNOWN DEVIATION: " + score.known->reason : "");
    }
    static void judge(const Score& score) {
        constexpr double kDrift =
            0.005; ///< a recorded deviation may move this much before it counts as worse
        const double error = std::abs(score.error());
        if (!score.known) {
            EXPECT_LE(error, score.bound) << score.figure;
        } else if (error <= score.bound) {
            ADD_FAILURE() << score.figure << " is within its bound again: drop it from the known deviations";
        } else {
            EXPECT_LE(error, std::abs(score.known->recorded_error) + kDrift)
                << score.figure << " is further off than recorded";
        }
    }

    std::string title_;
    std::vector<Score> scores_, shown_;
};

} // namespace chokepoint::test
