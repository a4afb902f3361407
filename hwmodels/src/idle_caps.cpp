// SPDX-License-Identifier: Apache-2.0
// Compares every cap with the figure that it would lower.
#include <chokepoint/hwmodels/idle_caps.hpp>

#include <fmt/format.h>

namespace chokepoint::hw {

std::vector<IdleCap> idle_caps(const Caps& caps, const Node& node) {
    std::vector<IdleCap> idle;
    const GpuSpec& gpu = node.gpu;
    const auto above = [&](const char* key, const std::string& cap, const std::string& own) {
        idle.push_back({key, fmt::format("caps.{} of {} is above the {} that {} has without it, and changes "
                                         "nothing",
                                         key, cap, own, gpu.id)});
    };
    const auto absent = [&](const char* key, std::string_view what) {
        idle.push_back({key, fmt::format("caps.{}: {} has no {}, so it changes nothing", key, gpu.id, what)});
    };
    if (caps.nvlink && gpu.nvlink.value() == 0.0) {
        absent("nvlink", "NVLink");
    } else if (caps.nvlink && *caps.nvlink > gpu.nvlink) {
        above("nvlink", to_text(*caps.nvlink), to_text(gpu.nvlink));
    }
    if (caps.nic && *caps.nic > node.nic) {
        idle.push_back(
            {"nic", fmt::format("caps.nic of {} is above the {} of the node's NICs, and changes nothing",
                                to_text(*caps.nic), to_text(node.nic))});
    }
    if (caps.memory_bandwidth && *caps.memory_bandwidth > gpu.memory_bandwidth) {
        above("memory_bandwidth", to_text(*caps.memory_bandwidth), to_text(gpu.memory_bandwidth));
    }
    const auto fp64 = gpu.dense_peak.find(DType::fp64);
    if (caps.fp64 && fp64 == gpu.dense_peak.end()) {
        absent("fp64", "FP64 rate in the catalog");
    } else if (caps.fp64 && *caps.fp64 > fp64->second) {
        above("fp64", to_text(*caps.fp64), to_text(fp64->second));
    }
    if (const double own = total_processing_performance(gpu); caps.tpp && *caps.tpp > own) {
        above("tpp", group_digits(*caps.tpp), group_digits(own));
    }
    return idle;
}

} // namespace chokepoint::hw
