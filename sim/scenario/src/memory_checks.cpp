// SPDX-License-Identifier: Apache-2.0
// Refuses a plan that does not fit the GPU's memory, and says which small changes would make it fit.
#include "reading.hpp"

#include <chokepoint/workloads/layer.hpp>
#include <chokepoint/workloads/memory.hpp>
#include <chokepoint/workloads/rank_layout.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace chokepoint::sim::loader {
namespace {

using work::MemoryUse;
using work::ParallelPlan;

std::vector<MemoryUse> memory_of(const Draft& draft, const ParallelPlan& plan) {
    return work::memory_per_rank(draft.model, plan, work::make_schedule(plan));
}

/// The fullest rank's.
std::vector<MemoryUse>::const_iterator fullest(const std::vector<MemoryUse>& ranks) {
    return std::ranges::max_element(ranks, {}, &MemoryUse::total);
}

/// A change of the plan that saves memory.
struct Remedy {
    std::string text; ///< as the scenario would say it
    std::string cost;
    ParallelPlan plan;
};

/// From free to dear: what is shared out costs a transfer that mostly exists already, modules cost little
/// arithmetic, whole layers a third more, smaller micro-batches and wider groups efficiency.
std::vector<Remedy> remedies(const Draft& draft) {
    std::vector<Remedy> found;
    const ParallelPlan& plan = draft.plan;
    const auto add = [&](std::string text, std::string cost,
                         const std::function<void(ParallelPlan&)>& change) {
        ParallelPlan changed = plan;
        change(changed);
        if (changed != plan) {
            found.push_back({std::move(text), std::move(cost), std::move(changed)});
        }
    };
    if (plan.zero == 0) {
        add("zero = 1", "gathers updated parameters", [](ParallelPlan& p) { p.zero = 1; });
    }
    add("recompute norm and activation", "a few streaming kernels again",
        [](ParallelPlan& p) { p.recompute.norm = p.recompute.activation = true; });
    if (draft.model.attention.kind == work::AttentionKind::mla) {
        add("recompute norm, activation and attention_up_projection", "two projections of each layer again",
            [](ParallelPlan& p) {
                p.recompute.norm = p.recompute.activation = p.recompute.attention_up_projection = true;
            });
    }
    const bool mirrored = plan.schedule == "dualpipe";
    if (plan.zero < 2 && !mirrored) {
        add("zero = 2", "reduces gradients after every micro-batch", [](ParallelPlan& p) { p.zero = 2; });
    }
    add("recompute layer", "every forward again, a third more arithmetic", [](ParallelPlan& p) {
        p.recompute.layer = true;
        p.recompute_layers = 0;
    });
    if (plan.zero < 3 && !mirrored) {
        add("zero = 3", "gathers parameters in every forward and backward",
            [](ParallelPlan& p) { p.zero = 3; });
    }
    if (plan.micro_batch > 1) {
        const int half = plan.micro_batch / 2;
        if (plan.global_batch % (plan.data * half) == 0) {
            add(fmt::format("micro_batch = {}", half), "smaller matrix products",
                [half](ParallelPlan& p) { p.micro_batch = half; });
        }
    }
    if (plan.data % 2 == 0) {
        if (draft.model.moe.experts % (2 * plan.expert) == 0 && draft.model.moe.experts > 0 &&
            plan.data * plan.tensor * plan.context % (2 * plan.expert * plan.expert_tensor) == 0) {
            add(fmt::format("expert = {}", 2 * plan.expert), "tokens travel further",
                [](ParallelPlan& p) { p.expert *= 2; });
        }
        add(fmt::format("pipeline = {}", 2 * plan.pipeline), "a larger bubble", [](ParallelPlan& p) {
            p.pipeline *= 2;
            p.data /= 2;
            p.split.clear();
        });
        add(fmt::format("tensor = {}", 2 * plan.tensor), "twice the tensor-parallel transfers per FLOP",
            [](ParallelPlan& p) {
                p.tensor *= 2;
                p.data /= 2;
            });
    }
    return found;
}

/// A remedy and the fullest rank under it.
struct Fitting {
    Remedy remedy;
    MemoryUse use;
};

/// The first two that fit.
std::vector<Fitting> remedies_that_fit(const Draft& draft, hw::Bytes capacity) {
    std::vector<Fitting> fitting;
    for (Remedy& remedy : remedies(draft)) {
        if (fitting.size() == 2) {
            break;
        }
        try {
            const work::RankLayout divides(remedy.plan, draft.gpus_per_node);
            if (remedy.plan.micro_batches() < 1 ||
                !work::schedule_fault(remedy.plan, remedy.plan.micro_batches()).empty()) {
                continue;
            }
            const std::vector<MemoryUse> ranks = memory_of(draft, remedy.plan);
            if (fullest(ranks)->total() <= capacity) {
                fitting.push_back({std::move(remedy), *fullest(ranks)});
            }
        } catch (const std::invalid_argument&) {
            continue; // the change does not fit the model or the groups
        }
    }
    return fitting;
}

std::string advice_text(const std::vector<Fitting>& fitting) {
    if (fitting.empty()) {
        return "no single change that we know makes it fit; combine several";
    }
    std::vector<std::string> texts;
    for (const Fitting& fit : fitting) {
        texts.push_back(
            fmt::format("{} ({}; {})", fit.remedy.text, to_text(fit.use.total()), fit.remedy.cost));
    }
    return fmt::format("would fit with {}", fmt::join(texts, ", or with "));
}

/// What the fullest rank holds by kind: as planned, and under each remedy.
std::string memory_table(const MemoryUse& planned, const std::vector<Fitting>& fitting) {
    std::vector<std::string> names{"as planned"};
    std::vector<MemoryUse> uses{planned};
    for (const Fitting& fit : fitting) {
        names.push_back("with " + fit.remedy.text);
        uses.push_back(fit.use);
    }
    const std::size_t width = std::ranges::max(names, {}, &std::string::size).size();
    std::string table = fmt::format("  {:{}}", "", width);
    for (const std::string_view kind :
         {"parameters", "gradients", "optimizer", "activations", "buffers", "overhead", "all"}) {
        table += fmt::format(" {:>11}", kind);
    }
    for (std::size_t i = 0; i < uses.size(); ++i) {
        table += fmt::format("\n  {:{}}", names[i], width);
        for (const hw::Bytes bytes :
             {uses[i].parameters, uses[i].gradients, uses[i].optimizer, uses[i].activations, uses[i].buffers,
              uses[i].overhead, uses[i].total()}) {
            table += fmt::format(" {:>11}", to_text(bytes));
        }
    }
    return table;
}

} // namespace

void check_memory(Reading& reading) {
    const Draft& draft = reading.draft;
    std::vector<MemoryUse> ranks;
    try {
        ranks = memory_of(draft, draft.plan);
    } catch (const std::invalid_argument& error) { // a stage without blocks
        reading.fault(draft.plan.split.empty() ? "plan.pipeline" : "plan.split", error.what());
        return;
    }
    const auto most = fullest(ranks);
    const hw::Bytes capacity = reading.library.catalog.find_gpu(draft.gpu)->memory;
    if (most == ranks.end() || most->total() <= capacity) {
        return;
    }
    Diagnostic refusal =
        at(reading.section_place("plan"),
           fmt::format("the plan needs {} on pipeline rank {}, more than the {} of {}",
                       to_text(most->total()), most - ranks.begin(), to_text(capacity), draft.gpu));
    if (reading.library.remedies) {
        const std::vector<Fitting> fitting = remedies_that_fit(draft, capacity);
        refusal.message += "; " + advice_text(fitting);
        refusal.table = memory_table(*most, fitting);
    }
    std::vector<Diagnostic>& to = draft.enforce_memory ? reading.faults : reading.warnings;
    to.push_back(std::move(refusal));
}

} // namespace chokepoint::sim::loader
