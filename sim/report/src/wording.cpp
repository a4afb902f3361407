// SPDX-License-Identifier: Apache-2.0
// Words and numbers as a person reads them.
#include <chokepoint/sim/report.hpp>
#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <iterator>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

struct Scale {
    double at_least;
    std::string_view suffix;
};
constexpr std::array kScales{Scale{1e12, " T"}, Scale{1e9, " B"}, Scale{1e6, " M"}};

} // namespace

std::string_view label(Resource resource) {
    switch (resource) {
    case Resource::tensor_core:
        return "tensor cores (GEMM)";
    case Resource::attention:
        return "attention kernels";
    case Resource::memory:
        return "memory bandwidth";
    case Resource::nvlink:
        return "NVLink";
    case Resource::nic:
        return "NIC";
    case Resource::latency:
        return "latency";
    case Resource::slowest_rank:
        return "the slowest rank";
    case Resource::optimizer:
        return "optimizer update";
    case Resource::host:
        return "host link and CPU";
    case Resource::launch:
        return "the host starting kernels";
    }
    throw std::logic_error("resource without a label");
}

std::string count_text(double count) {
    for (const Scale& scale : kScales) {
        if (std::abs(count) >= scale.at_least) {
            return fmt::format("{:.3g}{}", count / scale.at_least, scale.suffix);
        }
    }
    return hw::group_digits(count);
}

std::string money_text(hw::Usd usd) {
    constexpr double kMillion = 1e6;
    constexpr double kCentsMatter = 1000.0;
    const double value = usd.value();
    if (std::abs(value) >= kMillion) {
        return fmt::format("{:.3f} M USD", value / kMillion);
    }
    if (std::abs(value) >= kCentsMatter) {
        return hw::group_digits(value) + " USD";
    }
    return std::abs(value) >= 1.0 ? fmt::format("{:.2f} USD", value) : fmt::format("{:.2g} USD", value);
}

std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

std::string cluster_label(const RunReport& report) {
    return fmt::format("{} x {}{}", hw::group_digits(report.gpus), report.gpu,
                       report.caps.empty() ? "" : ", capped");
}

std::string cluster_text(const RunReport& report) {
    const std::string label = cluster_label(report);
    return report.caps.empty() ? label : fmt::format("{}: {}", label, fmt::join(report.caps, ", "));
}

std::string extrapolated_text(const RunReport& report) {
    constexpr std::size_t kNamed = 2;
    const std::vector<ExtrapolatedKernels>& all = report.extrapolated;
    double sum = 0.0;
    std::string named;
    for (std::size_t i = 0; i < all.size(); ++i) {
        sum += all[i].share;
        if (i < kNamed) {
            fmt::format_to(std::back_inserter(named), "{}{:.0f}% {}", i == 0 ? "" : ", ",
                           100.0 * all[i].share, all[i].kernels);
        }
    }
    if (all.empty()) {
        return "";
    }
    if (all.size() > kNamed) {
        fmt::format_to(std::back_inserter(named), ", and {} more", all.size() - kNamed);
    }
    return fmt::format("{:.0f}% of the kernel time: {}", 100.0 * sum, named);
}

} // namespace chokepoint::sim
