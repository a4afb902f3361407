// SPDX-License-Identifier: Apache-2.0
// The report as a person reads it on a terminal.
#include <chokepoint/sim/report.hpp>

#include "economy_text.hpp"
#include "uncertainty_text.hpp"
#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

constexpr double kGiga = 1e9;
constexpr int kBarWidth = 30;

class Page {
public:
    template <typename... Args> void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
        text_ += '\n';
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string bar(double share) {
    const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarWidth));
    std::string text;
    for (int i = 0; i < filled; ++i) {
        text += "#";
    }
    return text;
}

void add_step(Page& page, const RunReport& r) {
    const StepReport& s = r.step;
    const auto [low, middle, high] = r.uncertainty.step_seconds;
    page.line("Step              {:>12}   p5 to p95: {} to {}, p50 {}", hw::to_text(s.seconds),
              hw::to_text(Seconds(low)), hw::to_text(Seconds(high)), hw::to_text(Seconds(middle)));
    page.line("Tokens per step   {:>12}   {:.0f} tokens/s per GPU", count_text(s.tokens),
              s.tokens_per_second_per_gpu);
    page.line("Utilisation       {:>11.1f}%   {:.0f} TFLOPS per GPU, causal ({:.1f}%, {:.0f} non-causal), of "
              "BF16 peak",
              100.0 * s.mfu_causal, s.flops_per_gpu_causal.value() / 1e12, 100.0 * s.mfu_noncausal,
              s.flops_per_gpu_noncausal.value() / 1e12);
}

void add_phase(Page& page, std::string_view name, Seconds seconds, Seconds step, std::string_view meaning) {
    const double share = seconds / step;
    const std::string drawn =
        meaning.empty() ? bar(share) : fmt::format("{:<{}} {}", bar(share), kBarWidth, meaning);
    page.line("  {:<22} {:>9} {:>5.1f}%{}{}", name, hw::to_text(seconds), 100.0 * share,
              drawn.empty() ? "" : "  ", drawn);
}

void add_phases(Page& page, const StepReport& s) {
    page.line("");
    page.line("Where the step goes (mean over pipeline ranks)");
    const Phases& p = s.phases;
    add_phase(page, "forward and backward", p.fb, s.seconds, "overlapped");
    add_phase(page, "forward", p.f, s.seconds, "alone");
    add_phase(page, "backward", p.b, s.seconds, "alone");
    add_phase(page, "weight gradient", p.w, s.seconds, "separate");
    add_phase(page, "bubble", p.bubble, s.seconds, "");
    add_phase(page, "optimizer", p.optimizer, s.seconds, "");
    page.line("  of which the compute stream waited {} for communication",
              hw::to_text(p.exposed_communication));
}

void add_critical_path(Page& page, const RunReport& r) {
    page.line("");
    page.line("What the step waited for (critical path)");
    for (const auto& [resource, seconds] : r.critical_path.by_resource) {
        add_phase(page, label(resource), seconds, r.step.seconds, "");
    }
}

void add_memory(Page& page, const RunReport& r) {
    const auto most = std::ranges::max_element(r.memory, {}, &work::MemoryUse::total);
    if (most == r.memory.end()) {
        return;
    }
    page.line("");
    page.line("Memory            {:>8.1f} GB   of {:.0f} GB on the fullest rank",
              most->total().value() / kGiga, r.memory_capacity.value() / kGiga);
    page.line("  parameters {:.1f}, gradients {:.1f}, optimizer {:.1f}, activations {:.1f}, buffers {:.1f}, "
              "overhead {:.1f} GB",
              most->parameters.value() / kGiga, most->gradients.value() / kGiga,
              most->optimizer.value() / kGiga, most->activations.value() / kGiga,
              most->buffers.value() / kGiga, most->overhead.value() / kGiga);
    const auto rank = static_cast<std::size_t>(most - r.memory.begin());
    if (rank < r.peaks.size()) {
        page.line("  fullest is pipeline rank {}, first from {} to {}", rank, hw::to_text(r.peaks[rank].from),
                  hw::to_text(r.peaks[rank].until));
    }
}

void add_lines(Page& page, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        page.line("{}", line);
    }
}

void add_phase_table(Page& page, const CampaignReport& c) {
    page.line("  {:<28} {:>8} {:>12} {:>8}", "phase", "tokens", "GPU-hours", "days");
    for (const PhaseReport& phase : c.phases) {
        const std::string dates =
            phase.first_day ? fmt::format("   {} to {}", to_text(*phase.first_day), to_text(*phase.last_day))
                            : "";
        page.line("  {:<28} {:>8} {:>12} {:>8.1f}{}", phase.name, phase.given ? "" : count_text(phase.tokens),
                  hw::group_digits(phase.gpu_hours), phase.wall / hw::kDay, phase.given ? "   given" : dates);
    }
}

void add_campaign(Page& page, const RunReport& r) {
    if (r.campaign) {
        const CampaignReport& c = *r.campaign;
        page.line("");
        page.line("Campaign          {} tokens in {:.1f} days without interruptions", count_text(c.tokens),
                  c.wall / hw::kDay);
        const auto [low, middle, high] = r.uncertainty.uninterrupted_gpu_hours;
        page.line("  {:>13} GPU-hours            p5 to p95: {} to {}, p50 {}", hw::group_digits(c.gpu_hours),
                  hw::group_digits(low), hw::group_digits(high), hw::group_digits(middle));
        page.line("  {:>13} per trillion tokens  at the full batch",
                  hw::group_digits(c.gpu_hours_per_trillion_tokens));
        if (c.ramp_points.size() > 1) {
            page.line("  {:>13} of them while the batch grows from {} to {} sequences",
                      hw::group_digits(c.ramp_gpu_hours), hw::group_digits(c.ramp_points.front().first),
                      hw::group_digits(c.ramp_points.back().first));
        }
        if (c.first_day) {
            page.line("  {:>13} to {}", to_text(*c.first_day), to_text(*c.last_day));
        }
        if (!c.phases.empty()) {
            add_phase_table(page, c);
        }
        if (c.failures) {
            page.line("");
            add_lines(page, interruption_lines(*c.failures, r.gpus, r.uncertainty.gpu_hours));
        }
    }
    if (r.energy) {
        page.line("");
        add_lines(page, energy_lines(*r.energy));
    }
    if (r.cost) {
        page.line("");
        page.line("Cost              at {:.2f} USD per GPU-hour", (r.cost->price * hw::kHour).value());
        page.line("  {:>13} per step", money_text(r.cost->step));
        page.line("  {:>13} per trillion tokens", money_text(r.cost->per_trillion_tokens));
        if (r.cost->campaign) {
            const auto [low, middle, high] = r.uncertainty.usd;
            page.line("  {:>13} for the campaign     p5 to p95: {} to {}, p50 {}",
                      money_text(*r.cost->campaign), money_text(hw::Usd(low)), money_text(hw::Usd(high)),
                      money_text(hw::Usd(middle)));
        }
        add_lines(page, cost_item_lines(*r.cost));
    }
}

void add_uncertainty(Page& page, const RunReport& r) {
    for (const std::vector<std::string>& lines : {tornado_lines(r), sample_lines(r)}) {
        if (!lines.empty()) {
            page.line("");
            add_lines(page, lines);
        }
    }
}

/// Only where there is more to say than one class for each pipeline rank.
void add_classes(Page& page, const RunReport& r) {
    const auto apart = [](const SimulatedClass& simulated) { return !simulated.why.empty(); };
    if (r.fold.mode != "auto") {
        page.line("");
        page.line("Simulated         {} GPUs for {} (--fold={})",
                  hw::group_digits(static_cast<double>(r.fold.classes.size())), hw::group_digits(r.gpus),
                  r.fold.mode);
    }
    if (std::ranges::none_of(r.fold.classes, apart)) {
        return;
    }
    constexpr std::size_t kShown = 8;
    page.line("");
    page.line("Simulated         {} classes of GPUs; set apart from the rest of their pipeline rank:",
              r.fold.classes.size());
    std::size_t shown = 0;
    std::size_t others = 0;
    for (const SimulatedClass& simulated : r.fold.classes) {
        if (!apart(simulated)) {
            continue;
        }
        if (shown++ < kShown) {
            page.line("  rank {:>4}: {:>7} GPU{} {}", simulated.pipeline_rank,
                      hw::group_digits(simulated.gpus), simulated.gpus == 1 ? ", " : "s,", simulated.why);
        } else {
            ++others;
        }
    }
    if (others > 0) {
        page.line("  and {} more", others);
    }
}

} // namespace

std::string to_text(const RunReport& report) {
    Page page;
    page.line("{}", report.title);
    page.line("{}", cluster_text(report));
    page.line("");
    add_step(page, report);
    add_phases(page, report.step);
    add_critical_path(page, report);
    add_memory(page, report);
    add_campaign(page, report);
    add_uncertainty(page, report);
    add_classes(page, report);
    if (!report.schedule_note.empty()) {
        page.line("");
        page.line("Note: {}", report.schedule_note);
    }
    if (!report.estimates.empty()) {
        page.line("");
        page.line("Estimates, without a good source:");
        for (const std::string& figures : report.estimates) {
            page.line("  {}", figures);
        }
    }
    if (!report.extrapolated.empty()) {
        page.line("");
        page.line("Outside what was measured on this part:");
        page.line("  {}", extrapolated_text(report));
    }
    return page.take();
}

} // namespace chokepoint::sim
