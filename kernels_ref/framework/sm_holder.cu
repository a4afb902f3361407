// SPDX-License-Identifier: Apache-2.0
// A kernel that takes whole SMs and gives them back when the host says so.
#include "framework/sm_holder.hpp"

#include "framework/cuda_error.hpp"

#include <cstring>
#include <string>

namespace chokepoint::kref {
namespace {

constexpr int kMostHolders = 256;                      // SMs of any part we know of
constexpr std::uint64_t kHoldAtMostNs = 5'000'000'000; // a lost stop flag must not hang the device
constexpr int kHolderThreads = 512;
constexpr int kHolderUnroll = 4;
constexpr int kPiece = kHolderUnroll * kHolderThreads; // 16-byte words
// Reads plus writes, over all held SMs. DeepEP moves 153 to 158 GB/s over an H800's NVLink (its README), and
// what passes through memory is read once and written once.
constexpr double kHolderBytesPerNs = 320.0;
constexpr int kPiecesPerPoll = 16; // the flag lies across PCIe

__device__ std::uint64_t global_nanoseconds() {
    std::uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

__device__ void copy_piece(const uint4* from, uint4* to, std::int64_t start, std::int64_t count) {
    uint4 held[kHolderUnroll];
#pragma unroll
    for (int u = 0; u < kHolderUnroll; ++u) {
        held[u] = from[(start + u * kHolderThreads + threadIdx.x) % count];
    }
#pragma unroll
    for (int u = 0; u < kHolderUnroll; ++u) {
        to[(start + u * kHolderThreads + threadIdx.x) % count] = held[u];
    }
}

} // namespace

/// Host memory that the device sees; each block has its own slots, since atomics across PCIe are not a given.
struct HolderFlags {
    volatile int stop;
    volatile int started[kMostHolders];
    volatile unsigned long long copied[kMostHolders];
};

namespace {

__global__ void __launch_bounds__(kHolderThreads)
    hold(HolderFlags* shared, bool transfer, const uint4* from, uint4* to, std::int64_t count) {
    extern __shared__ uint4 occupied[];
    const std::uint64_t begin = global_nanoseconds();
    if (threadIdx.x == 0) {
        occupied[0] = uint4{};
        shared->started[blockIdx.x] = 1;
        __threadfence_system();
    }
    const double ns_per_piece = 2.0 * kPiece * sizeof(uint4) * gridDim.x / kHolderBytesPerNs;
    std::int64_t piece = blockIdx.x;
    std::int64_t done = 0;
    bool go_on = true;
    while (go_on) {
        for (int i = 0; i < kPiecesPerPoll; ++i) {
            if (transfer) {
                copy_piece(from, to, piece * kPiece % count, count);
                piece += gridDim.x;
                ++done;
                while (global_nanoseconds() - begin < static_cast<std::uint64_t>(done * ns_per_piece)) {
                    __nanosleep(100);
                }
            } else {
                __nanosleep(500);
            }
        }
        // One thread's answer for all, so that no thread misses a barrier.
        go_on = __syncthreads_or(threadIdx.x == 0 && shared->stop == 0 &&
                                 global_nanoseconds() - begin < kHoldAtMostNs) != 0;
        if (threadIdx.x == 0) {
            shared->copied[blockIdx.x] = static_cast<unsigned long long>(done) * 2 * kPiece * sizeof(uint4);
        }
    }
}

} // namespace

SmHolder::SmHolder(int sms, bool transfer, std::byte* source, std::byte* target, std::int64_t bytes)
    : sms_(sms) {
    if (sms < 1 || sms > kMostHolders) {
        throw GpuError("cannot hold " + std::to_string(sms) + " SMs; expected 1 to " +
                       std::to_string(kMostHolders));
    }
    require(cudaHostAlloc(reinterpret_cast<void**>(&shared_), sizeof(HolderFlags), cudaHostAllocMapped),
            "allocate the holder's flags");
    std::memset(static_cast<void*>(shared_), 0, sizeof(HolderFlags));
    int least = 0;
    int greatest = 0;
    require(cudaDeviceGetStreamPriorityRange(&least, &greatest), "ask for stream priorities");
    require(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest),
            "create the holder's stream");
    // All shared memory that a block may have, 227 of an SM's 228 KiB: the last one is the driver's, for this
    // block. One KiB less, and a block without shared memory would still find the KiB that it needs.
    int device = 0;
    int whole_sm = 0;
    require(cudaGetDevice(&device), "ask for the device");
    require(cudaDeviceGetAttribute(&whole_sm, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
            "ask for a block's most shared memory");
    require(cudaFuncSetAttribute(hold, cudaFuncAttributeMaxDynamicSharedMemorySize, whole_sm),
            "give the holder all shared memory");
    require(cudaDeviceSynchronize(), "wait before holding SMs");
    hold<<<sms, kHolderThreads, whole_sm, stream_>>>(shared_, transfer,
                                                     reinterpret_cast<const uint4*>(source),
                                                     reinterpret_cast<uint4*>(target), bytes / 16);
    require_launched("hold");
    while (started() < sms && cudaStreamQuery(stream_) == cudaErrorNotReady) {
    }
    cudaGetLastError(); // "not ready" is kept as the last error, which the next launch would be blamed for
    if (started() < sms) {
        require(cudaStreamSynchronize(stream_), "hold SMs");
        throw GpuError("only " + std::to_string(started()) + " of " + std::to_string(sms) +
                       " SMs could be held");
    }
}

SmHolder::~SmHolder() {
    shared_->stop = 1;
    cudaStreamSynchronize(stream_);
    cudaStreamDestroy(stream_);
    cudaFreeHost(shared_);
}

int SmHolder::started() const {
    int count = 0;
    for (int i = 0; i < sms_; ++i) {
        count += shared_->started[i];
    }
    return count;
}

void SmHolder::require_held() const {
    const cudaError_t status = cudaStreamQuery(stream_);
    cudaGetLastError(); // as above
    if (status == cudaErrorNotReady) {
        return;
    }
    require(status, "hold SMs until the timing ends");
    throw GpuError("the SMs were given back before the timing ended, after " +
                   std::to_string(kHoldAtMostNs / 1'000'000'000) + " s; its samples are discarded");
}

std::int64_t SmHolder::copied_bytes() const {
    std::int64_t bytes = 0;
    for (int i = 0; i < sms_; ++i) {
        bytes += static_cast<std::int64_t>(shared_->copied[i]);
    }
    return bytes;
}

} // namespace chokepoint::kref
