// SPDX-License-Identifier: Apache-2.0
// Reads and writes dimensioned numbers: the one table of unit names.
#include <chokepoint/hwmodels/units.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace chokepoint::hw {
namespace {

struct Unit {
    std::string_view text;
    double base; ///< one such unit in base units
    Dimension dimension;
};

constexpr double kBit = 0.125;
constexpr double kKibi = 1024.0;

// A bare count has no unit, so the empty text is a unit too.
constexpr std::array kUnits{
    Unit{"", 1.0, Dimension::count},

    Unit{"B", 1.0, Dimension::bytes},
    Unit{"kB", 1e3, Dimension::bytes},
    Unit{"KB", 1e3, Dimension::bytes},
    Unit{"MB", 1e6, Dimension::bytes},
    Unit{"GB", 1e9, Dimension::bytes},
    Unit{"TB", 1e12, Dimension::bytes},
    Unit{"PB", 1e15, Dimension::bytes},
    Unit{"KiB", kKibi, Dimension::bytes},
    Unit{"MiB", kKibi* kKibi, Dimension::bytes},
    Unit{"GiB", kKibi* kKibi* kKibi, Dimension::bytes},
    Unit{"TiB", kKibi* kKibi* kKibi* kKibi, Dimension::bytes},
    Unit{"b", kBit, Dimension::bytes},
    Unit{"kb", 1e3 * kBit, Dimension::bytes},
    Unit{"Mb", 1e6 * kBit, Dimension::bytes},
    Unit{"Gb", 1e9 * kBit, Dimension::bytes},
    Unit{"Tb", 1e12 * kBit, Dimension::bytes},

    Unit{"B/s", 1.0, Dimension::bandwidth},
    Unit{"kB/s", 1e3, Dimension::bandwidth},
    Unit{"KB/s", 1e3, Dimension::bandwidth},
    Unit{"MB/s", 1e6, Dimension::bandwidth},
    Unit{"GB/s", 1e9, Dimension::bandwidth},
    Unit{"TB/s", 1e12, Dimension::bandwidth},
    Unit{"PB/s", 1e15, Dimension::bandwidth},
    Unit{"KiB/s", kKibi, Dimension::bandwidth},
    Unit{"MiB/s", kKibi* kKibi, Dimension::bandwidth},
    Unit{"GiB/s", kKibi* kKibi* kKibi, Dimension::bandwidth},
    Unit{"TiB/s", kKibi* kKibi* kKibi* kKibi, Dimension::bandwidth},
    Unit{"b/s", kBit, Dimension::bandwidth},
    Unit{"kb/s", 1e3 * kBit, Dimension::bandwidth},
    Unit{"Mb/s", 1e6 * kBit, Dimension::bandwidth},
    Unit{"Gb/s", 1e9 * kBit, Dimension::bandwidth},
    Unit{"Tb/s", 1e12 * kBit, Dimension::bandwidth},

    Unit{"ns", 1e-9, Dimension::seconds},
    Unit{"us", 1e-6, Dimension::seconds},
    Unit{"\u00b5s", 1e-6, Dimension::seconds}, // micro sign
    Unit{"\u03bcs", 1e-6, Dimension::seconds}, // Greek mu
    Unit{"ms", 1e-3, Dimension::seconds},
    Unit{"s", 1.0, Dimension::seconds},
    Unit{"min", 60.0, Dimension::seconds},
    Unit{"h", 3600.0, Dimension::seconds},
    Unit{"d", 86400.0, Dimension::seconds},
    Unit{"y", 365.25 * 86400.0, Dimension::seconds},

    Unit{"FLOPS", 1.0, Dimension::flop_rate},
    Unit{"MFLOPS", 1e6, Dimension::flop_rate},
    Unit{"GFLOPS", 1e9, Dimension::flop_rate},
    Unit{"TFLOPS", 1e12, Dimension::flop_rate},
    Unit{"PFLOPS", 1e15, Dimension::flop_rate},
    Unit{"EFLOPS", 1e18, Dimension::flop_rate},
    Unit{"TOPS", 1e12, Dimension::flop_rate}, // integer rates

    Unit{"W", 1.0, Dimension::watts},
    Unit{"kW", 1e3, Dimension::watts},
    Unit{"MW", 1e6, Dimension::watts},

    Unit{"USD", 1.0, Dimension::usd},
    Unit{"million USD", 1e6, Dimension::usd},
    Unit{"billion USD", 1e9, Dimension::usd},
    Unit{"USD/GPU-h", 1.0 / 3600.0, Dimension::usd_per_gpu_hour},
    Unit{"USD/kWh", 1.0 / 3.6e6, Dimension::usd_per_kwh},
    Unit{"USD/W", 1.0, Dimension::usd_per_watt},
    Unit{"kg/kWh", 1.0 / 3.6e6, Dimension::kg_per_kwh},
};

/// Prefixed units of one dimension for printing, smallest first.
struct Scale {
    std::string_view unit;
    double base;
};
constexpr std::array kSecondScales{Scale{"ns", 1e-9}, Scale{"us", 1e-6}, Scale{"ms", 1e-3}, Scale{"s", 1.0}};
constexpr std::array kByteScales{Scale{"B", 1.0},  Scale{"kB", 1e3},  Scale{"MB", 1e6},
                                 Scale{"GB", 1e9}, Scale{"TB", 1e12}, Scale{"PB", 1e15}};
constexpr std::array kBandwidthScales{Scale{"B/s", 1.0},  Scale{"kB/s", 1e3},  Scale{"MB/s", 1e6},
                                      Scale{"GB/s", 1e9}, Scale{"TB/s", 1e12}, Scale{"PB/s", 1e15}};
constexpr std::array kFlopScales{Scale{"FLOPS", 1.0},   Scale{"MFLOPS", 1e6},  Scale{"GFLOPS", 1e9},
                                 Scale{"TFLOPS", 1e12}, Scale{"PFLOPS", 1e15}, Scale{"EFLOPS", 1e18}};
constexpr std::array kWattScales{Scale{"W", 1.0}, Scale{"kW", 1e3}, Scale{"MW", 1e6}, Scale{"GW", 1e9}};

constexpr int kSignificant = 4;

/// `value` rounded to four significant digits, so that the choice of a prefix sees what will be printed.
double round_significant(double value) {
    if (value == 0.0 || !std::isfinite(value)) {
        return value;
    }
    const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - (kSignificant - 1));
    return std::round(value / unit) * unit;
}

/// Four significant digits without an exponent: 13.95, 129.0, 1234.
std::string four_digits(double value) {
    const double magnitude = std::abs(value);
    const int whole = magnitude < 1.0 ? 1 : static_cast<int>(std::floor(std::log10(magnitude) + 1e-9)) + 1;
    return fmt::format("{:.{}f}", value, std::max(0, kSignificant - whole));
}

/// The same with the zeros behind the point gone: 400, 3.35.
std::string trimmed(std::string digits) {
    if (digits.find('.') != std::string::npos) {
        digits.erase(digits.find_last_not_of('0') + 1);
        if (digits.back() == '.') {
            digits.pop_back();
        }
    }
    return digits;
}

enum class Zeros { keep, trim };

std::string scaled(double base, std::span<const Scale> scales, Zeros zeros) {
    if (base == 0.0 || !std::isfinite(base)) {
        const auto plain = std::ranges::find(scales, 1.0, &Scale::base);
        return fmt::format("{} {}", base, plain->unit);
    }
    const double magnitude = std::abs(round_significant(base));
    const auto above =
        std::ranges::find_if(scales, [&](const Scale& s) { return s.base > magnitude * (1 + 1e-9); });
    const Scale& scale = above == scales.begin() ? scales.front() : *(above - 1);
    std::string digits = four_digits(base / scale.base);
    return fmt::format("{} {}", zeros == Zeros::trim ? trimmed(std::move(digits)) : digits, scale.unit);
}

} // namespace

std::string_view describe(Dimension dimension) {
    switch (dimension) {
    case Dimension::count:
        return "a plain number such as \"15360\"";
    case Dimension::bytes:
        return "a size such as \"80 GiB\"";
    case Dimension::bandwidth:
        return "a bandwidth such as \"200 Gb/s\"";
    case Dimension::seconds:
        return "a time such as \"3.7 us\"";
    case Dimension::flop_rate:
        return "an arithmetic rate such as \"989 TFLOPS\"";
    case Dimension::watts:
        return "a power such as \"700 W\"";
    case Dimension::usd:
        return "an amount such as \"5.576 million USD\"";
    case Dimension::usd_per_gpu_hour:
        return "a rental price such as \"2.00 USD/GPU-h\"";
    case Dimension::usd_per_kwh:
        return "an energy price such as \"0.08 USD/kWh\"";
    case Dimension::usd_per_watt:
        return "a price of power such as \"11 USD/W\"";
    case Dimension::kg_per_kwh:
        return "a carbon intensity such as \"0.48 kg/kWh\"";
    case Dimension::ratio:
        return "a ratio such as 3 or \"3:1\"";
    }
    return "a quantity";
}

namespace {

/// "3:1": the second number must be a positive one.
std::optional<ParsedQuantity> parse_ratio(double first, std::string_view second) {
    double number = 0.0;
    const auto [end, error] = std::from_chars(second.data(), second.data() + second.size(), number);
    if (error != std::errc{} || end != second.data() + second.size() || !(number > 0.0) ||
        !std::isfinite(first / number)) {
        return std::nullopt;
    }
    return ParsedQuantity{first / number, Dimension::ratio};
}

} // namespace

std::optional<ParsedQuantity> parse_quantity(std::string_view text) {
    double number = 0.0;
    // from_chars reads the same in every locale and takes neither blanks nor a plus sign in front.
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (unit.starts_with(':')) {
        return parse_ratio(number, unit.substr(1));
    }
    if (unit.size() > 1 && unit.front() == ' ') {
        unit.remove_prefix(1);
    }
    const auto found = std::ranges::find(kUnits, unit, &Unit::text);
    if (found == kUnits.end()) {
        return std::nullopt;
    }
    const double base = number * found->base;
    if (!std::isfinite(base)) {
        return std::nullopt;
    }
    return ParsedQuantity{base, found->dimension};
}

std::string to_text(Seconds t) {
    const double magnitude = std::abs(t.value());
    if (magnitude >= 2 * kDay.value() && std::isfinite(magnitude)) {
        return four_digits(t / kDay) + " d";
    }
    if (magnitude >= kHour.value() && std::isfinite(magnitude)) {
        return four_digits(t / kHour) + " h";
    }
    return scaled(t.value(), kSecondScales, Zeros::keep);
}

std::string to_text(Bytes b) { return scaled(b.value(), kByteScales, Zeros::trim); }

std::string to_text(BytesPerSecond rate) { return scaled(rate.value(), kBandwidthScales, Zeros::trim); }

std::string to_text(FlopsPerSecond rate) { return scaled(rate.value(), kFlopScales, Zeros::trim); }

std::string to_text(Usd amount) {
    const double magnitude = std::abs(round_significant(amount.value()));
    if (magnitude >= 1e9) {
        return four_digits(amount.value() / 1e9) + " billion USD";
    }
    if (magnitude >= 1e6) {
        return four_digits(amount.value() / 1e6) + " million USD";
    }
    // Money below a thousand is read to the cent, above it to the dollar.
    return magnitude < 1e3 ? fmt::format("{:.2f} USD", amount.value())
                           : fmt::format("{:.0f} USD", amount.value());
}

std::string to_text(Watts power) { return scaled(power.value(), kWattScales, Zeros::trim); }

std::string group_digits(double whole) {
    std::string digits = fmt::format("{:.0f}", whole);
    const std::size_t first = digits.front() == '-' ? 1 : 0;
    if (std::isfinite(whole)) {
        for (std::size_t at = digits.size(); at > first + 3;) {
            at -= 3;
            digits.insert(at, ",");
        }
    }
    return digits;
}

} // namespace chokepoint::hw
