// SPDX-License-Identifier: Apache-2.0
// Each stack has one vote on its architecture's overhead, however many runs it published.
#include <chokepoint/sim/overhead.hpp>
#include <chokepoint/sim/validation_report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kKey = "plan.framework_overhead";

/// One run: how its step grows with the overhead.
struct Response {
    double ratio = 0.0; ///< measured over predicted without overhead
    double slope = 0.0; ///< growth of the step, relative to no overhead, for each unit of it

    [[nodiscard]] double overhead() const { return (ratio - 1.0) / slope; }
    [[nodiscard]] double error(double overhead) const {
        return std::abs((1.0 + slope * overhead) / ratio - 1.0);
    }
};

using Stack = std::pair<std::string, std::string>; // architecture and name

template <class Of = std::identity, class Range> double median_of(const Range& range, Of of = {}) {
    std::vector<Weighted> values;
    values.reserve(range.size());
    for (const auto& each : range) {
        values.push_back({std::invoke(of, each)});
    }
    return quantile(std::move(values), 0.5);
}

std::map<Stack, std::vector<Response>> responses(std::span<const PublishedRun> runs,
                                                 std::span<const Prediction> without,
                                                 std::span<const Prediction> trial,
                                                 const hw::Catalog& catalog) {
    // Kernels are most of a step; where they are less than a tenth, the run says nothing of them.
    constexpr double kLeastSlope = 0.1;
    std::map<Stack, std::vector<Response>> stacks;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const hw::GpuSpec* part = catalog.find_gpu(runs[i].key("cluster.gpu"));
        if (part == nullptr || !without[i].error() || !trial[i].error()) {
            continue;
        }
        const Response response{*without[i].measured / *without[i].predicted,
                                (*trial[i].predicted / *without[i].predicted - 1.0) / kTrialOverhead};
        if (response.slope > kLeastSlope) {
            stacks[{part->architecture, runs[i].stack}].push_back(response);
        }
    }
    return stacks;
}

void leave_each_out(Overheads& all, const std::map<Stack, std::vector<Response>>& runs) {
    std::vector<Weighted> errors;
    for (StackOverhead& stack : all.stacks) {
        std::vector<double> others;
        for (const StackOverhead& other : all.stacks) {
            if (other.architecture == stack.architecture && other.stack != stack.stack) {
                others.push_back(other.overhead);
            }
        }
        if (!others.empty()) {
            const double theirs = median_of(others);
            stack.left_out = median_of(runs.at({stack.architecture, stack.stack}),
                                       [&](const Response& run) { return run.error(theirs); });
            errors.push_back({*stack.left_out});
        }
    }
    if (!errors.empty()) {
        all.left_out_mean = mean(errors);
        all.left_out_median = quantile(std::move(errors), 0.5);
    }
}

} // namespace

std::vector<PublishedRun> with_overhead(std::span<const PublishedRun> runs, double overhead) {
    std::vector<PublishedRun> all;
    std::ranges::copy_if(runs, std::back_inserter(all),
                         [](const PublishedRun& run) { return run.score == Score::time; });
    for (PublishedRun& run : all) {
        std::erase_if(run.keys, [](const auto& key) { return key.first == kKey; });
        run.keys.emplace_back(kKey, fmt::format("{:.1f}", overhead));
    }
    return all;
}

Overheads overheads(std::span<const PublishedRun> runs, std::span<const Prediction> without,
                    std::span<const Prediction> trial, const hw::Catalog& catalog) {
    const auto stacks = responses(runs, without, trial, catalog);
    Overheads all;
    std::map<std::string, std::vector<double>> votes;
    for (const auto& [name, of_stack] : stacks) {
        const double overhead = median_of(of_stack, &Response::overhead);
        all.stacks.push_back({.architecture = name.first,
                              .stack = name.second,
                              .runs = static_cast<int>(of_stack.size()),
                              .ratio = median_of(of_stack, &Response::ratio),
                              .overhead = overhead,
                              .left_out = {}});
        votes[name.first].push_back(overhead);
    }
    for (const auto& [architecture, shares] : votes) {
        all.architectures.push_back({architecture, static_cast<int>(shares.size()), median_of(shares)});
    }
    all.overhead = median_of(all.stacks, &StackOverhead::overhead);
    leave_each_out(all, stacks);
    return all;
}

std::string to_text(const Overheads& all) {
    if (all.stacks.empty()) {
        return "\nno run says which overhead it asks for: none publishes a step time that could be "
               "predicted\n";
    }
    constexpr double kPercent = 100.0;
    std::string out = fmt::format("\n{:<13} {:<32} {:>5} {:>19} {:>9} {:>9}\n", "architecture", "software",
                                  "runs", "measured/predicted", "overhead", "left out");
    for (const StackOverhead& stack : all.stacks) {
        fmt::format_to(
            std::back_inserter(out), "{:<13} {:<32} {:>5} {:>19.3f} {:>9.3f} {:>9}\n", stack.architecture,
            stack.stack.empty() ? "(not named)" : stack.stack, stack.runs, stack.ratio, stack.overhead,
            stack.left_out ? fmt::format("{:.1f}%", kPercent * *stack.left_out) : std::string("-"));
    }
    if (std::ranges::any_of(all.stacks, [](const StackOverhead& stack) { return stack.overhead < 0.0; })) {
        out +=
            "Below 0: measured faster than its kernels alone are predicted; something else in its scenarios "
            "is off.\n";
    }
    out += "\nplan.framework_overhead, the median over software\n";
    for (const ArchitectureOverhead& each : all.architectures) {
        fmt::format_to(std::back_inserter(out), "  {:<13} {:>3} {:>8.3f}\n", each.architecture, each.stacks,
                       each.overhead);
    }
    fmt::format_to(std::back_inserter(out), "  {:<13} {:>3} {:>8.3f}\n", "all", all.stacks.size(),
                   all.overhead);
    if (all.left_out_median) {
        fmt::format_to(std::back_inserter(out),
                       "Each software under the overhead that the others ask for: {:.1f}% off in the median, "
                       "{:.1f}% in the mean.\n",
                       kPercent * *all.left_out_median, kPercent * *all.left_out_mean);
    }
    return out;
}

} // namespace chokepoint::sim
