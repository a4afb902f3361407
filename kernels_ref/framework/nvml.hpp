// SPDX-License-Identifier: Apache-2.0
// Reads clocks, power and throttle reasons from the driver's management library. Sets nothing.
#pragma once

#include "framework/dynamic_library.hpp"

#include <memory>
#include <optional>
#include <string>

namespace chokepoint::kref {

/// What the board did at one moment; zero where the driver does not say.
struct BoardState {
    unsigned sm_mhz = 0, memory_mhz = 0;
    unsigned power_milliwatts = 0;
    unsigned temperature_celsius = 0;
    unsigned long long throttle_bits = 0;
};

/// "power_cap,hw_slowdown"; empty if nothing holds clocks back.
std::string throttle_reasons(unsigned long long bits);

class Nvml {
public:
    /// @throws Unsupported if the library is absent or does not know the device.
    explicit Nvml(const std::string& pci_bus_id);
    [[nodiscard]] BoardState sample() const;
    [[nodiscard]] std::string driver_version() const;
    [[nodiscard]] unsigned power_limit_milliwatts() const;

private:
    struct Functions;
    struct Deleter {
        void operator()(Functions*) const;
    };
    DynamicLibrary library_;
    std::unique_ptr<Functions, Deleter> functions_;
};

} // namespace chokepoint::kref
