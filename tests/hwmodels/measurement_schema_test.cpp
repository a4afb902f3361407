// SPDX-License-Identifier: Apache-2.0
// The measurements that the fits rest on are what their published schema says.
#include "support/json_schema.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

TEST(MeasurementSchema, HoldsForEveryShippedFile) {
    int files = 0;
    const auto folder = std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels/measurements";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            ++files;
            std::ifstream in(entry.path());
            const std::string text(std::istreambuf_iterator<char>(in), {});
            EXPECT_EQ(chokepoint::test::published_schema_violations("measurement", text), "") << entry.path();
        }
    }
    EXPECT_GE(files, 12);
}
