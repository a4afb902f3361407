// SPDX-License-Identifier: Apache-2.0
// The words by which files name the kinds of attention, activation, norm and block.
#include <chokepoint/workloads/model_arch.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace chokepoint::work {
namespace {

template <typename Enum> using Word = std::pair<Enum, std::string_view>;

constexpr std::array kAttentionKinds{
    Word<AttentionKind>{AttentionKind::mha, "mha"},
    Word<AttentionKind>{AttentionKind::gqa, "gqa"},
    Word<AttentionKind>{AttentionKind::mla, "mla"},
};
constexpr std::array kActivations{
    Word<Activation>{Activation::silu, "silu"},
    Word<Activation>{Activation::gelu, "gelu"},
    Word<Activation>{Activation::relu, "relu"},
    Word<Activation>{Activation::squared_relu, "squared_relu"},
};
constexpr std::array kNormKinds{
    Word<NormKind>{NormKind::rmsnorm, "rmsnorm"},
    Word<NormKind>{NormKind::layernorm, "layernorm"},
};
constexpr std::array kBlockForms{
    Word<BlockForm>{BlockForm::pre_norm, "pre-norm"},
    Word<BlockForm>{BlockForm::sandwich_norm, "sandwich-norm"},
    Word<BlockForm>{BlockForm::parallel, "parallel"},
    Word<BlockForm>{BlockForm::parallel_two_norms, "parallel-two-norms"},
};

template <typename Words, typename Enum> std::string_view word_of(const Words& words, Enum value) {
    const auto at = std::ranges::find(words, value, &Word<Enum>::first);
    return at == words.end() ? "?" : at->second;
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<Word<Enum>, N>& words, std::string_view text) {
    const auto at = std::ranges::find(words, text, &Word<Enum>::second);
    return at == words.end() ? std::nullopt : std::optional(at->first);
}

} // namespace

std::string_view name(AttentionKind kind) { return word_of(kAttentionKinds, kind); }
std::optional<AttentionKind> attention_kind_from(std::string_view text) {
    return value_of(kAttentionKinds, text);
}

std::string_view name(Activation activation) { return word_of(kActivations, activation); }
std::optional<Activation> activation_from(std::string_view text) { return value_of(kActivations, text); }

std::string_view name(NormKind norm) { return word_of(kNormKinds, norm); }
std::optional<NormKind> norm_kind_from(std::string_view text) { return value_of(kNormKinds, text); }

std::string_view name(BlockForm form) { return word_of(kBlockForms, form); }
std::optional<BlockForm> block_form_from(std::string_view text) { return value_of(kBlockForms, text); }

} // namespace chokepoint::work
