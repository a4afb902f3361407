// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of the router.
#include "framework/device_tools.hpp"
#include "router/router.hpp"

#include <cmath>
#include <set>

namespace chokepoint::kref {
namespace {

// Sigmoids differ by rounding between CPU and GPU, so two experts this close may trade places.
constexpr double kTie = 1e-6;
constexpr double kWeightBound = 1e-5;

RouterRule rule_of(const Case& c) {
    RouterRule rule;
    rule.experts = static_cast<int>(c.shape.columns);
    rule.top_k = c.shape.top_k;
    if (rule.experts == 128) { // Qwen3-235B-A22B config.json: softmax, norm_topk_prob, no groups
        rule.groups = 1;
        rule.groups_kept = 1;
        rule.sigmoid = false;
        rule.scale = 1.0F;
    }
    return rule;
}

class RouterWorkload : public Workload {
public:
    RouterWorkload(const Case& c, Device& device) : random_(device.random) {
        const RouterRule rule = rule_of(c);
        sets_ = device.rotation(c.shape.rows * (4 * rule.experts + 8 * rule.top_k));
        for (int i = 0; i < sets_; ++i) {
            auto* logits = device.arena->take<float>(c.shape.rows * rule.experts);
            auto* bias = device.arena->take<float>(rule.experts);
            fill_normal(logits, c.shape.rows * rule.experts, 1.0F, (*random_)(), device.stream);
            fill_normal(bias, rule.experts, rule.sigmoid ? 0.05F : 0.0F, (*random_)(), device.stream);
            problems_.push_back({logits, bias, device.arena->take<std::int32_t>(c.shape.rows * rule.top_k),
                                 device.arena->take<float>(c.shape.rows * rule.top_k), c.shape.rows, rule});
        }
    }

    void launch(int set, const Launch& launch) override {
        route(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const Router& p = problems_[0];
        const std::int64_t count = p.tokens * p.rule.top_k;
        poison(p.chosen, count, launch.stream);
        poison(p.weights, count, launch.stream);
        this->launch(0, launch);
        const auto bias = read_lines(p.bias, {0}, 1, p.rule.experts).front();
        std::size_t wrong = 0;
        FrobeniusError error;
        const auto tokens = sample(p.tokens, 256, *random_);
        for (const std::int64_t token : tokens) {
            const auto logits = read_lines(p.logits, {token * p.rule.experts}, 1, p.rule.experts).front();
            const auto chosen = read_lines(p.chosen, {token * p.rule.top_k}, 1, p.rule.top_k).front();
            const auto weights = read_lines(p.weights, {token * p.rule.top_k}, 1, p.rule.top_k).front();
            const Routing expected = route_reference(logits, bias, p.rule);
            if (!same_choice(chosen, expected, logits, bias)) {
                ++wrong;
                continue;
            }
            for (std::size_t i = 0; i < weights.size(); ++i) {
                error.add(weights[i], expected.weights[i]);
            }
        }
        const std::int64_t unwritten =
            count_poison(p.chosen, count, launch.stream) + count_poison(p.weights, count, launch.stream);
        return both(judge_exact(tokens.size(), wrong, static_cast<std::size_t>(unwritten)),
                    judge(error, kWeightBound));
    }

private:
    /// Place by place the same expert, or one whose score is the same but for rounding.
    [[nodiscard]] bool same_choice(const std::vector<double>& chosen, const Routing& expected,
                                   const std::vector<double>& logits, const std::vector<double>& bias) const {
        const RouterRule& rule = problems_[0].rule;
        const std::vector<double> affinity = affinities(logits, rule.sigmoid);
        const auto score = [&](int e) {
            return affinity[static_cast<std::size_t>(e)] + bias[static_cast<std::size_t>(e)];
        };
        std::set<int> distinct;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const int expert = static_cast<int>(chosen[i]);
            if (expert < 0 || expert >= rule.experts || !distinct.insert(expert).second ||
                std::abs(score(expert) - score(expected.chosen[i])) > kTie) {
                return false;
            }
        }
        return true;
    }

    std::mt19937_64* random_;
    std::vector<Router> problems_;
};

Case router_case(const char* model, std::int64_t experts) {
    Case c = streaming_case(model, "router top-k", 4096, experts);
    c.shape.top_k = 8;
    return c;
}

} // namespace

std::vector<Case> router_cases() { return {router_case("deepseek-v3", 256), router_case("qwen3-235b", 128)}; }

Work router_work(const Case& c) {
    const auto count = static_cast<double>(c.shape.rows * c.shape.columns);
    return {20.0 * count, 4 * c.shape.rows * c.shape.columns + 4 * c.shape.columns,
            8 * c.shape.rows * c.shape.top_k};
}

std::unique_ptr<Workload> make_router(const Case& c, Device& device) {
    return std::make_unique<RouterWorkload>(c, device);
}

} // namespace chokepoint::kref
