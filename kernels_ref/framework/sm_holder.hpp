// SPDX-License-Identifier: Apache-2.0
// Occupies SMs as communication kernels do, so that the cost of sharing the device can be measured.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace chokepoint::kref {

struct HolderFlags;

/// Takes `sms` SMs from everything else, as communication kernels do, until told to stop. With `transfer` the
/// SMs copy memory; else they only wait. Whatever is timed meanwhile must have been launched once before:
/// loading a kernel waits for the device.
class SmHolder {
public:
    SmHolder(int sms, bool transfer, std::byte* source, std::byte* target, std::int64_t bytes);
    ~SmHolder();
    SmHolder(const SmHolder&) = delete;
    SmHolder& operator=(const SmHolder&) = delete;
    /// @throws GpuError unless the SMs are still held: what was timed in between is then no such timing.
    void require_held() const;
    /// Bytes copied so far, counting reads and writes.
    [[nodiscard]] std::int64_t copied_bytes() const;

private:
    [[nodiscard]] int started() const;

    int sms_;
    HolderFlags* shared_ = nullptr;
    cudaStream_t stream_ = nullptr;
};

} // namespace chokepoint::kref
