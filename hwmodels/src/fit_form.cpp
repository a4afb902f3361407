// SPDX-License-Identifier: Apache-2.0
// Arithmetic in waves of tiles, a smooth maximum with memory traffic, and the vector work beside the tensor
// cores.
#include "fit_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

enum TiledParameter { kTensor, kFill, kStore, kOperand, kWave, kBandwidth, kBlend };
constexpr std::array kTiled{
    FormParameter{"tensor", 0.90, 0.3, true}, // share of the tensor peak inside the main loop
    FormParameter{"fill", 128.0, 1.0,
                  false}, // elements of k that filling and draining the pipeline costs per tile
    FormParameter{"store", 1.0, 0.7,
                  false}, // share of an SM's part of the memory bandwidth at which tiles are stored
    FormParameter{"operand", 0.004, 1.0,
                  false}, // vector-rate work per product and 64/bm + 64/bn: shared-memory reads
    FormParameter{"wave", 0.80, 1.0, true},      // how sharply the last wave of tiles counts as a whole one
    FormParameter{"bandwidth", 0.85, 0.5, true}, // share of the memory bandwidth
    FormParameter{"blend", 3.0, 0.5, false},     // exponent of the smooth maximum, less one
};

enum AttentionParameter { kDot, kSoftmax, kRamp, kDiagonal, kRound, kStream };
constexpr std::array kAttention{
    FormParameter{"tensor", 0.85, 0.3, true},   // share of the tensor peak
    FormParameter{"softmax", 10.0, 0.7, false}, // FP32 operations per score that the tensor cores wait for
    FormParameter{"ramp", 0.5, 0.7, false}, // blocks of 128 keys that starting and ending a row block costs
    FormParameter{"diagonal", 0.5, 0.7,
                  false},                   // blocks of 128 keys wasted where the causal mask cuts a block
    FormParameter{"wave", 0.30, 1.0, true}, // how sharply the last wave of row blocks counts as a whole one
    FormParameter{"bandwidth", 0.85, 0.5, true}, // share of the memory bandwidth
};

constexpr std::array kStreaming{
    FormParameter{"bandwidth", 0.7, 3.0, true}, // share of the memory bandwidth, alone
};

constexpr std::array kVector{
    FormParameter{"rate", 0.015, 1.0, false}, // bytes moved while the part could do one FP32 operation
};

struct Tile {
    int rows;
    int columns;
};
/// What Hopper's GEMM libraries choose among: DeepGEMM picks 64, 128 or 256 rows and up to 160 columns (its
/// pull requests 74 and 95), cuBLAS 128 x 128, 128 x 256 and smaller.
constexpr std::array kHopperTiles{Tile{64, 64},   Tile{64, 128},  Tile{64, 256}, Tile{128, 64}, Tile{128, 96},
                                  Tile{128, 128}, Tile{128, 160}, Tile{256, 64}, Tile{256, 128}};
/// cuBLAS on A100 stays with large tiles: 4,096 x 1,024 x 5,120 runs at the rate of 128 tiles in two waves
/// over 108 SMs (aiconfigurator's table).
constexpr std::array kAmpereTiles{Tile{64, 64}, Tile{128, 64}, Tile{256, 128}, Tile{128, 256}};
/// A Blackwell SM holds 128 rows; pairs of SMs share tiles of 256 (CUTLASS, blackwell_functionality.md).
constexpr std::array kBlackwellTiles{Tile{128, 64}, Tile{128, 128}, Tile{128, 192}, Tile{128, 256}};

std::span<const Tile> tiles_of(std::string_view architecture) {
    if (architecture == "ampere") {
        return kAmpereTiles;
    }
    return architecture == "blackwell" ? std::span<const Tile>(kBlackwellTiles) : kHopperTiles;
}

/// Products of 128 are promoted from the tensor cores to FP32 registers: one multiply and add each
/// (DeepSeek-V3 report, 3.3.2). Where vector units are slow against the tensor cores this decides: 23% of the
/// tensor time on H800, 5% on H20.
constexpr double kPromotion = 2.0 / 128.0;
/// Blackwell's tensor cores take the scales themselves and add in FP32 (PTX ISA 8.7, tcgen05.mma
/// block_scale).
constexpr std::string_view kScalingCores = "blackwell";

constexpr double kRowBlock = 128.0; // query rows of a thread block, and keys per step (FlashAttention-3, 3)

/// FP32 outside the tensor cores. Where the part does not state it: H100's share of the BF16 rate.
FlopsPerSecond vector_peak(const GpuSpec& part) {
    constexpr double kUsualShare = 67.0 / 989.0; // NVIDIA H100 SXM5 datasheet
    const auto stated = part.dense_peak.find(DType::fp32);
    return stated != part.dense_peak.end() ? stated->second : part.peak(DType::bf16) * kUsualShare;
}

double waves(double units, int sms, double sharpness) {
    const double w = std::max(units / sms, 1.0);
    // The slack keeps a whole number of waves from rounding up.
    return std::pow(std::ceil(w - 1e-9), sharpness) * std::pow(w, 1.0 - sharpness);
}

Seconds smooth_max(Seconds a, Seconds b, double blend) {
    const double q = 1.0 + blend;
    const double high = std::max(a.value(), b.value());
    const double low = std::min(a.value(), b.value());
    if (high <= 0.0) {
        return Seconds(0.0);
    }
    return Seconds(high * std::pow(1.0 + std::pow(low / high, q), 1.0 / q));
}

/// One tile on one SM, over this much of k.
Seconds tile_time(std::span<const double> p, const Operator& op, const Device& device, Tile tile, double k) {
    const double elements = static_cast<double>(tile.rows) * tile.columns;
    const Flops products(2.0 * elements * (k + p[kFill]));
    // Shared memory runs at the SM's clock, as the vector units do: a part with slower tensor cores hides it
    // better.
    const double promotion =
        op.scaling == Scaling::block_128 && device.architecture != kScalingCores ? kPromotion : 0.0;
    const double operands = p[kOperand] * (64.0 / tile.rows + 64.0 / tile.columns);
    const Flops vector(elements * k * (promotion + operands));
    const Seconds time =
        products / (device.tensor / device.sms) / p[kTensor] + vector / (device.vector / device.sms);
    const bool accumulates = op.kernel == KernelClass::gemm_wgrad || op.kernel == KernelClass::grouped_wgrad;
    // BF16 written, or gradients read and written.
    const Bytes stored =
        accumulates ? 2.0 * op.written *
                          (elements / (static_cast<double>(op.m) * static_cast<double>(op.n) * op.groups))
                    : Bytes(2.0 * elements);
    return time + stored / (device.memory / device.sms) / p[kStore];
}

double tiles_of_product(const Operator& op, Tile tile) {
    return std::ceil(static_cast<double>(op.m) / tile.rows) *
           std::ceil(static_cast<double>(op.n) / tile.columns) * op.groups;
}

/// The architecture whose cuBLAS chooses as the next three functions say.
constexpr std::string_view kLargeTiles = "ampere";

/// Where tiles of 256 x 128 occupy half of the device or more, cuBLAS on A100 takes them even if smaller ones
/// would end sooner: products of 1,024 x 4,096 and of 1,024 x 5,120 over a k of 4,096 both take two waves of
/// them, 205 us (aiconfigurator's table).
bool passed_over(const Operator& op, const Device& device, Tile tile) {
    constexpr Tile kLarge{256, 128};
    return device.architecture == kLargeTiles && tile.rows * tile.columns < kLarge.rows * kLarge.columns &&
           2.0 * tiles_of_product(op, kLarge) >= device.sms_free;
}

/// It cuts k where that fills the device, into no less than this: products of 1,024 x 1,024 over 5,120 take
/// half of what a tile over all of k does, those of 1,024 x 4,096 over 4,096 two whole waves (the same
/// table).
constexpr std::int64_t kShortestPart = 2560;

int most_parts(const Operator& op, const Device& device) {
    constexpr std::int64_t kMostParts = 4;
    return device.architecture == kLargeTiles
               ? static_cast<int>(std::clamp<std::int64_t>(op.k / kShortestPart, 1, kMostParts))
               : 1;
}

/// FP32 sums of the parts, written and read once more.
Seconds sum_of_parts(std::span<const double> p, const Operator& op, const Device& device, int parts) {
    if (parts == 1) {
        return Seconds(0.0);
    }
    constexpr double kFp32 = 4.0;
    const Bytes sums(2.0 * kFp32 * parts * static_cast<double>(op.m) * static_cast<double>(op.n) * op.groups);
    return sums / device.memory / p[kBandwidth];
}

Seconds tiled_time(std::span<const double> p, const Operator& op, const Device& device) {
    Seconds arithmetic(std::numeric_limits<double>::infinity());
    for (const Tile tile : tiles_of(device.architecture)) {
        if (passed_over(op, device, tile)) {
            continue;
        }
        for (int parts = 1; parts <= most_parts(op, device); ++parts) {
            const double count = waves(parts * tiles_of_product(op, tile), device.sms_free, p[kWave]);
            const double depth = static_cast<double>(op.k) / parts;
            arithmetic = std::min(arithmetic, count * tile_time(p, op, device, tile, depth) +
                                                  sum_of_parts(p, op, device, parts));
        }
    }
    const Seconds traffic = (op.read + op.written) / device.memory / p[kBandwidth];
    return smooth_max(arithmetic, traffic, p[kBlend]);
}

Seconds attention_time(std::span<const double> p, const Operator& op, const Device& device) {
    const bool backward = op.kernel == KernelClass::attention_bwd;
    const double dims = backward ? 3.0 * op.dim_qk + 2.0 * op.dim_v : op.dim_qk + op.dim_v;
    const double keys = static_cast<double>(op.seq_kv) * (op.causal ? 0.5 : 1.0);
    const double extra = kRowBlock * (p[kRamp] + (op.causal ? p[kDiagonal] : 0.0));
    const double scores =
        static_cast<double>(op.batch) * op.heads * static_cast<double>(op.seq_q) * (keys + extra);
    const double share = static_cast<double>(device.sms_free) / device.sms;
    const Seconds tensor = Flops(2.0 * dims * scores) / (device.tensor * share) / p[kDot];
    const Seconds vector = Flops(p[kSoftmax] * scores) / (device.vector * share);

    const double units =
        static_cast<double>(op.batch) * op.heads * std::ceil(static_cast<double>(op.seq_q) / kRowBlock);
    const double whole = waves(units, device.sms_free, p[kRound]) / (units / device.sms_free);
    const Seconds traffic = (op.read + op.written) / device.memory / p[kStream];
    return smooth_max((tensor + vector) * whole, traffic, 3.0);
}

/// Exponentials, masks and addresses of a small product's every element keep the SMs busy longer than memory
/// does: the time goes with their number and clock, for which the FP32 rate stands.
Seconds vector_time(std::span<const double> p, const Operator& op, const Device& device) {
    const double share = static_cast<double>(device.sms_free) / device.sms;
    return Seconds((op.read + op.written).value() / (device.vector.value() * share * p[0]));
}

} // namespace

std::span<const FormParameter> form_parameters(CurveForm form) {
    switch (form) {
    case CurveForm::tiled:
        return kTiled;
    case CurveForm::attention:
        return kAttention;
    case CurveForm::vector:
        return kVector;
    case CurveForm::streaming:
        break;
    }
    return kStreaming;
}

double to_free(const FormParameter& parameter, double value) {
    return parameter.share ? std::log(value / (1.0 - value)) : std::log(value);
}

double from_free(const FormParameter& parameter, double transform) {
    return parameter.share ? 1.0 / (1.0 + std::exp(-transform)) : std::exp(transform);
}

Device device_for(const GpuSpec& part, const Operator& op, int sms_held, double clock) {
    if (sms_held < 0 || sms_held >= part.sm_count) {
        throw std::invalid_argument(fmt::format("{}: {} SMs held of {} leave none for '{}'", part.id,
                                                sms_held, part.sm_count, op.name));
    }
    Device device;
    device.memory = part.memory_bandwidth;
    device.sms = part.sm_count;
    device.sms_free = part.sm_count - sms_held;
    device.architecture = part.architecture;
    device.vector = vector_peak(part) * clock;
    if (!is_memory_bound(op.kernel)) {
        device.tensor = part.peak(op.dtype) * clock;
    }
    return device;
}

Seconds form_time(CurveForm form, std::span<const double> parameters, const Operator& op,
                  const Device& device) {
    switch (form) {
    case CurveForm::tiled:
        return tiled_time(parameters, op, device);
    case CurveForm::attention:
        return attention_time(parameters, op, device);
    case CurveForm::vector:
        return vector_time(parameters, op, device);
    case CurveForm::streaming:
        break;
    }
    return (op.read + op.written) / device.memory / parameters[0];
}

} // namespace chokepoint::hw
