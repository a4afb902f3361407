// SPDX-License-Identifier: Apache-2.0
// Issues an action's kernels and transfers in stream order, as the published trace of an overlapped pair
// shows it.
#include "action_tasks.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace chokepoint::work {

namespace {

constexpr bool is_layer(BlockKind kind) {
    return kind == BlockKind::dense_layer || kind == BlockKind::moe_layer;
}

/// A layer with the blocks that run before it on the same side (embedding, head…); without a layer, what is
/// left behind the last one.
struct Unit {
    std::vector<Block> lead;
    std::optional<Block> layer;
};

/// Layers meet layers: the n-th layer of the forward runs beside the n-th layer of the backward, and blocks
/// that have no communication to hide run in front of their own side's next layer.
std::vector<Unit> units(std::span<const Block> blocks) {
    std::vector<Unit> list(1);
    for (const Block& block : blocks) {
        if (is_layer(block.kind)) {
            list.back().layer = block;
            list.emplace_back();
        } else {
            list.back().lead.push_back(block);
        }
    }
    if (list.back().lead.empty()) {
        list.pop_back();
    }
    return list;
}

std::vector<Block> reversed(std::span<const Block> blocks) { return {blocks.rbegin(), blocks.rend()}; }

/// Which gradients a backward computes.
struct Gradients {
    bool input = true;
    bool weight = true;
};

class Issuer {
public:
    Issuer(const ParallelPlan& plan, WorkTable& works) : plan_(plan), works_(works) {}

    void forward(std::span<const Block> blocks) {
        for (const Unit& unit : units(blocks)) {
            run_lead(unit, Side::forward, {}, kAlone);
            run_layers(layers(unit.layer, std::nullopt, {}, 0));
        }
    }

    void backward(std::span<const Block> blocks, Gradients gradients) {
        backward_blocks_ = blocks;
        const std::vector<Unit> list = units(reversed(blocks));
        for (std::size_t i = 0; i < list.size(); ++i) {
            run_lead(list[i], Side::backward, gradients, kAlone);
            const Layers alone = layers(std::nullopt, list[i].layer, gradients, 0);
            run_layers(alone);
        }
    }

    void overlapped(std::span<const Block> forward_blocks, std::span<const Block> backward_blocks) {
        in_pair_ = true;
        backward_blocks_ = backward_blocks;
        const std::vector<Unit> ahead = units(forward_blocks);
        const std::vector<Unit> back = units(reversed(backward_blocks));
        const bool communicates =
            std::ranges::any_of(forward_blocks, [&](const Block& b) { return works_.routed(b); }) ||
            std::ranges::any_of(backward_blocks, [&](const Block& b) { return works_.routed(b); });
        // The SMs are set aside for the whole pair: in the profile every GEMM, also those after the last
        // transfer, has a grid of 112 of 132 SMs (deepseek-ai/profile-data, train.json, "grid" of the GEMM
        // kernels).
        const hw::Occupancy held{communicates ? plan_.communication_sms : 0, false};
        for (std::size_t i = 0; i < std::max(ahead.size(), back.size()); ++i) {
            const Unit f = i < ahead.size() ? ahead[i] : Unit{};
            const Unit b = i < back.size() ? back[i] : Unit{};
            // The backward's leads first: the layer behind them then has a transfer for the forward to run
            // beside.
            run_lead(b, Side::backward, {}, held);
            run_lead(f, Side::forward, {}, held);
            const Layers pair = layers(f.layer, b.layer, {}, held.sms_held);
            run_layers(pair);
        }
    }

    ActionTasks take() {
        for (const LocalId task : last_) {
            if (task != kEntry) {
                tasks_.last.push_back(task);
            }
        }
        tasks_.forward_output = forward_;
        tasks_.backward_output = backward_;
        return std::move(tasks_);
    }

    /// Makes the backward wait for the forward of the same action.
    void chain_backward_to_forward() {
        backward_ = forward_;
        backward_kernels_ = forward_;
    }

private:
    static constexpr hw::Occupancy kAlone{0, false};

    /// What of a layer's forward its backward runs first.
    enum class Again { nothing, ffn, layer };
    [[nodiscard]] Again again(const Block& block) const {
        const Recompute& recompute = plan_.recompute;
        const auto position =
            static_cast<std::size_t>(std::ranges::count_if(backward_blocks_, [&](const Block& other) {
                return is_layer(other.kind) && other.layer < block.layer;
            }));
        const auto limit = static_cast<std::size_t>(plan_.recompute_layers);
        if (recompute.layer && (limit == 0 || position < limit)) {
            return Again::layer;
        }
        return (block.kind == BlockKind::moe_layer ? recompute.moe : recompute.dense_ffn) ? Again::ffn
                                                                                          : Again::nothing;
    }

    /// One layer of the forward, of the backward, or of both, and what they run beside.
    struct Layers {
        std::optional<Block> f, b;
        Gradients gradients;
        bool f_moves = false, b_moves = false; ///< dispatch and combine surround the FFN
        bool paired = false;                   ///< either side's transfers fly while the other computes
        Again again = Again::nothing;
        hw::Occupancy occupancy;
    };
    Layers layers(const std::optional<Block>& f, const std::optional<Block>& b, Gradients gradients,
                  int sms_held) {
        Layers l{.f = f, .b = b, .gradients = gradients};
        l.f_moves = f && works_.routed(*f);
        l.b_moves = b && gradients.input && works_.routed(*b);
        l.again = b && gradients.input ? again(*b) : Again::nothing;
        l.paired = f && b && (l.f_moves || l.b_moves);
        l.occupancy = {sms_held, l.paired};
        return l;
    }

    LocalId issue(Stream stream, TaskKind kind, Side side, const Block& block, WorkIndex work,
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

    /// What has to be done before a side can go on.
    using Ends = std::vector<LocalId>;

    /// The tasks of a part: `kernels` is done when its own kernels and all transfers that kernels behind it
    /// need are, `output` when its result exists. Both are `after` if the block lacks the part.
    struct PartEnds {
        Ends kernels, output;
    };
    PartEnds run(const Block& block, Part part, Side side, hw::Occupancy occupancy, const Ends& after,
                 Stream stream = Stream::compute) {
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

    /// Begins a pass over a block: the kernels issued for its side from here on are the block's.
    void open_use(const Block& block, Side side, bool reads_weights) {
        use_[static_cast<std::size_t>(side)] = tasks_.uses.size();
        tasks_.uses.push_back({.block = block, .side = side, .reads_weights = reads_weights});
    }
    void note_use(Side side, Part part, LocalId kernel) {
        ActionTasks::Use& use = tasks_.uses.at(use_[static_cast<std::size_t>(side)]);
        use.first = use.first == kEntry ? kernel : use.first;
        use.last = kernel;
        if (part == Part::ffn_weight_gradient || part == Part::attention_weight_gradient) {
            use.weights_done = kernel;
        }
    }

    /// What the side goes on with behind a part of its own.
    Ends compute(const Block& block, Part part, Side side, hw::Occupancy occupancy, const Ends& after,
                 Stream stream = Stream::compute) {
        return run(block, part, side, occupancy, after, stream).output;
    }

    /// A part of the backward; the weight gradient behind it needs its kernels alone.
    void backward_part(const Block& block, Part part, hw::Occupancy occupancy) {
        PartEnds ends = run(block, part, Side::backward, occupancy, backward_);
        backward_ = std::move(ends.output);
        backward_kernels_ = std::move(ends.kernels);
    }

    /// Every micro-batch of a routed block is one draw of the router: its rows set the time of the forward,
    /// or of the backward and the weight gradient together.
    void drift(const Block& block, Part part, Side side, const std::vector<WorkIndex>& runs) {
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

    /// Members drift apart over the routed work before the transfer's input. Beside compute they go on
    /// drifting while the transfer flies; alone, all compute waits for it, and they start level again.
    Ends transfer(const Block& block, TransferKind kind, std::string_view name, Side side, bool beside,
                  const Ends& after) {
        const WorkIndex work =
            works_.expert_transfer(kind, name, beside, drift_[static_cast<std::size_t>(side)]);
        if (!beside) {
            since_wait_.clear();
            drift_ = {};
        }
        return {issue(Stream::expert_comm, TaskKind::transfer, side, block, work, after)};
    }

    /// Blocks that are no layer: their parts one after another.
    void run_lead(const Unit& unit, Side side, Gradients gradients, hw::Occupancy occupancy) {
        for (const Block& block : unit.lead) {
            open_use(block, side, side == Side::forward || gradients.input);
            if (side == Side::forward) {
                forward_ = compute(block, Part::attention_forward, side, occupancy, forward_);
                forward_ = compute(block, Part::ffn_forward, side, occupancy, forward_);
                continue;
            }
            if (gradients.input) {
                backward_part(block, Part::ffn_backward, occupancy);
            }
            if (gradients.weight) {
                compute(block, Part::ffn_weight_gradient, side, occupancy, backward_kernels_);
            }
            if (gradients.input) {
                backward_part(block, Part::attention_backward, occupancy);
            }
            if (gradients.weight) {
                compute(block, Part::attention_weight_gradient, side, occupancy, backward_kernels_);
            }
        }
    }

    /// One layer of either side or both. With both, the compute stream runs attn(F), mlp(B), mlp(W), mlp(F),
    /// attn(B), attn(W) and the communication stream combine(B), dispatch(F), dispatch(B), combine(F): each
    /// side computes while the other's transfer flies (deepseek-ai/profile-data, train.json). What a side
    /// lacks is skipped.
    void run_layers(const Layers& layers) {
        begin_forward(layers);
        begin_backward(layers);
        dispatch_forward(layers);
        ffn_weight_gradient(layers);
        dispatch_backward(layers);
        end_forward(layers);
        end_backward(layers);
    }

    void begin_forward(const Layers& l) {
        if (l.f) {
            open_use(*l.f, Side::forward, true);
            forward_ = compute(*l.f, Part::attention_forward, Side::forward, l.occupancy, forward_);
        }
    }
    void dispatch_forward(const Layers& l) {
        if (l.f_moves) {
            forward_ =
                transfer(*l.f, TransferKind::dispatch, "dispatch(F)", Side::forward, l.paired, forward_);
        }
    }
    void end_forward(const Layers& l) {
        if (l.f) {
            forward_ = compute(*l.f, Part::ffn_forward, Side::forward, l.occupancy, forward_);
        }
        if (l.f_moves) {
            forward_ = transfer(*l.f, TransferKind::combine, "combine(F)", Side::forward, l.paired, forward_);
        }
    }

    /// What the plan did not keep, from the layer's input or from its FFN's.
    void recompute(const Layers& l) {
        if (l.again == Again::layer) {
            backward_ = compute(*l.b, Part::attention_forward, Side::backward, l.occupancy, backward_);
        }
        if (l.again == Again::nothing) {
            return;
        }
        if (l.b_moves) {
            backward_ =
                transfer(*l.b, TransferKind::dispatch, "dispatch(R)", Side::backward, l.paired, backward_);
        }
        backward_ = compute(*l.b, Part::ffn_forward, Side::backward, l.occupancy, backward_);
        if (l.b_moves) {
            backward_ =
                transfer(*l.b, TransferKind::combine, "combine(R)", Side::backward, l.paired, backward_);
        }
    }

    void begin_backward(const Layers& l) {
        if (l.b) {
            open_use(*l.b, Side::backward, l.gradients.input);
            recompute(l);
        }
        if (l.b_moves) {
            backward_ = compute(*l.b, Part::gradient_payload, Side::backward, l.occupancy, backward_,
                                Stream::expert_comm);
            // The gradient of a combine sends what a dispatch sends, and runs a dispatch kernel; dispatch(B)
            // the reverse.
            backward_ =
                transfer(*l.b, TransferKind::dispatch, "combine(B)", Side::backward, l.paired, backward_);
        }
        if (l.b && l.gradients.input) {
            backward_part(*l.b, Part::ffn_backward, l.occupancy);
        }
    }
    void ffn_weight_gradient(const Layers& l) {
        if (l.b && l.gradients.weight) {
            hold_back(
                compute(*l.b, Part::ffn_weight_gradient, Side::backward, l.occupancy, backward_kernels_));
        }
    }
    void dispatch_backward(const Layers& l) {
        if (l.b_moves) {
            backward_ =
                transfer(*l.b, TransferKind::combine, "dispatch(B)", Side::backward, l.paired, backward_);
        }
    }
    void end_backward(const Layers& l) {
        if (l.b && l.gradients.input) {
            backward_part(*l.b, Part::attention_backward, l.occupancy);
        }
        if (l.b && l.gradients.weight) {
            hold_back(compute(*l.b, Part::attention_weight_gradient, Side::backward, l.occupancy,
                              backward_kernels_));
        }
        if (l.b && l.gradients.input) {
            backward_ = compute(*l.b, Part::input_norm_backward, Side::backward, l.occupancy, backward_);
        }
    }

    /// Outside the pairs the published DualPipe code calls plain autograd (dualpipe.py,
    /// _backward_compute_chunk), where a layer's node computes both gradients before it hands its input's
    /// gradient on: a transfer waits for both. Only overlapped_forward_backward issues kernels in an order of
    /// its own.
    void hold_back(const Ends& weight_gradient) {
        if (!in_pair_) {
            // It follows the kernels of the input gradient, and runs beside their result's transfer.
            std::erase_if(backward_, [this](LocalId end) {
                return std::ranges::find(backward_kernels_, end) != backward_kernels_.end();
            });
            backward_.insert(backward_.end(), weight_gradient.begin(), weight_gradient.end());
            drift_[static_cast<std::size_t>(Side::backward)] = since_wait_;
        }
    }

    const ParallelPlan& plan_;
    WorkTable& works_;
    ActionTasks tasks_;
    std::span<const Block> backward_blocks_;
    std::array<std::size_t, 2> use_{}; ///< the block each side is at, in tasks_.uses
    std::array<LocalId, kStreams> last_{};
    bool in_pair_ = false;       ///< kernels are issued by hand, not by autograd
    Draws since_wait_;           ///< routed compute issued since the members last waited for each other
    std::array<Draws, 2> drift_; ///< since_wait_ as each side's last input gradient or activation was issued
    std::size_t backward_draw_ = 0; ///< the backward's draw in since_wait_
    Ends forward_;                  ///< what the forward side's next task waits for
    Ends backward_;                 ///< what the backward side's next task waits for
    Ends backward_kernels_;         ///< what the weight gradients of the backward's last part wait for
};

} // namespace

ActionTasks action_tasks(ActionKind kind, std::span<const Block> forward_blocks,
                         std::span<const Block> backward_blocks, const ParallelPlan& plan, WorkTable& works) {
    Issuer issuer(plan, works);
    switch (kind) {
    case ActionKind::forward:
        issuer.forward(forward_blocks);
        break;
    case ActionKind::backward:
        issuer.backward(backward_blocks, {});
        break;
    case ActionKind::input_backward:
        issuer.backward(backward_blocks, {.input = true, .weight = false});
        break;
    case ActionKind::weight_backward:
        issuer.backward(backward_blocks, {.input = false, .weight = true});
        break;
    case ActionKind::overlapped:
        if (plan.overlap) {
            issuer.overlapped(forward_blocks, backward_blocks);
        } else {
            issuer.forward(forward_blocks);
            issuer.chain_backward_to_forward();
            issuer.backward(backward_blocks, {});
        }
        break;
    }
    return issuer.take();
}

} // namespace chokepoint::work
