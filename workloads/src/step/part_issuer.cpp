// SPDX-License-Identifier: Apache-2.0
// Keeps streams in order, and notes which kernels are a block's own and how far members have drifted apart.
#include "part_issuer.hpp"

namespace chokepoint::work {

LocalId PartIssuer::issue(Stream stream, TaskKind kind, Side side, const Block& block, WorkIndex work,
                          std::span<const LocalId> after) {
    Task task;
    task.kind = kind;
    task.stream = stream;
    task.layer = static_cast<std::int16_t>(block.layer);
    task.work = work;
    tasks_.tasks.push_back({task, side});
    const auto id = static_cast<LocalId>(tasks_.tasks.size());
    LocalId& previous = last_[static_cast<std::size_t>(stream)];
    if (previous != kEntry) {
        tasks_.edges.emplace_back(previous, id);
    }
    for (const LocalId wanted : after) {
        if (wanted != previous) {
            tasks_.edges.emplace_back(wanted, id);
        }
    }
    if (previous == kEntry && after.empty()) {
        tasks_.edges.emplace_back(kEntry, id);
    }
    previous = id;
    return id;
}

PartIssuer::PartEnds PartIssuer::run(const Block& block, Part part, Side side, hw::Occupancy occupancy,
                                     const Ends& after, Stream stream) {
    const PartWorks& works = works_.part(block, part, occupancy);
    if (works.empty()) {
        return {after, after};
    }
    drift(block, part, side, works.runs);
    std::vector<LocalId> flying(works.transfers.size(), kEntry);
    Ends ready = after; // what the next run waits for
    Ends output;
    for (std::size_t done = 0; done <= works.runs.size(); ++done) {
        Ends waits = ready;
        for (std::size_t t = 0; t < works.transfers.size(); ++t) {
            const PartWorks::Transfer& transfer = works.transfers[t];
            if (transfer.after == done) {
                flying[t] = issue(transfer.stream, TaskKind::transfer, side, block, transfer.work, ready);
            }
            if (transfer.until == done) {
                waits.push_back(flying[t]);
            } else if (transfer.until == PartWorks::kOutput && done == works.runs.size()) {
                output.push_back(flying[t]);
            }
        }
        ready = waits;
        if (done < works.runs.size()) {
            ready = {issue(stream, TaskKind::compute, side, block, works.runs[done], waits)};
            note_use(side, part, ready.front());
        }
    }
    output.insert(output.end(), ready.begin(), ready.end());
    return {ready, output};
}

void PartIssuer::open_use(const Block& block, Side side, bool reads_weights) {
    use_[static_cast<std::size_t>(side)] = tasks_.uses.size();
    tasks_.uses.push_back({.block = block, .side = side, .reads_weights = reads_weights});
}

void PartIssuer::note_use(Side side, Part part, LocalId kernel) {
    ActionTasks::Use& use = tasks_.uses.at(use_[static_cast<std::size_t>(side)]);
    use.first = use.first == kEntry ? kernel : use.first;
    use.last = kernel;
    if (part == Part::ffn_weight_gradient || part == Part::attention_weight_gradient) {
        use.weights_done = kernel;
    }
}

void PartIssuer::drift(const Block& block, Part part, Side side, const std::vector<WorkIndex>& runs) {
    if (works_.routed(block)) {
        if (part == Part::ffn_forward) {
            since_wait_.push_back(runs);
        } else if (part == Part::ffn_backward) {
            backward_draw_ = since_wait_.size();
            since_wait_.push_back(runs);
        } else if (part == Part::ffn_weight_gradient && backward_draw_ < since_wait_.size()) {
            Draws::value_type& draw = since_wait_[backward_draw_];
            draw.insert(draw.end(), runs.begin(), runs.end());
        }
    }
    if (part != Part::ffn_weight_gradient && part != Part::attention_weight_gradient) {
        drift_[static_cast<std::size_t>(side)] = since_wait_;
    }
}

Ends PartIssuer::transfer(const Block& block, TransferKind kind, std::string_view name, Side side,
                          bool beside, const Ends& after) {
    const WorkIndex work = works_.expert_transfer(kind, name, beside, drift_[static_cast<std::size_t>(side)]);
    if (!beside) {
        since_wait_.clear();
        drift_ = {};
    }
    return {issue(Stream::expert_comm, TaskKind::transfer, side, block, work, after)};
}

LocalId PartIssuer::host_copy(const Block& block, hw::Bytes bytes, Side side, const Ends& after) {
    const bool leaves = side == Side::forward;
    return issue(leaves ? Stream::host_out : Stream::host_in, TaskKind::transfer, side, block,
                 works_.host_transfer(TransferKind::host_copy, leaves ? "offload" : "reload", bytes), after);
}

ActionTasks PartIssuer::take() {
    for (const LocalId task : last_) {
        if (task != kEntry) {
            tasks_.last.push_back(task);
        }
    }
    return std::move(tasks_);
}

} // namespace chokepoint::work
