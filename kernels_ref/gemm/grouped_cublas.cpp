// SPDX-License-Identifier: Apache-2.0
// Column-major like cuBLASLt: A is our b, B is our a.
#include "gemm/grouped_cublas.hpp"

#include "gemm/cublas_library.hpp"
#include "gemm/gemm_data.hpp"

namespace chokepoint::kref {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{64} << 20;

class GroupedCublasWorkload : public Workload {
public:
    GroupedCublasWorkload(const Case& c, Device& device)
        : lib_(device.cublas()),
          data_(c, Precision::bf16, RowScales::per_group, device, true) {
        sets_ = data_.sets();
        const auto groups = static_cast<std::size_t>(data_.shape.groups);
        const bool a_inner = data_.layout.a.depth == 1;
        const bool b_inner = data_.layout.b.depth == 1;
        const auto n = static_cast<int>(data_.shape.n);
        const auto k = static_cast<int>(data_.shape.k);
        for (std::size_t g = 0; g < groups; ++g) {
            const auto rows = static_cast<int>(data_.group_rows[g]);
            transpose_a_.push_back(b_inner ? CUBLAS_OP_T : CUBLAS_OP_N);
            transpose_b_.push_back(a_inner ? CUBLAS_OP_N : CUBLAS_OP_T);
            m_.push_back(n);
            n_.push_back(rows);
            k_.push_back(k);
            lda_.push_back(b_inner ? k : n);
            ldb_.push_back(a_inner ? k : rows);
            ldd_.push_back(n);
        }
        ones_.assign(groups, 1.0F);
        zeros_.assign(groups, 0.0F);
        one_each_.assign(groups, 1);
        for (int set = 0; set < sets_; ++set) {
            pointers_.push_back(pointers_of(set, device));
        }
        workspace_ = device.arena->take<std::byte>(kWorkspaceBytes);
    }

    void launch(int set, const Launch& launch) override {
        require(lib_.set_stream(lib_.handle, launch.stream), "cublasSetStream");
        require(lib_.set_workspace(lib_.handle, workspace_, kWorkspaceBytes), "cublasSetWorkspace");
        require(lib_.set_sm_count_target(lib_.handle, launch.sms), "cublasSetSmCountTarget");
        const Pointers& p = pointers_[static_cast<std::size_t>(set)];
        require(lib_.grouped_gemm(lib_.handle, transpose_a_.data(), transpose_b_.data(), m_.data(), n_.data(),
                                  k_.data(), ones_.data(), p.a, CUDA_R_16BF, lda_.data(), p.b, CUDA_R_16BF,
                                  ldb_.data(), zeros_.data(), p.d, CUDA_R_16BF, ldd_.data(),
                                  data_.shape.groups, one_each_.data(), CUBLAS_COMPUTE_32F),
                "cublasGemmGroupedBatchedEx");
    }

    Check check(const Launch& launch) override {
        return data_.check([&] { this->launch(0, launch); }, kGemmBound, launch.stream);
    }

private:
    /// Device arrays of device pointers, as the library wants them.
    struct Pointers {
        const void** a;
        const void** b;
        void** d;
    };

    Pointers pointers_of(int set, Device& device) {
        std::vector<const void*> a;
        std::vector<const void*> b;
        std::vector<void*> d;
        const GemmOperands& o = data_.set(set);
        for (int g = 0; g < data_.shape.groups; ++g) {
            a.push_back(o.b16 + data_.b_offset(g));
            b.push_back(o.a16 + data_.a_offset(g));
            d.push_back(o.d16 + data_.d_offset(g));
        }
        const Pointers p{device.arena->take<const void*>(data_.shape.groups),
                         device.arena->take<const void*>(data_.shape.groups),
                         device.arena->take<void*>(data_.shape.groups)};
        to_device(a, p.a);
        to_device(b, p.b);
        to_device(d, p.d);
        return p;
    }

    const CublasLibrary& lib_;
    GemmData data_;
    std::byte* workspace_ = nullptr;
    std::vector<cublasOperation_t> transpose_a_, transpose_b_;
    std::vector<int> m_, n_, k_, lda_, ldb_, ldd_, one_each_;
    std::vector<float> ones_, zeros_;
    std::vector<Pointers> pointers_;
};

} // namespace

Work grouped_cublas_work(const Case& c) { return gemm_work(c.shape, c.role, Precision::bf16, false); }

std::unique_ptr<Workload> make_grouped_cublas(const Case& c, Device& device) {
    return std::make_unique<GroupedCublasWorkload>(c, device);
}

} // namespace chokepoint::kref
