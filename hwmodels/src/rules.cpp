// SPDX-License-Identifier: Apache-2.0
// Judges a part by a rule, and searches the caps that the rule admits.
#include <chokepoint/hwmodels/rules.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <limits>

namespace chokepoint::hw {
namespace {

template <typename Value> struct Named {
    Value value;
    std::string_view name;
};

constexpr std::array kFigures{
    Named{Figure::tpp, "tpp"},
    Named{Figure::performance_density, "performance_density"},
    Named{Figure::aggregate_io, "aggregate_io"},
    Named{Figure::memory_bandwidth, "memory_bandwidth"},
    Named{Figure::hbm_bandwidth_density, "hbm_bandwidth_density"},
};
constexpr std::array kBounds{
    Named{Bound::at_least, "at_least"},
    Named{Bound::above, "above"},
    Named{Bound::below, "below"},
    Named{Bound::at_most, "at_most"},
};
constexpr std::array kRulings{
    Named{Ruling::free, "free"},
    Named{Ruling::case_by_case, "case_by_case"},
    Named{Ruling::licence, "licence"},
    Named{Ruling::presumption_of_denial, "presumption_of_denial"},
    Named{Ruling::not_applicable, "not_applicable"},
    Named{Ruling::undetermined, "undetermined"},
};

template <typename Table, typename Value> std::string_view name_in(const Table& table, Value value) {
    return std::ranges::find(table, value, [](const auto& entry) { return entry.value; })->name;
}

bool holds(const Threshold& threshold, double value) {
    switch (threshold.bound) {
    case Bound::at_least:
        return value >= threshold.limit;
    case Bound::above:
        return value > threshold.limit;
    case Bound::below:
        return value < threshold.limit;
    case Bound::at_most:
        break;
    }
    return value <= threshold.limit;
}

bool has_sourced_die_area(const GpuSpec& gpu) {
    const auto cited = gpu.citations.find("die_area_mm2");
    return gpu.die_area_mm2 && (cited == gpu.citations.end() || !cited->second.estimate);
}

/// The key that a part's file would have to give for the figure to be known.
std::string missing_key(const GpuSpec& gpu, Figure figure) {
    if (figure == Figure::performance_density && !gpu.dense_peak.empty()) {
        return "die_area_mm2";
    }
    return figure == Figure::memory_bandwidth ? "memory_bandwidth" : "dense_peak";
}

enum class Truth { no, unknown, yes };

/// Truth of "any conjunction holds", and the keys for want of which it is unknown.
struct Finding {
    Truth truth = Truth::no;
    std::vector<std::string> missing;
};

Finding any_holds(const std::vector<Conjunction>& alternatives, const GpuSpec& gpu) {
    Finding any;
    for (const Conjunction& conjunction : alternatives) {
        Truth all = Truth::yes;
        std::vector<std::string> missing;
        for (const Threshold& threshold : conjunction) {
            const std::optional<double> value = figure_of(gpu, threshold.figure);
            if (!value) {
                missing.push_back(missing_key(gpu, threshold.figure));
            }
            const Truth one = !value ? Truth::unknown : holds(threshold, *value) ? Truth::yes : Truth::no;
            all = std::min(all, one);
        }
        any.truth = std::max(any.truth, all);
        if (all == Truth::unknown) {
            any.missing.insert(any.missing.end(), missing.begin(), missing.end());
        }
    }
    if (any.truth != Truth::unknown) {
        any.missing.clear();
    }
    std::ranges::sort(any.missing);
    any.missing.erase(std::ranges::unique(any.missing).begin(), any.missing.end());
    return any;
}

std::vector<Threshold> distinct_thresholds(std::span<const Rule> rules) {
    std::vector<Threshold> distinct;
    const auto add = [&](const std::vector<Conjunction>& group) {
        for (const Conjunction& conjunction : group) {
            std::ranges::copy_if(conjunction, std::back_inserter(distinct), [&](const Threshold& threshold) {
                return std::ranges::find(distinct, threshold) == distinct.end();
            });
        }
    };
    for (const Rule& rule : rules) {
        add(rule.alternatives);
        add(rule.scope);
    }
    return distinct;
}

Ruling milder(const Rule& rule) { return std::min(rule.consequence, rule.otherwise); }

/// What a cap can lower. Performance density follows TPP, since the die stays as it is.
constexpr std::size_t kTpp = 0;
constexpr std::size_t kAggregateIo = 1;
constexpr std::size_t kMemoryBandwidth = 2;
constexpr std::size_t kAxes = 3;
using Point = std::array<double, kAxes>;

/// The part's own figures; infinite where unknown, so that nothing is above them.
Point own_figures(const GpuSpec& gpu) {
    constexpr double kUnknown = std::numeric_limits<double>::infinity();
    return {figure_of(gpu, Figure::tpp).value_or(kUnknown),
            figure_of(gpu, Figure::aggregate_io).value_or(kUnknown),
            figure_of(gpu, Figure::memory_bandwidth).value_or(kUnknown)};
}

/// Verdicts change only at thresholds, so the largest admitted figures are the part's own or just under one.
std::array<std::vector<double>, kAxes> candidates(std::span<const Rule> rules, const GpuSpec& gpu) {
    const Point own = own_figures(gpu);
    std::array<std::vector<double>, kAxes> found;
    for (std::size_t axis = 0; axis < kAxes; ++axis) {
        found[axis].push_back(own[axis]);
    }
    for (const Threshold& threshold : distinct_thresholds(rules)) {
        const double under = threshold.limit * (1.0 - kCapClearance);
        const std::optional<double> value = figure_of(gpu, threshold.figure);
        if (!value || under >= *value) {
            continue;
        }
        switch (threshold.figure) {
        case Figure::tpp:
            found[kTpp].push_back(under);
            break;
        case Figure::performance_density:
            found[kTpp].push_back(under * *gpu.die_area_mm2);
            break;
        case Figure::aggregate_io:
            found[kAggregateIo].push_back(under);
            break;
        case Figure::memory_bandwidth:
            found[kMemoryBandwidth].push_back(under);
            break;
        case Figure::hbm_bandwidth_density:
            break; // of memory by itself
        }
    }
    for (std::vector<double>& values : found) {
        std::ranges::sort(values, std::greater{});
        values.erase(std::ranges::unique(values).begin(), values.end());
    }
    return found;
}

Caps caps_at(const Point& point, const Point& own) {
    Caps caps;
    if (point[kTpp] < own[kTpp]) {
        caps.tpp = point[kTpp];
    }
    if (point[kAggregateIo] < own[kAggregateIo]) {
        caps.nvlink = BytesPerSecond(point[kAggregateIo]);
    }
    if (point[kMemoryBandwidth] < own[kMemoryBandwidth]) {
        caps.memory_bandwidth = BytesPerSecond(point[kMemoryBandwidth]);
    }
    return caps;
}

bool covers(const Point& larger, const Point& smaller) {
    return std::ranges::equal(larger, smaller, std::greater_equal{});
}

} // namespace

std::string_view name(Figure figure) { return name_in(kFigures, figure); }
std::string_view name(Bound bound) { return name_in(kBounds, bound); }
std::string_view name(Ruling ruling) { return name_in(kRulings, ruling); }

std::string to_text(Figure figure, double value) {
    switch (figure) {
    case Figure::tpp:
        return group_digits(value);
    case Figure::performance_density:
        return fmt::format("{:.2f}", value);
    case Figure::aggregate_io:
    case Figure::memory_bandwidth:
        return to_text(BytesPerSecond(value));
    case Figure::hbm_bandwidth_density:
        break;
    }
    return fmt::format("{:.2f} GB/s/mm2", value);
}

std::optional<double> figure_of(const GpuSpec& gpu, Figure figure) {
    switch (figure) {
    case Figure::tpp:
        return gpu.dense_peak.empty() ? std::nullopt : std::optional(total_processing_performance(gpu));
    case Figure::performance_density:
        return gpu.dense_peak.empty() || !has_sourced_die_area(gpu)
                   ? std::nullopt
                   : std::optional(total_processing_performance(gpu) / *gpu.die_area_mm2);
    case Figure::aggregate_io:
        return gpu.nvlink.value();
    case Figure::memory_bandwidth:
        return gpu.memory_bandwidth > BytesPerSecond{} ? std::optional(gpu.memory_bandwidth.value())
                                                       : std::nullopt;
    case Figure::hbm_bandwidth_density:
        break; // a figure of memory sold by itself
    }
    return std::nullopt;
}

bool in_force(const Rule& rule, std::string_view day) {
    return rule.effective <= day && (!rule.until || day < *rule.until);
}

Verdict classify(const Rule& rule, const GpuSpec& gpu) {
    Verdict verdict;
    for (const Threshold& threshold : distinct_thresholds(std::span(&rule, 1))) {
        const std::optional<double> value = figure_of(gpu, threshold.figure);
        const std::optional<double> ratio = value ? std::optional(*value / threshold.limit) : std::nullopt;
        verdict.margins.push_back({threshold, value, ratio});
    }
    if (rule.applies_to != Subject::accelerator) {
        verdict.ruling = Ruling::not_applicable;
        return verdict;
    }
    const Finding scope = rule.scope.empty() ? Finding{Truth::yes, {}} : any_holds(rule.scope, gpu);
    if (scope.truth == Truth::no) {
        verdict.ruling = Ruling::not_applicable;
        return verdict;
    }
    const Finding met = scope.truth == Truth::unknown ? scope : any_holds(rule.alternatives, gpu);
    verdict.missing = met.missing;
    verdict.ruling = met.truth == Truth::unknown ? Ruling::undetermined
                     : met.truth == Truth::yes   ? rule.consequence
                                                 : rule.otherwise;
    return verdict;
}

bool admits(const Rule& rule, const Verdict& verdict) {
    return verdict.ruling == milder(rule) || verdict.ruling == Ruling::not_applicable;
}

namespace {

bool all_admit(std::span<const Rule> rules, const GpuSpec& gpu) {
    return std::ranges::all_of(rules, [&](const Rule& rule) { return admits(rule, classify(rule, gpu)); });
}

} // namespace

std::vector<Caps> minimal_caps(std::span<const Rule> rules, const GpuSpec& gpu) {
    const Point own = own_figures(gpu);
    const auto values = candidates(rules, gpu);
    std::vector<Point> admitted;
    for (const double tpp : values[kTpp]) {
        for (const double aggregate_io : values[kAggregateIo]) {
            for (const double memory_bandwidth : values[kMemoryBandwidth]) {
                const Point point{tpp, aggregate_io, memory_bandwidth};
                // Figures descend, so whatever covers this point has been seen.
                const bool covered =
                    std::ranges::any_of(admitted, [&](const Point& larger) { return covers(larger, point); });
                if (!covered && all_admit(rules, apply(caps_at(point, own), gpu))) {
                    admitted.push_back(point);
                }
            }
        }
    }
    std::vector<Caps> sets;
    std::ranges::transform(admitted, std::back_inserter(sets),
                           [&](const Point& point) { return caps_at(point, own); });
    return sets;
}

} // namespace chokepoint::hw
