// SPDX-License-Identifier: Apache-2.0
// From the lines of a schedule CSV to a sound schedule, or to every fault with its line and column.
#include "csv_action.hpp"
#include "orders.hpp"

#include <chokepoint/workloads/schedule_csv.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace chokepoint::work {

namespace {

// As many actions of one kind as a scenario may order; what a check of the file allocates goes with it.
constexpr std::int64_t kMaxStageMicroBatches = 1'000'000;
constexpr std::size_t kMaxText = std::size_t{16} << 20;
// A file with more faults than this is no schedule; the rest is counted.
constexpr std::size_t kMaxFaults = 50;

struct Placed {
    Action action;
    bool is_bw = false;
    int column = 0;
};

class Reader {
public:
    explicit Reader(std::string id) { schedule_.id = std::move(id); }

    Schedule read(std::string_view text) {
        if (text.size() > kMaxText) {
            fail(0, 0, fmt::format("{} MiB of text; expected at most {}", text.size() >> 20, kMaxText >> 20));
        } else {
            read_lines(text);
        }
        if (faults_.empty()) {
            read_older_letters();
            measure();
        }
        if (faults_.empty()) {
            place_stages();
        }
        if (faults_.empty()) {
            check_order();
        }
        if (!faults_.empty()) {
            throw ScheduleCsvError(std::move(faults_));
        }
        return std::move(schedule_);
    }

private:
    void fail(int line, int column, std::string message) {
        faults_.push_back({line, column, std::move(message)});
    }
    [[nodiscard]] int rank_line(int rank) const { return rank + 1; }

    void read_lines(std::string_view text) {
        if (text.starts_with("\xEF\xBB\xBF")) {
            text.remove_prefix(3);
        }
        text = text.substr(0, text.find_last_not_of("\r\n \t") + 1); // empty lines at the end are no ranks
        if (text.empty()) {
            fail(0, 0, "is empty; expected a line per rank");
            return;
        }
        while (true) {
            const std::size_t end = text.find('\n');
            std::string_view line = text.substr(0, end);
            if (line.ends_with('\r')) {
                line.remove_suffix(1);
            }
            read_line(line);
            if (end == std::string_view::npos) {
                return;
            }
            text.remove_prefix(end + 1);
        }
    }

    void read_line(std::string_view line) {
        auto& rank = ranks_.emplace_back();
        const int number = rank_line(static_cast<int>(ranks_.size()) - 1);
        for (std::size_t from = 0; from <= line.size();) {
            const std::size_t end = std::min(line.find(',', from), line.size());
            const std::string_view cell = line.substr(from, end - from);
            CsvCell read = parse_csv_cell(cell);
            const std::size_t indent = std::min(cell.find_first_not_of(" \t"), cell.size());
            const int column = static_cast<int>(from + indent) + 1;
            if (!read.fault.empty()) {
                fail(number, column, std::move(read.fault));
            } else if (read.action) {
                rank.push_back({*read.action, read.is_bw, column});
            }
            from = end + 1;
        }
    }

    template <typename Visit> void each(Visit visit) {
        for (auto& rank : ranks_) {
            for (Placed& placed : rank) {
                visit(placed);
            }
        }
    }

    /// In older files B is what is I now.
    void read_older_letters() {
        bool bw = false;
        bool weight = false;
        bool input = false;
        each([&](const Placed& p) {
            bw = bw || p.is_bw;
            weight = weight || p.action.kind == ActionKind::weight_backward;
            input = input || p.action.kind == ActionKind::input_backward;
        });
        if (!bw && (input || !weight)) {
            return;
        }
        each([](Placed& p) {
            if (!p.is_bw && p.action.kind == ActionKind::backward) {
                p.action.kind = ActionKind::input_backward;
            }
        });
    }

    void measure() {
        int stages = 0;
        int micro_batches = 0;
        each([&](const Placed& placed) {
            const Action& a = placed.action;
            stages = std::max({stages, index(a.forward_stage) + 1, index(a.backward_stage) + 1});
            micro_batches = std::max({micro_batches, a.forward_micro_batch + 1, a.backward_micro_batch + 1});
        });
        if (stages == 0) {
            fail(0, 0, "orders nothing: no line has an action");
            return;
        }
        if (std::int64_t{stages} * micro_batches > kMaxStageMicroBatches) {
            fail(0, 0,
                 fmt::format(
                     "names stage {} and micro-batch {}, so {} stages of {} micro-batches; expected at "
                     "most {} in all",
                     stages - 1, micro_batches - 1, stages, micro_batches, kMaxStageMicroBatches));
            return;
        }
        schedule_.ranks = static_cast<int>(ranks_.size());
        schedule_.stages = stages;
        schedule_.micro_batches = micro_batches;
        for (const auto& rank : ranks_) {
            auto& order = schedule_.order.emplace_back();
            std::ranges::transform(rank, std::back_inserter(order), &Placed::action);
        }
    }

    /// A stage lives where its actions are. It may live on several ranks, as dualpipe's do, if they share all
    /// of their stages and each micro-batch keeps to one of them.
    void place_stages() {
        std::vector<std::set<int>> ranks_of(static_cast<std::size_t>(schedule_.stages));
        schedule_.hosts.resize(ranks_of.size());
        for (auto& hosts : schedule_.hosts) {
            hosts.assign(static_cast<std::size_t>(schedule_.micro_batches), Rank{-1});
        }
        for (int rank = 0; rank < schedule_.ranks; ++rank) {
            for (const Placed& placed : ranks_[static_cast<std::size_t>(rank)]) {
                place(placed, rank, ranks_of);
            }
            if (ranks_[static_cast<std::size_t>(rank)].empty()) {
                fail(rank_line(rank), 0, fmt::format("rank {} has no actions", rank));
            }
        }
        for (std::size_t stage = 0; stage < ranks_of.size(); ++stage) {
            if (ranks_of[stage].empty()) {
                fail(0, 0,
                     fmt::format("stage {} has no actions; expected every stage from 0 to {}", stage,
                                 ranks_of.size() - 1));
            } else {
                compare_ranks(stage, ranks_of);
                std::ranges::replace(schedule_.hosts[stage], Rank{-1}, Rank{*ranks_of[stage].begin()});
            }
        }
        schedule_.replicas_per_stage = static_cast<int>(ranks_of[0].size());
    }

    void place(const Placed& placed, int rank, std::vector<std::set<int>>& ranks_of) {
        const auto claim = [&](Stage stage, int micro_batch) {
            const auto s = static_cast<std::size_t>(index(stage));
            Rank& host = schedule_.hosts[s][static_cast<std::size_t>(micro_batch)];
            if (host == Rank{-1}) {
                host = Rank{rank};
                ranks_of[s].insert(rank);
            } else if (host != Rank{rank}) {
                fail(rank_line(rank), placed.column,
                     fmt::format("rank {} ({}): stage {} of micro-batch {} is on rank {} already", rank,
                                 to_text(placed.action), s, micro_batch, index(host)));
            }
        };
        if (runs_forward(placed.action.kind)) {
            claim(placed.action.forward_stage, placed.action.forward_micro_batch);
        }
        if (placed.action.kind != ActionKind::forward) {
            claim(placed.action.backward_stage, placed.action.backward_micro_batch);
        }
    }

    void compare_ranks(std::size_t stage, const std::vector<std::set<int>>& ranks_of) {
        const auto& own = ranks_of[stage];
        const auto differs = [&](const std::set<int>& other) {
            const bool shares = std::ranges::any_of(other, [&](int rank) { return own.contains(rank); });
            return !other.empty() && (other.size() != own.size() || (shares && other != own));
        };
        const auto other =
            std::find_if(ranks_of.begin(), ranks_of.begin() + static_cast<std::ptrdiff_t>(stage), differs);
        if (other != ranks_of.begin() + static_cast<std::ptrdiff_t>(stage)) {
            fail(rank_line(*own.begin()), 0,
                 fmt::format(
                     "stage {} lives on ranks {}, stage {} on ranks {}; expected each stage on one rank, "
                     "or on as many ranks as every other and with the same neighbours",
                     stage, fmt::join(own, " and "), other - ranks_of.begin(), fmt::join(*other, " and ")));
        }
    }

    void check_order() {
        for (ScheduleFault& fault : find_faults(schedule_)) {
            const int line = fault.rank ? rank_line(*fault.rank) : 0;
            const int column =
                fault.action
                    ? ranks_[static_cast<std::size_t>(*fault.rank)][static_cast<std::size_t>(*fault.action)]
                          .column
                    : 0;
            fail(line, column, std::move(fault.message));
        }
    }

    std::vector<std::vector<Placed>> ranks_;
    std::vector<CsvFault> faults_;
    Schedule schedule_;
};

std::vector<CsvFault> sorted(std::vector<CsvFault> faults) {
    std::ranges::stable_sort(faults, [](const CsvFault& a, const CsvFault& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    if (faults.size() > kMaxFaults) {
        const std::size_t rest = faults.size() - kMaxFaults;
        faults.resize(kMaxFaults);
        faults.push_back({0, 0, fmt::format("{} more faults", rest)});
    }
    return faults;
}

std::string summary(const std::vector<CsvFault>& faults) {
    std::string text = "not a schedule:";
    for (const CsvFault& fault : faults) {
        text += fmt::format(" {}:{}: {};", fault.line, fault.column, fault.message);
    }
    text.pop_back();
    return text;
}

} // namespace

ScheduleCsvError::ScheduleCsvError(std::vector<CsvFault> faults)
    : std::runtime_error(summary(faults)),
      faults_(sorted(std::move(faults))) {}

Schedule parse_schedule_csv(std::string_view text, std::string id) {
    return Reader(std::move(id)).read(text);
}

std::string to_csv(const Schedule& schedule) {
    std::string text;
    for (const auto& order : schedule.order) {
        std::string_view separator;
        for (const Action& action : order) {
            text += separator;
            text += csv_cell(action);
            separator = ",";
        }
        text += '\n';
    }
    return text;
}

} // namespace chokepoint::work
