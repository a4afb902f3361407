// SPDX-License-Identifier: Apache-2.0
// Number formats, and what a cap leaves of a part.
#include <chokepoint/hwmodels/gpu_spec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

struct Format {
    DType dtype;
    std::string_view name;
    double bytes;
};

constexpr std::array kFormats{
    Format{DType::fp64, "fp64", 8.0}, Format{DType::fp32, "fp32", 4.0}, Format{DType::tf32, "tf32", 4.0},
    Format{DType::bf16, "bf16", 2.0}, Format{DType::fp16, "fp16", 2.0}, Format{DType::fp8, "fp8", 1.0},
    Format{DType::fp4, "fp4", 0.5},   Format{DType::int8, "int8", 1.0},
};

const Format& format_of(DType dtype) { return *std::ranges::find(kFormats, dtype, &Format::dtype); }

/// A dtype's share of TPP: rate in TOPS times bit length.
double processing_performance(DType dtype, FlopsPerSecond rate) {
    return rate.value() * 1e-12 * format_of(dtype).bytes * 8.0;
}

/// Formats that only tensor cores multiply fast; FP64 and FP32 also have vector units.
bool is_tensor_format(DType dtype) { return dtype != DType::fp64 && dtype != DType::fp32; }

void cap_performance(double tpp, GpuSpec& gpu) {
    double tensor = 0.0;
    for (const auto& [dtype, rate] : gpu.dense_peak) {
        tensor = is_tensor_format(dtype) ? std::max(tensor, processing_performance(dtype, rate)) : tensor;
    }
    for (auto& [dtype, rate] : gpu.dense_peak) {
        // Vector formats keep their rate unless they would break the cap by themselves.
        const double own = is_tensor_format(dtype) ? tensor : processing_performance(dtype, rate);
        if (own > tpp) {
            rate *= tpp / own;
        }
    }
}

} // namespace

std::string_view name(DType dtype) { return format_of(dtype).name; }

std::optional<DType> dtype_from(std::string_view text) {
    const auto found = std::ranges::find(kFormats, text, &Format::name);
    return found == kFormats.end() ? std::nullopt : std::optional(found->dtype);
}

Bytes element_bytes(DType dtype) { return Bytes(format_of(dtype).bytes); }

FlopsPerSecond GpuSpec::peak(DType dtype) const {
    const auto found = dense_peak.find(dtype);
    if (found == dense_peak.end()) {
        throw std::invalid_argument(fmt::format("{} has no {} rate", id, hw::name(dtype)));
    }
    return found->second;
}

PeerLink peer_link(const GpuSpec& gpu) {
    return gpu.nvlink.value() > 0.0 ? PeerLink{gpu.nvlink, gpu.nvlink_achievable}
                                    : PeerLink{gpu.pcie, gpu.pcie_achievable};
}

double total_processing_performance(const GpuSpec& gpu) {
    double largest = 0.0;
    for (const auto& [dtype, rate] : gpu.dense_peak) {
        largest = std::max(largest, processing_performance(dtype, rate));
    }
    return largest;
}

GpuSpec apply(const Caps& caps, GpuSpec gpu) {
    if (caps.nvlink && *caps.nvlink < gpu.nvlink) {
        // Multiply first: the published figures then stay exact.
        const double scaled = gpu.nvlink_achievable.value() * caps.nvlink->value() / gpu.nvlink.value();
        gpu.nvlink_achievable = BytesPerSecond(scaled);
        gpu.nvlink = *caps.nvlink;
    }
    if (caps.memory_bandwidth) {
        gpu.memory_bandwidth = std::min(gpu.memory_bandwidth, *caps.memory_bandwidth);
    }
    if (const auto fp64 = gpu.dense_peak.find(DType::fp64); caps.fp64 && fp64 != gpu.dense_peak.end()) {
        fp64->second = std::min(fp64->second, *caps.fp64);
    }
    if (caps.tpp) {
        cap_performance(*caps.tpp, gpu);
    }
    return gpu;
}

} // namespace chokepoint::hw
