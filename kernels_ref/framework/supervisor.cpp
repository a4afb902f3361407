// SPDX-License-Identifier: Apache-2.0
// Another worker after the shape that broke the last, as long as the budget lasts.
#include "framework/supervisor.hpp"

#include <algorithm>
#include <map>

namespace chokepoint::kref {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* kOutOfTime = "out of time";
constexpr const char* kToldToStop = "told to stop";

/// One worker's lines, taken in.
class Conversation {
public:
    Conversation(RunResult& result, const Progress& progress) : result_(result), progress_(progress) {}

    void take(const std::string& line) {
        const std::size_t tab = line.find('\t');
        const std::string word = line.substr(0, tab);
        const std::string rest = tab == std::string::npos ? "" : line.substr(tab + 1);
        if (word == "begin") {
            current = std::stoul(rest);
            begun = true;
            running = false;
            done = false;
        } else if (word == "launch") {
            running = true;
        } else if (word == "done") {
            done = true;
        } else if (word == "row") {
            result_.measurements.push_back(measurement_from(rest));
            progress_(result_);
        } else if (word == "fact") {
            const std::size_t at = rest.find('\t');
            add_fact(rest.substr(0, at), at == std::string::npos ? "" : rest.substr(at + 1));
        } else if (word == "fatal" || word == "absent") {
            fatal = rest;
            absent = word == "absent";
        } else if (word == "end") {
            ended = true;
        }
    }

    std::size_t current = 0;
    bool begun = false;
    bool running = false; ///< the current item has been launched
    bool done = false;    ///< and needs nothing more
    bool ended = false;
    std::string fatal;
    bool absent = false; ///< what was fatal is that there is no device

private:
    void add_fact(const std::string& key, const std::string& value) {
        for (auto& [name, known] : result_.facts) {
            if (name == key) {
                known = value;
                return;
            }
        }
        result_.facts.emplace_back(key, value);
    }

    RunResult& result_;
    const Progress& progress_;
};

/// One phase.
class Supervision {
public:
    Supervision(WorkOrder order, const WorkFunction& function, const Patience& patience,
                const Progress& progress, RunResult before)
        : order_(std::move(order)),
          function_(function),
          patience_(patience),
          progress_(progress),
          result_(std::move(before)),
          budget_(order_.budget) {}

    RunResult run() {
        leave_out_given_up();
        bool again = true;
        while (again && order_.first < order_.items.size()) {
            if (result_.begun && told_to_stop()) {
                end_early(kToldToStop);
            } else if (result_.begun && left() <= Seconds(0)) {
                skip_rest(kOutOfTime);
            } else {
                again = run_worker();
            }
        }
        return std::move(result_);
    }

private:
    [[nodiscard]] Seconds left() const { return budget_ - (Clock::now() - start_); }
    /// How long anything may still take: nothing that happens past the budget extends its overtime.
    [[nodiscard]] Seconds at_most(Seconds wanted) const {
        return std::clamp(left() + patience_.overtime, Seconds(0), wanted);
    }

    /// Whether another worker is to go on from order_.first.
    bool run_worker() {
        if (result_.dying) { // it may hold the memory that the next one needs
            reap(*result_.dying, at_most(patience_.dying));
        }
        order_.budget = left();
        Conversation talk(result_, progress_);
        Child child(order_, function_);
        const Heard heard = listen(child, talk);
        const bool silent = heard.read == Child::Read::silent;
        const std::string how =
            heard.read == Child::Read::closed
                ? child.end_within(at_most(patience_.dying)).value_or("closed its pipe and did not end")
                : "silent for " + std::to_string(static_cast<int>(heard.waited.count())) + " s";
        result_.dying = child.kill();
        result_.begun = result_.begun || talk.begun;
        if (talk.ended) {
            return false;
        }
        if (talk.begun) {
            order_.first = talk.current + (talk.done ? 1 : 0);
        }
        if (heard.read == Child::Read::stopped) {
            end_early(kToldToStop);
            return false;
        }
        if (!talk.begun) {
            return try_again(talk.fatal.empty() ? "the worker ended at once: " + how : talk.fatal,
                             talk.absent);
        }
        failed_starts_ = 0;
        if (silent && heard.cut_short) { // by the budget: that is no sign of a hang
            skip_rest(kOutOfTime);
            return false;
        }
        order_.first = talk.current;
        return lose(how + (talk.fatal.empty() ? "" : ": " + talk.fatal), silent && talk.running);
    }

    struct Heard {
        Child::Read read = Child::Read::line;
        Seconds waited{0};
        bool cut_short = false; ///< patience would have lasted longer than the budget
    };
    Heard listen(Child& child, Conversation& talk) const {
        std::string line;
        while (!talk.ended) {
            const Seconds patience = talk.running ? patience_.running : patience_.loading;
            const Seconds waited = at_most(patience);
            const Child::Read read = child.next(line, waited);
            if (read != Child::Read::line) {
                return {read, waited, waited < patience};
            }
            talk.take(line);
        }
        return {};
    }

    /// After a worker that began nothing.
    bool try_again(const std::string& why, bool absent) {
        const bool hopeless = !result_.begun && (absent || left() <= Seconds(0));
        if (hopeless || ++failed_starts_ >= patience_.starts) {
            end_early(why);
            return false;
        }
        pause_for(std::min(patience_.pause, std::max(left(), Seconds(0))));
        return true;
    }

    /// After a worker that died or hung on the item at order_.first.
    bool lose(const std::string& how, bool hung) {
        const Item culprit = order_.items[order_.first];
        add(culprit, Outcome::died, how);
        ++order_.first;
        // What hangs on one shape hangs on most, and each costs minutes of the lease.
        if (hung || ++deaths_[culprit.kernel] >= patience_.deaths) {
            give_up(culprit, hung);
        }
        if (++lost_ > patience_.restarts) {
            end_early("gave up after " + std::to_string(lost_) + " lost workers");
            return false;
        }
        return true;
    }

    void give_up(const Item& culprit, bool whole_family) {
        for (const Item& item : order_.items) {
            if (item.kernel == culprit.kernel || (whole_family && item.family == culprit.family)) {
                result_.given_up.insert(item.kernel);
            }
        }
        leave_out_given_up();
    }

    /// Takes later shapes of such kernels from the order, and says so.
    void leave_out_given_up() {
        const auto first = order_.items.begin() + static_cast<std::ptrdiff_t>(order_.first);
        const std::vector<Item> later(first, order_.items.end());
        order_.items.erase(first, order_.items.end());
        for (const Item& item : later) {
            if (result_.given_up.contains(item.kernel)) {
                add(item, Outcome::skipped, "given up: it, or what shares its code, hung or kept dying");
            } else {
                order_.items.push_back(item);
            }
        }
    }

    void end_early(const std::string& why) {
        if (result_.fatal.find(why) == std::string::npos) { // phases may end for the same reason
            result_.fatal += (result_.fatal.empty() ? "" : "; ") + why;
        }
        if (result_.begun) {
            skip_rest(why);
        }
    }

    void skip_rest(const std::string& why) {
        for (; order_.first < order_.items.size(); ++order_.first) {
            add(order_.items[order_.first], Outcome::skipped, why);
        }
    }

    void add(const Item& item, Outcome outcome, const std::string& note) {
        Measurement m;
        m.kernel = item.kernel;
        m.case_index = item.case_index;
        m.outcome = outcome;
        m.note = note;
        result_.measurements.push_back(m);
        progress_(result_);
    }

    WorkOrder order_;
    const WorkFunction& function_;
    const Patience& patience_;
    const Progress& progress_;
    RunResult result_;
    Clock::time_point start_ = Clock::now();
    Seconds budget_;
    std::map<int, int> deaths_;
    int lost_ = 0;
    int failed_starts_ = 0;
};

} // namespace

RunResult supervise(WorkOrder order, const WorkFunction& function, const Patience& patience,
                    const Progress& progress, RunResult before) {
    return Supervision(std::move(order), function, patience, progress, std::move(before)).run();
}

Allowance allowance(Seconds budget, const Patience& patience) {
    const Seconds wanted = patience.overtime + patience.saving;
    const Seconds kept = std::min(wanted, 0.1 * budget);
    return {budget - kept, kept * (patience.overtime / wanted)};
}

RunResult run_steps(const std::vector<Step>& steps, Seconds budget, const WorkFunction& function,
                    const Patience& patience, const Progress& progress, const Progress& save) {
    const auto start = Clock::now();
    const Allowance allowed = allowance(budget, patience);
    Patience within = patience;
    within.overtime = allowed.overtime;
    RunResult result;
    for (const Step& step : steps) {
        if (step.order.items.empty()) {
            continue;
        }
        WorkOrder order = step.order;
        order.budget = (allowed.work - (Clock::now() - start)) * step.share;
        result = supervise(std::move(order), function, within, progress, std::move(result));
        save(result);
        if (!result.begun) {
            break;
        }
    }
    if (result.dying) { // whoever runs next wants the device
        reap(*result.dying, std::min<Seconds>(patience.dying, budget - (Clock::now() - start)));
    }
    return result;
}

} // namespace chokepoint::kref
