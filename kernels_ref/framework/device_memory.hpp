// SPDX-License-Identifier: Apache-2.0
// One large allocation handed out piece by piece: allocating gigabytes anew for every shape costs more than
// timing it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chokepoint::kref {

class Arena {
public:
    /// Takes up to `wanted` bytes, less if the device has less free.
    explicit Arena(std::size_t wanted);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Room for `count` elements at a multiple of 1024 bytes; contents undefined.
    /// @throws Unsupported if it does not fit.
    template <class T> T* take(std::int64_t count) {
        return static_cast<T*>(take_bytes(static_cast<std::size_t>(count) * sizeof(T)));
    }
    /// All that was taken becomes free.
    void reset() { used_ = 0; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

private:
    void* take_bytes(std::size_t bytes); // untyped, as cudaMalloc hands it out

    std::byte* base_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
};

/// Copies `count` elements to the host; synchronises with the device.
template <class T> std::vector<T> to_host(const T* device, std::int64_t count);
/// Copies a host vector to the device, where every stream finds it afterwards.
template <class T> void to_device(const std::vector<T>& host, T* device);

} // namespace chokepoint::kref

#include "framework/cuda_error.hpp"

namespace chokepoint::kref {

template <class T> std::vector<T> to_host(const T* device, std::int64_t count) {
    std::vector<T> host(static_cast<std::size_t>(count));
    require(cudaDeviceSynchronize(), "wait before copying to the host");
    require(cudaMemcpy(host.data(), device, host.size() * sizeof(T), cudaMemcpyDeviceToHost),
            "copy to the host");
    return host;
}

template <class T> void to_device(const std::vector<T>& host, T* device) {
    require(cudaMemcpy(device, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice),
            "copy to the device");
    // From pageable memory the call returns once the bytes are staged, and streams that do not block would
    // not wait for the rest: CUDA runtime API, "API synchronization behavior".
    require(cudaDeviceSynchronize(), "wait for a copy to the device");
}

} // namespace chokepoint::kref
