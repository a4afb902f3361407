// SPDX-License-Identifier: Apache-2.0
// A bump allocator over one cudaMalloc.
#include "framework/device_memory.hpp"

#include <algorithm>
#include <string>

namespace chokepoint::kref {
namespace {
constexpr std::size_t kAlignment = 1024;               // TMA's 128-byte swizzle repeats every 1024 bytes
constexpr std::size_t kReserve = std::size_t{2} << 30; // for the libraries' own allocations
} // namespace

Arena::Arena(std::size_t wanted) {
    std::size_t available = 0;
    std::size_t total = 0;
    require(cudaMemGetInfo(&available, &total), "ask for free device memory");
    if (available <= kReserve) {
        throw GpuError("the device has " + std::to_string(available >> 20) +
                       " MiB free; expected more than 2 GiB");
    }
    capacity_ = std::min(wanted, available - kReserve);
    void* memory = nullptr;
    require(cudaMalloc(&memory, capacity_), "allocate the arena");
    base_ = static_cast<std::byte*>(memory);
}

Arena::~Arena() { cudaFree(base_); }

void* Arena::take_bytes(std::size_t bytes) {
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded > capacity_ - used_) {
        throw Unsupported("needs " + std::to_string(bytes >> 20) + " MiB more device memory; " +
                          std::to_string((capacity_ - used_) >> 20) + " of " +
                          std::to_string(capacity_ >> 20) + " MiB are left");
    }
    std::byte* piece = base_ + used_;
    used_ += rounded;
    return piece;
}

} // namespace chokepoint::kref
