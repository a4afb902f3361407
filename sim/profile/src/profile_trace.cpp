// SPDX-License-Identifier: Apache-2.0
#include <chokepoint/sim/profile_trace.hpp>

#include "classifier.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace chokepoint::sim {

namespace {

// As the trace of a simulated step names colours; what a class's name leaves open has a colour of its own.
constexpr std::string_view kForward = "thread_state_running";
constexpr std::string_view kBackward = "rail_response";
constexpr std::string_view kWeightGradient = "rail_animation";
constexpr std::string_view kExpertTraffic = "thread_state_iowait";
constexpr std::string_view kOtherTraffic = "thread_state_uninterruptible";
constexpr std::string_view kEither = "generic_work";

std::string_view color_of(hw::KernelClass kernel) {
    switch (kernel) {
    case hw::KernelClass::gemm_wgrad:
    case hw::KernelClass::grouped_wgrad:
        return kWeightGradient;
    case hw::KernelClass::attention_fwd:
    case hw::KernelClass::norm_fwd:
    case hw::KernelClass::swiglu_fwd:
        return kForward;
    case hw::KernelClass::attention_bwd:
    case hw::KernelClass::norm_bwd:
    case hw::KernelClass::swiglu_bwd:
    case hw::KernelClass::attention_aux:
        return kBackward;
    default:
        return kEither;
    }
}

std::string_view color_of(const hw::ProfiledClass& profiled) {
    if (profiled.duty == hw::Duty::communication) {
        const bool expert = std::ranges::any_of(profiled.transfers, [](const std::string& transfer) {
            return transfer == "dispatch" || transfer == "combine";
        });
        return expert ? kExpertTraffic : kOtherTraffic;
    }
    std::string_view color =
        profiled.operators.empty() ? kEither : color_of(profiled.operators.front().kernel);
    for (const hw::PricedOperator& one : profiled.operators) {
        color = color_of(one.kernel) == color ? color : kEither;
    }
    return color;
}

/// With its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

double microseconds(ProfileTime time) { return std::chrono::duration<double, std::micro>(time).count(); }

void append_track_names(std::string& out, const Profile& profile) {
    std::string process = profile.device.empty() ? "profile" : "profile of " + profile.device;
    if (profile.rank) {
        process += fmt::format(", rank {}", *profile.rank);
    }
    fmt::format_to(std::back_inserter(out),
                   R"({{"ph":"M","pid":0,"name":"process_name","args":{{"name":{}}}}})",
                   json_string(process));
    for (std::size_t stream = 0; stream < profile.streams.size(); ++stream) {
        fmt::format_to(std::back_inserter(out),
                       ",\n"
                       R"({{"ph":"M","pid":0,"tid":{},"name":"thread_name","args":{{"name":{}}}}})",
                       stream, json_string("stream " + profile.streams[stream]));
    }
}

} // namespace

std::string to_trace_json(const Profile& profile, const hw::KernelRules& rules) {
    std::string out = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
    append_track_names(out, profile);
    Classifier classify(profile, rules);
    std::vector<std::string> kernels;
    std::ranges::transform(profile.kernels, std::back_inserter(kernels),
                           [](const ProfiledKernel& kernel) { return json_string(kernel.name); });
    for (const GpuInterval& interval : profile.intervals) {
        const auto of_class = classify(interval);
        const bool computes = classify.duty(of_class) == hw::Duty::compute;
        fmt::format_to(std::back_inserter(out),
                       ",\n"
                       R"({{"ph":"X","pid":0,"tid":{},"ts":{:.3f},"dur":{:.3f},"name":{},"cat":"{}",)"
                       R"("cname":"{}","args":{{"kernel":{})",
                       interval.stream, microseconds(interval.start - profile.intervals.front().start),
                       microseconds(interval.end - interval.start), json_string(classify.id(of_class)),
                       computes ? "compute" : "transfer",
                       of_class ? color_of(rules.classes[*of_class]) : kEither, kernels[interval.kernel]);
        if (interval.segment) {
            fmt::format_to(std::back_inserter(out), R"(,"segment":{})",
                           json_string(profile.segments[*interval.segment]));
        }
        out += "}}";
    }
    out += "\n]}\n";
    return out;
}

} // namespace chokepoint::sim
