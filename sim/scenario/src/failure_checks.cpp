// SPDX-License-Identifier: Apache-2.0
// What [reliability] says together with the cluster and the model: how often the job fails, what a checkpoint
// saves, and whether the run ends at all.
#include "reading.hpp"

#include <chokepoint/workloads/memory.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

bool given(const Reading& reading, std::string_view key) {
    return reading.slot(fmt::format("reliability.{}", key)).given;
}

/// Master weights and moments, once: all that training cannot compute again.
hw::Bytes state_bytes(const Draft& draft) {
    work::ParallelPlan plan = draft.plan;
    plan.zero = std::max(plan.zero, 1); // sharded, every copy counts once
    hw::Bytes sum;
    for (const work::MemoryUse& use : work::memory_per_rank(draft.model, plan, work::make_schedule(plan))) {
        sum += use.optimizer;
    }
    return sum * static_cast<double>(draft.gpus() / plan.pipeline);
}

// Less than a quarter of an hour of progress a day: a judgement of what nobody would wait for.
constexpr double kHopeless = 0.01;

void check_end(Reading& reading, const FailureSettings& failures) {
    const Draft& draft = reading.draft;
    const Job job{static_cast<int>(draft.gpus()), draft.nodes, hw::kDay};
    const double goodput = long_run_goodput(failures.process, job);
    if (goodput >= kHopeless) {
        return;
    }
    const FailureCost cost = expected_cost(failures.process, {job.gpus, job.nodes, hw::Seconds()});
    reading.fault(
        given(reading, "gpu_mtbf") ? "reliability.gpu_mtbf" : "reliability.record",
        fmt::format("the run never ends: {} GPUs fail every {}, a restart takes {}, and {} of work lie "
                    "between checkpoints of {}; expected progress per day: {}",
                    job.gpus, to_text(cost.mtbf), to_text(failures.process.restart), to_text(cost.interval),
                    to_text(failures.process.checkpoint), to_text(goodput * hw::kDay)));
}

} // namespace

void check_reliability(Reading& reading) {
    const bool any = std::ranges::any_of(reading.slots(), [](const Slot& slot) {
        return slot.given && slot.sound && slot.key->path.starts_with("reliability.");
    });
    if (!any) {
        return;
    }
    const Place place = reading.section_place("reliability");
    if (given(reading, "record") == given(reading, "gpu_mtbf")) {
        reading.fault(place,
                      fmt::format("{} of record and gpu_mtbf; expected one, to say how often GPUs fail",
                                  given(reading, "record") ? "both" : "none"));
    }
    if (given(reading, "checkpoint_time") == given(reading, "storage_bandwidth")) {
        reading.fault(place,
                      fmt::format("{} of checkpoint_time and storage_bandwidth; expected one, to say what "
                                  "a checkpoint takes",
                                  given(reading, "checkpoint_time") ? "both" : "none"));
    }
    ReliabilityDraft& draft = reading.draft.reliability;
    if (draft.record && !given(reading, "gpu_mtbf")) {
        const auto& records = reading.library.economics.failures;
        const auto found = std::ranges::find(records, *draft.record, &hw::FailureRecord::id);
        reading.derive("reliability.gpu_mtbf", to_value(found->gpu_mtbf),
                       cite(found->id, found->citations, "gpu_mtbf"), Origin::catalog);
    }
    draft.asked = true;
}

void check_failures(Reading& reading) {
    const ReliabilityDraft& draft = reading.draft.reliability;
    if (!draft.asked) {
        return;
    }
    FailureSettings failures;
    failures.state = state_bytes(reading.draft);
    failures.process = {.gpu_mtbf = *draft.gpu_mtbf,
                        .checkpoint = draft.checkpoint_time ? *draft.checkpoint_time
                                                            : failures.state / *draft.storage_bandwidth,
                        .restart = draft.restart,
                        .interval = draft.checkpoint_interval,
                        .spares = draft.spares,
                        .repair = draft.repair,
                        .slow_hosts = draft.slow_hosts,
                        .slow_speed = draft.slow_host_speed};
    failures.trials = draft.trials;
    failures.seed = static_cast<std::uint64_t>(draft.seed);
    reading.derive(
        "reliability.checkpoint_time", to_value(failures.process.checkpoint),
        draft.checkpoint_time
            ? reading.slot("reliability.checkpoint_time").where
            : fmt::format("{} of master weights and moments / storage_bandwidth", to_text(failures.state)),
        draft.checkpoint_time ? reading.slot("reliability.checkpoint_time").origin : Origin::derived);
    check_end(reading, failures);
    reading.draft.failures = failures;
}

} // namespace chokepoint::sim::loader
