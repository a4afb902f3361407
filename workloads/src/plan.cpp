// SPDX-License-Identifier: Apache-2.0
// Names of the choices in a plan, as scenario files and reports spell them.
#include <chokepoint/workloads/plan.hpp>

#include <array>

namespace chokepoint::work {
namespace {

template <typename Choice> struct Named {
    Choice choice;
    std::string_view name;
};

constexpr std::array kPrecisions{
    Named{Precision::bf16, "bf16"},
    Named{Precision::fp16, "fp16"},
    Named{Precision::fp8_block, "fp8-block"},
    Named{Precision::fp8_tensor, "fp8-tensor"},
    Named{Precision::fp8_delayed, "fp8-delayed"},
    Named{Precision::mxfp8, "mxfp8"},
    Named{Precision::nvfp4, "nvfp4"},
};
constexpr std::array kPipelineSends{
    Named{PipelineSend::blocking, "blocking"},
    Named{PipelineSend::overlapped, "overlapped"},
};
constexpr std::array kAttentionKernels{
    Named{AttentionKernel::fused, "fused"},
    Named{AttentionKernel::flash_attention_2, "flash-attention-2"},
    Named{AttentionKernel::flash_attention_1, "flash-attention-1"},
    Named{AttentionKernel::flash_attention_triton, "flash-attention-triton"},
    Named{AttentionKernel::unfused, "unfused"},
};
constexpr std::array kElementwise{
    Named{Elementwise::fused, "fused"},
    Named{Elementwise::eager, "eager"},
};
constexpr std::array kCrossEntropies{
    Named{CrossEntropy::fused, "fused"},
    Named{CrossEntropy::in_place, "in-place"},
    Named{CrossEntropy::compiled, "compiled"},
    Named{CrossEntropy::eager, "eager"},
};
constexpr std::array kDispatchers{
    Named{Dispatcher::deepep, "deepep"},
    Named{Dispatcher::hybrid_ep, "hybrid-ep"},
    Named{Dispatcher::all_to_all, "all-to-all"},
    Named{Dispatcher::all_gather, "all-gather"},
};
constexpr std::array kContextKinds{
    Named{ContextKind::ring, "ring"},
    Named{ContextKind::all_gather, "all-gather"},
    Named{ContextKind::all_to_all, "all-to-all"},
};

template <typename Table, typename Choice> std::string_view name_in(const Table& table, Choice choice) {
    for (const auto& entry : table) {
        if (entry.choice == choice) {
            return entry.name;
        }
    }
    return "?";
}

template <typename Choice, std::size_t N>
std::optional<Choice> choice_in(const std::array<Named<Choice>, N>& table, std::string_view text) {
    for (const auto& entry : table) {
        if (entry.name == text) {
            return entry.choice;
        }
    }
    return std::nullopt;
}

} // namespace

std::string_view name(Precision precision) { return name_in(kPrecisions, precision); }
hw::DType matrix_format(Precision precision) {
    switch (precision) {
    case Precision::bf16:
    case Precision::fp16:
        return hw::DType::bf16;
    case Precision::fp8_block:
    case Precision::fp8_tensor:
    case Precision::fp8_delayed:
    case Precision::mxfp8:
        return hw::DType::fp8;
    case Precision::nvfp4:
        break;
    }
    return hw::DType::fp4;
}
std::optional<Precision> precision_from(std::string_view text) { return choice_in(kPrecisions, text); }

std::string_view name(PipelineSend send) { return name_in(kPipelineSends, send); }
std::optional<PipelineSend> pipeline_send_from(std::string_view text) {
    return choice_in(kPipelineSends, text);
}

std::string_view name(AttentionKernel kernel) { return name_in(kAttentionKernels, kernel); }
std::optional<AttentionKernel> attention_kernel_from(std::string_view text) {
    return choice_in(kAttentionKernels, text);
}

std::string_view name(Elementwise elementwise) { return name_in(kElementwise, elementwise); }
std::optional<Elementwise> elementwise_from(std::string_view text) { return choice_in(kElementwise, text); }
std::string_view name(CrossEntropy kernel) { return name_in(kCrossEntropies, kernel); }
std::optional<CrossEntropy> cross_entropy_from(std::string_view text) {
    return choice_in(kCrossEntropies, text);
}

std::string_view name(Dispatcher dispatcher) { return name_in(kDispatchers, dispatcher); }
std::optional<Dispatcher> dispatcher_from(std::string_view text) { return choice_in(kDispatchers, text); }

std::string_view name(ContextKind kind) { return name_in(kContextKinds, kind); }
std::optional<ContextKind> context_kind_from(std::string_view text) { return choice_in(kContextKinds, text); }

} // namespace chokepoint::work
