// SPDX-License-Identifier: Apache-2.0
// The shipped models and DeepSeek-V3's plan, for tests.
#pragma once

#include <chokepoint/workloads/layer.hpp>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::work::test {

inline const std::vector<ModelArch>& presets() {
    static const std::vector<ModelArch> models = load_presets(CHOKEPOINT_SOURCE_DIR "/workloads/models");
    return models;
}

inline const ModelArch& preset(std::string_view id) {
    const auto at = std::ranges::find(presets(), id, &ModelArch::id);
    if (at == presets().end()) {
        throw std::invalid_argument("no preset " + std::string(id));
    }
    return *at;
}

/// 2,048 GPUs: arXiv 2412.19437, 3.2 and 4.2.
inline ParallelPlan deepseek_plan() {
    ParallelPlan plan;
    plan.pipeline = 16;
    plan.expert = 64;
    plan.data = 128;
    plan.schedule = "dualpipe";
    plan.global_batch = 15360;
    plan.precision = Precision::fp8_block;
    plan.recompute = {.norm = true, .attention_up_projection = true, .activation = true};
    return plan;
}

/// A plan any model can run: fifteen sequences of 1,024 tokens, so that routed rows divide over the local
/// experts of every preset, and experts over two ranks.
inline ParallelPlan small_plan(const ModelArch& model, Precision precision) {
    ParallelPlan plan;
    plan.sequence = 1024;
    plan.micro_batch = 15;
    plan.data = 2;
    plan.global_batch = 240;
    plan.expert = model.moe.experts > 0 ? 2 : 1;
    plan.precision = precision;
    return plan;
}

} // namespace chokepoint::work::test
