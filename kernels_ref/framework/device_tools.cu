// SPDX-License-Identifier: Apache-2.0
// Small kernels for checks and timers.
#include "framework/device_tools.hpp"

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <set>

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kFillBlocks = 1024;

/// 64 well-mixed bits of a counter: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
__device__ std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

__device__ float uniform(std::uint64_t bits) {
    return (static_cast<float>(bits & 0xffffffU) + 0.5f) * 0x1p-24f;
}

/// Box-Muller.
__device__ float normal(std::uint64_t counter, std::uint64_t seed) {
    const std::uint64_t bits = mix(counter ^ mix(seed));
    const float radius = sqrtf(-2.0f * logf(uniform(bits)));
    return radius * cospif(2.0f * uniform(bits >> 32));
}

struct NormalBf16 {
    float deviation;
    std::uint64_t seed;
    __device__ Bf16Bits operator()(std::int64_t i) const {
        return __bfloat16_as_ushort(
            __float2bfloat16(deviation * normal(static_cast<std::uint64_t>(i), seed)));
    }
};
struct NormalFloat {
    float deviation;
    std::uint64_t seed;
    __device__ float operator()(std::int64_t i) const {
        return deviation * normal(static_cast<std::uint64_t>(i), seed);
    }
};
struct Quantised {
    std::uint64_t seed;
    __device__ E4m3Bits operator()(std::int64_t i) const {
        // The largest of 128 normal values is about 2.7 deviations, which quantisation maps to 448.
        const float value = 165.0f * normal(static_cast<std::uint64_t>(i), seed);
        return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
    }
};
struct Uniform {
    float low, high;
    std::uint64_t seed;
    __device__ float operator()(std::int64_t i) const {
        return low + (high - low) * uniform(mix(static_cast<std::uint64_t>(i) ^ mix(seed)));
    }
};

template <class T, class Generator> __global__ void fill(T* out, std::int64_t count, Generator generate) {
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x; i < count;
         i += step) {
        out[i] = generate(i);
    }
}

template <class T, class Generator>
void launch_fill(T* out, std::int64_t count, Generator generate, cudaStream_t stream) {
    fill<<<kFillBlocks, kThreads, 0, stream>>>(out, count, generate);
    require_launched("fill");
}

__device__ bool is_poison(Bf16Bits v) { return (v & 0x7fffU) > 0x7f80U; }
__device__ bool is_poison(float v) { return v != v; }
__device__ bool is_poison(E4m3Bits v) { return (v & 0x7fU) == 0x7fU; }
__device__ bool is_poison(std::int32_t v) { return v == -1; }

template <class T>
__global__ void count_poisoned(const T* in, std::int64_t count, unsigned long long* found) {
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    unsigned long long mine = 0;
    for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x; i < count;
         i += step) {
        mine += is_poison(in[i]) ? 1 : 0;
    }
    if (mine > 0) {
        atomicAdd(found, mine);
    }
}

template <class T> std::int64_t count_poison_of(const T* in, std::int64_t count, cudaStream_t stream) {
    unsigned long long* found = nullptr;
    require(cudaMalloc(&found, sizeof *found), "allocate a counter");
    require(cudaMemsetAsync(found, 0, sizeof *found, stream), "clear a counter");
    count_poisoned<<<kFillBlocks, kThreads, 0, stream>>>(in, count, found);
    require_launched("count_poisoned");
    const unsigned long long result = to_host(found, 1).front();
    require(cudaFree(found), "free a counter");
    return static_cast<std::int64_t>(result);
}

template <class T>
__global__ void gather(const T* matrix, const std::int64_t* starts, std::int64_t stride, std::int64_t length,
                       T* out) {
    const T* line = matrix + starts[blockIdx.y];
    for (std::int64_t j = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x; j < length;
         j += static_cast<std::int64_t>(gridDim.x) * blockDim.x) {
        out[blockIdx.y * length + j] = line[j * stride];
    }
}

double as_double(Bf16Bits v) { return from_bf16(v); }
double as_double(E4m3Bits v) { return from_e4m3(v); }
double as_double(float v) { return v; }
double as_double(std::int32_t v) { return v; }

__global__ void read_all(const uint4* in, std::int64_t count, unsigned* never) {
    unsigned sum = 0;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
    for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x; i < count;
         i += step) {
        const uint4 v = in[i];
        sum |= v.x | v.y | v.z | v.w;
    }
    if (sum == 0x12345678U && never != nullptr) { // keeps the loads alive
        *never = sum;
    }
}

__global__ void spin_until(std::int64_t cycles) {
    const std::int64_t start = clock64();
    while (clock64() - start < cycles) {
    }
}

} // namespace

void fill_normal(Bf16Bits* out, std::int64_t count, float deviation, std::uint64_t seed,
                 cudaStream_t stream) {
    launch_fill(out, count, NormalBf16{deviation, seed}, stream);
}
void fill_normal(float* out, std::int64_t count, float deviation, std::uint64_t seed, cudaStream_t stream) {
    launch_fill(out, count, NormalFloat{deviation, seed}, stream);
}
void fill_quantised(E4m3Bits* out, std::int64_t count, std::uint64_t seed, cudaStream_t stream) {
    launch_fill(out, count, Quantised{seed}, stream);
}
void fill_uniform(float* out, std::int64_t count, float low, float high, std::uint64_t seed,
                  cudaStream_t stream) {
    launch_fill(out, count, Uniform{low, high, seed}, stream);
}

std::int64_t count_poison(const Bf16Bits* in, std::int64_t count, cudaStream_t stream) {
    return count_poison_of(in, count, stream);
}
std::int64_t count_poison(const float* in, std::int64_t count, cudaStream_t stream) {
    return count_poison_of(in, count, stream);
}
std::int64_t count_poison(const E4m3Bits* in, std::int64_t count, cudaStream_t stream) {
    return count_poison_of(in, count, stream);
}
std::int64_t count_poison(const std::int32_t* in, std::int64_t count, cudaStream_t stream) {
    return count_poison_of(in, count, stream);
}

template <class T>
std::vector<std::vector<double>> read_lines(const T* matrix, const std::vector<std::int64_t>& starts,
                                            std::int64_t stride, std::int64_t length) {
    const auto lines = static_cast<std::int64_t>(starts.size());
    std::int64_t* device_starts = nullptr;
    T* device_lines = nullptr;
    require(cudaMalloc(&device_starts, starts.size() * sizeof(std::int64_t)), "allocate sample offsets");
    require(cudaMalloc(&device_lines, static_cast<std::size_t>(lines * length) * sizeof(T)),
            "allocate samples");
    to_device(starts, device_starts);
    const auto blocks = static_cast<unsigned>(std::min<std::int64_t>((length + kThreads - 1) / kThreads, 64));
    require(cudaDeviceSynchronize(), "wait before sampling");
    gather<<<dim3(blocks, static_cast<unsigned>(lines)), kThreads>>>(matrix, device_starts, stride, length,
                                                                     device_lines);
    require_launched("gather");
    const std::vector<T> flat = to_host(device_lines, lines * length);
    require(cudaFree(device_starts), "free sample offsets");
    require(cudaFree(device_lines), "free samples");

    std::vector<std::vector<double>> result;
    for (std::int64_t i = 0; i < lines; ++i) {
        std::vector<double>& line = result.emplace_back();
        line.reserve(static_cast<std::size_t>(length));
        for (std::int64_t j = 0; j < length; ++j) {
            line.push_back(as_double(flat[static_cast<std::size_t>(i * length + j)]));
        }
    }
    return result;
}
template std::vector<std::vector<double>> read_lines(const Bf16Bits*, const std::vector<std::int64_t>&,
                                                     std::int64_t, std::int64_t);
template std::vector<std::vector<double>> read_lines(const E4m3Bits*, const std::vector<std::int64_t>&,
                                                     std::int64_t, std::int64_t);
template std::vector<std::vector<double>> read_lines(const float*, const std::vector<std::int64_t>&,
                                                     std::int64_t, std::int64_t);
template std::vector<std::vector<double>> read_lines(const std::int32_t*, const std::vector<std::int64_t>&,
                                                     std::int64_t, std::int64_t);

std::vector<std::int64_t> sample(std::int64_t extent, int count, std::mt19937_64& random) {
    // Edges of tiles of 64, 128 and 256 rows, and the last, perhaps ragged, one.
    std::set<std::int64_t> chosen;
    for (const std::int64_t edge :
         {std::int64_t{0}, std::int64_t{63}, std::int64_t{64}, std::int64_t{127}, std::int64_t{128},
          std::int64_t{255}, std::int64_t{256}, extent - 128, extent - 1}) {
        if (edge >= 0 && edge < extent) {
            chosen.insert(edge);
        }
    }
    std::uniform_int_distribution<std::int64_t> any(0, extent - 1);
    for (int tries = 0; tries < 4 * count && static_cast<int>(chosen.size()) < count; ++tries) {
        chosen.insert(any(random));
    }
    return {chosen.begin(), chosen.end()};
}

void flush_l2(const std::byte* buffer, std::int64_t bytes, cudaStream_t stream) {
    read_all<<<kFillBlocks, kThreads, 0, stream>>>(reinterpret_cast<const uint4*>(buffer), bytes / 16,
                                                   nullptr);
    require_launched("flush_l2");
}

void spin(std::int64_t clock_cycles, cudaStream_t stream) {
    spin_until<<<1, 1, 0, stream>>>(clock_cycles);
    require_launched("spin");
}

} // namespace chokepoint::kref
