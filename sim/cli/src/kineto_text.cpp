// SPDX-License-Identifier: Apache-2.0
// `import kineto` as a person reads it, and as one long table for spreadsheets.
#include "kineto_command.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace chokepoint::cli {

namespace {

constexpr std::size_t kUnknownShown = 10;

std::string text(sim::ProfileTime time) { return hw::to_text(hw::Seconds(seconds(time))); }

double percent(double part, double whole) { return whole > 0.0 ? 100.0 * part / whole : 0.0; }
double percent(sim::ProfileTime part, sim::ProfileTime whole) {
    return percent(seconds(part), seconds(whole));
}

/// A name that fits its column: what is cut off is marked.
std::string shortened(const std::string& name, std::size_t width) {
    return name.size() <= width ? name : name.substr(0, width - 3) + "...";
}

void append_head(std::string& out, const KinetoReport& report) {
    const sim::Profile& profile = report.profile;
    const auto put = std::back_inserter(out);
    fmt::format_to(put, "{}{}{}{}: {} events, {} of a GPU, {} profiler steps\n\n", profile.file,
                   profile.device.empty() ? "" : ", " + profile.device,
                   profile.rank ? fmt::format(", rank {}", *profile.rank) : "",
                   profile.world_size ? fmt::format(" of {}", *profile.world_size) : "",
                   hw::group_digits(static_cast<double>(profile.events)),
                   hw::group_digits(static_cast<double>(report.measured.all.launches)), profile.steps);
    const sim::ProfileSummary& all = report.measured;
    const auto line = [&](std::string_view what, sim::ProfileTime time) {
        fmt::format_to(put, "  {:<42} {:>10} {:>6.1f}%\n", what, text(time), percent(time, all.span));
    };
    line("first kernel to last", all.span);
    line("at least one runs", all.all.busy);
    line("none runs", all.idle());
    line("compute", all.compute);
    line("communication", all.communication);
    line("both at a time", all.overlap);
    line("communication that nothing hides", all.communication - all.overlap);
}

void append_row(std::string& out, std::string_view name, std::string_view second,
                const sim::ProfiledTime& time, sim::ProfileTime span) {
    fmt::format_to(std::back_inserter(out), "  {:<46} {:<13} {:>8} {:>10} {:>10} {:>6.1f}%\n", name, second,
                   hw::group_digits(static_cast<double>(time.launches)), text(time.sum), text(time.busy),
                   percent(time.busy, span));
}

void append_header(std::string& out, std::string_view name, std::string_view second) {
    fmt::format_to(std::back_inserter(out), "\n  {:<46} {:<13} {:>8} {:>10} {:>10} {:>7}\n", name, second,
                   "launches", "sum", "busy", "of span");
}

void append_measured(std::string& out, const sim::ProfileSummary& all) {
    append_header(out, "class", "occupies");
    for (const sim::ClassTime& row : all.classes) {
        append_row(out, row.id, hw::name(row.duty), row.time, all.span);
    }
    append_header(out, "stream", "");
    for (const sim::StreamTime& row : all.streams) {
        append_row(out, row.stream, "", row.time, all.span);
    }
    append_header(out, "segment (innermost annotation at the launch)", "times");
    for (const sim::SegmentTime& row : all.segments) {
        append_row(out, row.name.empty() ? "(none)" : shortened(row.name, 46),
                   row.name.empty() ? "" : fmt::format("{}", row.count), row.time, all.span);
    }
}

void append_unknown(std::string& out, const sim::ProfileSummary& all) {
    if (all.unknown.empty()) {
        out += "\n  every kernel is classified\n";
        return;
    }
    append_header(out, "unclassified, counted as compute", "");
    for (std::size_t i = 0; i < std::min(all.unknown.size(), kUnknownShown); ++i) {
        append_row(out, shortened(all.unknown[i].kernel.name, 46), all.unknown[i].kernel.category,
                   all.unknown[i].time, all.span);
    }
    if (all.unknown.size() > kUnknownShown) {
        fmt::format_to(std::back_inserter(out), "  and {} more; --json has them all\n",
                       all.unknown.size() - kUnknownShown);
    }
}

std::string ratio(double measured, double predicted) {
    return measured > 0.0 && predicted > 0.0 ? fmt::format("{:.2f}", predicted / measured) : "";
}

std::string scope_text(const sim::ProfileScope& scope) {
    const std::string what =
        scope.pair_layers
            ? fmt::format("an overlapped forward and backward of {} MoE layers", *scope.pair_layers)
            : fmt::format("a step of {}",
                          scope.rank ? fmt::format("pipeline rank {}", *scope.rank) : "the mean rank");
    return scope.count == 1 ? what : fmt::format("{} times {}", scope.count, what);
}

void append_comparison(std::string& out, const KinetoReport& report) {
    const sim::PredictedProfile& predicted = *report.predicted;
    const auto put = std::back_inserter(out);
    fmt::format_to(put, "\nagainst {}: {}\n\n  {:<58} {:>10} {:>10} {:>9}\n", report.scenario,
                   scope_text(report.scope), "", "measured", "predicted", "predicted");
    fmt::format_to(put, "  {:<58} {:>10} {:>10} {:>9}\n", "", "(busy)", "", "/measured");
    const auto line = [&](const std::string& what, sim::ProfileTime measured, hw::Seconds time) {
        fmt::format_to(put, "  {:<58} {:>10} {:>10} {:>9}\n", what,
                       measured > sim::ProfileTime::zero() ? text(measured) : "-",
                       time > hw::Seconds() ? hw::to_text(time) : "-",
                       ratio(seconds(measured), time.value()));
    };
    for (const sim::ComparedRow& row : report.rows) {
        line(shortened(row.classes.empty() ? fmt::format("(scenario only) {}", fmt::join(row.works, ", "))
                                           : fmt::format("{}", fmt::join(row.classes, " + ")),
                       58),
             row.measured, row.predicted);
    }
    out += "\n";
    line("compute", report.measured.compute, predicted.compute);
    line("communication", report.measured.communication, predicted.communication);
    line("both at a time", report.measured.overlap, predicted.overlap);
    line("first start to last end", report.measured.span, predicted.span);
}

} // namespace

std::string to_text(const KinetoReport& report) {
    std::string out;
    append_head(out, report);
    append_measured(out, report.measured);
    append_unknown(out, report.measured);
    if (report.predicted) {
        append_comparison(out, report);
    }
    return out;
}

std::string to_csv(const KinetoReport& report) {
    std::string out = "table,name,launches,sum_seconds,busy_seconds,predicted_seconds\n";
    const auto put = std::back_inserter(out);
    const auto timed = [&](std::string_view table, const std::string& name, const sim::ProfiledTime& time) {
        fmt::format_to(put, "{},{},{},{:.9f},{:.9f},\n", table, sim::csv_cell(name), time.launches,
                       seconds(time.sum), seconds(time.busy));
    };
    timed("whole", "all", report.measured.all);
    for (const sim::ClassTime& row : report.measured.classes) {
        timed("class", row.id, row.time);
    }
    for (const sim::StreamTime& row : report.measured.streams) {
        timed("stream", row.stream, row.time);
    }
    for (const sim::SegmentTime& row : report.measured.segments) {
        timed("segment", row.name, row.time);
    }
    for (const sim::UnknownKernel& row : report.measured.unknown) {
        timed("unclassified", row.kernel.name, row.time);
    }
    const auto compared = [&](const std::string& name, sim::ProfileTime measured, hw::Seconds time) {
        fmt::format_to(put, "against,{},,,{:.9f},{:.9f}\n", sim::csv_cell(name), seconds(measured),
                       time.value());
    };
    for (const sim::ComparedRow& row : report.rows) {
        compared(fmt::format("{}", fmt::join(row.classes.empty() ? row.works : row.classes, " + ")),
                 row.measured, row.predicted);
    }
    if (report.predicted) {
        compared("compute", report.measured.compute, report.predicted->compute);
        compared("communication", report.measured.communication, report.predicted->communication);
        compared("both at a time", report.measured.overlap, report.predicted->overlap);
        compared("first start to last end", report.measured.span, report.predicted->span);
    }
    return out;
}

} // namespace chokepoint::cli
