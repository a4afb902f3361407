// SPDX-License-Identifier: Apache-2.0
// BF16 and E4M3 on the CPU.
#include "framework/number_formats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace chokepoint::kref;

TEST(E4m3, EveryCodeComesBack) {
    for (int code = 0; code < 256; ++code) {
        const auto bits = static_cast<E4m3Bits>(code);
        if ((code & 0x7f) == 0x7f) {
            EXPECT_TRUE(std::isnan(from_e4m3(bits))) << code;
        } else {
            EXPECT_EQ(to_e4m3(static_cast<float>(from_e4m3(bits))), bits) << code;
        }
    }
}

TEST(E4m3, KnowsItsExtremes) {
    EXPECT_EQ(from_e4m3(0x7e), 448.0);
    EXPECT_EQ(from_e4m3(0x01), 0x1p-9);
    EXPECT_EQ(from_e4m3(0x38), 1.0);
}

TEST(E4m3, TiesGoToEven) {
    EXPECT_EQ(from_e4m3(to_e4m3(1.0625F)), 1.0);      // between 1 and 1.125
    EXPECT_EQ(from_e4m3(to_e4m3(1.1875F)), 1.25);     // between 1.125 and 1.25
    EXPECT_EQ(from_e4m3(to_e4m3(0x1.8p-9F)), 0x1p-8); // between two subnormals
    EXPECT_EQ(from_e4m3(to_e4m3(0x1p-10F)), 0.0);
    EXPECT_EQ(from_e4m3(to_e4m3(15.5F)), 16.0); // carries into the exponent
}

TEST(E4m3, SaturatesInsteadOfOverflowing) {
    EXPECT_EQ(from_e4m3(to_e4m3(1e9F)), 448.0);
    EXPECT_EQ(from_e4m3(to_e4m3(-std::numeric_limits<float>::infinity())), -448.0);
}

TEST(E4m3, HalfAStepIsWhatRoundingChangesAtMost) {
    EXPECT_EQ(e4m3_half_step(1.0), 0x1p-4);
    EXPECT_EQ(e4m3_half_step(-1.9), 0x1p-4);
    EXPECT_EQ(e4m3_half_step(448.0), 16.0);
    EXPECT_EQ(e4m3_half_step(0x1p-8), 0x1p-10); // subnormals lie 2^-9 apart
    EXPECT_EQ(e4m3_half_step(0.0), 0x1p-10);
    double most = 0.0;
    for (int i = -4400; i <= 4400; ++i) {
        const double value = 0.1 * i;
        most = std::max(most, std::abs(from_e4m3(to_e4m3(static_cast<float>(value))) - value) /
                                  e4m3_half_step(value));
    }
    EXPECT_LE(most, 1.0 + 1e-6);
    EXPECT_GT(most, 0.95);
}

TEST(Bf16, HalfAStepIsWhatRoundingChangesAtMost) {
    EXPECT_EQ(bf16_half_step(1.0), 0x1p-8);
    EXPECT_EQ(bf16_half_step(-0.75), 0x1p-9);
    EXPECT_GT(bf16_half_step(0.0), 0.0);
}

TEST(Bf16, RoundsToNearestAndTiesToEven) {
    EXPECT_EQ(from_bf16(to_bf16(1.0F)), 1.0);
    EXPECT_EQ(from_bf16(to_bf16(1.00390625F)), 1.0);       // 1 + 2^-8, half a step
    EXPECT_EQ(from_bf16(to_bf16(1.01171875F)), 1.015625);  // 1 + 3 * 2^-8
    EXPECT_EQ(from_bf16(to_bf16(1.00390637F)), 1.0078125); // just above half
    EXPECT_TRUE(std::isnan(from_bf16(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}
