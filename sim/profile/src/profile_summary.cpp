// SPDX-License-Identifier: Apache-2.0
// Sorts a profile's intervals into groups and measures each.
#include <chokepoint/sim/profile_summary.hpp>

#include "classifier.hpp"
#include "intervals.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace chokepoint::sim {
namespace {

/// Of intervals that come by start.
struct Gathered {
    ProfiledTime time;
    Stretches united;

    void add(const GpuInterval& interval) {
        ++time.launches;
        time.sum += interval.end - interval.start;
        append(united, {interval.start, interval.end});
    }
    [[nodiscard]] ProfiledTime measured() const {
        ProfiledTime result = time;
        result.busy = length(united);
        return result;
    }
};

/// Most time first; equal ones as they were.
template <typename Row> void sort_by_time(std::vector<Row>& rows) {
    std::ranges::stable_sort(rows, std::greater{}, [](const Row& row) { return row.time.sum; });
}

struct Duties {
    Gathered compute, communication;

    void add(hw::Duty duty, const GpuInterval& interval) {
        if (duty == hw::Duty::compute) {
            compute.add(interval);
        } else if (duty == hw::Duty::communication) {
            communication.add(interval);
        }
    }
};

struct Segment {
    Gathered all;
    Duties duties;
};

std::vector<SegmentTime> segments_of(const Profile& profile,
                                     const std::map<std::optional<std::uint32_t>, Segment>& segments) {
    std::vector<SegmentTime> result;
    for (const auto& [segment, gathered] : segments) {
        result.push_back({segment ? profile.segments[*segment] : std::string(),
                          segment ? profile.segment_counts[*segment] : 0, gathered.all.measured(),
                          length(gathered.duties.compute.united),
                          length(gathered.duties.communication.united)});
    }
    sort_by_time(result);
    return result;
}

} // namespace

ProfileSummary summarize(const Profile& profile, const hw::KernelRules& rules) {
    Classifier classify(profile, rules);
    Gathered all;
    Duties duties;
    std::map<std::optional<std::size_t>, Gathered> classes;
    std::map<std::string, Gathered> streams;
    std::map<std::optional<std::uint32_t>, Segment> segments;
    std::map<ProfiledKernel, Gathered> unknown;
    for (const GpuInterval& interval : profile.intervals) {
        const auto of_class = classify(interval);
        all.add(interval);
        duties.add(classify.duty(of_class), interval);
        classes[of_class].add(interval);
        streams[profile.streams[interval.stream]].add(interval);
        Segment& segment = segments[interval.segment];
        segment.all.add(interval);
        segment.duties.add(classify.duty(of_class), interval);
        if (!of_class) {
            unknown[profile.kernels[interval.kernel]].add(interval);
        }
    }

    ProfileSummary summary;
    summary.all = all.measured();
    if (!profile.intervals.empty()) {
        summary.span =
            std::ranges::max(profile.intervals, {}, &GpuInterval::end).end - profile.intervals.front().start;
    }
    summary.compute = length(duties.compute.united);
    summary.communication = length(duties.communication.united);
    summary.overlap = length(intersect(duties.compute.united, duties.communication.united));
    for (const auto& [of_class, gathered] : classes) {
        summary.classes.push_back({classify.id(of_class), classify.duty(of_class), gathered.measured()});
    }
    for (const auto& [stream, gathered] : streams) {
        summary.streams.push_back({stream, gathered.measured()});
    }
    for (const auto& [kernel, gathered] : unknown) {
        summary.unknown.push_back({kernel, gathered.measured()});
    }
    summary.segments = segments_of(profile, segments);
    sort_by_time(summary.classes);
    sort_by_time(summary.streams);
    sort_by_time(summary.unknown);
    return summary;
}

ProfileTime busy_time(const Profile& profile, const hw::KernelRules& rules,
                      const std::vector<std::string>& ids) {
    const std::set<std::string> wanted(ids.begin(), ids.end());
    Classifier classify(profile, rules);
    Gathered gathered;
    for (const GpuInterval& interval : profile.intervals) {
        if (wanted.contains(classify.id(classify(interval)))) {
            gathered.add(interval);
        }
    }
    return length(gathered.united);
}

} // namespace chokepoint::sim
