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

/// Nine of ten published peaks are predicted to so much (docs/validation.md): a plan beyond the capacity by
/// less may fit.
constexpr double kKnownTo = 0.054;

/// A choice of training software that the scenario leaves open, and its value that needs the least memory.
struct OpenChoice {
    std::string_view key;
    std::string text;
    void (*choose)(ParallelPlan&);
};

std::vector<OpenChoice> open_choices(const Reading& reading) {
    const ParallelPlan& plan = reading.draft.plan;
    std::vector<OpenChoice> open;
    const auto add = [&](bool saves, std::string_view key, std::string text, void (*choose)(ParallelPlan&)) {
        if (saves && !reading.slot(key).given) {
            open.push_back({key, std::move(text), choose});
        }
    };
    using work::Precision;
    const bool quantised = plan.precision == Precision::fp8_tensor ||
                           plan.precision == Precision::fp8_delayed || plan.precision == Precision::mxfp8 ||
                           plan.precision == Precision::nvfp4;
    add(plan.gradient_dtype != hw::DType::bf16 && plan.gradient_dtype != hw::DType::fp16,
        "plan.gradient_dtype", "gradient_dtype bf16",
        [](ParallelPlan& p) { p.gradient_dtype = hw::DType::bf16; });
    add(quantised && plan.parameter_dtype != hw::DType::fp8, "plan.parameter_dtype", "parameter_dtype fp8",
        [](ParallelPlan& p) { p.parameter_dtype = hw::DType::fp8; });
    add(plan.cross_entropy != work::CrossEntropy::fused, "plan.cross_entropy", "cross_entropy fused",
        [](ParallelPlan& p) { p.cross_entropy = work::CrossEntropy::fused; });
    add(plan.attention_kernel == work::AttentionKernel::unfused, "plan.attention_kernel",
        "attention_kernel fused", [](ParallelPlan& p) { p.attention_kernel = work::AttentionKernel::fused; });
    add(plan.zero == 0, "plan.zero", "zero 1", [](ParallelPlan& p) { p.zero = 1; });
    add(plan.tensor > 1 && !plan.sequence_parallel, "plan.sequence_parallel", "sequence_parallel true",
        [](ParallelPlan& p) { p.sequence_parallel = true; });
    return open;
}

/// Why a plan that needs more than the capacity may fit all the same; empty: it cannot.
std::string may_fit(const Reading& reading, hw::Bytes planned, hw::Bytes capacity) {
    const hw::Bytes at_most = capacity * (1.0 + kKnownTo);
    if (planned <= at_most) {
        return fmt::format("peaks are known to {:.0f}%, so it may fit", 100.0 * kKnownTo);
    }
    ParallelPlan lean = reading.draft.plan;
    std::vector<std::string> chosen;
    for (const OpenChoice& choice : open_choices(reading)) {
        choice.choose(lean);
        chosen.push_back(choice.text);
        if (const hw::Bytes needed = fullest(memory_of(reading.draft, lean))->total(); needed <= at_most) {
            return fmt::format("the scenario leaves open what would make it fit{}: {} with {}",
                               needed <= capacity ? ""
                                                  : fmt::format(", to the {:.0f}% that peaks are known to",
                                                                100.0 * kKnownTo),
                               to_text(needed), fmt::join(chosen, ", "));
        }
    }
    return {};
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
    if (reading.library.remedies && draft.enforce_memory) {
        if (const std::string why = may_fit(reading, most->total(), capacity); !why.empty()) {
            refusal.message += "; " + why;
            reading.warnings.push_back(std::move(refusal));
            return;
        }
    }
    if (reading.library.remedies) {
        const std::vector<Fitting> fitting = remedies_that_fit(draft, capacity);
        refusal.message += "; " + advice_text(fitting);
        refusal.table = memory_table(*most, fitting);
    }
    std::vector<Diagnostic>& to = draft.enforce_memory ? reading.faults : reading.warnings;
    to.push_back(std::move(refusal));
}

} // namespace chokepoint::sim::loader
