// SPDX-License-Identifier: Apache-2.0
// Checks of what the plan shares out, keeps elsewhere, computes again or overlaps.
#include "reading.hpp"

#include <fmt/format.h>

namespace chokepoint::sim::loader {
namespace {

void check_zero(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (reading.sound({"plan.zero", "plan.schedule"}) && plan.zero > 1 && plan.schedule == "dualpipe") {
        reading.fault("plan.zero",
                      fmt::format("zero ({}) with dualpipe, whose mirrored ranks reduce together at the end; "
                                  "expected 0 or 1",
                                  plan.zero));
    }
}

void check_shard_group(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (!plan.shard_group || !reading.sound({"plan.shard_group", "plan.zero", "plan.context"})) {
        return;
    }
    if (plan.zero == 0) {
        reading.fault(
            "plan.shard_group",
            fmt::format("shard_group ({}) with zero = 0, which shares nothing out; expected zero of 1 "
                        "to 3",
                        *plan.shard_group));
    }
    const std::int64_t holders = std::int64_t{plan.data} * plan.context;
    if (holders > 0 && holders % *plan.shard_group != 0) {
        reading.fault("plan.shard_group",
                      fmt::format("shard_group ({}) does not divide the {} data x context "
                                  "ranks ({} x {})",
                                  *plan.shard_group, holders, plan.data, plan.context));
    }
}

void check_recompute(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (plan.recompute_early_stop && !plan.recompute.layer && !plan.recompute.dense_ffn &&
        reading.sound({"plan.recompute"})) {
        reading.fault("plan.recompute_early_stop", "recompute_early_stop is true without \"layer\" or "
                                                   "\"dense_ffn\" in recompute: no last product runs "
                                                   "again; expected recompute = [\"layer\"]");
    }
    const bool latent = reading.draft.model.attention.kind == work::AttentionKind::mla;
    if (plan.recompute.every_second_product && latent && reading.sound({"model.attention.kind"})) {
        reading.fault("plan.recompute",
                      "\"every_second_product\" in recompute with mla attention, whose order of products it "
                      "does not know; expected \"attention_up_projection\" or \"layer\"");
    }
    if (!reading.sound({"plan.recompute", "plan.recompute_every", "plan.recompute_layers"}) ||
        plan.recompute_every == 1) {
        return;
    }
    if (!plan.recompute.layer) {
        reading.fault(
            "plan.recompute_every",
            fmt::format("recompute_every ({}) without \"layer\" in recompute, which keeps what layers "
                        "need; expected recompute = [\"layer\"]",
                        plan.recompute_every));
    }
    if (plan.recompute_layers > 0) {
        reading.fault(
            "plan.recompute_every",
            fmt::format("recompute_every ({}) beside recompute_layers ({}): every layer runs again in "
                        "pieces, or only the first ones; expected one of the two",
                        plan.recompute_every, plan.recompute_layers));
    }
    if (plan.offload_layers > 0 && reading.sound({"plan.offload_layers"})) {
        reading.fault(
            "plan.recompute_every",
            fmt::format("recompute_every ({}) beside offload_layers ({}): only the first layer of a "
                        "piece keeps anything; expected one of the two",
                        plan.recompute_every, plan.offload_layers));
    }
}

void check_fused_experts(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (!plan.fused_experts ||
        !reading.sound({"plan.fused_experts", "plan.precision", "cluster.gpu", "model.arch"})) {
        return;
    }
    if (reading.draft.model.moe.experts == 0) {
        reading.fault("plan.fused_experts",
                      "fused_experts is true for a model without experts; expected false");
    } else if (plan.precision != work::Precision::mxfp8 || !is_of(reading, "blackwell")) {
        reading.fault(
            "plan.fused_experts",
            fmt::format("fused_experts is true in {} on {}; expected mxfp8 on a Blackwell part, the "
                        "only ones that such kernels are written for",
                        work::name(plan.precision), reading.draft.gpu));
    }
}

void check_overlap_expert(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (!reading.sound({"plan.overlap_expert", "plan.delay_weight_gradient", "plan.overlap"})) {
        return;
    }
    if (plan.delay_weight_gradient && !plan.overlap_expert) {
        reading.fault("plan.delay_weight_gradient",
                      "delay_weight_gradient is true without overlap_expert, whose pairs it is for");
    }
    if (plan.overlap_expert && !plan.overlap) {
        reading.fault("plan.overlap", "overlap is false beside overlap_expert = true; expected true");
    }
    if (plan.overlap_expert && plan.expert == 1 && reading.sound({"plan.expert"})) {
        reading.fault("plan.overlap_expert",
                      "overlap_expert is true with expert = 1, which sends no tokens; expected false");
    }
}

} // namespace

void check_sharing(Reading& reading) {
    check_zero(reading);
    check_shard_group(reading);
    check_recompute(reading);
    check_overlap_expert(reading);
    check_fused_experts(reading);
}

} // namespace chokepoint::sim::loader
