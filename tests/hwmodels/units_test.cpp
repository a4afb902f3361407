// SPDX-License-Identifier: Apache-2.0
// What a number with a unit means, and which texts are none.
#include <chokepoint/hwmodels/units.hpp>

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <locale>
#include <random>
#include <string>
#include <vector>

namespace chokepoint::hw {
namespace {

struct Reading {
    std::string_view text;
    double base;
    Dimension dimension;
};

TEST(Units, ReadsEveryDimension) {
    const std::vector<Reading> readings{
        {"400 GB/s", 400e9, Dimension::bandwidth},
        {"400GB/s", 400e9, Dimension::bandwidth},
        {"400 Gb/s", 50e9, Dimension::bandwidth},
        {"3.35 TB/s", 3.35e12, Dimension::bandwidth},
        {"80 GiB", 85899345920.0, Dimension::bytes},
        {"80 GB", 80e9, Dimension::bytes},
        {"200 Gb", 25e9, Dimension::bytes},
        {"3.7 us", 3.7e-6, Dimension::seconds},
        {"3.7 \u00b5s", 3.7e-6, Dimension::seconds},
        {"3.7 \u03bcs", 3.7e-6, Dimension::seconds},
        {"2 h", 7200.0, Dimension::seconds},
        {"989 TFLOPS", 989e12, Dimension::flop_rate},
        {"1979 TOPS", 1979e12, Dimension::flop_rate},
        {"700 W", 700.0, Dimension::watts},
        {"5.576 million USD", 5.576e6, Dimension::usd},
        {"2.00 USD/GPU-h", 2.0 / 3600.0, Dimension::usd_per_gpu_hour},
        {"0.08 USD/kWh", 0.08 / 3.6e6, Dimension::usd_per_kwh},
        {"14.8e12", 14.8e12, Dimension::count},
        {"15360", 15360.0, Dimension::count},
        {"-5 GB/s", -5e9, Dimension::bandwidth},
    };
    for (const Reading& reading : readings) {
        const auto parsed = parse_quantity(reading.text);
        ASSERT_TRUE(parsed) << reading.text;
        EXPECT_DOUBLE_EQ(parsed->base, reading.base) << reading.text;
        EXPECT_EQ(parsed->dimension, reading.dimension) << reading.text;
    }
}

TEST(Units, RefusesWhatIsNoQuantity) {
    for (const std::string_view text :
         {"",         " ",          "GB/s",      " 400 GB/s",  "400 GB/s ", "400  GB/s",     "400 gb/s",
          "400 GBps", "400 GB/s/s", "4,00 GB/s", "400 GB/s x", "inf",       "inf GB/s",      "nan",
          "nan s",    "-inf W",     "1e999",     "1e308 TB",   "0x10 B",    "+5 s",          "1e",
          "1e5x",     "5 ",         "--5 s",     "5 M",        "1.2.3 s",   "2 USD/GPU-hour"}) {
        EXPECT_FALSE(parse_quantity(text)) << '"' << text << '"';
    }
    EXPECT_FALSE(parse_quantity(std::string_view("5\0 s", 4)));
}

TEST(Units, DecimalAndBinaryPrefixesDiffer) {
    EXPECT_DOUBLE_EQ(parse_quantity("1 GB")->base, 1e9);
    EXPECT_DOUBLE_EQ(parse_quantity("1 GiB")->base, 1024.0 * 1024.0 * 1024.0);
    EXPECT_DOUBLE_EQ(parse_quantity("8 Gb")->base, parse_quantity("1 GB")->base);
}

TEST(Units, EveryReadableQuantityScalesWithItsNumber) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponent(-6, 6);
    for (const std::string_view unit :
         {"", " B", " KiB", " Gb/s", " TB/s", " us", " TFLOPS", " kW", " USD/GPU-h"}) {
        const double one = parse_quantity("1" + std::string(unit))->base;
        for (int i = 0; i < 200; ++i) {
            const double number = std::pow(10.0, exponent(random));
            char text[64];
            std::snprintf(text, sizeof text, "%.17g", number);
            const auto parsed = parse_quantity(text + std::string(unit));
            ASSERT_TRUE(parsed) << text << unit;
            EXPECT_NEAR(parsed->base / (number * one), 1.0, 1e-12) << text << unit;
        }
    }
}

TEST(Units, NeverAcceptsRandomJunkAfterAUnit) {
    std::mt19937_64 random(2);
    std::uniform_int_distribution<int> letter(33, 126);
    for (int i = 0; i < 5000; ++i) {
        std::string text = "7 GB/s";
        text += static_cast<char>(letter(random));
        EXPECT_FALSE(parse_quantity(text)) << text;
    }
}

template <typename Q> void expect_text_reads_back(Dimension dimension, double low, double high) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<double> exponent(std::log10(low), std::log10(high));
    for (int i = 0; i < 2000; ++i) {
        const double base = std::pow(10.0, exponent(random));
        const std::string text = to_text(Q(base));
        const auto parsed = parse_quantity(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->dimension, dimension) << text;
        EXPECT_NEAR(parsed->base / base, 1.0, 5.1e-4) << text;
    }
}

TEST(Units, TextReadsBackWithinItsPrintedDigits) {
    expect_text_reads_back<Seconds>(Dimension::seconds, 1e-9, 1e8);
    expect_text_reads_back<Bytes>(Dimension::bytes, 1e3, 1e15);
    expect_text_reads_back<BytesPerSecond>(Dimension::bandwidth, 1e3, 1e14);
    expect_text_reads_back<FlopsPerSecond>(Dimension::flop_rate, 1e6, 1e18);
    expect_text_reads_back<Watts>(Dimension::watts, 1.0, 1e8);
    expect_text_reads_back<Usd>(Dimension::usd, 1e2, 1e10);
}

TEST(Units, TextHasTheFittingPrefix) {
    EXPECT_EQ(to_text(Seconds(13.95)), "13.95 s");
    EXPECT_EQ(to_text(Seconds(0.129)), "129.0 ms");
    EXPECT_EQ(to_text(3.7_us), "3.700 us");
    EXPECT_EQ(to_text(Seconds(0.99996)), "1.000 s") << "rounding must not print 1000 ms";
    EXPECT_EQ(to_text(Seconds(0.0)), "0 s");
    EXPECT_EQ(to_text(Seconds(7200.0)), "2.000 h");
    EXPECT_EQ(to_text(kDay * 54.2), "54.20 d");
    EXPECT_EQ(to_text(-Seconds(0.25)), "-250.0 ms");
    EXPECT_EQ(to_text(400_GBps), "400 GB/s");
    EXPECT_EQ(to_text(3.35_TFLOPS), "3.35 TFLOPS");
    EXPECT_EQ(to_text(BytesPerSecond(3.35e12)), "3.35 TB/s");
    EXPECT_EQ(to_text(80_GB), "80 GB");
    EXPECT_EQ(to_text(80_GiB), "85.9 GB");
    EXPECT_EQ(to_text(700_W), "700 W");
    EXPECT_EQ(to_text(Usd(5.328e6)), "5.328 million USD");
    EXPECT_EQ(to_text(Usd(22.6561)), "22.66 USD");
    EXPECT_EQ(to_text(Usd(46123.4)), "46123 USD");
}

TEST(Units, GroupsDigitsInThrees) {
    EXPECT_EQ(group_digits(0.0), "0");
    EXPECT_EQ(group_digits(999.0), "999");
    EXPECT_EQ(group_digits(1000.0), "1,000");
    EXPECT_EQ(group_digits(2664000.4), "2,664,000");
    EXPECT_EQ(group_digits(14.8e12), "14,800,000,000,000");
    EXPECT_EQ(group_digits(-999.0), "-999");
    EXPECT_EQ(group_digits(-1234567.0), "-1,234,567");
}

TEST(Units, ReadsAndWritesTheSameInEveryLocale) {
    struct CommaForPoint : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale(), new CommaForPoint));
    const std::string c_before = std::setlocale(LC_ALL, nullptr);
    std::setlocale(LC_ALL, "de_DE.UTF-8"); // where it is installed
    EXPECT_DOUBLE_EQ(parse_quantity("3.35 TB/s")->base, 3.35e12);
    EXPECT_FALSE(parse_quantity("3,35 TB/s"));
    EXPECT_EQ(to_text(BytesPerSecond(3.35e12)), "3.35 TB/s");
    EXPECT_EQ(to_text(Usd(46123.4)), "46123 USD");
    EXPECT_EQ(group_digits(2664000.0), "2,664,000");
    std::setlocale(LC_ALL, c_before.c_str());
    std::locale::global(before);
}

TEST(Units, DescriptionsGiveAnExampleThatReadsAsTheirDimension) {
    for (const Dimension dimension :
         {Dimension::count, Dimension::bytes, Dimension::bandwidth, Dimension::seconds, Dimension::flop_rate,
          Dimension::watts, Dimension::usd, Dimension::usd_per_gpu_hour, Dimension::usd_per_kwh}) {
        const std::string_view text = describe(dimension);
        const auto first = text.find('"');
        const auto last = text.rfind('"');
        ASSERT_LT(first, last) << text;
        const auto parsed = parse_quantity(text.substr(first + 1, last - first - 1));
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->dimension, dimension) << text;
    }
}

TEST(ParseQuantity, ReadsRatios) {
    EXPECT_EQ(parse_quantity("3:1"), (ParsedQuantity{3.0, Dimension::ratio}));
    EXPECT_EQ(parse_quantity("3:2"), (ParsedQuantity{1.5, Dimension::ratio}));
    for (const char* text : {"3:", "3:0", "3:-1", "3:one", "3:1:1", ":1", "3: 1"}) {
        EXPECT_EQ(parse_quantity(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace chokepoint::hw
