// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of sharded cross-entropy.
#include "cross_entropy/cross_entropy.hpp"
#include "framework/device_tools.hpp"

#include <cmath>

namespace chokepoint::kref {
namespace {

constexpr double kLossBound = 1e-5;
constexpr double kGradientBound = 4e-3;
// FP32 logs and the fast exponential of their difference change some 1e-5 of a share.
constexpr double kShareSlack = 1e-4;
constexpr int kSamples = 12;
constexpr int kShards = 2; // the other shard's statistics are given, as after an exchange

class CrossEntropyWorkload : public Workload {
public:
    CrossEntropyWorkload(const Case& c, Device& device) : random_(device.random) {
        const std::int64_t count = c.shape.rows * c.shape.columns;
        sets_ = 2; // a set is gigabytes
        for (int i = 0; i < sets_; ++i) {
            CrossEntropy p;
            auto* logits = device.arena->take<Bf16Bits>(count);
            fill_normal(logits, count, 2.0F, (*random_)(), device.stream);
            auto* target = device.arena->take<std::int32_t>(c.shape.rows);
            to_device(random_targets(c.shape.rows, c.shape.columns), target);
            p.logits = logits;
            p.target = target;
            p.statistics = device.arena->take<RowStatistics>(kShards * c.shape.rows);
            p.loss = device.arena->take<float>(c.shape.rows);
            p.gradient = device.arena->take<Bf16Bits>(count);
            p.rows = c.shape.rows;
            p.columns = c.shape.columns;
            p.first_column = c.shape.columns; // this is the second shard
            p.shards = kShards;
            p.shard = 1;
            p.scale = 1.0F;
            to_device(other_shard(c.shape.rows), p.statistics);
            problems_.push_back(p);
        }
    }

    void launch(int set, const Launch& launch) override {
        cross_entropy(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const CrossEntropy& p = problems_[0];
        poison(p.gradient, p.rows * p.columns, launch.stream);
        poison(p.loss, p.rows, launch.stream);
        poison(p.statistics + p.rows, p.rows, launch.stream);
        this->launch(0, launch);
        const auto targets = to_host(p.target, p.rows);
        const auto statistics = to_host(p.statistics, kShards * p.rows);
        const auto losses = to_host(p.loss, p.rows);
        FrobeniusError loss_error;
        FrobeniusError gradient_error;
        FrobeniusError target_error; // apart: a target's -1 would drown all other columns in the norm
        WorstElement worst;
        for (const std::int64_t row : sample(p.rows, kSamples, *random_)) {
            const auto r = static_cast<std::size_t>(row);
            const std::int64_t target = targets[r] - p.first_column;
            const auto logits = read_lines(p.logits, {row * p.columns}, 1, p.columns).front();
            const RowLoss expected = loss_reference({statistics[r], statistics_reference(logits, target)});
            loss_error.add(losses[r], expected.loss);
            const auto found = read_lines(p.gradient, {row * p.columns}, 1, p.columns).front();
            for (std::size_t i = 0; i < found.size(); ++i) {
                const double share = std::exp(logits[i] - expected.largest) / expected.sum;
                const bool is_target = static_cast<std::int64_t>(i) == target;
                const double gradient = (is_target ? share - 1.0 : share) * static_cast<double>(p.scale);
                (is_target ? target_error : gradient_error).add(found[i], gradient);
                worst.add(found[i], gradient, bf16_half_step(gradient) + kShareSlack * std::abs(gradient));
            }
        }
        const std::int64_t unwritten = count_poison(p.gradient, p.rows * p.columns, launch.stream) +
                                       count_poison(p.loss, p.rows, launch.stream);
        const Check check = both(judge(loss_error, kLossBound), judge(gradient_error, kGradientBound, worst,
                                                                      static_cast<std::size_t>(unwritten)));
        // Half of the targets lie in the other shard; all of the sampled ones might.
        return target_error.count() == 0 ? check : both(check, judge(target_error, kGradientBound));
    }

private:
    std::vector<std::int32_t> random_targets(std::int64_t rows, std::int64_t columns) {
        std::uniform_int_distribution<std::int32_t> any(0, static_cast<std::int32_t>(kShards * columns - 1));
        std::vector<std::int32_t> targets;
        for (std::int64_t r = 0; r < rows; ++r) {
            targets.push_back(any(*random_));
        }
        return targets;
    }

    /// Plausible statistics of a shard that this rank does not hold; targets in it have logit one.
    static std::vector<RowStatistics> other_shard(std::int64_t rows) {
        return std::vector<RowStatistics>(static_cast<std::size_t>(rows),
                                          RowStatistics{7.5F, 12.0F, 1.0F, 0.0F});
    }

    std::mt19937_64* random_;
    std::vector<CrossEntropy> problems_;
};

} // namespace

std::vector<Case> cross_entropy_cases() {
    return {streaming_case("deepseek-v3", "whole vocabulary", 4096, 129280),
            streaming_case("llama-3.1-405b TP8", "an eighth of the vocabulary", 8192, 16032)};
}

Work cross_entropy_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {8.0 * static_cast<double>(count), 4 * count + 48 * c.shape.rows, 2 * count + 20 * c.shape.rows,
            2};
}

std::unique_ptr<Workload> make_cross_entropy(const Case& c, Device& device) {
    return std::make_unique<CrossEntropyWorkload>(c, device);
}

} // namespace chokepoint::kref
