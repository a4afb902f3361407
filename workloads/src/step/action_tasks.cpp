// SPDX-License-Identifier: Apache-2.0
// Orders the parts of an action's layers as the published trace of an overlapped pair shows it.
#include "action_tasks.hpp"

#include "offload_windows.hpp"
#include "part_issuer.hpp"
#include "units.hpp"

#include <algorithm>
#include <optional>

namespace chokepoint::work {

namespace {

/// Which gradients a backward computes.
struct Gradients {
    bool input = true;
    bool weight = true;
};

class Issuer {
public:
    Issuer(const ParallelPlan& plan, WorkTable& works) : plan_(plan), works_(works), parts_(works) {}

    void forward(std::span<const Block> blocks) {
        forward_layers_ = layers_of(blocks);
        for (const Unit& unit : units(blocks)) {
            run_lead(unit, Side::forward, {}, kAlone);
            run_layers(layers(unit.layer, std::nullopt, {}, 0));
        }
    }

    void backward(std::span<const Block> blocks, Gradients gradients) {
        backward_layers_ = layers_of(blocks);
        for (const Unit& unit : reversed_units(blocks)) {
            run_lead(unit, Side::backward, gradients, kAlone);
            run_layers(layers(std::nullopt, unit.layer, gradients, 0));
        }
    }

    void overlapped(std::span<const Block> forward_blocks, std::span<const Block> backward_blocks) {
        // Megatron-Core's pairs run each layer's backward through autograd, unless weight gradients are
        // delayed.
        by_hand_ = !plan_.overlap_expert || plan_.delay_weight_gradient;
        forward_layers_ = layers_of(forward_blocks);
        backward_layers_ = layers_of(backward_blocks);
        const std::vector<Unit> ahead = units(forward_blocks);
        const std::vector<Unit> back = reversed_units(backward_blocks);
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
            run_layers(layers(f.layer, b.layer, {}, held.sms_held));
        }
    }

    ActionTasks take() {
        ActionTasks tasks = parts_.take();
        tasks.forward_output = forward_;
        tasks.backward_output = backward_;
        return tasks;
    }

    /// Makes the backward wait for the forward of the same action.
    void chain_backward_to_forward() {
        backward_ = forward_;
        backward_kernels_ = forward_;
    }

private:
    static constexpr hw::Occupancy kAlone{0, false};

    /// One layer of the forward, of the backward, or of both, and what they run beside.
    struct Layers {
        std::optional<Block> f, b;
        Gradients gradients;
        bool f_moves = false, b_moves = false; ///< dispatch and combine surround the FFN
        bool paired = false;                   ///< either side's transfers fly while the other computes
        hw::Occupancy occupancy;
    };
    Layers layers(const std::optional<Block>& f, const std::optional<Block>& b, Gradients gradients,
                  int sms_held) {
        Layers l{.f = f, .b = b, .gradients = gradients};
        l.f_moves = f && works_.routed(*f);
        l.b_moves = b && gradients.input && works_.routed(*b);
        l.paired = f && b && (l.f_moves || l.b_moves);
        l.occupancy = {sms_held, l.paired};
        return l;
    }

    /// What the side goes on with behind a part of its own.
    Ends compute(const Block& block, Part part, Side side, hw::Occupancy occupancy, const Ends& after,
                 Stream stream = Stream::compute) {
        return parts_.run(block, part, side, occupancy, after, stream).output;
    }

    /// A part of the backward; the weight gradient behind it needs its kernels alone.
    void backward_part(const Block& block, Part part, hw::Occupancy occupancy) {
        PartIssuer::PartEnds ends = parts_.run(block, part, Side::backward, occupancy, backward_);
        backward_ = std::move(ends.output);
        backward_kernels_ = std::move(ends.kernels);
    }

    /// Blocks that are no layer: their parts one after another.
    void run_lead(const Unit& unit, Side side, Gradients gradients, hw::Occupancy occupancy) {
        for (const Block& block : unit.lead) {
            parts_.open_use(block, side, side == Side::forward || gradients.input);
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
    /// side computes while the other's transfer flies (deepseek-ai/profile-data, train.json; the same in
    /// Megatron-Core, TransformerLayerSchedulePlan.run). What a side lacks is skipped.
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
            parts_.open_use(*l.f, Side::forward, true);
            forward_ = compute(*l.f, Part::attention_forward, Side::forward, l.occupancy, forward_);
        }
    }
    void dispatch_forward(const Layers& l) {
        if (l.f_moves) {
            forward_ = parts_.transfer(*l.f, TransferKind::dispatch, "dispatch(F)", Side::forward, l.paired,
                                       forward_);
        }
    }
    void end_forward(const Layers& l) {
        if (l.f) {
            forward_ = compute(*l.f, Part::ffn_forward, Side::forward, l.occupancy, forward_);
        }
        if (l.f_moves) {
            forward_ =
                parts_.transfer(*l.f, TransferKind::combine, "combine(F)", Side::forward, l.paired, forward_);
        }
        if (l.f) {
            offload(position(forward_layers_, *l.f));
        }
    }

    static std::size_t position(const std::vector<Block>& layers, const Block& layer) {
        return static_cast<std::size_t>(std::ranges::find(layers, layer) - layers.begin());
    }

    /// Behind the forward of a layer: the first copy, or the end of one and the next.
    void offload(std::size_t layer) {
        const OffloadWindows windows(forward_layers_.size(), plan_.offload_layers);
        if (windows.copies == 0) {
            return;
        }
        if (layer == 0) {
            offloaded_ = {copy(forward_layers_, 0, Side::forward, forward_)};
        }
        const std::size_t k = offloaded_.size() - 1;
        if (k < windows.copies && layer == windows.last_layer(k)) {
            const Ends done = forward_;
            forward_.push_back(offloaded_.back());
            const bool more = k + 1 < windows.copies;
            offloaded_.push_back(more ? copy(forward_layers_, k + 1, Side::forward, done) : kEntry);
        }
    }
    /// In front of the backward of a layer: what it needs is back, and the next copy begins.
    void reload(std::size_t layer) {
        const OffloadWindows windows(backward_layers_.size(), plan_.offload_layers);
        const std::size_t back = reloaded_.size();
        if (back < windows.copies && layer == windows.last_layer(windows.copies - 1 - back)) {
            const Ends done = backward_;
            if (back > 0) {
                wait_for(reloaded_.back());
            }
            reloaded_.push_back(copy(backward_layers_, windows.copies - 1 - back, Side::backward, done));
        } else if (layer == 0 && back > 0) {
            wait_for(reloaded_.back());
        }
    }
    LocalId copy(const std::vector<Block>& layers, std::size_t layer, Side side, const Ends& after) {
        return parts_.host_copy(layers[layer], works_.kept(layers)[layer], side, after);
    }
    void wait_for(LocalId task) {
        backward_.push_back(task);
        backward_kernels_.push_back(task);
    }

    /// Whether the layer runs again as a whole.
    [[nodiscard]] bool runs_again(std::size_t layer) const {
        const auto limit = static_cast<std::size_t>(plan_.recompute_layers);
        return plan_.recompute.layer && (limit == 0 || layer < limit);
    }
    /// What runs again in front of a layer's backward: the layer, or with recompute_every all layers of its
    /// piece in front of the last one's.
    [[nodiscard]] std::span<const Block> whole_layers_again(std::size_t layer) const {
        const auto every = static_cast<std::size_t>(plan_.recompute_every);
        const std::size_t first = layer / every * every;
        const bool is_last = layer + 1 == std::min(first + every, backward_layers_.size());
        return std::span(backward_layers_).subspan(first, is_last ? layer + 1 - first : 0);
    }

    /// What the plan did not keep, from the input of the first layer that runs again or from the FFN's.
    void recompute(const Layers& l) {
        const std::size_t layer = position(backward_layers_, *l.b);
        if (!runs_again(layer)) {
            if (l.b->kind == BlockKind::moe_layer ? plan_.recompute.moe : plan_.recompute.dense_ffn) {
                recompute_ffn(*l.b, l, true);
            }
            return;
        }
        for (const Block& again : whole_layers_again(layer)) {
            parts_.open_use(again, Side::backward, true);
            backward_ = compute(again, Part::attention_forward, Side::backward, l.occupancy, backward_);
            recompute_ffn(again, l, again == *l.b);
        }
    }
    /// The `last` of what runs together hands nothing on.
    void recompute_ffn(const Block& layer, const Layers& l, bool last) {
        if (last && plan_.recompute_early_stop && layer.kind == BlockKind::dense_layer) {
            backward_ = compute(layer, Part::ffn_forward_again, Side::backward, l.occupancy, backward_);
            return;
        }
        const bool moves = works_.routed(layer);
        if (moves) {
            backward_ = parts_.transfer(layer, TransferKind::dispatch, "dispatch(R)", Side::backward,
                                        l.paired, backward_);
        }
        backward_ = compute(layer, Part::ffn_forward, Side::backward, l.occupancy, backward_);
        if (moves) {
            backward_ = parts_.transfer(layer, TransferKind::combine, "combine(R)", Side::backward, l.paired,
                                        backward_);
        }
    }

    void begin_backward(const Layers& l) {
        if (l.b) {
            parts_.open_use(*l.b, Side::backward, l.gradients.input);
        }
        if (l.b && l.gradients.input) {
            reload(position(backward_layers_, *l.b));
            recompute(l);
        }
        if (l.b_moves) {
            backward_ = compute(*l.b, Part::gradient_payload, Side::backward, l.occupancy, backward_,
                                Stream::expert_comm);
            // The gradient of a combine sends what a dispatch sends, and runs a dispatch kernel; dispatch(B)
            // the reverse.
            backward_ = parts_.transfer(*l.b, TransferKind::dispatch, "combine(B)", Side::backward, l.paired,
                                        backward_);
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
            backward_ = parts_.transfer(*l.b, TransferKind::combine, "dispatch(B)", Side::backward, l.paired,
                                        backward_);
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
        if (!by_hand_) {
            // It follows the kernels of the input gradient, and runs beside their result's transfer.
            std::erase_if(backward_, [this](LocalId end) {
                return std::ranges::find(backward_kernels_, end) != backward_kernels_.end();
            });
            backward_.insert(backward_.end(), weight_gradient.begin(), weight_gradient.end());
            parts_.note_drift(Side::backward);
        }
    }

    const ParallelPlan& plan_;
    WorkTable& works_;
    PartIssuer parts_;
    std::vector<Block> forward_layers_, backward_layers_;
    std::vector<LocalId> offloaded_; ///< copies so far; kEntry behind the last one
    std::vector<LocalId> reloaded_;
    bool by_hand_ = false;  ///< kernels are issued by hand, not by autograd
    Ends forward_;          ///< what the forward side's next task waits for
    Ends backward_;         ///< what the backward side's next task waits for
    Ends backward_kernels_; ///< what the weight gradients of the backward's last part wait for
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
