// SPDX-License-Identifier: Apache-2.0
// cuDNN's backend API, found at run time: what its graph needs without the frontend's headers.
#pragma once

#include "framework/dynamic_library.hpp"

#include <cudnn.h>

#include <string>

namespace chokepoint::kref {

/// Whether something broke; other statuses but success say that the library has nothing for the request.
bool is_failure(cudnnStatus_t);

struct CudnnLibrary {
    /// @throws Unsupported where the library is absent.
    CudnnLibrary();

    DynamicLibrary library;
    decltype(&cudnnCreate) create = nullptr;
    decltype(&cudnnDestroy) destroy = nullptr;
    decltype(&cudnnSetStream) set_stream = nullptr;
    decltype(&cudnnGetVersion) get_version = nullptr;
    decltype(&cudnnGetLastErrorString) last_error = nullptr;
    decltype(&cudnnBackendCreateDescriptor) create_descriptor = nullptr;
    decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor = nullptr;
    decltype(&cudnnBackendSetAttribute) set_attribute = nullptr;
    decltype(&cudnnBackendGetAttribute) get_attribute = nullptr;
    decltype(&cudnnBackendFinalize) finalize = nullptr;
    decltype(&cudnnBackendExecute) execute = nullptr;

    [[nodiscard]] std::string version() const;
    /// @throws GpuError if something broke, else Unsupported, with the library's own words.
    void require(cudnnStatus_t, const char* tried) const;
};

} // namespace chokepoint::kref
