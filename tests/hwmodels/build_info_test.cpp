// SPDX-License-Identifier: Apache-2.0
#include <chokepoint/hwmodels/build_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace chokepoint::hw {
namespace {

TEST(BuildInfo, VersionIsThreeNumbers) {
    const std::string text(version());
    EXPECT_EQ(std::count(text.begin(), text.end(), '.'), 2) << text;
    EXPECT_EQ(text.find_first_not_of("0123456789."), std::string::npos) << text;
}

TEST(BuildInfo, CommitIsHexadecimalOrUnknown) {
    std::string text(commit());
    if (const auto dirty = text.find("-dirty"); dirty != std::string::npos) {
        text.erase(dirty);
    }
    EXPECT_TRUE(text == "unknown" ||
                (text.size() >= 12 && text.find_first_not_of("0123456789abcdef") == std::string::npos))
        << text;
}

TEST(BuildInfo, BuildTreeLinksTheSourceTreesData) {
    const std::filesystem::path data(source_data_directory());
    for (const char* folder : {"catalog", "fits", "models", "scenarios"}) {
        EXPECT_TRUE(std::filesystem::is_directory(data / folder)) << (data / folder);
    }
}

} // namespace
} // namespace chokepoint::hw
