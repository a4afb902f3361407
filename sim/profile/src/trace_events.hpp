// SPDX-License-Identifier: Apache-2.0
// The events of a trace file that concern a GPU, as they stand in it: what later steps join and count.
#pragma once

#include <chokepoint/sim/profile.hpp>

#include <map>
#include <unordered_map>
#include <utility>

namespace chokepoint::sim {

class TraceStream;

struct TraceEvents {
    struct Gpu {
        ProfileTime start{}, end{};
        std::uint32_t kernel = 0;
        std::uint32_t place = 0;      ///< index into places
        std::int64_t correlation = 0; ///< 0: none
    };
    struct Annotation {
        ProfileTime start{}, end{};
        std::uint32_t name = 0; ///< index into annotation_names
    };
    /// A device's stream: numbers, as the file writes them.
    struct StreamPlace {
        std::int64_t device = 0;
        std::string stream;
        friend auto operator<=>(const StreamPlace&, const StreamPlace&) = default;
    };

    std::int64_t events = 0;
    std::vector<Gpu> gpu;
    std::vector<ProfiledKernel> kernels;
    std::vector<StreamPlace> places;
    std::unordered_map<std::int64_t, ProfileTime> launches; ///< when the host launched, by correlation
    std::vector<Annotation> annotations;
    std::vector<std::string> annotation_names;
    std::map<std::int64_t, std::string> devices; ///< names of deviceProperties by id
    std::optional<std::int64_t> rank, world_size;
};

/// @throws ProfileError with the first fault of the syntax, or with the first faults of the events.
TraceEvents read_trace_events(TraceStream&, const std::string& file);

} // namespace chokepoint::sim
