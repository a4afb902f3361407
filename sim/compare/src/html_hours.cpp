// SPDX-License-Identifier: Apache-2.0
// What the hours of each scenario go to: phases, and what the GPUs did.
#include "html_text.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim {
namespace {

std::string dates(const PhaseReport& phase) {
    return phase.first_day && phase.last_day
               ? fmt::format("{} to {}", to_text(*phase.first_day), to_text(*phase.last_day))
               : "";
}

/// Of a campaign of several phases.
Table phases(const CampaignReport& campaign) {
    Table table{{"phase", "tokens", "step at the full batch", "GPU-hours", "days"}, {}};
    if (campaign.first_day) {
        table.head.emplace_back("dates");
    }
    for (const PhaseReport& phase : campaign.phases) {
        table.rows.push_back({phase.name, phase.given ? "-" : count_text(phase.tokens),
                              phase.given ? "given" : hw::to_text(phase.step),
                              hw::group_digits(phase.gpu_hours),
                              fmt::format("{:.1f}", phase.wall / hw::kDay)});
        if (campaign.first_day) {
            table.rows.back().push_back(dates(phase));
        }
    }
    table.rows.push_back({"in all, without interruptions", count_text(campaign.tokens), "",
                          hw::group_digits(campaign.gpu_hours),
                          fmt::format("{:.1f}", campaign.wall / hw::kDay)});
    return table;
}

/// GPU-hours by what the GPUs did, with their share: a column for each scenario.
Table time_parts(const Comparison& comparison) {
    Table table{{""}, {}};
    std::vector<TimeParts> hours;
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        table.head.push_back(comparison.sides.size() > 1
                                 ? fmt::format("{}: {}", letter(i), comparison.sides[i].report.gpu)
                                 : comparison.sides[i].report.gpu);
        hours.push_back(parts_of(comparison.sides[i].report, Measure::gpu_hours).value_or(TimeParts{}));
    }
    for (std::size_t part = 0; part < kTimeParts; ++part) {
        if (std::ranges::all_of(hours, [&](const TimeParts& of) { return of[part] == 0.0; })) {
            continue;
        }
        std::vector<std::string> row{std::string(label(static_cast<TimePart>(part)))};
        for (const TimeParts& of : hours) {
            const double all = sum(of);
            row.push_back(
                all > 0.0 ? fmt::format("{} ({:.1f}%)", hw::group_digits(of[part]), 100.0 * of[part] / all)
                          : "-");
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

} // namespace

std::string hours(const Comparison& comparison) {
    std::string out;
    const Table parts = time_parts(comparison);
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        const auto& campaign = comparison.sides[i].report.campaign;
        if (campaign && !campaign->phases.empty()) {
            out += comparison.sides.size() > 1 ? fmt::format("<h3>{}</h3>\n", letter(i)) : "";
            out += as_html(phases(*campaign));
        }
    }
    if (!parts.rows.empty()) {
        out +=
            "<p class=\"note\">GPU-hours by what the compute streams did, mean over pipeline ranks: kernels, "
            "waiting for transfers (exposed communication) or for other ranks (bubble), and what "
            "interruptions and checkpoints cost.</p>\n" +
            as_html(parts);
    }
    return out.empty() ? "" : section("What the GPU-hours go to", out);
}

} // namespace chokepoint::sim
