// SPDX-License-Identifier: Apache-2.0
// Names works as the published trace does and finds equal ones.
#include "work_table.hpp"

#include <chokepoint/hwmodels/host_launch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>

namespace chokepoint::work {

namespace {

const KernelSequence& kernels_of(const BlockKernels& kernels, Part part) {
    switch (part) {
    case Part::attention_forward:
        return kernels.attention_forward;
    case Part::ffn_forward:
        return kernels.ffn_forward;
    case Part::ffn_forward_again:
        return kernels.ffn_forward_again;
    case Part::ffn_backward:
        return kernels.ffn_backward;
    case Part::ffn_weight_gradient:
        return kernels.ffn_weight_gradient;
    case Part::attention_backward:
        return kernels.attention_backward;
    case Part::attention_weight_gradient:
        return kernels.attention_weight_gradient;
    case Part::input_norm_backward:
        return kernels.input_norm_backward;
    case Part::gradient_payload:
        return kernels.gradient_payload;
    }
    throw std::logic_error(fmt::format("block part {} has no operators", static_cast<int>(part)));
}

bool is_ffn(Part part) {
    return part == Part::ffn_forward || part == Part::ffn_forward_again || part == Part::ffn_backward ||
           part == Part::ffn_weight_gradient;
}

char phase_letter(Part part) {
    switch (part) {
    case Part::attention_forward:
    case Part::ffn_forward:
    case Part::ffn_forward_again:
        return 'F';
    case Part::attention_backward:
    case Part::gradient_payload:
    case Part::input_norm_backward:
    case Part::ffn_backward:
        return 'B';
    default:
        return 'W';
    }
}

/// "attn(F)", "mlp(W)" as in DeepSeek's published profile of an overlapped pair; blocks that are no layer by
/// their kind.
std::string work_name(BlockKind kind, Part part) {
    if (part == Part::gradient_payload) {
        return "payload(B)";
    }
    switch (kind) {
    case BlockKind::embedding:
        return fmt::format("embedding({})", phase_letter(part));
    case BlockKind::head:
        return fmt::format("head({})", phase_letter(part));
    case BlockKind::mtp_projection:
        return fmt::format("mtp({})", phase_letter(part));
    case BlockKind::dense_layer:
    case BlockKind::moe_layer:
        return fmt::format("{}({})", is_ffn(part) ? "mlp" : "attn", phase_letter(part));
    }
    throw std::logic_error(fmt::format("block kind {} has no name", static_cast<int>(kind)));
}

/// The class of the operator with most arithmetic; where none computes, of the one that moves most.
hw::KernelClass representative(const std::vector<hw::Operator>& operators) {
    const auto weight = [](const hw::Operator& op) {
        return std::tuple(hw::arithmetic(op).value(), (op.read + op.written).value());
    };
    return operators.empty() ? hw::KernelClass::gemm
                             : std::ranges::max_element(operators, {}, weight)->kernel;
}

/// Gate, top-k and their backward.
bool of_router(const hw::Operator& op) {
    return op.kernel == hw::KernelClass::router || op.name.starts_with("router");
}

/// Whether a CUDA graph of the plan holds the kernel.
bool in_graph(const CudaGraphs& graphs, BlockKind kind, Part part, const hw::Operator& op) {
    if (graphs.step) {
        return true;
    }
    if (kind != BlockKind::dense_layer && kind != BlockKind::moe_layer) {
        return false;
    }
    if (is_ffn(part)) {
        return kind == BlockKind::dense_layer ? graphs.dense_ffn : graphs.moe;
    }
    return of_router(op) ? graphs.router : graphs.attention;
}

/// A graph is replayed with one call; a step's graph with one for all of it, which counts as none.
double calls_to_start(const CudaGraphs& graphs, BlockKind kind, Part part,
                      const std::vector<hw::Operator>& operators) {
    double calls = 0.0;
    bool replays = false;
    const hw::Operator* previous = nullptr;
    for (const hw::Operator& op : operators) {
        const bool held = in_graph(graphs, kind, part, op);
        replays = replays || held;
        calls += held ? 0.0 : hw::host_calls(op, previous);
        previous = &op;
    }
    return calls + (replays && !graphs.step ? 1.0 : 0.0);
}

bool same_kernels(const BlockKernels& a, const BlockKernels& b) {
    return a.routed == b.routed && a.attention_forward == b.attention_forward &&
           a.ffn_forward == b.ffn_forward && a.ffn_forward_again == b.ffn_forward_again &&
           a.ffn_backward == b.ffn_backward && a.ffn_weight_gradient == b.ffn_weight_gradient &&
           a.attention_backward == b.attention_backward &&
           a.attention_weight_gradient == b.attention_weight_gradient &&
           a.input_norm_backward == b.input_norm_backward && a.gradient_payload == b.gradient_payload;
}

template <typename Work> WorkIndex find_or_add(std::vector<Work>& works, Work&& work) {
    const auto found = std::ranges::find(works, work);
    const auto at = static_cast<WorkIndex>(found - works.begin());
    if (found == works.end()) {
        works.push_back(std::move(work));
    }
    return at;
}

} // namespace

WorkTable::WorkTable(const ModelArch& model, const ParallelPlan& plan, const RankLayout& layout)
    : model_(model),
      plan_(plan),
      layout_(layout) {}

WorkTable::Family WorkTable::family(const Block& block) {
    const auto [entry, is_new] = family_of_.try_emplace({block.kind, block.layer}, 0);
    if (is_new) {
        BlockKernels kernels = block_kernels(model_, plan_, block);
        const auto same = [&](const auto& known) {
            return known.first == block.kind && same_kernels(known.second, kernels);
        };
        const auto found = std::ranges::find_if(families_, same);
        entry->second = static_cast<Family>(found - families_.begin());
        if (found == families_.end()) {
            families_.emplace_back(block.kind, std::move(kernels));
        }
    }
    return entry->second;
}

bool WorkTable::routed(const Block& block) { return families_[family(block)].second.routed; }

const PartWorks& WorkTable::part(const Block& block, Part part, hw::Occupancy occupancy) {
    const auto key = std::tuple(family(block), part, occupancy.sms_held, occupancy.beside_transfer);
    const auto found = parts_.find(key);
    return found != parts_.end() ? found->second
                                 : parts_.emplace(key, make_part(block, part, occupancy)).first->second;
}

PartWorks WorkTable::make_part(const Block& block, Part part, hw::Occupancy occupancy) {
    const KernelSequence kernels = kernels_of(families_[family(block)].second, part);
    std::set<std::size_t> cuts{kernels.operators.size()};
    for (const InnerTransfer& transfer : kernels.transfers) {
        cuts.insert({transfer.after, transfer.until});
    }
    cuts.erase(0);
    cuts.erase(InnerTransfer::kOutput);
    PartWorks works;
    std::map<std::size_t, std::size_t> runs_before{{0, 0}};
    std::size_t begin = 0;
    for (const std::size_t end : cuts) {
        const std::vector<hw::Operator> run(kernels.operators.begin() + static_cast<std::ptrdiff_t>(begin),
                                            kernels.operators.begin() + static_cast<std::ptrdiff_t>(end));
        works.runs.push_back(
            intern(ComputeWork{work_name(block.kind, part), representative(run), run, occupancy,
                               calls_to_start(plan_.cuda_graphs, block.kind, part, run)}));
        runs_before[end] = works.runs.size();
        begin = end;
    }
    for (const InnerTransfer& transfer : kernels.transfers) {
        const bool output = transfer.until == InnerTransfer::kOutput;
        works.transfers.push_back(
            {.work = inner_transfer(transfer, phase_letter(part)),
             .stream = transfer.group == Group::context ? Stream::context_comm : Stream::tensor_comm,
             .after = runs_before.at(transfer.after),
             .until = output ? PartWorks::kOutput : runs_before.at(transfer.until)});
    }
    return works;
}

WorkIndex WorkTable::inner_transfer(const InnerTransfer& inner, char phase) {
    const RankLayout::Shape shape = layout_.shape(inner.group, Rank{0});
    TransferWork work;
    work.name = fmt::format("{}({})", inner.name, phase);
    work.kind = inner.kind;
    work.bytes = inner.bytes;
    work.ranks = shape.ranks;
    work.ranks_per_node = shape.ranks_per_node;
    work.group = inner.group;
    return intern(std::move(work));
}

WorkIndex WorkTable::expert_transfer(TransferKind kind, std::string_view name, bool beside_compute,
                                     const Draws& uneven) {
    TransferWork work;
    work.name = name;
    work.kind = kind;
    if (plan_.dispatcher == Dispatcher::all_gather) {
        work.kind = kind == TransferKind::dispatch ? TransferKind::all_gather : TransferKind::reduce_scatter;
    } else if (plan_.dispatcher == Dispatcher::all_to_all) {
        work.kind = TransferKind::all_to_all;
    }
    // With tensor parallelism the sequence is split over its GPUs, and each dispatches its own tokens.
    work.tokens = plan_.shard_tokens();
    work.per_token = kind == TransferKind::dispatch ? dispatch_bytes_per_token(model_, plan_)
                                                    : combine_bytes_per_token(model_, plan_);
    const RankLayout::Shape shape = layout_.shape(Group::expert, Rank{0});
    work.ranks = shape.ranks;
    work.ranks_per_node = shape.ranks_per_node;
    work.group = Group::expert;
    if (work.kind != kind) { // a plain collective
        const double rows = plan_.capacity_factor > 0.0 ? plan_.capacity_factor : 1.0;
        const double copies =
            plan_.dispatcher == Dispatcher::all_gather ? work.ranks : rows * model_.moe.top_k;
        work.bytes = copies * static_cast<double>(work.tokens) * work.per_token;
        work.tokens = 0;
        work.per_token = {};
    }
    work.beside_compute = beside_compute;
    // Backward sizes are the forward's. Rows that are cut or padded to one size, and graphs, need none.
    const bool forward = kind == TransferKind::dispatch && name.starts_with("dispatch");
    work.host_waits =
        forward && plan_.capacity_factor == 0.0 && !plan_.cuda_graphs.moe && !plan_.cuda_graphs.step;
    if (plan_.routing_imbalance > 0.0) {
        work.uneven = uneven;
    }
    return intern(std::move(work));
}

WorkIndex WorkTable::host_transfer(TransferKind kind, std::string_view name, hw::Bytes bytes) {
    TransferWork work;
    work.name = name;
    work.kind = kind;
    work.bytes = bytes;
    work.ranks_per_node = 1;
    work.group = Group::own;
    return intern(std::move(work));
}

WorkIndex WorkTable::intern(ComputeWork work) { return find_or_add(computes_, std::move(work)); }

WorkIndex WorkTable::intern(TransferWork work) { return find_or_add(transfers_, std::move(work)); }

} // namespace chokepoint::work
