// SPDX-License-Identifier: Apache-2.0
// Names a configuration by its content.
#include <chokepoint/sim/step_cache.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace chokepoint::sim {
namespace {

// Sections and keys that no step depends on. A new section counts until it is listed here.
constexpr std::array<std::string_view, 7> kApart{"title", "question", "campaign.",      "reliability.",
                                                 "cost.", "energy.",  "campaign.phase["};

// A point of a sweep builds one for each batch of its ramp; DeepSeek-V3's have 145,000 tasks, 10 MB.
constexpr std::size_t kKept = 4;
constexpr std::size_t kLargestKept = 500'000;

bool counts(const ResolvedValue& value) {
    // A derived number follows from the others; a derived text is the digest of files that one of them names.
    if (value.key.starts_with("derived.") && !value.is_text) {
        return false;
    }
    return std::ranges::none_of(kApart,
                                [&](std::string_view prefix) { return value.key.starts_with(prefix); });
}

} // namespace

std::string step_content(const Scenario& scenario, const work::ParallelPlan& plan) {
    std::string text;
    for (const ResolvedValue& value : scenario.resolved()) {
        if (counts(value) && value.key != "plan.global_batch") {
            fmt::format_to(std::back_inserter(text), "{}={}|{}\n", value.key, value.is_text ? value.text : "",
                           value.base);
        }
    }
    // Ramps vary the batch of a plan that is otherwise the scenario's.
    return text + fmt::format("batch={} nic={}\n", plan.global_batch, scenario.cluster().node.nic.value());
}

work::TaskGraph StepCache::graph(const Scenario& scenario, const work::ParallelPlan& plan,
                                 const work::Schedule& schedule) {
    const int node = scenario.cluster().node.gpus;
    const auto same = std::ranges::find_if(built_, [&](const Built& built) {
        return built.gpus_per_node == node && built.plan == plan && built.model == scenario.model() &&
               built.schedule == schedule;
    });
    if (same != built_.end()) {
        return same->graph;
    }
    work::TaskGraph graph = work::build_step(scenario.model(), plan, schedule, node);
    if (graph.tasks().size() <= kLargestKept) {
        if (built_.size() == kKept) {
            built_.pop_front();
        }
        built_.push_back({scenario.model(), plan, schedule, node, graph});
    }
    return graph;
}

const StepOutcome& StepCache::outcome(const Scenario& scenario, const work::ParallelPlan& plan,
                                      const std::function<StepOutcome()>& simulate) {
    const std::string key = step_content(scenario, plan);
    const auto found = outcomes_.find(key);
    return found != outcomes_.end() ? found->second : outcomes_.emplace(key, simulate()).first->second;
}

} // namespace chokepoint::sim
