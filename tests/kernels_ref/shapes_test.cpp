// SPDX-License-Identifier: Apache-2.0
// The list of shapes against a table made apart from it, and the layouts that roles imply.
#include "framework/shape.hpp"
#include "gemm/gemm_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>

using namespace chokepoint::kref;

namespace {

struct CsvRow {
    std::string model, op, role;
    std::int64_t m = 0, n = 0, k = 0;
    int groups = 1;
    double gflop = 0, megabytes = 0;
};

std::vector<CsvRow> csv_rows() {
    std::ifstream in(std::string(CHOKEPOINT_SOURCE_DIR) + "/tests/kernels_ref/data/gemm_shapes.csv");
    std::string line;
    std::getline(in, line);
    std::vector<CsvRow> rows;
    while (std::getline(in, line)) {
        std::stringstream fields(line);
        std::vector<std::string> f;
        for (std::string field; std::getline(fields, field, ',');) {
            f.push_back(field);
        }
        rows.push_back({f.at(0), f.at(1), f.at(2), std::stoll(f.at(3)), std::stoll(f.at(4)),
                        std::stoll(f.at(5)), std::stoi(f.at(6)), std::stod(f.at(7)), std::stod(f.at(8))});
    }
    return rows;
}

/// All groups' rows (weight gradients: tokens) as the table counts them.
bool same_shape(const CsvRow& row, const Case& c) {
    const Shape& s = c.shape;
    const bool wgrad = c.role == Role::wgrad;
    return row.role == name(c.role) && row.groups == s.groups && row.n == s.n &&
           row.m == (wgrad ? s.m : s.m * s.groups) && row.k == (wgrad ? s.k * s.groups : s.k) && !s.uneven;
}

std::vector<Case> all_cases(Precision precision) {
    std::vector<Case> cases = dense_gemm_cases(precision);
    const std::vector<Case> grouped = grouped_gemm_cases(precision);
    cases.insert(cases.end(), grouped.begin(), grouped.end());
    return cases;
}

} // namespace

TEST(Shapes, HoldEveryGemmOfTheTable) {
    const std::vector<CsvRow> rows = csv_rows();
    ASSERT_EQ(rows.size(), 141U);
    const std::vector<Case> cases = all_cases(Precision::bf16);
    for (const CsvRow& row : rows) {
        EXPECT_TRUE(
            std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return same_shape(row, c); }))
            << row.model << " " << row.op << " " << row.role;
    }
}

TEST(Shapes, WorkAgreesWithTheTable) {
    const std::vector<Case> cases = all_cases(Precision::bf16);
    for (const CsvRow& row : csv_rows()) {
        const auto found =
            std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return same_shape(row, c); });
        ASSERT_NE(found, cases.end()) << row.model << " " << row.op;
        // The table counts FP8 without scales for DeepSeek's layers, and the gate's outputs in FP32.
        const bool deepseek = row.model.starts_with("DSv3");
        const bool bf16 = !deepseek || row.op.find("bf16") != std::string::npos;
        const Work work =
            gemm_work(found->shape, found->role, bf16 ? Precision::bf16 : Precision::fp8_tensor);
        EXPECT_NEAR(work.flops / 1e9, row.gflop, 0.051) << row.model << " " << row.op;
        if (!row.op.starts_with("gate fp32")) {
            EXPECT_NEAR(static_cast<double>(work.read_bytes + work.written_bytes) / 1e6, row.megabytes, 0.051)
                << row.model << " " << row.op << " " << row.role;
        }
    }
}

TEST(Shapes, BlockScalesAddTheirBytes) {
    Shape s;
    s.m = 256;
    s.n = 384;
    s.k = 512;
    const auto read = [&](Role role, Precision p) { return gemm_work(s, role, p).read_bytes; };
    EXPECT_EQ(read(Role::forward, Precision::fp8_block) - read(Role::forward, Precision::fp8_tensor),
              4 * (256 * 4 + 3 * 4));
    EXPECT_EQ(read(Role::wgrad, Precision::fp8_block) - read(Role::wgrad, Precision::fp8_tensor),
              4 * (256 * 4 + 384 * 4));
}

TEST(Shapes, AttentionCountsTheTriangle) {
    // DeepSeek-V3's attention on 4,096 tokens: 687 GFLOP forward, 1,787 backward.
    const Shape s = attention_cases().front().shape;
    EXPECT_NEAR(attention_work(s, false).flops / 1e9, 687.2, 0.1);
    EXPECT_NEAR(attention_work(s, true).flops / 1e9, 1786.7, 0.1);
}

TEST(Shapes, HoldOutWholeFamiliesAndKeepMost) {
    std::set<std::string> held;
    std::set<std::string> kept;
    for (const Case& c : all_cases(Precision::bf16)) {
        ASSERT_FALSE(c.family.empty()) << c.op;
        (held_out(c.family) ? held : kept).insert(c.family);
    }
    EXPECT_GE(held.size(), 4U);
    EXPECT_GT(kept.size(), 2 * held.size());
    EXPECT_FALSE(held_out(""));
}

TEST(Shapes, Fp8LeavesOutGateAndHead) {
    for (const Case& c : all_cases(Precision::fp8_block)) {
        EXPECT_FALSE(c.model == "deepseek-v3" && (c.op == "gate" || c.op == "lm_head")) << c.op;
    }
}

TEST(GemmLayout, EveryRoleReadsTheOperandsThatTrainingLeaves) {
    // A 2 x 3 times 3 x 2 product, once with each role's layout of the same matrices.
    Shape s;
    s.m = 2;
    s.n = 2;
    s.k = 3;
    const double a[2][3] = {{1, 2, 3}, {4, 5, 6}};
    const double b[2][3] = {{7, 8, 9}, {1, 0, 2}};
    for (const Role role : {Role::forward, Role::dgrad, Role::wgrad}) {
        const GemmLayout layout = gemm_layout(s, role, Precision::bf16);
        std::vector<double> stored_a(6);
        std::vector<double> stored_b(6);
        std::set<std::int64_t> places_a;
        std::set<std::int64_t> places_b;
        for (std::int64_t row = 0; row < 2; ++row) {
            for (std::int64_t l = 0; l < 3; ++l) {
                const std::int64_t at_a = row * layout.a.row + l * layout.a.depth;
                const std::int64_t at_b = row * layout.b.row + l * layout.b.depth;
                stored_a.at(static_cast<std::size_t>(at_a)) = a[row][l];
                stored_b.at(static_cast<std::size_t>(at_b)) = b[row][l];
                places_a.insert(at_a);
                places_b.insert(at_b);
            }
        }
        EXPECT_EQ(places_a.size(), 6U); // no two elements share a place
        EXPECT_EQ(places_b.size(), 6U);
        // The operand that a weight gradient takes from the forward pass has tokens outermost.
        EXPECT_EQ(layout.a.depth == 1, role != Role::wgrad);
        EXPECT_EQ(layout.b.depth == 1, role == Role::forward);
    }
    EXPECT_TRUE(gemm_layout(s, Role::wgrad, Precision::fp8_block).k_major);
}

TEST(GemmReference, ScalesApplyToBlocksOf128) {
    std::vector<double> values(256, 1.0);
    apply_scales(values, {2.0, 3.0});
    EXPECT_EQ(dot_reference(values, std::vector<double>(256, 1.0)), 128 * 5.0);
    EXPECT_EQ(values[127], 2.0);
    EXPECT_EQ(values[128], 3.0);
}

TEST(UnevenRows, KeepTheirSumAndFitTiles) {
    std::mt19937_64 random(1);
    for (const int groups : {2, 4, 7, 32}) {
        const std::vector<std::int64_t> rows = uneven_rows(1024, groups, random);
        EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}), 1024 * groups);
        EXPECT_GT(std::set<std::int64_t>(rows.begin(), rows.end()).size(), 1U);
        for (const std::int64_t r : rows) {
            EXPECT_EQ(r % 256, 0);
            EXPECT_GE(r, 0);
        }
    }
}
