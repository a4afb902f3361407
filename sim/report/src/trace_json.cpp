// SPDX-License-Identifier: Apache-2.0
// Writes a timeline as Chrome trace JSON, which ui.perfetto.dev opens.
#include <chokepoint/sim/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace chokepoint::sim {

namespace {

/// Chrome's reserved colour names, one per kind of work; Perfetto keeps them apart.
std::string_view color(const work::Task& task, const work::TaskGraph& graph) {
    if (task.kind == work::TaskKind::transfer) {
        return task.stream == work::Stream::expert_comm ? "thread_state_iowait"
                                                        : "thread_state_uninterruptible";
    }
    const std::string& name = graph.computes()[static_cast<std::size_t>(task.work)].name;
    if (name.find("(F)") != std::string::npos) {
        return "thread_state_running";
    }
    return name.find("(W)") != std::string::npos ? "rail_animation" : "rail_response";
}

const std::string& work_name(const work::Task& task, const work::TaskGraph& graph) {
    return task.kind == work::TaskKind::compute ? graph.computes()[static_cast<std::size_t>(task.work)].name
                                                : graph.transfers()[static_cast<std::size_t>(task.work)].name;
}

const SimulatedClass* class_of(int rank, const TraceOptions& options) {
    return options.fold.classes.empty() ? nullptr : &options.fold.classes[static_cast<std::size_t>(rank)];
}

bool selected(int rank, const TraceOptions& options) {
    const SimulatedClass* simulated = class_of(rank, options);
    const int pipeline_rank = simulated != nullptr ? simulated->pipeline_rank : rank;
    return options.ranks.empty() || std::ranges::find(options.ranks, pipeline_rank) != options.ranks.end();
}

/// Classes are named only where a rank has more than one.
std::string process_name(int rank, const TraceOptions& options) {
    const SimulatedClass* simulated = class_of(rank, options);
    if (simulated == nullptr) {
        return fmt::format("pipeline rank {}", rank);
    }
    const auto same_rank =
        std::ranges::count(options.fold.classes, simulated->pipeline_rank, &SimulatedClass::pipeline_rank);
    if (same_rank == 1) {
        return fmt::format("pipeline rank {}", simulated->pipeline_rank);
    }
    if (simulated->gpus == 1) {
        return fmt::format("pipeline rank {}: GPU {}{}{}", simulated->pipeline_rank,
                           simulated->representative, simulated->why.empty() ? "" : ", ", simulated->why);
    }
    return fmt::format("pipeline rank {}: {} GPUs like {}{}{}", simulated->pipeline_rank, simulated->gpus,
                       simulated->representative, simulated->why.empty() ? "" : ", ", simulated->why);
}

void append_track_names(std::string& out, int rank, const TraceOptions& options) {
    fmt::format_to(std::back_inserter(out),
                   R"({{"ph":"M","pid":{0},"name":"process_name","args":{{"name":"{1}"}}}},
{{"ph":"M","pid":{0},"name":"process_sort_index","args":{{"sort_index":{0}}}}},
)",
                   rank, process_name(rank, options));
    fmt::format_to(std::back_inserter(out),
                   R"({{"ph":"M","pid":{},"tid":0,"name":"thread_name","args":{{"name":"schedule"}}}},
)",
                   rank);
    for (int s = 0; s < work::kStreams; ++s) {
        fmt::format_to(std::back_inserter(out),
                       R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}},
)",
                       rank, s + 1, work::name(static_cast<work::Stream>(s)));
    }
}

constexpr double kMicrosecond = 1e-6;

/// In whole nanoseconds, so that a slice ends where the next begins: viewers drop slices that overlap in
/// part.
struct Slice {
    Slice(hw::Seconds from, hw::Seconds to) : start(microseconds(from)), duration(microseconds(to) - start) {}
    static double microseconds(hw::Seconds at) { return std::round(at.value() * 1e9) / 1e3; }
    double start, duration; ///< microseconds
};

void append_memory(std::string& out, const TraceOptions& options) {
    for (std::size_t rank = 0; rank < options.held.size(); ++rank) {
        if (!selected(static_cast<int>(rank), options)) {
            continue;
        }
        for (const MemoryLevel& level : options.held[rank]) {
            fmt::format_to(
                std::back_inserter(out),
                R"({{"ph":"C","pid":{},"ts":{:.3f},"name":"activations","args":{{"bytes":{:.0f}}}}},
)",
                rank, level.at.value() / kMicrosecond, level.bytes.value());
        }
    }
}

} // namespace

std::string to_trace_json(const work::TaskGraph& graph, const StepCosts& costs, const Timeline& timeline,
                          const TraceOptions& options) {
    std::string out = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
    out.reserve(graph.tasks().size() * 160);
    for (int r = 0; r < graph.ranks(); ++r) {
        if (selected(r, options)) {
            append_track_names(out, r, options);
        }
    }
    append_memory(out, options);
    for (const work::ActionSpan& span : graph.actions()) {
        if (!selected(index(span.rank), options)) {
            continue;
        }
        const Slice slice(timeline.finish[span.entry], timeline.finish[span.exit]);
        fmt::format_to(std::back_inserter(out),
                       R"({{"ph":"X","pid":{},"tid":0,"ts":{:.3f},"dur":{:.3f},"name":"{}","cat":"action"}},
)",
                       index(span.rank), slice.start, slice.duration, to_text(span.action));
    }
    std::vector<bool> critical(graph.tasks().size(), false);
    for (const PathStep& step : options.critical) {
        critical[step.task] = true;
    }
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.kind == work::TaskKind::marker || !selected(task.rank, options)) {
            continue;
        }
        const Slice slice(timeline.start[i], timeline.finish[i]);
        fmt::format_to(
            std::back_inserter(out),
            R"({{"ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},"name":"{}","cat":"{}","cname":"{}",)"
            R"("args":{{"micro_batch":{},"layer":{})",
            task.rank, static_cast<int>(task.stream) + 1, slice.start, slice.duration, work_name(task, graph),
            task.kind == work::TaskKind::compute ? "compute" : "transfer", color(task, graph),
            task.micro_batch, task.layer);
        out += critical[i] ? R"(,"critical":true)" : "";
        if (task.kind == work::TaskKind::transfer) {
            for (const hw::PortFlow& flow : costs.transfer[static_cast<std::size_t>(task.work)].flows) {
                fmt::format_to(std::back_inserter(out), R"(,"{}_bytes":{:.0f})",
                               flow.port == hw::Port::nic ? "nic" : "nvlink", flow.bytes.value());
            }
        }
        out += "}},\n";
    }
    out.erase(out.size() - 2); // the last comma
    out += "\n]}\n";
    return out;
}

} // namespace chokepoint::sim
