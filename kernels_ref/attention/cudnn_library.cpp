// SPDX-License-Identifier: Apache-2.0
// Opening cuDNN.
#include "attention/cudnn_library.hpp"

#include "framework/cuda_error.hpp"

#include <array>

namespace chokepoint::kref {

bool is_failure(cudnnStatus_t status) {
    // Each has reasons of its own: 4001 to 4006 and 5001 to 5004 in cudnn_graph.h of 9.19.
    const int category = CUDNN_STATUS_CATEGORY(static_cast<int>(status));
    return category == CUDNN_STATUS_INTERNAL_ERROR || category == CUDNN_STATUS_EXECUTION_FAILED;
}

CudnnLibrary::CudnnLibrary() : library({"libcudnn.so.9", "libcudnn.so"}) {
    library.bind(create, "cudnnCreate");
    library.bind(destroy, "cudnnDestroy");
    library.bind(set_stream, "cudnnSetStream");
    library.bind(get_version, "cudnnGetVersion");
    library.bind(last_error, "cudnnGetLastErrorString");
    library.bind(create_descriptor, "cudnnBackendCreateDescriptor");
    library.bind(destroy_descriptor, "cudnnBackendDestroyDescriptor");
    library.bind(set_attribute, "cudnnBackendSetAttribute");
    library.bind(get_attribute, "cudnnBackendGetAttribute");
    library.bind(finalize, "cudnnBackendFinalize");
    library.bind(execute, "cudnnBackendExecute");
}

std::string CudnnLibrary::version() const {
    // major * 10000 + minor * 100 + patch since cuDNN 9.
    const std::size_t v = get_version();
    return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

void CudnnLibrary::require(cudnnStatus_t status, const char* tried) const {
    if (status == CUDNN_STATUS_SUCCESS) {
        return;
    }
    std::array<char, 512> reason{};
    last_error(reason.data(), reason.size());
    const std::string message = std::string(tried) + ": cuDNN status " +
                                std::to_string(static_cast<int>(status)) +
                                (reason[0] != '\0' ? std::string(", ") + reason.data() : std::string());
    if (is_failure(status)) {
        throw GpuError(message);
    }
    throw Unsupported(message);
}

} // namespace chokepoint::kref
