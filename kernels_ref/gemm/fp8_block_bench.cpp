// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of our FP8 GEMM. Both tile heights are checked on every shape; the automatic one
// is timed.
#include "framework/device_tools.hpp"
#include "gemm/fp8_block_gemm.hpp"
#include "gemm/gemm_data.hpp"

#include <utility>

namespace chokepoint::kref {
namespace {

enum class Rows { dense, contiguous, masked };

std::vector<std::int32_t> groups_of_tiles(const std::vector<std::int64_t>& group_rows) {
    std::vector<std::int32_t> groups;
    for (std::size_t g = 0; g < group_rows.size(); ++g) {
        groups.insert(groups.end(), static_cast<std::size_t>((group_rows[g] + 127) / 128),
                      static_cast<std::int32_t>(g));
    }
    return groups;
}

class Fp8BlockWorkload : public Workload {
public:
    Fp8BlockWorkload(const Case& c, Rows rows, Device& device)
        : rows_(rows),
          data_(c, Precision::fp8_block, RowScales::across_groups, device) {
        sets_ = data_.sets();
        if (rows == Rows::contiguous) {
            const std::vector<std::int32_t> groups = groups_of_tiles(data_.group_rows);
            group_of_tile_ = device.arena->take<std::int32_t>(static_cast<std::int64_t>(groups.size()));
            to_device(groups, group_of_tile_);
        }
        if (rows == Rows::masked) {
            // A few rows fewer than there is room for, and never a whole number of tiles.
            std::vector<std::int32_t> held;
            for (int g = 0; g < data_.shape.groups; ++g) {
                held.push_back(static_cast<std::int32_t>(data_.shape.m - 5 - 11 * (g % 8)));
                written_.push_back(held.back());
            }
            group_rows_ = device.arena->take<std::int32_t>(data_.shape.groups);
            to_device(held, group_rows_);
        }
    }

    void launch(int set, const Launch& launch) override {
        fp8_block_gemm(problem(set), launch, TileRows::automatic);
    }

    Check check(const Launch& launch) override {
        const Check low = check_height(TileRows::rows_128, launch);
        return data_.accumulates ? low : both(low, check_height(TileRows::rows_256, launch));
    }

private:
    Check check_height(TileRows height, const Launch& launch) {
        if (height == TileRows::rows_256 && problem(0).row_alignment % 256 != 0) {
            height = TileRows::rows_128;
        }
        return data_.check([&] { fp8_block_gemm(problem(0), launch, height); }, kGemmBound, launch.stream,
                           rows_ == Rows::masked ? &written_ : nullptr);
    }

    [[nodiscard]] Fp8BlockGemm problem(int set) const {
        const GemmOperands& o = data_.set(set);
        Fp8BlockGemm g;
        g.a = o.a8;
        g.b = o.b8;
        g.a_scale = o.a_scale;
        g.b_scale = o.b_scale;
        g.d = o.d16;
        g.gradient = o.d32;
        g.rows = data_.total_rows;
        g.n = data_.shape.n;
        g.k = data_.shape.k;
        g.b_scale_pitch = data_.b_scale_pitch();
        g.groups = data_.shape.groups;
        g.group_of_tile = group_of_tile_;
        g.group_rows = group_rows_;
        // Dense rows and masked groups may be cut anywhere; contiguous groups only where all of them end.
        g.row_alignment = 256;
        for (const std::int64_t rows : data_.group_rows) {
            if (rows_ == Rows::contiguous && rows % 256 != 0) {
                g.row_alignment = 128;
            }
        }
        return g;
    }

    Rows rows_;
    GemmData data_;
    std::int32_t* group_of_tile_ = nullptr;
    std::int32_t* group_rows_ = nullptr;
    std::vector<std::int64_t> written_;
};

std::vector<Case> select(std::vector<Case> cases, bool wgrad) {
    std::erase_if(cases, [&](const Case& c) { return (c.role == Role::wgrad) != wgrad; });
    return cases;
}

} // namespace

std::vector<Case> fp8_block_dense_cases() { return select(dense_gemm_cases(Precision::fp8_block), false); }
std::vector<Case> fp8_block_grouped_cases() {
    return select(grouped_gemm_cases(Precision::fp8_block), false);
}
std::vector<Case> fp8_block_wgrad_cases() { return select(dense_gemm_cases(Precision::fp8_block), true); }
std::vector<Case> fp8_block_grouped_wgrad_cases() {
    return select(grouped_gemm_cases(Precision::fp8_block), true);
}

std::unique_ptr<Workload> make_fp8_block_dense(const Case& c, Device& device) {
    return std::make_unique<Fp8BlockWorkload>(c, Rows::dense, device);
}
std::unique_ptr<Workload> make_fp8_block_contiguous(const Case& c, Device& device) {
    return std::make_unique<Fp8BlockWorkload>(c, Rows::contiguous, device);
}
std::unique_ptr<Workload> make_fp8_block_wgrad(const Case& c, Device& device) {
    return std::make_unique<Fp8BlockWorkload>(c, Rows::dense, device);
}
std::unique_ptr<Workload> make_fp8_block_grouped_wgrad(const Case& c, Device& device) {
    return std::make_unique<Fp8BlockWorkload>(c, Rows::contiguous, device);
}
std::unique_ptr<Workload> make_fp8_block_masked(const Case& c, Device& device) {
    return std::make_unique<Fp8BlockWorkload>(c, Rows::masked, device);
}

} // namespace chokepoint::kref
