// SPDX-License-Identifier: Apache-2.0
// Opening cuBLAS.
#include "gemm/cublas_library.hpp"

#include "framework/cuda_error.hpp"

namespace chokepoint::kref {

void require(cublasStatus_t status, const char* tried) {
    if (status == CUBLAS_STATUS_SUCCESS) {
        return;
    }
    const std::string message =
        std::string(tried) + ": cuBLAS status " + std::to_string(static_cast<int>(status));
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) {
        throw Unsupported(message);
    }
    throw GpuError(message);
}

bool has_no_algorithm(cublasStatus_t status, int found) {
    return status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE ||
           (status == CUBLAS_STATUS_SUCCESS && found == 0);
}

CublasLibrary::CublasLibrary()
    : lt_library({"libcublasLt.so.13", "libcublasLt.so"}),
      library({"libcublas.so.13", "libcublas.so"}) {
    lt_library.bind(lt_create, "cublasLtCreate");
    lt_library.bind(lt_destroy, "cublasLtDestroy");
    lt_library.bind(lt_version, "cublasLtGetVersion");
    lt_library.bind(matmul, "cublasLtMatmul");
    lt_library.bind(desc_create, "cublasLtMatmulDescCreate");
    lt_library.bind(desc_destroy, "cublasLtMatmulDescDestroy");
    lt_library.bind(desc_set, "cublasLtMatmulDescSetAttribute");
    lt_library.bind(layout_create, "cublasLtMatrixLayoutCreate");
    lt_library.bind(layout_destroy, "cublasLtMatrixLayoutDestroy");
    lt_library.bind(preference_create, "cublasLtMatmulPreferenceCreate");
    lt_library.bind(preference_destroy, "cublasLtMatmulPreferenceDestroy");
    lt_library.bind(preference_set, "cublasLtMatmulPreferenceSetAttribute");
    lt_library.bind(heuristic, "cublasLtMatmulAlgoGetHeuristic");
    library.bind(create, "cublasCreate_v2");
    library.bind(destroy, "cublasDestroy_v2");
    library.bind(set_stream, "cublasSetStream_v2");
    library.bind(set_workspace, "cublasSetWorkspace_v2");
    library.bind(set_sm_count_target, "cublasSetSmCountTarget");
    library.bind(grouped_gemm, "cublasGemmGroupedBatchedEx");
    require(lt_create(&lt), "cublasLtCreate");
    require(create(&handle), "cublasCreate");
}

CublasLibrary::~CublasLibrary() {
    destroy(handle);
    lt_destroy(lt);
}

std::string CublasLibrary::version() const {
    // major * 10000 + minor * 100 + patch: cublasLtGetVersion's documentation for version 13.
    const std::size_t v = lt_version();
    return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

} // namespace chokepoint::kref
