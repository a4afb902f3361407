// SPDX-License-Identifier: Apache-2.0
// The toolkit ships no nvml.h here, so the few prototypes needed are declared from NVIDIA's NVML API
// reference.
#include "framework/nvml.hpp"

#include "framework/cuda_error.hpp"

#include <array>

namespace chokepoint::kref {
namespace {

struct OpaqueDevice;
using DeviceHandle = OpaqueDevice*;
constexpr int kSuccess = 0;
constexpr int kClockSm = 1;
constexpr int kClockMemory = 2;
constexpr int kTemperatureGpu = 0;

struct Reason {
    unsigned long long bit;
    const char* name;
};
// nvmlClocksEventReasons, NVML API reference.
constexpr std::array kReasons{
    Reason{0x4, "power_cap"},        Reason{0x8, "hw_slowdown"},        Reason{0x10, "sync_boost"},
    Reason{0x20, "sw_thermal"},      Reason{0x40, "hw_thermal"},        Reason{0x80, "hw_power_brake"},
    Reason{0x100, "display_clocks"}, Reason{0x2, "application_clocks"},
};

} // namespace

struct Nvml::Functions {
    int (*init)() = nullptr;
    int (*handle_by_pci)(const char*, DeviceHandle*) = nullptr;
    int (*clock)(DeviceHandle, int, unsigned*) = nullptr;
    int (*power)(DeviceHandle, unsigned*) = nullptr;
    int (*power_limit)(DeviceHandle, unsigned*) = nullptr;
    int (*temperature)(DeviceHandle, int, unsigned*) = nullptr;
    int (*reasons)(DeviceHandle, unsigned long long*) = nullptr;
    int (*driver)(char*, unsigned) = nullptr;
    DeviceHandle device = nullptr;
};

void Nvml::Deleter::operator()(Functions* functions) const { delete functions; }

std::string throttle_reasons(unsigned long long bits) {
    std::string text;
    for (const Reason& reason : kReasons) {
        if ((bits & reason.bit) != 0) {
            text += (text.empty() ? "" : ",") + std::string(reason.name);
        }
    }
    return text;
}

Nvml::Nvml(const std::string& pci_bus_id) : library_({"libnvidia-ml.so.1"}), functions_(new Functions) {
    Functions& f = *functions_;
    library_.bind(f.init, "nvmlInit_v2");
    library_.bind(f.handle_by_pci, "nvmlDeviceGetHandleByPciBusId_v2");
    library_.bind_optional(f.clock, "nvmlDeviceGetClockInfo");
    library_.bind_optional(f.power, "nvmlDeviceGetPowerUsage");
    library_.bind_optional(f.power_limit, "nvmlDeviceGetEnforcedPowerLimit");
    library_.bind_optional(f.temperature, "nvmlDeviceGetTemperature");
    library_.bind_optional(f.reasons, "nvmlDeviceGetCurrentClocksEventReasons");
    if (f.reasons == nullptr) { // its name before driver 535
        library_.bind_optional(f.reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
    }
    library_.bind_optional(f.driver, "nvmlSystemGetDriverVersion");
    if (const int status = f.init(); status != kSuccess) {
        throw Unsupported("nvmlInit_v2 returned " + std::to_string(status));
    }
    if (const int status = f.handle_by_pci(pci_bus_id.c_str(), &f.device); status != kSuccess) {
        throw Unsupported("NVML does not know the device at " + pci_bus_id + " (" + std::to_string(status) +
                          ")");
    }
}

BoardState Nvml::sample() const {
    const Functions& f = *functions_;
    BoardState state;
    if (f.clock != nullptr) {
        f.clock(f.device, kClockSm, &state.sm_mhz);
        f.clock(f.device, kClockMemory, &state.memory_mhz);
    }
    if (f.power != nullptr) {
        f.power(f.device, &state.power_milliwatts);
    }
    if (f.temperature != nullptr) {
        f.temperature(f.device, kTemperatureGpu, &state.temperature_celsius);
    }
    if (f.reasons != nullptr) {
        f.reasons(f.device, &state.throttle_bits);
    }
    return state;
}

std::string Nvml::driver_version() const {
    std::array<char, 96> text{};
    if (functions_->driver == nullptr || functions_->driver(text.data(), text.size()) != kSuccess) {
        return "unknown";
    }
    return text.data();
}

unsigned Nvml::power_limit_milliwatts() const {
    unsigned limit = 0;
    if (functions_->power_limit != nullptr) {
        functions_->power_limit(functions_->device, &limit);
    }
    return limit;
}

} // namespace chokepoint::kref
