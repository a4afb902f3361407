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

bool counts(const ResolvedValue& value) {
    return std::ranges::none_of(kApart,
                                [&](std::string_view prefix) { return value.key.starts_with(prefix); });
}

} // namespace

std::string step_content(const Scenario& scenario, const work::ParallelPlan& plan) {
    std::string text;
    for (const ResolvedValue& value : scenario.resolved()) {
        if (counts(value) && value.key != "plan.global_batch" && !value.key.starts_with("derived.")) {
            fmt::format_to(std::back_inserter(text), "{}={}|{}\n", value.key, value.is_text ? value.text : "",
                           value.base);
        }
    }
    // Ramps vary the batch of a plan that is otherwise the scenario's.
    return text + fmt::format("batch={} nic={}\n", plan.global_batch, scenario.cluster().node.nic.value());
}

const StepOutcome& StepCache::outcome(const Scenario& scenario, const work::ParallelPlan& plan,
                                      const std::function<StepOutcome()>& simulate) {
    const std::string key = step_content(scenario, plan);
    const auto found = outcomes_.find(key);
    return found != outcomes_.end() ? found->second : outcomes_.emplace(key, simulate()).first->second;
}

} // namespace chokepoint::sim
