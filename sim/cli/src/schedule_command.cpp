// SPDX-License-Identifier: Apache-2.0
// The command `schedule`: prints, draws and writes the order of a pipeline schedule, by name or from a file.
#include "chart_output.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "result.hpp"
#include "schedule_view.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/workloads/schedule_csv.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace chokepoint::cli {

namespace {

// What a scenario may order: see the scenario loader.
constexpr std::int64_t kMaxStageMicroBatches = 1'000'000;

bool is_file(const std::string& name) { return name.ends_with(".csv"); }

/// @throws sim::ScenarioError with the file's faults at their places.
work::Schedule read_schedule(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw UsageError(fmt::format("cannot read '{}': {}", file, std::strerror(errno)));
    }
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    try {
        return work::parse_schedule_csv(text, file);
    } catch (const work::ScheduleCsvError& error) {
        std::vector<sim::Diagnostic> faults;
        for (const work::CsvFault& fault : error.faults()) {
            faults.push_back({file, fault.line, fault.column, fault.message});
        }
        throw sim::ScenarioError(std::move(faults));
    }
}

work::Schedule from_file(const ScheduleOptions& options) {
    work::Schedule schedule = read_schedule(options.name);
    const auto compare = [&](std::string_view option, const std::optional<int>& given, int found) {
        if (given && *given != found) {
            throw UsageError(fmt::format("{} {}: {} has {}; leave the option out for a file", option, *given,
                                         options.name, found));
        }
    };
    compare("--pp", options.ranks, schedule.ranks);
    compare("--micro-batches", options.micro_batches, schedule.micro_batches);
    compare("--virtual", options.virtual_stages,
            schedule.stages * schedule.replicas_per_stage / schedule.ranks);
    return schedule;
}

work::Schedule from_table(const ScheduleOptions& options) {
    const work::ScheduleKind* kind = work::find_schedule(options.name);
    if (kind == nullptr) {
        std::vector<std::string> known;
        for (const work::ScheduleKind& each : work::schedule_kinds()) {
            known.emplace_back(each.id);
        }
        known.emplace_back("a .csv file");
        throw unknown("schedule", options.name, known);
    }
    if (!options.ranks || !options.micro_batches) {
        throw UsageError(fmt::format("{} needs --pp and --micro-batches", options.name));
    }
    const work::ScheduleSize size{.ranks = *options.ranks,
                                  .micro_batches = *options.micro_batches,
                                  .virtual_stages = options.virtual_stages.value_or(1),
                                  .group = options.group};
    const std::int64_t passes =
        std::int64_t{size.ranks} * size.micro_batches * std::max(1, size.virtual_stages);
    if (passes > kMaxStageMicroBatches) {
        throw UsageError(
            fmt::format("{} ranks x {} micro-batches x {} virtual stages: expected at most {} in all",
                        size.ranks, size.micro_batches, size.virtual_stages, kMaxStageMicroBatches));
    }
    if (const std::string fault = kind->fault(size); !fault.empty()) {
        throw UsageError(fault);
    }
    return kind->make(size);
}

work::ActionTimes times_of(const ScheduleOptions& options) {
    if (options.times.empty()) {
        return {};
    }
    const auto fits = [](double t) { return t > 0.0 && t <= 1e6; };
    if (options.times.size() != 3 || !std::ranges::all_of(options.times, fits)) {
        throw UsageError(
            fmt::format("--times {}: expected three numbers above 0 and at most 1e6: forward, input "
                        "gradient and weight gradient of a stage",
                        fmt::join(options.times, ",")));
    }
    const double forward = options.times[0];
    const double input = options.times[1];
    const double weight = options.times[2];
    return {forward, input, weight, forward + input + weight};
}

/// "9", or "8 to 12" where ranks differ.
template <typename Number> std::string range_text(const std::vector<Number>& values) {
    const auto [least, most] = std::ranges::minmax(values);
    const std::string low = fmt::format("{:.6g}", double(least));
    const std::string high = fmt::format("{:.6g}", double(most));
    return low == high ? low : fmt::format("{} to {}", low, high);
}

std::vector<double> bubbles(const work::UnitTimeline& line) {
    std::vector<double> list;
    for (std::size_t rank = 0; rank < line.busy.size(); ++rank) {
        list.push_back(line.bubble(rank));
    }
    return list;
}

std::string text_of(const work::Schedule& schedule, const work::UnitTimeline& line,
                    const work::ActionTimes& times) {
    std::string out = fmt::format(
        "{}: {} ranks, {} stages{}, {} micro-batches\n\n", schedule.id, schedule.ranks, schedule.stages,
        schedule.replicas_per_stage == 1 ? "" : fmt::format(" on {} ranks each", schedule.replicas_per_stage),
        schedule.micro_batches);
    out += schedule_rows(schedule, line, times);
    out += fmt::format(
        "\nF forward, B backward, I input gradient, W weight gradient, & overlapped; lower case: "
        "{}\nTimes     F {}, I {}, W {}, B {}, F&B {}\nStep      {:.6g}\nBubble    {:.1f}% of all "
        "ranks' time; {} on a rank\nIn flight {} micro-batches x stages at most, on a rank\n",
        schedule.replicas_per_stage == 1 ? "the rank's other stages" : "the other direction", times.forward,
        times.input, times.weight, times.backward(), times.overlapped, line.makespan,
        100.0 * line.bubble_share(), range_text(bubbles(line)), range_text(work::peak_in_flight(schedule)));
    if (!schedule.note.empty()) {
        out += fmt::format("Note      {}\n", schedule.note);
    }
    return out;
}

Json json_of(const work::Schedule& schedule, const work::UnitTimeline& line, const work::ActionTimes& times,
             const Common& common) {
    const std::vector<int> peaks = work::peak_in_flight(schedule);
    Json ranks = Json::array();
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        Json actions = Json::array();
        for (std::size_t i = 0; i < schedule.order[rank].size(); ++i) {
            const work::Action& action = schedule.order[rank][i];
            actions.push_back({{"action", work::csv_cell(action)},
                               {"start", line.start[rank][i]},
                               {"end", line.start[rank][i] + times.of(action.kind)}});
        }
        ranks.push_back({{"bubble", line.bubble(rank)},
                         {"peak_in_flight", peaks[rank]},
                         {"actions", std::move(actions)}});
    }
    return {{"schema", "chokepoint/schedule/1"},
            {"program", program_json(hw::Catalog::load(common.catalog_directories).content_hash())},
            {"schedule",
             {{"id", schedule.id},
              {"ranks", schedule.ranks},
              {"stages", schedule.stages},
              {"micro_batches", schedule.micro_batches},
              {"replicas_per_stage", schedule.replicas_per_stage},
              {"note", schedule.note}}},
            {"times",
             {{"forward", times.forward},
              {"input", times.input},
              {"weight", times.weight},
              {"overlapped", times.overlapped}}},
            {"makespan", line.makespan},
            {"bubble_share", line.bubble_share()},
            {"ranks", std::move(ranks)}};
}

} // namespace

int schedule_command(const ScheduleOptions& options, const Common& common) {
    const std::array outputs{options.csv, common.json, options.charts.svg, options.charts.png,
                             options.charts.description};
    const auto to_stdout = std::ranges::count(outputs, "-");
    if (to_stdout > 1) {
        throw UsageError("only one of --csv, --json, --svg, --png and --chart can go to standard output");
    }
    const work::ActionTimes times = times_of(options);
    const work::Schedule schedule = is_file(options.name) ? from_file(options) : from_table(options);
    ChartOutput charts(options.charts);
    const auto csv = options.csv.empty() ? nullptr : std::make_unique<OutputFile>(options.csv);
    const work::UnitTimeline line = work::unit_timeline(schedule, times);
    charts.write(schedule_chart(schedule, line, times));
    if (csv) {
        csv->commit(work::to_csv(schedule));
    }
    emit(common, common.json.empty() ? Json() : json_of(schedule, line, times, common),
         to_stdout > 0 ? "" : text_of(schedule, line, times));
    return kFine;
}

} // namespace chokepoint::cli
