// SPDX-License-Identifier: Apache-2.0
// The linear layers and attentions of the models that the simulator is asked about, at their training sizes.
#include "framework/shape.hpp"

#include <array>

namespace chokepoint::kref {
namespace {

/// y[tokens, n] = x[tokens, k] w[n, k]^T; an expert's layer has `experts` > 1 or is marked by `expert`.
struct Layer {
    const char* model;
    const char* op;
    std::int64_t tokens; ///< all groups together
    std::int64_t n, k;
    int groups = 1;
    bool expert = false;
    bool bf16_only = false; ///< DeepSeek-V3 keeps gate and head out of FP8: report, 3.3.1
    bool contended = false;
};

// Sizes: DeepSeek-V3 report table of hyper-parameters (4.2) and config.json; Mixtral 8x7B, Qwen3-235B-A22B
// and Llama-3.1-405B config.json; GPT-3 175B: arXiv:2005.14165, table 2.1. Expert rows: 4,096 tokens x top-k
// per rank times the ranks of an expert-parallel group over its experts.
constexpr std::array kLayers{
    Layer{"deepseek-v3", "q_a", 4096, 1536, 7168, 1, false, false, true},
    Layer{"deepseek-v3", "kv_a", 4096, 576, 7168, 1, false, false, true},
    Layer{"deepseek-v3", "q_b", 4096, 24576, 1536, 1, false, false, true},
    Layer{"deepseek-v3", "kv_b", 4096, 32768, 512, 1, false, false, true},
    Layer{"deepseek-v3", "o_proj", 4096, 7168, 16384, 1, false, false, true},
    Layer{"deepseek-v3", "dense gate_up", 4096, 36864, 7168},
    Layer{"deepseek-v3", "dense down", 4096, 7168, 18432},
    Layer{"deepseek-v3", "shared gate_up", 4096, 4096, 7168, 1, false, false, true},
    Layer{"deepseek-v3", "shared down", 4096, 7168, 2048, 1, false, false, true},
    Layer{"deepseek-v3", "routed gate_up EP64", 32768, 4096, 7168, 4, true, false, true},
    Layer{"deepseek-v3", "routed down EP64", 32768, 7168, 2048, 4, true, false, true},
    Layer{"deepseek-v3", "routed gate_up EP32", 32768, 4096, 7168, 8, true},
    Layer{"deepseek-v3", "routed down EP32", 32768, 7168, 2048, 8, true},
    Layer{"deepseek-v3", "routed gate_up EP16", 32768, 4096, 7168, 16, true},
    Layer{"deepseek-v3", "routed down EP16", 32768, 7168, 2048, 16, true},
    Layer{"deepseek-v3", "routed gate_up EP8", 32768, 4096, 7168, 32, true},
    Layer{"deepseek-v3", "routed down EP8", 32768, 7168, 2048, 32, true},
    Layer{"deepseek-v3", "gate", 4096, 256, 7168, 1, false, true},
    Layer{"deepseek-v3", "lm_head", 4096, 129280, 7168, 1, false, true},
    Layer{"mixtral-8x7b", "qkv", 4096, 6144, 4096},
    Layer{"mixtral-8x7b", "o", 4096, 4096, 4096},
    Layer{"mixtral-8x7b", "gate_up EP8", 8192, 28672, 4096, 1, true},
    Layer{"mixtral-8x7b", "down EP8", 8192, 4096, 14336, 1, true},
    Layer{"mixtral-8x7b", "gate_up EP4", 8192, 28672, 4096, 2, true},
    Layer{"mixtral-8x7b", "down EP4", 8192, 4096, 14336, 2, true},
    Layer{"mixtral-8x7b", "gate_up EP2", 8192, 28672, 4096, 4, true},
    Layer{"mixtral-8x7b", "down EP2", 8192, 4096, 14336, 4, true},
    Layer{"mixtral-8x7b", "gate_up EP1", 8192, 28672, 4096, 8, true},
    Layer{"mixtral-8x7b", "down EP1", 8192, 4096, 14336, 8, true},
    Layer{"qwen3-235b", "qkv", 4096, 9216, 4096},
    Layer{"qwen3-235b", "o", 4096, 4096, 8192},
    Layer{"qwen3-235b", "gate_up EP32", 32768, 3072, 4096, 4, true},
    Layer{"qwen3-235b", "down EP32", 32768, 4096, 1536, 4, true},
    Layer{"qwen3-235b", "gate_up EP16", 32768, 3072, 4096, 8, true},
    Layer{"qwen3-235b", "down EP16", 32768, 4096, 1536, 8, true},
    Layer{"qwen3-235b", "gate_up EP8", 32768, 3072, 4096, 16, true},
    Layer{"qwen3-235b", "down EP8", 32768, 4096, 1536, 16, true},
    Layer{"gpt-3-175b TP8", "qkv", 2048, 4608, 12288},
    Layer{"gpt-3-175b TP8", "o", 2048, 12288, 1536},
    Layer{"gpt-3-175b TP8", "fc1", 2048, 6144, 12288},
    Layer{"gpt-3-175b TP8", "fc2", 2048, 12288, 6144},
    Layer{"gpt-3-175b TP8", "head", 2048, 6400, 12288},
    Layer{"llama-3.1-405b TP8", "qkv", 8192, 2304, 16384},
    Layer{"llama-3.1-405b TP8", "o", 8192, 16384, 2048},
    Layer{"llama-3.1-405b TP8", "gate_up", 8192, 13312, 16384},
    Layer{"llama-3.1-405b TP8", "down", 8192, 16384, 6656},
    Layer{"llama-3.1-405b TP8", "head", 8192, 16032, 16384},
};

// Other token counts for the forward product of these layers, so that the fit sees how efficiency grows with
// m.
constexpr std::array<std::int64_t, 4> kTokenSweep{512, 1024, 2048, 8192};
constexpr std::array<std::string_view, 5> kSweptOps{"q_a", "kv_b", "o_proj", "shared gate_up", "shared down"};

Case make_case(const Layer& layer, Role role) {
    Case c{layer.model, layer.op, role, {}, std::to_string(layer.n) + "x" + std::to_string(layer.k)};
    const std::int64_t rows = layer.tokens / layer.groups;
    c.shape.groups = layer.groups;
    switch (role) {
    case Role::dgrad:
        c.shape.m = rows, c.shape.n = layer.k, c.shape.k = layer.n;
        break;
    case Role::wgrad:
        c.shape.m = layer.n, c.shape.n = layer.k, c.shape.k = rows;
        break;
    default:
        c.shape.m = rows, c.shape.n = layer.n, c.shape.k = layer.k;
        break;
    }
    c.contended = layer.contended;
    c.sustained = layer.contended && role == Role::forward && layer.n * layer.k >= 29'000'000;
    return c;
}

bool expressible(const Layer& layer, Precision precision) {
    return precision == Precision::bf16 || !layer.bf16_only;
}

void add_token_sweep(std::vector<Case>& cases) {
    for (const Layer& layer : kLayers) {
        for (const std::string_view op : kSweptOps) {
            if (layer.op != op || layer.model != std::string_view("deepseek-v3")) {
                continue;
            }
            for (const std::int64_t tokens : kTokenSweep) {
                Layer other = layer;
                other.tokens = tokens;
                other.contended = false;
                cases.push_back(make_case(other, Role::forward));
            }
        }
    }
}

} // namespace

std::vector<Case> dense_gemm_cases(Precision precision) {
    std::vector<Case> cases;
    for (const Layer& layer : kLayers) {
        if (layer.expert || !expressible(layer, precision)) {
            continue;
        }
        for (const Role role : {Role::forward, Role::dgrad, Role::wgrad}) {
            cases.push_back(make_case(layer, role));
        }
    }
    add_token_sweep(cases);
    return cases;
}

std::vector<Case> grouped_gemm_cases(Precision precision, Role only) {
    std::vector<Case> cases;
    for (const Layer& layer : kLayers) {
        if (!layer.expert || !expressible(layer, precision)) {
            continue;
        }
        cases.push_back(make_case(layer, only));
        if (only == Role::forward && layer.groups > 1 && layer.model == std::string_view("deepseek-v3")) {
            cases.push_back(make_case(layer, only));
            cases.back().shape.uneven = true;
            cases.back().contended = false;
            cases.back().sustained = false;
        }
    }
    return cases;
}

std::vector<Case> grouped_gemm_cases(Precision precision) {
    std::vector<Case> cases;
    for (const Role role : {Role::forward, Role::dgrad, Role::wgrad}) {
        const std::vector<Case> more = grouped_gemm_cases(precision, role);
        cases.insert(cases.end(), more.begin(), more.end());
    }
    return cases;
}

std::vector<Case> gemm_ceiling_cases() {
    Case c{"", "ceiling", Role::forward, {}, ""};
    c.shape.m = c.shape.n = c.shape.k = 8192;
    return {c};
}

std::vector<Case> attention_cases() {
    const auto attention = [](const char* model, std::int64_t seq, int heads, int kv_heads, int dim_qk,
                              int dim_v) {
        Case c;
        c.model = model;
        c.op = "attention";
        c.shape.batch = 1;
        c.shape.seq = seq;
        c.shape.heads = heads;
        c.shape.kv_heads = kv_heads;
        c.shape.dim_qk = dim_qk;
        c.shape.dim_v = dim_v;
        return c;
    };
    std::vector<Case> cases{
        attention("deepseek-v3", 4096, 128, 128, 192, 128), // MLA as trained: one key and value per head
        attention("mixtral-8x7b", 4096, 32, 8, 128, 128),
        attention("qwen3-235b", 4096, 64, 4, 128, 128),
        attention("gpt-3-175b TP8", 2048, 12, 12, 128, 128),
        attention("llama-3.1-405b TP8", 8192, 16, 1, 128, 128),
        attention("deepseek-v3", 1024, 128, 128, 192, 128),
        attention("deepseek-v3", 2048, 128, 128, 192, 128),
        attention("deepseek-v3", 8192, 128, 128, 192, 128),
    };
    cases.front().contended = true;
    cases.front().sustained = true;
    return cases;
}

} // namespace chokepoint::kref
