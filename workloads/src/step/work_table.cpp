// SPDX-License-Identifier: Apache-2.0
// Names works as the published trace does and finds equal ones.
#include "work_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace chokepoint::work {

namespace {

const std::vector<hw::Operator>& operators(const BlockKernels& kernels, Part part) {
    switch (part) {
    case Part::attention_forward:
        return kernels.attention_forward;
    case Part::ffn_forward:
        return kernels.ffn_forward;
    case Part::ffn_backward:
        return kernels.ffn_backward;
    case Part::ffn_weight_gradient:
        return kernels.ffn_weight_gradient;
    case Part::attention_backward:
        return kernels.attention_backward;
    case Part::attention_weight_gradient:
        return kernels.attention_weight_gradient;
    case Part::gradient_payload:
        return kernels.gradient_payload;
    }
    throw std::logic_error(fmt::format("block part {} has no operators", static_cast<int>(part)));
}

bool is_ffn(Part part) {
    return part == Part::ffn_forward || part == Part::ffn_backward || part == Part::ffn_weight_gradient;
}

char phase_letter(Part part) {
    switch (part) {
    case Part::attention_forward:
    case Part::ffn_forward:
        return 'F';
    case Part::attention_backward:
    case Part::gradient_payload:
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
    return std::ranges::max_element(operators, {}, weight)->kernel;
}

bool same_kernels(const BlockKernels& a, const BlockKernels& b) {
    return a.routed == b.routed && a.attention_forward == b.attention_forward &&
           a.ffn_forward == b.ffn_forward && a.ffn_backward == b.ffn_backward &&
           a.ffn_weight_gradient == b.ffn_weight_gradient && a.attention_backward == b.attention_backward &&
           a.attention_weight_gradient == b.attention_weight_gradient &&
           a.gradient_payload == b.gradient_payload;
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
      expert_group_(layout.shape(Group::expert, Rank{0})) {}

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

WorkIndex WorkTable::compute(const Block& block, Part part, hw::Occupancy occupancy) {
    const Family f = family(block);
    const std::vector<hw::Operator>& ops = operators(families_[f].second, part);
    if (ops.empty()) {
        return kNoWork;
    }
    const auto [entry, is_new] =
        compute_index_.try_emplace({f, part, occupancy.sms_held, occupancy.beside_transfer}, kNoWork);
    if (is_new) {
        entry->second = intern(ComputeWork{work_name(block.kind, part), representative(ops), ops, occupancy});
    }
    return entry->second;
}

WorkIndex WorkTable::expert_transfer(TransferKind kind, std::string_view name, bool beside_compute,
                                     const Draws& uneven) {
    TransferWork work;
    work.name = name;
    work.kind = kind;
    // With tensor parallelism the sequence is split over its GPUs, and each dispatches its own tokens.
    work.tokens = plan_.micro_batch_tokens() / plan_.tensor;
    work.per_token = kind == TransferKind::dispatch ? dispatch_bytes_per_token(model_, plan_)
                                                    : combine_bytes_per_token(model_, plan_);
    work.ranks = expert_group_.ranks;
    work.ranks_per_node = expert_group_.ranks_per_node;
    work.group = Group::expert;
    work.beside_compute = beside_compute;
    if (plan_.routing_imbalance > 0.0) {
        work.uneven = uneven;
    }
    return intern(std::move(work));
}

WorkIndex WorkTable::intern(ComputeWork work) { return find_or_add(computes_, std::move(work)); }

WorkIndex WorkTable::intern(TransferWork work) { return find_or_add(transfers_, std::move(work)); }

} // namespace chokepoint::work
