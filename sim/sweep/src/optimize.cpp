// SPDX-License-Identifier: Apache-2.0
// Bounds every plan, then simulates best-first until the best simulated plan beats every bound that is left.
#include <chokepoint/sim/optimize.hpp>

#include <chokepoint/sim/run.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::array kObjectives{std::pair{Objective::step, std::string_view("step")},
                                 std::pair{Objective::gpu_hours, std::string_view("gpu_hours")},
                                 std::pair{Objective::usd, std::string_view("usd")}};

hw::Seconds since(Clock::time_point start) {
    return hw::Seconds(std::chrono::duration<double>(Clock::now() - start).count());
}

/// A fault without its numbers, so that equal reasons count together.
std::string kind_of(const std::string& fault) {
    const std::string text = fault.substr(0, fault.find("; "));
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
    std::string kind;
    for (std::size_t i = 0; i < text.size();) {
        const bool in_a_name = i > 0 && (std::isalpha(at(i - 1)) != 0 || at(i - 1) == '-');
        if (std::isdigit(at(i)) == 0 || in_a_name) { // "1f1b" and "h100-sxm" are names
            kind += text[i++];
            continue;
        }
        std::size_t end = i;
        while (std::isdigit(at(end)) != 0 || (at(end) == '.' && std::isdigit(at(end + 1)) != 0)) {
            ++end;
        }
        kind += std::isalpha(at(end)) != 0 ? text.substr(i, end - i) : std::string("N");
        i = end;
    }
    return kind;
}

/// A worker's answers: bounds of several plans, or the step of one.
class PlanWorker {
public:
    explicit PlanWorker(const ScenarioTemplate& source) : source_(source), reference_(source.with({})) {}

    std::string answer(std::string_view text) {
        const Json task = Json::parse(text);
        const auto objective = static_cast<Objective>(task.at("objective").get<int>());
        Json answers = Json::array();
        for (const Json& plan : task.at("plans")) {
            const auto overrides = plan.get<std::vector<std::string>>();
            try {
                const Scenario scenario = source_.with(overrides);
                answers.push_back(task.at("simulate").get<bool>() ? simulated(scenario, objective)
                                                                  : bounded(scenario, objective));
            } catch (const ScenarioError& refused) {
                answers.push_back({{"fault", kind_of(one_line(refused))}});
            }
        }
        return answers.dump(-1, ' ', false, Json::error_handler_t::replace);
    }

private:
    Json bounded(const Scenario& scenario, Objective objective) {
        const StepBound bound = bounder_.bound(scenario);
        return {{"work", bound.work.value()},
                {"bandwidth", bound.bandwidth.value()},
                {"memory", bound.memory.value()},
                {"value", value_of(objective, scenario, reference_, bound.seconds())}};
    }
    Json simulated(const Scenario& scenario, Objective objective) {
        const hw::Seconds step = run_step(scenario, scenario.plan()).timeline.makespan;
        return {{"step", step.value()}, {"value", value_of(objective, scenario, reference_, step)}};
    }

    const ScenarioTemplate& source_;
    Scenario reference_;
    StepBounder bounder_;
};

class Search {
public:
    Search(const Grid& grid, Workers& workers, const OptimizeOptions& options)
        : grid_(grid),
          workers_(workers),
          options_(options) {
        out_.plans = grid.points();
    }

    OptimizeOutcome run() {
        const Clock::time_point begun = Clock::now();
        simulate_given();
        const Clock::time_point bounding = Clock::now();
        bound_all();
        out_.bounding = since(bounding);
        simulate_best();
        out_.simulating = since(begun) - out_.bounding;
        conclude();
        return std::move(out_);
    }

private:
    [[nodiscard]] bool stopped() {
        out_.stopped = out_.stopped || (options_.stop && options_.stop());
        return out_.stopped;
    }
    void tell(std::string_view phase, double share) const {
        if (options_.progress) {
            options_.progress(phase, share);
        }
    }
    [[nodiscard]] std::string task(const std::vector<std::vector<std::string>>& plans, bool simulate) const {
        return Json{
            {"objective", static_cast<int>(options_.objective)}, {"simulate", simulate}, {"plans", plans}}
            .dump();
    }

    /// The first incumbent, so that pruning starts with the first candidate.
    void simulate_given() {
        workers_.start(0, task({{}}, true));
        for (;;) {
            for (const Answer& answer : workers_.wait(kBetween)) {
                if (!answer.failure.empty()) {
                    throw std::runtime_error(
                        fmt::format("the given plan cannot be simulated: {}", answer.failure));
                }
                const Json result = Json::parse(answer.text).at(0);
                out_.given = hw::Seconds(result.at("step").get<double>());
                out_.given_value = result.at("value").get<double>();
                incumbent_ = out_.given_value;
                return;
            }
            if (stopped()) {
                return;
            }
        }
    }

    void bound_all() {
        constexpr std::int64_t kBatch = 64; // some tens of milliseconds of work
        std::int64_t next = 0;
        std::int64_t waiting = 0;
        std::int64_t answered = 0;
        while ((next < grid_.points() || waiting > 0) && !stopped()) {
            for (; workers_.idle() > 0 && next < grid_.points(); next += kBatch, ++waiting) {
                std::vector<std::vector<std::string>> plans;
                for (std::int64_t i = next; i < std::min(next + kBatch, grid_.points()); ++i) {
                    plans.push_back(grid_.overrides(i));
                }
                workers_.start(static_cast<std::size_t>(next), task(plans, false));
            }
            for (const Answer& answer : workers_.wait(kBetween)) {
                --waiting;
                take_bounds(answer);
                answered += kBatch;
                tell("bound",
                     std::min(1.0, static_cast<double>(answered) / static_cast<double>(grid_.points())));
            }
        }
        std::ranges::stable_sort(out_.candidates, {}, &Candidate::value_bound);
    }

    void take_bounds(const Answer& answer) {
        if (!answer.failure.empty()) {
            throw std::runtime_error(
                fmt::format("plans {} and after cannot be bounded: {}", answer.task, answer.failure));
        }
        auto position = static_cast<std::int64_t>(answer.task);
        for (const Json& plan : Json::parse(answer.text)) {
            if (plan.contains("fault")) {
                ++out_.infeasible;
                ++out_.reasons[plan.at("fault").get<std::string>()];
            } else {
                Candidate candidate{.position = position};
                candidate.bound = {hw::Seconds(plan.at("work").get<double>()),
                                   hw::Seconds(plan.at("bandwidth").get<double>()),
                                   hw::Bytes(plan.at("memory").get<double>())};
                candidate.value_bound = plan.at("value").get<double>();
                if (options_.max_memory && candidate.bound.memory > *options_.max_memory) {
                    ++out_.too_large;
                } else {
                    out_.candidates.push_back(candidate);
                }
            }
            ++position;
        }
    }

    /// Whether a plan may still be the best, or stand on the front.
    [[nodiscard]] bool is_of_interest(const Candidate& candidate) const {
        if (candidate.value_bound < incumbent_ || (!out_.best && !options_.whole_front)) {
            return true;
        }
        return options_.whole_front && std::ranges::none_of(simulated_, [&](std::size_t i) {
                   const Candidate& other = out_.candidates[i];
                   return other.value <= candidate.value_bound &&
                          other.bound.memory <= candidate.bound.memory;
               });
    }

    void simulate_best() {
        std::size_t next = 0;
        std::size_t running = 0;
        while (!stopped()) {
            while (workers_.idle() > 0 && next < out_.candidates.size()) {
                if (is_of_interest(out_.candidates[next])) {
                    workers_.start(next, task({grid_.overrides(out_.candidates[next].position)}, true));
                    ++running;
                }
                ++next;
            }
            if (running == 0) {
                break;
            }
            for (const Answer& answer : workers_.wait(kBetween)) {
                --running;
                take_step(answer);
            }
            tell("simulate", static_cast<double>(next) /
                                 static_cast<double>(std::max<std::size_t>(1, out_.candidates.size())));
        }
    }

    void take_step(const Answer& answer) {
        Candidate& candidate = out_.candidates[answer.task];
        ++out_.simulated;
        if (!answer.failure.empty()) {
            ++out_.failed;
            if (out_.failure.empty()) {
                out_.failure = answer.failure;
            }
            return;
        }
        const Json result = Json::parse(answer.text).at(0);
        candidate.step = hw::Seconds(result.at("step").get<double>());
        candidate.value = result.at("value").get<double>();
        simulated_.push_back(answer.task);
        if (!out_.best || candidate.value < out_.best->value) {
            out_.best = candidate;
            incumbent_ = std::min(incumbent_, candidate.value);
        }
    }

    void conclude() {
        for (const Candidate& candidate : out_.candidates) {
            if (!candidate.step && (!out_.rest_bound || candidate.value_bound < *out_.rest_bound)) {
                out_.rest_bound = candidate.value_bound;
            }
        }
        std::vector<Candidate> done;
        for (const std::size_t i : simulated_) {
            done.push_back(out_.candidates[i]);
        }
        std::ranges::stable_sort(
            done, {}, [](const Candidate& c) { return std::pair(c.value, c.bound.memory.value()); });
        hw::Bytes least(std::numeric_limits<double>::infinity());
        for (const Candidate& candidate : done) {
            if (candidate.bound.memory < least) {
                least = candidate.bound.memory;
                out_.front.push_back(candidate);
            }
        }
    }

    static constexpr std::chrono::milliseconds kBetween{100};
    const Grid& grid_;
    Workers& workers_;
    const OptimizeOptions& options_;
    OptimizeOutcome out_;
    std::vector<std::size_t> simulated_; ///< of candidates
    double incumbent_ = std::numeric_limits<double>::infinity();
};

} // namespace

std::optional<Objective> objective_from(std::string_view text) {
    const auto found = std::ranges::find(kObjectives, text, &std::pair<Objective, std::string_view>::second);
    return found == kObjectives.end() ? std::nullopt : std::optional(found->first);
}

std::string_view name(Objective objective) {
    return std::ranges::find(kObjectives, objective, &std::pair<Objective, std::string_view>::first)->second;
}

double value_of(Objective objective, const Scenario& scenario, const Scenario& reference, hw::Seconds step) {
    const auto tokens = [](const Scenario& s) {
        return static_cast<double>(s.plan().global_batch) * static_cast<double>(s.plan().sequence);
    };
    if (objective == Objective::step) {
        return step.value() * tokens(reference) / tokens(scenario);
    }
    constexpr double kTrillion = 1e12;
    const hw::Seconds gpu_time =
        step * static_cast<double>(scenario.cluster().gpus()) * (kTrillion / tokens(scenario));
    if (objective == Objective::gpu_hours) {
        return gpu_time / hw::kHour;
    }
    if (!scenario.campaign().price) {
        throw std::invalid_argument("--objective usd needs campaign.price, the rent of a GPU");
    }
    return (*scenario.campaign().price * gpu_time).value();
}

Work optimize_work(const ScenarioTemplate& source) {
    return [worker = std::make_shared<PlanWorker>(source)](std::string_view task) {
        return worker->answer(task);
    };
}

OptimizeOutcome optimize(const Grid& grid, Workers& workers, const OptimizeOptions& options) {
    return Search(grid, workers, options).run();
}

} // namespace chokepoint::sim
