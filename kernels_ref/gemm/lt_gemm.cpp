// SPDX-License-Identifier: Apache-2.0
// cuBLASLt is column-major: our row-major d[m,n] is its D with n rows, its A is our b, its B is our a.
#include "gemm/lt_gemm.hpp"

#include "gemm/cublas_library.hpp"
#include "gemm/gemm_data.hpp"

#include <array>
#include <map>

namespace chokepoint::kref {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{64} << 20; // NVIDIA recommends at least 32 MiB on Hopper
constexpr int kAlgorithms = 1;                                 // the heuristic's first: what frameworks run

cublasLtMatmulMatrixScale_t scale_mode(Precision precision, bool weights) {
    if (precision == Precision::fp8_tensor) {
        return CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F;
    }
    return weights ? CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F : CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F;
}

/// One matrix product's description and chosen algorithm.
class LtPlan {
public:
    LtPlan(const CublasLibrary& lib, const GemmData& data, int group, int sms, int all_sms,
           bool fast_accumulation)
        : lib_(lib) {
        require(lib.desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
        const std::int64_t rows = data.group_rows.at(static_cast<std::size_t>(group));
        const Shape& s = data.shape;
        const bool bf16 = data.precision == Precision::bf16;
        const cudaDataType_t in = bf16 ? CUDA_R_16BF : CUDA_R_8F_E4M3;
        const cudaDataType_t out = data.accumulates ? CUDA_R_32F : CUDA_R_16BF;
        // An operand with depth innermost is, column-major, depth x rows and has to be transposed.
        const bool a_depth_inner = data.layout.a.depth == 1;
        const bool b_depth_inner = data.layout.b.depth == 1;
        set(CUBLASLT_MATMUL_DESC_TRANSA, b_depth_inner ? CUBLAS_OP_T : CUBLAS_OP_N);
        set(CUBLASLT_MATMUL_DESC_TRANSB, a_depth_inner ? CUBLAS_OP_N : CUBLAS_OP_T);
        make_layout(&a_, in, b_depth_inner ? s.k : s.n, b_depth_inner ? s.n : s.k);
        make_layout(&b_, in, a_depth_inner ? s.k : rows, a_depth_inner ? rows : s.k);
        make_layout(&d_, out, s.n, rows);
        if (!bf16) {
            set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, static_cast<std::int8_t>(fast_accumulation));
            const bool weights = data.role != Role::wgrad;
            set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE,
                static_cast<std::int32_t>(scale_mode(data.precision, weights)));
            set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE,
                static_cast<std::int32_t>(scale_mode(data.precision, false)));
            // The heuristic asks for pointers; each call sets its own.
            set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(data.set(0).b_scale));
            set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(data.set(0).a_scale));
        }
        if (sms < all_sms) { // without a limit, ask as frameworks do
            set(CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, static_cast<std::int32_t>(sms));
        }
        choose();
    }
    ~LtPlan() {
        lib_.layout_destroy(d_);
        lib_.layout_destroy(b_);
        lib_.layout_destroy(a_);
        lib_.desc_destroy(desc_);
    }
    LtPlan(const LtPlan&) = delete;
    LtPlan& operator=(const LtPlan&) = delete;

    void run(const GemmData& data, int set_index, int group, std::byte* workspace, cudaStream_t stream) {
        const GemmOperands& o = data.set(set_index);
        const bool bf16 = data.precision == Precision::bf16;
        const void* a = bf16 ? static_cast<const void*>(o.b16 + data.b_offset(group))
                             : static_cast<const void*>(o.b8 + data.b_offset(group));
        const void* b = bf16 ? static_cast<const void*>(o.a16 + data.a_offset(group))
                             : static_cast<const void*>(o.a8 + data.a_offset(group));
        void* d = data.accumulates ? static_cast<void*>(o.d32 + data.d_offset(group))
                                   : static_cast<void*>(o.d16 + data.d_offset(group));
        if (!bf16) {
            const bool block = data.precision == Precision::fp8_block;
            const float* a_scale = o.b_scale + (block ? data.b_scale_offset(group) : 0);
            const float* b_scale = o.a_scale + (block ? data.a_scale_offset(group) : 0);
            set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(a_scale));
            set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(b_scale));
        }
        const float alpha = 1.0F;
        const float beta = data.accumulates ? 1.0F : 0.0F;
        require(lib_.matmul(lib_.lt, desc_, &alpha, a, a_, b, b_, &beta, d, d_, d, d_, &algorithm_.algo,
                            workspace, kWorkspaceBytes, stream),
                "cublasLtMatmul");
    }

private:
    template <class T> void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
        require(lib_.desc_set(desc_, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
    }

    void make_layout(cublasLtMatrixLayout_t* layout, cudaDataType_t type, std::int64_t rows,
                     std::int64_t columns) {
        require(lib_.layout_create(layout, type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), rows),
                "cublasLtMatrixLayoutCreate");
    }

    void choose() {
        cublasLtMatmulPreference_t preference = nullptr;
        require(lib_.preference_create(&preference), "cublasLtMatmulPreferenceCreate");
        const std::size_t workspace = kWorkspaceBytes;
        require(lib_.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                    sizeof workspace),
                "cublasLtMatmulPreferenceSetAttribute");
        int found = 0;
        const cublasStatus_t status =
            lib_.heuristic(lib_.lt, desc_, a_, b_, d_, d_, preference, kAlgorithms, &algorithm_, &found);
        lib_.preference_destroy(preference);
        if (has_no_algorithm(status, found)) {
            throw Unsupported("cuBLASLt has no algorithm for this shape");
        }
        require(status, "cublasLtMatmulAlgoGetHeuristic");
    }

    const CublasLibrary& lib_;
    cublasLtMatmulDesc_t desc_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr;
    cublasLtMatrixLayout_t b_ = nullptr;
    cublasLtMatrixLayout_t d_ = nullptr;
    cublasLtMatmulHeuristicResult_t algorithm_{};
};

class LtWorkload : public Workload {
public:
    LtWorkload(const Case& c, Precision precision, Device& device)
        : lib_(device.cublas()),
          data_(c, precision, RowScales::per_group, device),
          workspace_(device.arena->take<std::byte>(kWorkspaceBytes)),
          all_sms_(device.sms) {
        sets_ = data_.sets();
        plan_for(0, device.sms); // finds out now whether the library can do it
    }

    void launch(int set, const Launch& launch) override {
        for (int group = 0; group < data_.shape.groups; ++group) {
            plan_for(group, launch.sms).run(data_, set, group, workspace_, launch.stream);
        }
    }

    Check check(const Launch& launch) override {
        return data_.check([&] { this->launch(0, launch); }, fast() ? kFastAccumulationBound : kGemmBound,
                           launch.stream);
    }

private:
    // Frameworks accumulate fast in the forward product and carefully in gradients: Transformer Engine's
    // recipes.
    [[nodiscard]] bool fast() const {
        return data_.precision == Precision::fp8_tensor && data_.role == Role::forward;
    }

    LtPlan& plan_for(int group, int sms) {
        const std::int64_t rows = data_.group_rows.at(static_cast<std::size_t>(group));
        std::unique_ptr<LtPlan>& plan = plans_[{rows, sms}];
        if (plan == nullptr) {
            plan = std::make_unique<LtPlan>(lib_, data_, group, sms, all_sms_, fast());
        }
        return *plan;
    }

    const CublasLibrary& lib_;
    GemmData data_;
    std::byte* workspace_;
    int all_sms_;
    std::map<std::pair<std::int64_t, int>, std::unique_ptr<LtPlan>> plans_;
};

} // namespace

std::unique_ptr<Workload> make_lt_bf16(const Case& c, Device& device) {
    return std::make_unique<LtWorkload>(c, Precision::bf16, device);
}
std::unique_ptr<Workload> make_lt_fp8_tensor(const Case& c, Device& device) {
    return std::make_unique<LtWorkload>(c, Precision::fp8_tensor, device);
}
std::unique_ptr<Workload> make_lt_fp8_block(const Case& c, Device& device) {
    return std::make_unique<LtWorkload>(c, Precision::fp8_block, device);
}

} // namespace chokepoint::kref
