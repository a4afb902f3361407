// SPDX-License-Identifier: Apache-2.0
// Reads a pipeline layout as Megatron-LM spells it
// (megatron/core/transformer/pipeline_parallel_layer_layout.py).
#include "block_counts.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace chokepoint::work {
namespace {

/// More than any model has layers and any pipeline stages; repetitions of repetitions end here.
constexpr std::size_t kMostSymbols = 1U << 16;
constexpr int kDeepest = 16;

[[noreturn]] void refuse_layout(std::string_view layout, const std::string& why) {
    constexpr std::size_t kShown = 60;
    throw std::invalid_argument(
        fmt::format("layout \"{}{}\": {}", layout.substr(0, kShown), layout.size() > kShown ? "…" : "", why));
}

/// Writes repetitions out.
class Expansion {
public:
    explicit Expansion(std::string_view layout) : layout_(layout) {}

    std::string all() {
        std::string symbols = sequence(0);
        if (at_ < layout_.size()) {
            fault("')' without '('");
        }
        return symbols;
    }

private:
    std::string sequence(int depth) {
        if (depth > kDeepest) {
            fault(fmt::format("more than {} '(' in one another", kDeepest));
        }
        std::string symbols;
        while (at_ < layout_.size() && layout_[at_] != ')') {
            const char symbol = layout_[at_++];
            if (symbol == ',' || symbol == ' ') {
                continue;
            }
            std::string item(1, symbol);
            if (symbol == '(') {
                item = sequence(depth + 1);
                if (at_ == layout_.size()) {
                    fault("'(' without ')'");
                }
                ++at_;
            } else if (std::string_view("EtmL|").find(symbol) == std::string_view::npos) {
                --at_;
                fault(fmt::format("'{}'; expected E, t, m, L, |, or a repetition such as (tt|)*4",
                                  symbol >= ' ' && symbol <= '~' ? symbol : '?'));
            }
            append(symbols, item, repetitions());
        }
        return symbols;
    }

    /// The number behind a '*', or 1.
    std::size_t repetitions() {
        if (at_ == layout_.size() || layout_[at_] != '*') {
            return 1;
        }
        const std::size_t star = at_++;
        std::size_t count = 0;
        while (at_ < layout_.size() && layout_[at_] >= '0' && layout_[at_] <= '9') {
            count = std::min(kMostSymbols + 1, count * 10 + static_cast<std::size_t>(layout_[at_++] - '0'));
        }
        if (at_ == star + 1) {
            fault("'*' without a number");
        }
        return count;
    }

    void append(std::string& symbols, const std::string& item, std::size_t count) {
        if (!item.empty() && count > (kMostSymbols - symbols.size()) / item.size()) {
            fault(fmt::format("more than {} symbols", kMostSymbols));
        }
        for (std::size_t i = 0; i < count; ++i) {
            symbols += item;
        }
    }

    [[noreturn]] void fault(const std::string& what) const {
        refuse_layout(layout_, fmt::format("{}, at character {}", what, at_ + 1));
    }

    std::string_view layout_;
    std::size_t at_ = 0;
};

void expect_count(std::string_view layout, std::string_view symbols, char symbol, std::string_view what,
                  int expected) {
    const auto found = std::ranges::count(symbols, symbol);
    if (found != expected) {
        refuse_layout(layout, fmt::format("{} {} ('{}'); expected {}", found, what, symbol, expected));
    }
}

} // namespace

std::vector<std::vector<Block>> parse_layout(const ModelArch& model, std::string_view layout) {
    const std::string symbols = Expansion(layout).all();
    expect_count(layout, symbols, 'E', "embeddings", 1);
    expect_count(layout, symbols, 't', "layers", model.layers);
    expect_count(layout, symbols, 'm', "MTP modules", model.mtp_modules);
    expect_count(layout, symbols, 'L', "heads", 1);
    if (symbols.front() != 'E' || symbols.back() != 'L') {
        refuse_layout(layout, "expected E first and L last");
    }
    if (const std::size_t module = symbols.find('m'); module < symbols.rfind('t')) {
        refuse_layout(layout, "an MTP module (m) in front of a layer (t); expected all modules behind them");
    }
    std::vector<std::vector<Block>> stages(1);
    int layer = 0;
    for (const char symbol : symbols) {
        std::vector<Block>& stage = stages.back();
        if (symbol == 'E') {
            stage.push_back({BlockKind::embedding, -1});
        } else if (symbol == '|') {
            stages.emplace_back();
        } else if (symbol == 'L') {
            stage.insert(stage.end(), static_cast<std::size_t>(1 + model.mtp_modules), {BlockKind::head, -1});
        } else {
            if (symbol == 'm') {
                stage.push_back({BlockKind::mtp_projection, -1});
            }
            stage.push_back({layer_kind(model, layer), layer});
            ++layer;
        }
    }
    return stages;
}

} // namespace chokepoint::work
