// SPDX-License-Identifier: Apache-2.0
// Turns error codes of CUDA and its libraries into exceptions that say what was tried.
#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

namespace chokepoint::kref {

/// The device or a library refused; after a sticky error the process has to end.
class GpuError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// There is no device that can run the kernels, and trying again will not find one.
class NoDevice : public GpuError {
public:
    using GpuError::GpuError;
};

/// The library at hand has no kernel for the request: recorded, and not an error.
class Unsupported : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline void require(cudaError_t status, const char* tried) {
    if (status != cudaSuccess) {
        throw GpuError(std::string(tried) + ": " + cudaGetErrorName(status) + ", " +
                       cudaGetErrorString(status));
    }
}

/// Call after each kernel launch.
inline void require_launched(const char* kernel) { require(cudaGetLastError(), kernel); }

} // namespace chokepoint::kref
