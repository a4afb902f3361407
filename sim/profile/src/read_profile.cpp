// SPDX-License-Identifier: Apache-2.0
// From a trace's events to one GPU's profile: picks the device, and finds the annotation each kernel belongs
// to.
#include <chokepoint/sim/profile.hpp>

#include "trace_events.hpp"
#include "trace_stream.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kStep = "ProfilerStep";

/// "ProfilerStep#12" -> "ProfilerStep": segments of the same name are one.
std::string without_number(const std::string& name) {
    const std::size_t hash = name.rfind('#');
    const bool numbered = hash != std::string::npos && hash + 1 < name.size() &&
                          name.find_first_not_of("0123456789", hash + 1) == std::string::npos;
    return numbered ? name.substr(0, hash) : name;
}

std::int64_t device_of(const TraceEvents& events, const std::string& file, const ProfileOptions& options) {
    std::set<std::int64_t> found;
    for (const TraceEvents::StreamPlace& place : events.places) {
        found.insert(place.device);
    }
    if (found.empty()) {
        throw ProfileError(fmt::format("{}: error: no GPU ran anything in its {} events; was CUDA among the "
                                       "profiler's activities?",
                                       file, events.events));
    }
    if (options.device && !found.contains(*options.device)) {
        throw ProfileError(fmt::format("{}: error: nothing ran on device {}; expected one of {}", file,
                                       *options.device, fmt::join(found, ", ")));
    }
    if (!options.device && found.size() > 1) {
        throw ProfileError(fmt::format("{}: error: kernels of devices {}; name one with --device", file,
                                       fmt::join(found, ", ")));
    }
    return options.device.value_or(*found.begin());
}

/// Adds the annotations' names and gives each its number there.
std::vector<std::uint32_t> name_segments(const TraceEvents& events, Profile& profile) {
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : events.annotation_names) {
        const std::string segment = without_number(name);
        const auto found = std::ranges::find(profile.segments, segment);
        numbers.push_back(static_cast<std::uint32_t>(found - profile.segments.begin()));
        if (found == profile.segments.end()) {
            profile.segments.push_back(segment);
        }
    }
    profile.segment_counts.resize(profile.segments.size());
    for (const TraceEvents::Annotation& annotation : events.annotations) {
        ++profile.segment_counts[numbers[annotation.name]];
        profile.steps += events.annotation_names[annotation.name].starts_with(kStep) ? 1 : 0;
    }
    return numbers;
}

/// When the host launched an interval of the profile.
struct Launch {
    ProfileTime at{};
    std::size_t interval = 0;
};

/// The innermost annotation at a launch is the one that began last and has not ended. Threads are not told
/// apart: autograd launches backward kernels while the annotated thread waits for it.
void find_segments(const TraceEvents& events, std::vector<Launch> launches,
                   const std::vector<std::uint32_t>& numbers, std::vector<GpuInterval>& intervals) {
    std::vector<TraceEvents::Annotation> annotations = events.annotations;
    std::ranges::sort(annotations, {}, [](const TraceEvents::Annotation& annotation) {
        return std::tuple(annotation.start, -annotation.end, annotation.name);
    });
    std::ranges::sort(launches, {},
                      [](const Launch& launch) { return std::pair(launch.at, launch.interval); });
    std::vector<const TraceEvents::Annotation*> open;
    auto next = annotations.begin();
    for (const Launch& launch : launches) {
        for (; next != annotations.end() && next->start <= launch.at; ++next) {
            while (!open.empty() && open.back()->end <= next->start) {
                open.pop_back();
            }
            open.push_back(&*next);
        }
        while (!open.empty() && open.back()->end <= launch.at) {
            open.pop_back();
        }
        if (!open.empty()) {
            intervals[launch.interval].segment = numbers[open.back()->name];
        }
    }
}

} // namespace

Profile read_profile(const std::filesystem::path& path, const ProfileOptions& options) {
    TraceStream stream(path);
    TraceEvents events = read_trace_events(stream, path.string());
    const std::int64_t device = device_of(events, path.string(), options);

    Profile profile;
    profile.file = path.string();
    const auto known = events.devices.find(device);
    profile.device = known == events.devices.end() ? "" : known->second;
    profile.rank = events.rank;
    profile.world_size = events.world_size;
    profile.events = events.events;
    profile.kernels = std::move(events.kernels);
    for (const TraceEvents::StreamPlace& place : events.places) {
        profile.streams.push_back(place.stream);
    }

    std::ranges::sort(events.gpu, {}, [&](const TraceEvents::Gpu& event) {
        return std::tuple(event.start, std::cref(events.places[event.place]), event.end, event.kernel);
    });
    std::vector<Launch> launches;
    for (const TraceEvents::Gpu& event : events.gpu) {
        if (events.places[event.place].device != device) {
            continue;
        }
        if (const auto launch = events.launches.find(event.correlation); launch != events.launches.end()) {
            launches.push_back({launch->second, profile.intervals.size()});
        }
        profile.intervals.push_back({event.start, event.end, event.kernel, event.place, std::nullopt});
    }
    const std::vector<std::uint32_t> numbers = name_segments(events, profile);
    find_segments(events, std::move(launches), numbers, profile.intervals);
    return profile;
}

} // namespace chokepoint::sim
