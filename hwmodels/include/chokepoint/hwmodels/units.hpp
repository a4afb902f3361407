// SPDX-License-Identifier: Apache-2.0
// Dimensioned numbers, so that a bandwidth cannot be added to a size: the only place that knows unit
// prefixes.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::hw {

/// A number tagged with exponents of (second, byte, flop, USD, joule, kilogram); held in base units.
template <int S, int B, int F, int U, int J, int M = 0> class Quantity {
public:
    constexpr Quantity() = default;
    /// `base` is in base units: seconds, bytes, flop, USD, joules, kilograms.
    constexpr explicit Quantity(double base) : base_(base) {}
    /// The value in base units. Unwrap only to print, to fit, or to hand to a library that takes bare
    /// doubles.
    [[nodiscard]] constexpr double value() const { return base_; }

    constexpr auto operator<=>(const Quantity&) const = default;
    constexpr Quantity operator-() const { return Quantity(-base_); }
    constexpr Quantity& operator+=(Quantity other) {
        base_ += other.base_;
        return *this;
    }
    constexpr Quantity& operator-=(Quantity other) {
        base_ -= other.base_;
        return *this;
    }
    constexpr Quantity& operator*=(double factor) {
        base_ *= factor;
        return *this;
    }
    friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.base_ + b.base_); }
    friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.base_ - b.base_); }
    friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.base_ * k); }
    friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(a.base_ * k); }
    friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.base_ / k); }

private:
    double base_ = 0.0;
};

/// A ratio of two like quantities is a plain number; every other product or quotient keeps its dimension.
template <int S1, int B1, int F1, int U1, int J1, int M1, int S2, int B2, int F2, int U2, int J2, int M2>
constexpr auto operator*(Quantity<S1, B1, F1, U1, J1, M1> a, Quantity<S2, B2, F2, U2, J2, M2> b) {
    if constexpr (S1 + S2 == 0 && B1 + B2 == 0 && F1 + F2 == 0 && U1 + U2 == 0 && J1 + J2 == 0 &&
                  M1 + M2 == 0) {
        return a.value() * b.value();
    } else {
        return Quantity<S1 + S2, B1 + B2, F1 + F2, U1 + U2, J1 + J2, M1 + M2>(a.value() * b.value());
    }
}
template <int S1, int B1, int F1, int U1, int J1, int M1, int S2, int B2, int F2, int U2, int J2, int M2>
constexpr auto operator/(Quantity<S1, B1, F1, U1, J1, M1> a, Quantity<S2, B2, F2, U2, J2, M2> b) {
    if constexpr (S1 == S2 && B1 == B2 && F1 == F2 && U1 == U2 && J1 == J2 && M1 == M2) {
        return a.value() / b.value();
    } else {
        return Quantity<S1 - S2, B1 - B2, F1 - F2, U1 - U2, J1 - J2, M1 - M2>(a.value() / b.value());
    }
}

using Seconds = Quantity<1, 0, 0, 0, 0>;
using Bytes = Quantity<0, 1, 0, 0, 0>;
using Flops = Quantity<0, 0, 1, 0, 0>;
using Usd = Quantity<0, 0, 0, 1, 0>;
using Joules = Quantity<0, 0, 0, 0, 1>;
using BytesPerSecond = Quantity<-1, 1, 0, 0, 0>;
using FlopsPerSecond = Quantity<-1, 0, 1, 0, 0>;
using Watts = Quantity<-1, 0, 0, 0, 1>;
using UsdPerSecond = Quantity<-1, 0, 0, 1, 0>;
using UsdPerJoule = Quantity<0, 0, 0, 1, -1>;
using UsdPerWatt = Quantity<1, 0, 0, 1, -1>;
using Kilograms = Quantity<0, 0, 0, 0, 0, 1>;
using KilogramsPerJoule = Quantity<0, 0, 0, 0, -1, 1>;

inline constexpr Seconds kHour{3600.0};
inline constexpr Seconds kDay{86400.0};

inline namespace literals {
constexpr Seconds operator""_s(long double v) { return Seconds(static_cast<double>(v)); }
constexpr Seconds operator""_s(unsigned long long v) { return Seconds(static_cast<double>(v)); }
constexpr Seconds operator""_ms(long double v) { return Seconds(static_cast<double>(v) * 1e-3); }
constexpr Seconds operator""_ms(unsigned long long v) { return Seconds(static_cast<double>(v) * 1e-3); }
constexpr Seconds operator""_us(long double v) { return Seconds(static_cast<double>(v) * 1e-6); }
constexpr Seconds operator""_us(unsigned long long v) { return Seconds(static_cast<double>(v) * 1e-6); }
constexpr Bytes operator""_B(unsigned long long v) { return Bytes(static_cast<double>(v)); }
constexpr Bytes operator""_MB(unsigned long long v) { return Bytes(static_cast<double>(v) * 1e6); }
constexpr Bytes operator""_MiB(unsigned long long v) { return Bytes(static_cast<double>(v) * 1048576.0); }
constexpr Bytes operator""_GB(unsigned long long v) { return Bytes(static_cast<double>(v) * 1e9); }
constexpr Bytes operator""_GiB(unsigned long long v) { return Bytes(static_cast<double>(v) * 1073741824.0); }
constexpr BytesPerSecond operator""_GBps(long double v) {
    return BytesPerSecond(static_cast<double>(v) * 1e9);
}
constexpr BytesPerSecond operator""_GBps(unsigned long long v) {
    return BytesPerSecond(static_cast<double>(v) * 1e9);
}
constexpr BytesPerSecond operator""_Gbps(unsigned long long v) {
    return BytesPerSecond(static_cast<double>(v) * 1.25e8);
}
constexpr FlopsPerSecond operator""_TFLOPS(long double v) {
    return FlopsPerSecond(static_cast<double>(v) * 1e12);
}
constexpr FlopsPerSecond operator""_TFLOPS(unsigned long long v) {
    return FlopsPerSecond(static_cast<double>(v) * 1e12);
}
constexpr Usd operator""_usd(long double v) { return Usd(static_cast<double>(v)); }
constexpr Watts operator""_W(unsigned long long v) { return Watts(static_cast<double>(v)); }
} // namespace literals

/// What a text such as "400 GB/s" measures.
enum class Dimension {
    count,
    bytes,
    bandwidth,
    seconds,
    flop_rate,
    watts,
    usd,
    usd_per_gpu_hour,
    usd_per_kwh,
    usd_per_watt,
    kg_per_kwh,
    ratio ///< a plain number too
};

/// Human name of a dimension with an example, for error messages: `a bandwidth such as "200 Gb/s"`.
std::string_view describe(Dimension dimension);

struct ParsedQuantity {
    double base = 0.0; ///< base units: seconds, bytes, byte/s, flop/s, W, USD, USD/s (per GPU), USD/J,
                       ///< USD/W, kg/J, or the
                       ///< bare count
    Dimension dimension = Dimension::count;
    friend bool operator==(const ParsedQuantity&, const ParsedQuantity&) = default;
};

/// Reads "400 GB/s", "50 Gb/s", "80 GiB", "3.7 us", "989 TFLOPS", "700 W", "2.00 USD/GPU-h", "0.08 USD/kWh",
/// "14.8e12", "3:1". Decimal prefixes are powers of 1000, binary ones (KiB…) of 1024; b is a bit, B a byte. A
/// space before the unit is optional. Returns nothing if the text is not a finite number followed by a known
/// unit.
std::optional<ParsedQuantity> parse_quantity(std::string_view text);

/// Readable forms with three to four significant digits and the fitting prefix: "13.95 s", "129.0 ms", "400
/// GB/s".
std::string to_text(Seconds);
std::string to_text(Bytes);
std::string to_text(BytesPerSecond);
std::string to_text(FlopsPerSecond);
std::string to_text(Usd);
std::string to_text(Watts);
/// A whole number with thousands separated: "2,664,000".
std::string group_digits(double whole);

} // namespace chokepoint::hw
