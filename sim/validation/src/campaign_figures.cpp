// SPDX-License-Identifier: Apache-2.0
// Runs the campaigns and lays their figures beside the published ones.
#include <chokepoint/sim/campaign_figures.hpp>

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/run.hpp>
#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kHours = "gpu_hours";
constexpr std::string_view kHoursOf = "gpu_hours:"; ///< phases whose names begin with what follows
constexpr std::string_view kUsd = "usd";
constexpr std::string_view kHoursEach = "gpu_hours_per_trillion_tokens";
constexpr std::string_view kDaysEach = "days_per_trillion_tokens";
constexpr std::array kColumns{"scenario", "figure", "published", "source", "note"};

bool known(std::string_view figure) {
    return figure == kHours || figure == kUsd || figure == kHoursEach || figure == kDaysEach ||
           (figure.starts_with(kHoursOf) && figure.size() > kHoursOf.size());
}

std::vector<std::string> cells_of(std::string_view line) {
    std::vector<std::string> cells;
    for (std::size_t from = 0; from <= line.size();) {
        const std::size_t to = std::min(line.find('\t', from), line.size());
        cells.emplace_back(line.substr(from, to - from));
        from = to + 1;
    }
    return cells;
}

struct Amount {
    double value = 0.0;
    Percentiles sure{};
};

/// As sure as the step that it goes with.
Amount with_step(double value, const RunReport& report) {
    Amount made{value, report.uncertainty.step_seconds};
    for (double& each : made.sure) {
        each *= value / report.step.seconds.value();
    }
    return made;
}

std::optional<Amount> amount_of(const RunReport& report, std::string_view figure) {
    if (!report.campaign) {
        return std::nullopt;
    }
    const CampaignReport& campaign = *report.campaign;
    const Uncertainty& sure = report.uncertainty;
    if (figure == kHours) {
        return Amount{paid_gpu_time(campaign) / hw::kHour, sure.gpu_hours};
    }
    if (figure == kUsd) {
        return report.cost && report.cost->campaign
                   ? std::optional(Amount{report.cost->campaign->value(), sure.usd})
                   : std::nullopt;
    }
    if (figure == kHoursEach || figure == kDaysEach) {
        const double hours = campaign.gpu_hours_per_trillion_tokens;
        constexpr double kHoursOfDay = 24.0;
        return with_step(figure == kHoursEach ? hours : hours / report.gpus / kHoursOfDay, report);
    }
    double given = 0.0, simulated = 0.0;
    for (const PhaseReport& phase : campaign.phases) {
        if (phase.name.starts_with(figure.substr(kHoursOf.size()))) {
            (phase.given ? given : simulated) += phase.gpu_hours;
        }
    }
    Amount of_phases = with_step(simulated, report);
    of_phases.value += given;
    for (double& each : of_phases.sure) {
        each += given;
    }
    return of_phases.value > 0.0 ? std::optional(of_phases) : std::nullopt;
}

void predict(CampaignFigure& figure, const RunReport& report) {
    if (const auto amount = amount_of(report, figure.figure)) {
        figure.predicted = amount->value;
        figure.interval = {amount->sure[0], amount->sure[2]};
    } else {
        figure.reason = "the scenario says nothing of it";
    }
}

std::string number_text(const CampaignFigure& figure, double value) {
    return figure.figure == kDaysEach ? fmt::format("{:.2f}", value) : hw::group_digits(value);
}

std::string unit_of(std::string_view figure) {
    const std::string_view phase =
        figure.starts_with(kHoursOf) ? figure.substr(kHoursOf.size()) : std::string_view();
    return figure == kUsd         ? "USD"
           : figure == kHoursEach ? "GPU-hours, each T tokens"
           : figure == kDaysEach  ? "days, each T tokens"
           : phase.empty()        ? "GPU-hours"
                                  : fmt::format("GPU-hours, {}", phase);
}

} // namespace

std::optional<double> CampaignFigure::error() const {
    return predicted && published > 0.0 ? std::optional(*predicted / published - 1.0) : std::nullopt;
}

std::vector<CampaignFigure> parse_campaign_figures(std::string_view text, const std::string& file) {
    std::vector<CampaignFigure> figures;
    std::vector<Diagnostic> faults;
    bool header = false;
    for (int line = 1; !text.empty(); ++line) {
        const std::size_t end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (row.empty() || row.starts_with('#')) {
            continue;
        }
        const std::vector<std::string> cells = cells_of(row);
        const auto fault = [&](std::string message) {
            faults.push_back({file, line, 1, std::move(message)});
        };
        if (!std::exchange(header, true)) {
            if (!std::ranges::equal(cells, kColumns)) {
                fault("no header; expected the columns scenario, figure, published, source and note");
            }
            continue;
        }
        if (cells.size() != kColumns.size()) {
            fault(fmt::format("{} cells; expected {}", cells.size(), kColumns.size()));
            continue;
        }
        CampaignFigure figure{.run = cells[0], .figure = cells[1], .source = cells[3], .note = cells[4]};
        const std::string& number = cells[2];
        const auto [stop, error] =
            std::from_chars(number.data(), number.data() + number.size(), figure.published);
        if (error != std::errc() || stop != number.data() + number.size() || figure.published <= 0.0) {
            fault(fmt::format("published is '{}'; expected a positive number", number));
        }
        if (!known(figure.figure)) {
            fault(fmt::format("figure is '{}'; expected {}, {}NAME, {}, {} or {}", figure.figure, kHours,
                              kHoursOf, kUsd, kHoursEach, kDaysEach));
        }
        figures.push_back(std::move(figure));
    }
    if (!faults.empty()) {
        throw ScenarioError(std::move(faults));
    }
    return figures;
}

std::vector<CampaignFigure> campaign_figures(const std::function<void(double)>& progress) {
    const std::filesystem::path folder = hw::data_path("scenarios");
    const std::filesystem::path file = folder / "validation" / "campaign_figures.tsv";
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw ScenarioError({{file.string(), 0, 0,
                              fmt::format("cannot be read: {}", std::generic_category().message(errno))}});
    }
    std::vector<CampaignFigure> figures =
        parse_campaign_figures(std::string(std::istreambuf_iterator<char>(in), {}), file.string());
    std::map<std::string, RunReport> reports;
    for (std::size_t i = 0; i < figures.size(); ++i) {
        const std::string& name = figures[i].run;
        if (!reports.contains(name)) {
            reports.emplace(name, run(load_scenario(folder / name)));
        }
        predict(figures[i], reports.at(name));
        if (progress) {
            progress(static_cast<double>(i + 1) / static_cast<double>(figures.size()));
        }
    }
    return figures;
}

std::vector<CampaignFigure> campaign_figures(std::span<const PublishedRun> runs,
                                             std::span<const Prediction> predictions) {
    std::vector<CampaignFigure> figures;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const PublishedRun& run = runs[i];
        const Prediction& prediction = predictions[i];
        const auto number = [&](const char* key) {
            const std::string text = run.key(key);
            return text.empty() ? 0.0 : std::stod(text);
        };
        const double steps = prediction.tokens > 0.0 ? number("campaign.tokens") / prediction.tokens : 0.0;
        const double hours = // for each second of a step
            steps * number("cluster.nodes") * number("cluster.gpus_per_node") / hw::kHour.value();
        if (!run.seconds || !(hours > 0.0)) {
            continue;
        }
        CampaignFigure figure{.run = run.id,
                              .published = run.seconds->value() * hours,
                              .source = run.source,
                              .note = run.note,
                              .assumed = run.assumed,
                              .reason = prediction.reason};
        if (prediction.predicted) {
            figure.predicted = prediction.predicted->value() * hours;
        }
        if (const auto& ends = prediction.interval) {
            figure.interval = {ends->front() * hours, ends->back() * hours};
        }
        figures.push_back(std::move(figure));
    }
    return figures;
}

std::string to_text(const std::vector<CampaignFigure>& figures) {
    std::string out = fmt::format("{:<30} {:<26} {:>12} {:>12} {:>26} {:>7}\n", "training", "", "published",
                                  "predicted", "p5 to p95", "error");
    for (const CampaignFigure& figure : figures) {
        const auto error = figure.error();
        fmt::format_to(std::back_inserter(out), "{:<30} {:<26} {:>12} {:>12} {:>26} {:>7}\n", figure.run,
                       unit_of(figure.figure), number_text(figure, figure.published),
                       figure.predicted ? number_text(figure, *figure.predicted) : "-",
                       figure.interval ? fmt::format("{} to {}", number_text(figure, figure.interval->at(0)),
                                                     number_text(figure, figure.interval->at(1)))
                                       : "-",
                       error ? fmt::format("{:+.1f}%", 100.0 * *error) : "-");
    }
    out += "\n";
    for (const CampaignFigure& figure : figures) {
        if (!figure.reason.empty()) {
            fmt::format_to(std::back_inserter(out), "{}: not predicted: {}\n", figure.run, figure.reason);
        }
        const std::string open = figure.assumed.empty() ? figure.note : "assumed: " + figure.assumed;
        fmt::format_to(std::back_inserter(out), "{}, {}: {}{}\n", figure.run, unit_of(figure.figure),
                       figure.source, open.empty() ? "" : "; " + open);
    }
    return out;
}

std::string to_csv(const std::vector<CampaignFigure>& figures) {
    std::string out = "training,figure,published,predicted,p5,p95,error,reason,assumed,note,source\n";
    for (const CampaignFigure& figure : figures) {
        const auto number = [](const std::optional<double>& value) {
            return value ? fmt::format("{:.8g}", *value) : std::string();
        };
        const auto end = [&](std::size_t i) {
            return figure.interval ? std::optional(figure.interval->at(i)) : std::nullopt;
        };
        fmt::format_to(std::back_inserter(out), "{},{},{:.8g},{},{},{},{},{},{},{},{}\n",
                       csv_cell(figure.run), csv_cell(figure.figure), figure.published,
                       number(figure.predicted), number(end(0)), number(end(1)), number(figure.error()),
                       csv_cell(figure.reason), csv_cell(figure.assumed), csv_cell(figure.note),
                       csv_cell(figure.source));
    }
    return out;
}

} // namespace chokepoint::sim
