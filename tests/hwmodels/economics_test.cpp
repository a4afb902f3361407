// SPDX-License-Identifier: Apache-2.0
// The economic data of the catalog make sense, and are found by part, fabric and day.
#include "shipped.hpp"

#include <chokepoint/hwmodels/economics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

using namespace chokepoint;
using hw::Economics;

namespace {

const Economics& economics() {
    static const Economics data = hw::load_economics();
    return data;
}

constexpr double kHour = 3600.0;

/// A catalog directory of one file, gone at the end.
class Directory {
public:
    Directory(std::string_view folder, std::string_view file, std::string_view content)
        : path_(std::filesystem::temp_directory_path() /
                (std::string("chokepoint_economics_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
        std::filesystem::create_directories(path_ / folder);
        std::ofstream(path_ / folder / file) << content;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::string faults_of(const Directory& directory) {
    try {
        (void)hw::load_economics({directory.path()});
    } catch (const hw::CatalogError& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST(Economics, EveryNvidiaPartHasAPowerProfileInOrder) {
    for (const hw::PowerProfile& profile : economics().power) {
        EXPECT_LT(profile.idle, profile.communication) << profile.id;
        EXPECT_LT(profile.communication, profile.compute) << profile.id;
        EXPECT_GE(profile.rated, 1.0) << profile.id;
    }
    for (const hw::GpuSpec& gpu : test::catalog().gpus()) {
        if (gpu.name.starts_with("NVIDIA") && gpu.architecture != "ada") {
            EXPECT_NE(economics().power_of(gpu.id), nullptr) << gpu.id;
        }
    }
}

TEST(Economics, ProfilesAndPricesNameKnownParts) {
    const hw::Catalog& catalog = test::catalog();
    for (const hw::PowerProfile& profile : economics().power) {
        for (const std::string& part : profile.parts) {
            EXPECT_NE(catalog.find_gpu(part), nullptr) << part;
        }
    }
    for (const hw::PurchasePrice& price : economics().purchases) {
        EXPECT_NE(catalog.find_gpu(price.id), nullptr) << price.id;
    }
    for (const hw::Premium& premium : economics().premiums) {
        for (const std::string& part : premium.parts) {
            EXPECT_NE(catalog.find_gpu(part), nullptr) << part;
        }
    }
}

TEST(Economics, FailureRatesAreTheirSourcesArithmetic) {
    const auto& records = economics().failures;
    const auto llama = std::ranges::find(records, "llama3-h100", &hw::FailureRecord::id);
    EXPECT_NEAR(llama->gpu_mtbf.value() / kHour, 16384.0 * 54 * 24 / 419, 1.0);
    const auto rsc = std::ranges::find(records, "meta-rsc", &hw::FailureRecord::id);
    EXPECT_NEAR(rsc->gpu_mtbf.value() / kHour, 1024.0 * 7.9, 1.0);
}

TEST(NetworkPrices, ComeWithinOnePercentOfEveryPublishedNetwork) {
    const hw::NetworkCosts& table = economics().networks;
    ASSERT_EQ(table.rows.size(), 5U);
    for (const hw::NetworkCost& row : table.rows) {
        EXPECT_NEAR(hw::network_cost(table.prices, row.endpoints, row.links) / row.cost, 1.0, 0.01)
            << row.topology;
        // Why switches need no price of their own: their ports are those of the endpoints and links.
        EXPECT_NEAR((row.endpoints + 2.0 * row.links) / (64.0 * row.switches), 1.0, 0.02) << row.topology;
    }
    EXPECT_EQ(table.row_of("FT3")->endpoints, 65536.0);
    EXPECT_EQ(table.row_of("torus"), nullptr);
}

TEST(NetworkPrices, AreThoseThatExactRowsWereMadeFrom) {
    const auto row = [](double endpoints, double links) {
        return hw::NetworkCost{"x", endpoints, 1.0, links, hw::Usd(300.0 * endpoints + 700.0 * links)};
    };
    const hw::NetworkPrices prices = hw::network_prices({row(100, 100), row(1000, 2000), row(50, 80)});
    EXPECT_NEAR(prices.endpoint.value(), 300.0, 1e-6);
    EXPECT_NEAR(prices.link.value(), 700.0, 1e-6);
}

TEST(NetworkPrices, NeedRowsThatTellThemApart) {
    const hw::NetworkCost row{"a", 100, 1, 100, hw::Usd(100.0)};
    const hw::NetworkCost twice{"b", 200, 1, 200, hw::Usd(210.0)};
    EXPECT_THROW((void)hw::network_prices({}), std::invalid_argument);
    EXPECT_THROW((void)hw::network_prices({row, twice}), std::invalid_argument);
    const hw::NetworkCost cheaper{"c", 100, 1, 200, hw::Usd(50.0)};
    EXPECT_THROW((void)hw::network_prices({row, cheaper}), std::invalid_argument);
    const Directory directory("network", "mine.toml",
                              "id = \"mine\"\nsource = \"x\"\ndate = \"2024\"\n[[row]]\ntopology = \"a\"\n"
                              "endpoints = 10\nswitches = 1\nlinks = 10\ncost = \"10 USD\"\n");
    EXPECT_THAT(faults_of(directory), testing::HasSubstr("as many links for each endpoint"));
}

TEST(OwnershipRanges, HoldTheirValues) {
    const auto& models = economics().cost_models;
    const auto bottom_up = std::ranges::find(models, "bottom-up", &hw::OwnershipModel::id);
    EXPECT_GE(bottom_up->ranges.size(), 5U);
    const Directory directory(
        "cost", "mine.toml",
        "id = \"mine\"\ntitle = \"x\"\ndepreciation = \"market-value\"\n"
        "[server_overhead]\nvalue = 2\nlow = 3\nhigh = 4\nsource = \"x\"\ndate = \"2024\"\n"
        "[price_trend]\nvalue = 0.1\nsource = \"x\"\ndate = \"2024\"\n"
        "[delay]\nvalue = \"1 d\"\nlow = \"1 d\"\nsource = \"x\"\ndate = \"2024\"\n"
        "[power_price]\nvalue = \"1 USD/kWh\"\nsource = \"x\"\ndate = \"2024\"\n");
    const std::string faults = faults_of(directory);
    EXPECT_THAT(faults, testing::HasSubstr("server_overhead: the value is not between low and high"));
    EXPECT_THAT(faults, testing::HasSubstr("missing key 'delay.high'"));
}

TEST(RentalPrice, IsOfTheQuotesWithinAYear) {
    hw::GpuSpec gpu;
    const auto quote = [](double usd, const char* date) {
        return hw::PriceEntry{hw::UsdPerSecond(usd / kHour), date, "test"};
    };
    gpu.prices = {quote(8.0, "2022"), quote(2.0, "2024-01"), quote(3.0, "2024-06-30"),
                  quote(10.0, "2024-11")};
    const auto range = hw::rental_price(gpu, "2024-07-01");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->quotes.size(), 3U);
    EXPECT_NEAR(range->low.value() * kHour, 2.0, 1e-12);
    EXPECT_NEAR(range->mid.value() * kHour, 3.0, 1e-12);
    EXPECT_NEAR(range->high.value() * kHour, 10.0, 1e-12);
    const auto single = hw::rental_price(gpu, "2022-08-01");
    ASSERT_TRUE(single);
    EXPECT_NEAR(single->mid.value() * kHour, 8.0, 1e-12);
    EXPECT_GT(single->high, single->mid) << "one quote does not make a rent exact";
    EXPECT_NEAR(single->high / single->mid, single->mid / single->low, 1e-12);
    EXPECT_EQ(hw::rental_price(gpu, "2030-01-01"), std::nullopt);
    EXPECT_EQ(hw::rental_price(gpu, "2019-01-01"), std::nullopt);
}

TEST(Dates, AreCountedInYears) {
    EXPECT_NEAR(hw::years_between("2023-01-01", "2025-01-01"), 2.0, 0.01);
    EXPECT_NEAR(hw::years_between("2023", "2023-07-15"), 0.0, 1e-12);
    EXPECT_LT(hw::years_between("2024-12", "2024-01"), 0.0);
}

TEST(EconomicsFiles, EveryFaultIsNamedWithItsPlace) {
    const Directory directory("grid", "mars.toml", "id = \"mars\"\ncolour = 3\n[carbon]\nvalue = \"1 kg\"\n");
    const std::string faults = faults_of(directory);
    EXPECT_THAT(faults, testing::HasSubstr("mars.toml:2:1: error: unknown key 'colour'"));
    EXPECT_THAT(faults, testing::HasSubstr("error: missing key 'name'"));
    EXPECT_THAT(faults,
                testing::HasSubstr("mars.toml:4:9: error: carbon.value: \"1 kg\" is no quantity; expected a "
                                   "carbon intensity"));
    EXPECT_THAT(faults, testing::HasSubstr("missing key 'carbon.source'"));
}

TEST(EconomicsFiles, AUsersFileReplacesTheShippedOne) {
    const Directory directory("grid", "china.toml",
                              "id = \"china\"\nname = \"China, one day\"\n[carbon]\nvalue = \"0.1 kg/kWh\"\n"
                              "source = \"a hope\"\ndate = \"2040\"\n");
    const Economics data = hw::load_economics({directory.path()});
    const auto china = std::ranges::find(data.grids, "china", &hw::Grid::id);
    EXPECT_NEAR(china->carbon.value() * 3.6e6, 0.1, 1e-12);
    EXPECT_EQ(data.grids.size(), economics().grids.size());
}

TEST(EconomicsFiles, NegativePricesAreRefused) {
    const Directory directory(
        "purchase", "h100-sxm.toml",
        "id = \"h100-sxm\"\n[low]\nvalue = \"-1 USD\"\nsource = \"x\"\ndate = \"2024\"\n"
        "[high]\nvalue = \"1 USD\"\nsource = \"x\"\ndate = \"2024\"\n"
        "[released]\nsource = \"x\"\ndate = \"2022\"\n");
    EXPECT_THAT(faults_of(directory), testing::HasSubstr("is not positive"));
}
