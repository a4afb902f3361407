// SPDX-License-Identifier: Apache-2.0
// A validation as people read it, and as a table for other programs.
#include <chokepoint/sim/validation_report.hpp>
#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::sim {
namespace {

constexpr double kPercent = 100.0;

std::string seconds_text(const std::optional<hw::Seconds>& seconds) {
    return seconds ? fmt::format("{:.4g}", seconds->value()) : "-";
}

std::string error_text(const std::optional<double>& error) {
    return error ? fmt::format("{:+.1f}%", kPercent * *error) : "-";
}

void append_memory_rows(std::string& out, const ValidationReport& report) {
    bool any = false;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const PublishedRun& run = report.runs[i];
        const Prediction& p = report.predictions[i];
        if (const auto error = p.memory_error(run)) {
            if (!any) {
                fmt::format_to(std::back_inserter(out), "{:<52} {:>12} {:>12} {:>8}  {}\n",
                               "memory of one GPU", "predicted", "measured", "error", "source");
            }
            any = true;
            fmt::format_to(std::back_inserter(out), "{:<52} {:>12} {:>12} {:>8}  {}\n", run.id,
                           hw::to_text(*p.memory), hw::to_text(*run.memory), error_text(error), run.source);
        }
    }
    out += any ? "\n" : "";
}

void append_rows(std::string& out, const ValidationReport& report) {
    fmt::format_to(std::back_inserter(out), "{:<52} {:>12} {:>17} {:>12} {:>8}  {}\n", "run", "predicted s",
                   "p5 to p95", "measured s", "error", "source");
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const Prediction& p = report.predictions[i];
        if (p.predicted) {
            fmt::format_to(std::back_inserter(out), "{:<52} {:>12} {:>17} {:>12} {:>8}  {}\n",
                           report.runs[i].id, seconds_text(p.predicted),
                           fmt::format("{:.3g} to {:.3g}", (*p.interval)[0], (*p.interval)[1]),
                           seconds_text(p.measured), error_text(p.error()), report.runs[i].source);
        }
    }
    out += '\n';
    append_memory_rows(out, report);
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        if (!report.predictions[i].reason.empty()) {
            fmt::format_to(std::back_inserter(out), "{:<52} not predicted: {}\n", report.runs[i].id,
                           report.predictions[i].reason);
        }
    }
    out += '\n';
}

void append_score(std::string& out, const FamilyScore& score) {
    const std::string rank = score.rank ? fmt::format("{:.2f} ({})", *score.rank, score.rank_groups) : "-";
    const auto share = [](const std::optional<double>& value, int digits) {
        return value ? fmt::format("{:.{}f}%", kPercent * *value, digits) : std::string("-");
    };
    fmt::format_to(std::back_inserter(out),
                   "  {:<28} {:>5} {:>8} {:>8.1f}% {:>7.1f}% {:>+7.1f}% {:>9}  {:>10} {:>9} {:>7}\n",
                   score.member, score.rows, score.layouts, kPercent * score.median, kPercent * score.p90,
                   kPercent * score.bias, share(score.covered, 0), rank, share(score.in_order, 0),
                   share(score.regret, 1));
}

} // namespace

std::string to_text(const ValidationReport& report, bool summary_only) {
    std::string out;
    if (!summary_only) {
        append_rows(out, report);
    }
    const auto predicted =
        std::ranges::count_if(report.predictions, [](const Prediction& p) { return p.error().has_value(); });
    fmt::format_to(std::back_inserter(out), "{} runs, {} predicted; errors of step time\n",
                   report.runs.size(), predicted);
    std::string family;
    for (const FamilyScore& score : report.scores) {
        if (score.family != family) {
            family = score.family;
            fmt::format_to(std::back_inserter(out),
                           "\n{:<30} {:>5} {:>8} {:>9} {:>8} {:>8} {:>9}  {:>10} {:>9} {:>7}\n", family,
                           "rows", "layouts", "median", "p90", "bias", "in p5-p95", "ranks", "in order",
                           "regret");
        }
        append_score(out, score);
    }
    if (!report.memory.empty()) {
        fmt::format_to(std::back_inserter(out), "\n{:<30} {:>5} {:>8} {:>9} {:>8} {:>8} {:>9}\n", "memory",
                       "rows", "layouts", "median", "p90", "bias", "mean");
    }
    for (const FamilyScore& score : report.memory) {
        fmt::format_to(std::back_inserter(out),
                       "  {:<28} {:>5} {:>8} {:>8.1f}% {:>7.1f}% {:>+7.1f}% {:>8.1f}%\n", score.member,
                       score.rows, score.layouts, kPercent * score.median, kPercent * score.p90,
                       kPercent * score.bias, kPercent * score.mean);
    }
    if (report.overheads) {
        out += to_text(*report.overheads);
    }
    if (!report.reasons.empty()) {
        out += "\nnot predicted\n";
        for (const ReasonCount& reason : report.reasons) {
            fmt::format_to(std::back_inserter(out), "  {:>5}  {}\n", reason.rows, reason.reason);
        }
    }
    return out;
}

std::string to_csv(const ValidationReport& report) {
    std::string out =
        "id,stack,bound,model,gpu,gpus,kind,precision,measured_seconds,predicted_seconds,error,"
        "p5_seconds,p95_seconds,measured_memory_bytes,predicted_memory_bytes,reason,assumed,source\n";
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const PublishedRun& run = report.runs[i];
        const Prediction& p = report.predictions[i];
        const auto number = [](const auto& quantity) {
            return quantity ? fmt::format("{:.8g}", quantity->value()) : std::string();
        };
        const auto error = p.error();
        const auto& interval = p.interval;
        fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                       csv_cell(run.id), csv_cell(run.stack), run.bound, csv_cell(run.model()),
                       run.key("cluster.gpu"), p.gpus > 0 ? fmt::format("{}", p.gpus) : "",
                       p.predicted ? (p.moe ? "MoE" : "dense") : "", run.key("plan.precision"),
                       number(p.measured), number(p.predicted), error ? fmt::format("{:.6f}", *error) : "",
                       interval ? fmt::format("{:.6g}", (*interval)[0]) : "",
                       interval ? fmt::format("{:.6g}", (*interval)[1]) : "", number(run.memory),
                       number(p.memory), csv_cell(p.reason), csv_cell(run.assumed), csv_cell(run.source));
    }
    return out;
}

} // namespace chokepoint::sim
