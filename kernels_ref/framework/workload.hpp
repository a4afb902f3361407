// SPDX-License-Identifier: Apache-2.0
// One kernel on one shape with its buffers on the device: what checks and timers work on.
#pragma once

#include "framework/compare.hpp"
#include "framework/device_memory.hpp"
#include "framework/shape.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>

namespace chokepoint::kref {

struct CublasLibrary;
struct CudnnLibrary;

/// Where and how wide to launch.
struct Launch {
    cudaStream_t stream = nullptr;
    int sms = 0; ///< SMs that the launch may count on
};

class Workload {
public:
    Workload() = default;
    virtual ~Workload() = default;
    Workload(const Workload&) = delete;
    Workload& operator=(const Workload&) = delete;

    /// Enqueues the kernel on buffer set `set` of `sets()`. Allowed inside stream capture.
    virtual void launch(int set, const Launch&) = 0;
    /// Poisons the outputs of set 0, runs, and compares with the reference.
    virtual Check check(const Launch&) = 0;
    [[nodiscard]] int sets() const { return sets_; }

protected:
    int sets_ = 1;
};

/// What a workload may use of the machine.
struct Device {
    int sms = 0;
    std::int64_t l2_bytes = 0;
    cudaStream_t stream = nullptr;
    Arena* arena = nullptr;
    std::mt19937_64* random = nullptr;            ///< seeds of inputs, choice of samples
    std::function<const CublasLibrary&()> cublas; ///< opened on first use; throws Unsupported where absent
    std::function<const CudnnLibrary&()> cudnn;

    /// Buffer sets of `bytes` each that together overflow L2 four times, at most as many as a graph has
    /// launches.
    [[nodiscard]] int rotation(std::int64_t bytes) const {
        const std::int64_t wanted = 4 * l2_bytes / std::max<std::int64_t>(bytes, 1) + 1;
        return static_cast<int>(std::clamp<std::int64_t>(wanted, 2, kLaunchesPerGraph));
    }
    static constexpr int kLaunchesPerGraph = 10;
};

using MakeWorkload = std::unique_ptr<Workload> (*)(const Case&, Device&);

} // namespace chokepoint::kref
