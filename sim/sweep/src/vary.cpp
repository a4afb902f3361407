// SPDX-License-Identifier: Apache-2.0
// The values that are worth trying of each key of a plan.
#include <chokepoint/sim/optimize.hpp>

#include <chokepoint/workloads/schedule.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace chokepoint::sim {
namespace {

std::string joined(const std::vector<std::int64_t>& values) {
    return fmt::format("{}", fmt::join(values, ","));
}

std::string divisors(std::int64_t of, std::int64_t most) {
    std::vector<std::int64_t> values;
    for (std::int64_t d = 1; d <= std::min(of, most); ++d) {
        if (of % d == 0) {
            values.push_back(d);
        }
    }
    return joined(values);
}

std::string powers_of_two(std::int64_t most) {
    std::vector<std::int64_t> values;
    for (std::int64_t v = 1; v <= most; v *= 2) {
        values.push_back(v);
    }
    return joined(values);
}

std::string schedules() {
    std::vector<std::string_view> names;
    for (const work::ScheduleKind& kind : work::schedule_kinds()) {
        names.push_back(kind.id);
    }
    return fmt::format("{}", fmt::join(names, ","));
}

/// The stages that go with each of schedules(): the scenario's where a schedule takes as many as it is asked
/// for, or two; the others' own.
std::string stages_of_schedules(const Scenario& given) {
    constexpr int kRanks = 4, kMicroBatches = 8;
    std::vector<std::int64_t> stages;
    for (const work::ScheduleKind& kind : work::schedule_kinds()) {
        const bool asks = !kind.fault({kRanks, kMicroBatches, 1}).empty();
        stages.push_back(asks ? std::max(2, given.plan().virtual_stages) : 1);
    }
    return joined(stages);
}

/// From nothing kept back to everything; arXiv 2205.05198 and 2412.19437, 3.2.3, name the steps between.
std::string recomputation(const Scenario& given) {
    std::string values = R"([],["norm","activation"],)";
    if (given.model().attention.kind == work::AttentionKind::mla) {
        values += R"(["norm","attention_up_projection","activation"],)";
    }
    return values + R"(["core_attention"],["layer"])";
}

constexpr std::int64_t kMostStages = 64;       // deeper pipelines than any that is published
constexpr std::int64_t kMostContext = 16;      // likewise for sequences of usual length
constexpr std::int64_t kMostMicroBatch = 16;   // sequences
constexpr std::int64_t kMostVirtualStages = 8; // of one rank

struct Room {
    std::string_view key;
    std::string (*values)(const Scenario&);
};

constexpr std::array kRooms{
    Room{"plan.pipeline",
         [](const Scenario& s) {
             return divisors(s.cluster().gpus(), std::min<std::int64_t>(s.model().layers, kMostStages));
         }},
    Room{"plan.tensor",
         [](const Scenario& s) { return divisors(s.cluster().node.gpus, s.cluster().node.gpus); }},
    Room{"plan.context", [](const Scenario&) { return powers_of_two(kMostContext); }},
    Room{"plan.expert",
         [](const Scenario& s) {
             const std::int64_t experts = std::max(1, s.model().moe.experts);
             return divisors(experts, experts);
         }},
    Room{"plan.schedule", [](const Scenario&) { return schedules(); }},
    Room{"plan.virtual_stages", [](const Scenario&) { return powers_of_two(kMostVirtualStages); }},
    Room{"plan.micro_batch", [](const Scenario&) { return powers_of_two(kMostMicroBatch); }},
    Room{"plan.zero", [](const Scenario&) { return std::string("0,1,2,3"); }},
    Room{"plan.recompute", recomputation},
    Room{"plan.sequence_parallel", [](const Scenario&) { return std::string("true,false"); }},
    Room{"plan.overlap", [](const Scenario&) { return std::string("true,false"); }},
    Room{"plan.overlap_gradients", [](const Scenario&) { return std::string("true,false"); }},
    Room{"plan.overlap_parameters", [](const Scenario&) { return std::string("true,false"); }},
    Room{"plan.overlap_tensor", [](const Scenario&) { return std::string("true,false"); }},
    Room{"plan.overlap_input_gradient", [](const Scenario&) { return std::string("true,false"); }},
};

} // namespace

std::vector<Axis> vary_axes(const ScenarioTemplate& source, const Scenario& given,
                            const std::vector<std::string>& texts) {
    constexpr std::string_view kStages = "plan.virtual_stages";
    const bool stages_vary =
        std::ranges::any_of(texts, [&](const std::string& text) { return text.starts_with(kStages); });
    std::vector<Axis> axes;
    for (const std::string& text : texts) {
        axes.push_back(text == "plan.schedule" && !stages_vary
                           ? source.axis(fmt::format("plan.schedule={}; {}={}", schedules(), kStages,
                                                     stages_of_schedules(given)),
                                         "--vary")
                           : vary_axis(source, given, text));
    }
    return axes;
}

Axis vary_axis(const ScenarioTemplate& source, const Scenario& given, const std::string& text) {
    if (text.find('=') != std::string::npos) {
        return source.axis(text, "--vary");
    }
    const auto room = std::ranges::find(kRooms, std::string_view(text), &Room::key);
    if (room == kRooms.end()) {
        const auto now = std::ranges::find(given.resolved(), text, &ResolvedValue::key);
        if (now == given.resolved().end()) {
            (void)source.axis(text + "=0", "--vary"); // refuses what is no key, with a suggestion
        }
        std::vector<std::string_view> keys;
        std::ranges::transform(kRooms, std::back_inserter(keys), &Room::key);
        throw std::invalid_argument(
            fmt::format("{}: say which values to try, as in {}=a,b; they are known of {}", text, text,
                        fmt::join(keys, ", ")));
    }
    return source.axis(fmt::format("{}={}", text, room->values(given)), "--vary");
}

} // namespace chokepoint::sim
