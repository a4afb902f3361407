// SPDX-License-Identifier: Apache-2.0
// Looks for a curve: the part's own, its architecture's, another format's or class's, another architecture's.
#include "curve_finder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

/// The architecture that lends its curves to the others: its memory-bound kernels are the only ones
/// published.
constexpr std::string_view kLender = "hopper";

/// As the fits call it: what training software uses by itself on Ampere.
constexpr std::string_view kFlashAttention2Name = "FlashAttention-2";

struct Format {
    DType dtype;
    Scaling scaling;
};

/// Number formats to look under, nearest first: other scales of the same elements, then BF16's share of the
/// format's own peak. Libraries run FP16 with BF16's kernels.
std::vector<Format> relatives(Format format) {
    if (format.dtype == DType::fp16) {
        return {{DType::bf16, Scaling::none}};
    }
    std::vector<Format> formats{format};
    for (const Scaling scaling : {Scaling::block_128, Scaling::per_tensor, Scaling::nv_16}) {
        if (scaling != format.scaling) {
            formats.push_back({format.dtype, scaling});
        }
    }
    formats.push_back({DType::bf16, Scaling::none});
    return formats;
}

/// Whether two figures are the same but for rounding in data sheets.
bool same(double a, double b) { return std::abs(a - b) <= 0.01 * std::max(a, b); }

/// The vintage of a library's memory-bound kernels; empty: the newest.
std::string_view streaming_vintage(KernelLibrary library) {
    switch (library) {
    case KernelLibrary::pytorch:
        return kPyTorchVintage;
    case KernelLibrary::deepseek:
        return kTrainingVintage;
    default:
        return {};
    }
}

bool has_figures_of(const GpuSpec& part, const Fit& fit) {
    const MeasuredPart& measured = fit.measured_on;
    if (measured.id.empty() || measured.id == part.id) {
        return true;
    }
    const bool arithmetic =
        is_memory_bound(fit.kernel) ||
        (measured.sm_count == part.sm_count && same(measured.tensor.value(), part.peak(fit.dtype).value()));
    return arithmetic && same(measured.memory.value(), part.memory_bandwidth.value());
}

} // namespace

std::vector<KernelClass> relatives(KernelClass kernel) {
    switch (kernel) {
    case KernelClass::gemm_wgrad:
    case KernelClass::grouped_gemm:
        return {kernel, KernelClass::gemm};
    case KernelClass::grouped_wgrad:
        return {kernel, KernelClass::grouped_gemm, KernelClass::gemm_wgrad, KernelClass::gemm};
    default:
        return {kernel};
    }
}

CurveFinder::CurveFinder(GpuSpec part, std::vector<std::filesystem::path> folders, FitLibrary* library)
    : part_(std::move(part)) {
    FitLibrary own;
    FitLibrary& files = library != nullptr ? *library : own;
    const auto file = [&](std::string_view architecture) -> std::optional<std::filesystem::path> {
        for (const std::filesystem::path& folder : folders) {
            if (auto place = folder / fmt::format("{}.json", architecture); std::filesystem::exists(place)) {
                return place;
            }
        }
        return std::nullopt;
    };
    if (part_.architecture != kLender && !part_.architecture.empty()) {
        if (const auto found = file(part_.architecture)) {
            sets_.push_back(files.read(*found));
        }
    }
    const auto lender = file(kLender);
    if (!lender) {
        throw std::runtime_error(
            fmt::format("found no '{}.json' in '{}' for {}", kLender, folders.back().string(), part_.id));
    }
    sets_.push_back(files.read(*lender));
}

const Fit* CurveFinder::in(const FitSet& set, KernelClass kernel, DType dtype, Scaling scaling,
                           const Software& software) const {
    const Fit* newest = set.find(kernel, dtype, scaling, {}, part_.id);
    if (is_memory_bound(kernel)) {
        const bool ours = newest != nullptr && newest->own_run && software.library == KernelLibrary::deepseek;
        const Fit* named =
            ours ? newest : set.find(kernel, dtype, scaling, streaming_vintage(software.library), part_.id);
        return named != nullptr ? named : newest;
    }
    // Of FlashAttention's first release and of Triton's kernel only a ratio to the second's time is known.
    if (software.library != KernelLibrary::usual) {
        const bool usual_here = newest != nullptr && newest->software == kFlashAttention2Name;
        return usual_here ? newest : set.find(kernel, dtype, scaling, kFlashAttention2, part_.id);
    }
    if (newest != nullptr && newest->own_run) {
        return newest; // whoever measured their own kernels runs those, and not DeepSeek's of early 2025
    }
    const Fit* early = set.find(kernel, dtype, scaling, kTrainingVintage, part_.id);
    return early != nullptr && !software.newest ? early : newest;
}

FoundCurve CurveFinder::find(KernelClass kernel, DType dtype, Scaling scaling, bool newest_software,
                             KernelLibrary library) const {
    const Software software{newest_software, library};
    for (const auto& set : sets_) {
        for (const Format& format : relatives(Format{dtype, scaling})) {
            for (const KernelClass relative : relatives(kernel)) {
                if (const Fit* fit = in(*set, relative, format.dtype, format.scaling, software)) {
                    const bool format_is_own =
                        dtype == DType::fp16 || (format.dtype == dtype && format.scaling == scaling);
                    const bool own = is_memory_bound(kernel) || (relative == kernel && format_is_own);
                    return {fit, !own, !has_figures_of(part_, *fit), set->architecture != part_.architecture};
                }
            }
        }
    }
    throw std::invalid_argument(
        fmt::format("the fits for {} have no curve for {}", part_.architecture, name(kernel)));
}

const Fit& CurveFinder::early_software(const Fit& fit) const {
    for (const auto& set : sets_) {
        const bool here = std::ranges::any_of(set->fits, [&](const Fit& each) { return &each == &fit; });
        const Fit* early = set->find(fit.kernel, fit.dtype, fit.scaling, kTrainingVintage);
        if (here && early != nullptr) {
            return *early;
        }
    }
    return fit;
}

} // namespace chokepoint::hw
