// SPDX-License-Identifier: Apache-2.0
// Two runs side by side: what each costs and which resource makes the difference.
#include <chokepoint/sim/report.hpp>

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

namespace chokepoint::sim {

namespace {

struct Row {
    std::string name;
    std::string left, right;
    double before = 0.0, after = 0.0;
};

std::string change(const Row& row) {
    if (row.before == 0.0) {
        return row.after == 0.0 ? "same" : "new";
    }
    const double percent = 100.0 * (row.after / row.before - 1.0);
    constexpr double kVisible = 0.05;
    return std::abs(percent) < kVisible ? "same" : fmt::format("{:+.1f}%", percent);
}

void append(std::string& out, const Row& row) {
    fmt::format_to(std::back_inserter(out), "  {:<30} {:>16} {:>16} {:>9}\n", row.name, row.left, row.right,
                   change(row));
}

template <typename Unit> Row row(std::string name, Unit a, Unit b) {
    return {std::move(name), hw::to_text(a), hw::to_text(b), a.value(), b.value()};
}

Row money_row(std::string name, hw::Usd a, hw::Usd b) {
    return {std::move(name), money_text(a), money_text(b), a.value(), b.value()};
}

/// With interruptions where both sides have them: what their costs pay for.
void add_campaign(std::vector<Row>& rows, const CampaignReport& a, const CampaignReport& b) {
    const bool interrupted = a.failures && b.failures;
    const auto wall = [&](const CampaignReport& c) {
        return interrupted ? c.failures->expected.wall : c.wall;
    };
    const auto hours = [&](const CampaignReport& c) {
        return interrupted ? c.failures->gpu_hours : c.gpu_hours;
    };
    const auto days_text = [&](const CampaignReport& c) { return fmt::format("{:.1f}", wall(c) / hw::kDay); };
    const std::string_view with = interrupted ? ", interrupted" : "";
    rows.push_back({fmt::format("campaign GPU-hours{}", with), hw::group_digits(hours(a)),
                    hw::group_digits(hours(b)), hours(a), hours(b)});
    rows.push_back(
        {fmt::format("campaign days{}", with), days_text(a), days_text(b), wall(a).value(), wall(b).value()});
}

/// What prices each side, where it is not the same.
std::string pricing_note(const RunReport& a, const RunReport& b) {
    if (!a.cost || !b.cost || !a.campaign || !b.campaign) {
        return "";
    }
    const auto interruptions = [](const RunReport& side) {
        return side.campaign->failures ? "with interruptions" : "without interruptions";
    };
    const bool alike = a.cost->title == b.cost->title &&
                       a.campaign->failures.has_value() == b.campaign->failures.has_value();
    return alike ? ""
                 : fmt::format("\nThe costs are of different kinds: A's is {}, {}; B's is {}, {}.\n",
                               a.cost->title, interruptions(a), b.cost->title, interruptions(b));
}

std::vector<Row> headline(const RunReport& a, const RunReport& b) {
    std::vector<Row> rows{row("step", a.step.seconds, b.step.seconds)};
    rows.push_back({"tokens/s per GPU", fmt::format("{:.0f}", a.step.tokens_per_second_per_gpu),
                    fmt::format("{:.0f}", b.step.tokens_per_second_per_gpu), a.step.tokens_per_second_per_gpu,
                    b.step.tokens_per_second_per_gpu});
    rows.push_back({"MFU (causal)", fmt::format("{:.1f}%", 100.0 * a.step.mfu_causal),
                    fmt::format("{:.1f}%", 100.0 * b.step.mfu_causal), a.step.mfu_causal, b.step.mfu_causal});
    if (a.campaign && b.campaign) {
        add_campaign(rows, *a.campaign, *b.campaign);
    }
    if (a.cost && b.cost) {
        rows.push_back(
            money_row("cost per trillion tokens", a.cost->per_trillion_tokens, b.cost->per_trillion_tokens));
        if (a.cost->campaign && b.cost->campaign) {
            rows.push_back(money_row("campaign cost", *a.cost->campaign, *b.cost->campaign));
        }
    }
    return rows;
}

void sort_by_difference(std::vector<Row>& rows) {
    std::ranges::stable_sort(rows, std::greater{}, [](const Row& r) { return std::abs(r.after - r.before); });
}

std::vector<Row> phases(const Phases& a, const Phases& b) {
    std::vector<Row> rows{row("overlapped F and B", a.fb, b.fb), row("forward alone", a.f, b.f),
                          row("backward alone", a.b, b.b),       row("weight gradient", a.w, b.w),
                          row("bubble", a.bubble, b.bubble),     row("optimizer", a.optimizer, b.optimizer)};
    sort_by_difference(rows);
    return rows;
}

std::vector<Row> resources(const CriticalPath& a, const CriticalPath& b) {
    std::map<Resource, std::pair<hw::Seconds, hw::Seconds>> seconds;
    for (const auto& [resource, s] : a.by_resource) {
        seconds[resource].first = s;
    }
    for (const auto& [resource, s] : b.by_resource) {
        seconds[resource].second = s;
    }
    std::vector<Row> rows;
    for (const auto& [resource, pair] : seconds) {
        rows.push_back(row(std::string(label(resource)), pair.first, pair.second));
    }
    sort_by_difference(rows);
    return rows;
}

/// "57.2 ms less", "1.5 s more".
std::string more_or_less(double seconds) {
    return fmt::format("{} {}", hw::to_text(hw::Seconds(std::abs(seconds))), seconds < 0.0 ? "less" : "more");
}

/// One sentence that answers "why": the largest differences in what the step waited for.
std::string reason(const RunReport& a, const RunReport& b, const std::vector<Row>& by_resource) {
    const double difference = (b.step.seconds - a.step.seconds).value();
    constexpr double kNegligible = 0.0005;
    if (std::abs(difference) < kNegligible * a.step.seconds.value()) {
        return fmt::format(
            "The step is the same to {:.2f}%: nothing that differs between the two sets its pace.",
            100.0 * kNegligible);
    }
    constexpr std::size_t kShown = 3;
    constexpr double kWorthSaying = 0.1; // of the difference
    std::string parts;
    for (std::size_t i = 0; i < std::min(kShown, by_resource.size()); ++i) {
        const double change = by_resource[i].after - by_resource[i].before;
        if (std::abs(change) >= kWorthSaying * std::abs(difference)) {
            fmt::format_to(std::back_inserter(parts), "{}{} for {}", parts.empty() ? "" : ", ",
                           more_or_less(change), by_resource[i].name);
        }
    }
    return fmt::format("B's step takes {} ({:+.1f}%). Waiting on the critical path: {}.",
                       more_or_less(difference), 100.0 * difference / a.step.seconds.value(), parts);
}

void append_estimates(std::string& out, const RunReport& a, const RunReport& b) {
    if (a.estimates.empty() && b.estimates.empty()) {
        return;
    }
    out += "\nEstimates, without a good source:\n";
    std::vector<std::string> all = a.estimates;
    std::ranges::copy_if(b.estimates, std::back_inserter(all), [&](const std::string& one) {
        return std::ranges::find(a.estimates, one) == a.estimates.end();
    });
    for (const std::string& figures : all) {
        const auto in = [&](const RunReport& side) {
            return std::ranges::find(side.estimates, figures) != side.estimates.end();
        };
        fmt::format_to(std::back_inserter(out), "  {}  {}\n",
                       in(a) && in(b) ? "both"
                       : in(a)        ? "A   "
                                      : "B   ",
                       figures);
    }
}

} // namespace

std::string compare_text(const RunReport& a, const RunReport& b) {
    std::string out =
        fmt::format("A: {}  ({})\nB: {}  ({})\n\n", a.title, cluster_text(a), b.title, cluster_text(b));
    fmt::format_to(std::back_inserter(out), "  {:<30} {:>16} {:>16} {:>9}\n", "", "A", "B", "B / A");
    for (const Row& r : headline(a, b)) {
        append(out, r);
    }
    out += pricing_note(a, b);
    out += "\nPhases, mean over ranks, largest difference first\n";
    for (const Row& r : phases(a.step.phases, b.step.phases)) {
        append(out, r);
    }
    out += "\nWhat the step waited for, largest difference first\n";
    const std::vector<Row> by_resource = resources(a.critical_path, b.critical_path);
    for (const Row& r : by_resource) {
        append(out, r);
    }
    out += "\n" + reason(a, b, by_resource) + "\n";
    append_estimates(out, a, b);
    return out;
}

} // namespace chokepoint::sim
