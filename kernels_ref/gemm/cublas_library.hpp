// SPDX-License-Identifier: Apache-2.0
// The few functions of cuBLAS and cuBLASLt in use, found at run time.
#pragma once

#include "framework/dynamic_library.hpp"

#include <cublasLt.h>
#include <cublas_v2.h>

#include <string>

namespace chokepoint::kref {

struct CublasLibrary {
    /// @throws Unsupported where the libraries are absent.
    CublasLibrary();
    ~CublasLibrary();
    CublasLibrary(const CublasLibrary&) = delete;
    CublasLibrary& operator=(const CublasLibrary&) = delete;

    DynamicLibrary lt_library;
    DynamicLibrary library;

    decltype(&cublasLtCreate) lt_create = nullptr;
    decltype(&cublasLtDestroy) lt_destroy = nullptr;
    decltype(&cublasLtGetVersion) lt_version = nullptr;
    decltype(&cublasLtMatmul) matmul = nullptr;
    decltype(&cublasLtMatmulDescCreate) desc_create = nullptr;
    decltype(&cublasLtMatmulDescDestroy) desc_destroy = nullptr;
    decltype(&cublasLtMatmulDescSetAttribute) desc_set = nullptr;
    decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
    decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
    decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
    decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
    decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
    decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;

    decltype(&cublasCreate_v2) create = nullptr;
    decltype(&cublasDestroy_v2) destroy = nullptr;
    decltype(&cublasSetStream_v2) set_stream = nullptr;
    decltype(&cublasSetWorkspace_v2) set_workspace = nullptr;
    decltype(&cublasSetSmCountTarget) set_sm_count_target = nullptr;
    decltype(&cublasGemmGroupedBatchedEx) grouped_gemm = nullptr;

    cublasLtHandle_t lt = nullptr;
    cublasHandle_t handle = nullptr;

    [[nodiscard]] std::string version() const;
};

/// "cublasLtMatmul: cuBLAS status 15" as an exception: Unsupported if the library says so, else GpuError.
void require(cublasStatus_t, const char* tried);
/// The heuristic's ways of saying that it knows no algorithm. It alone takes a combination that the library
/// lacks for an invalid value; from any other call that is a mistake of ours.
bool has_no_algorithm(cublasStatus_t, int found);

} // namespace chokepoint::kref
