// SPDX-License-Identifier: GPL-3.0-or-later
#include "trace_model.hpp"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

namespace chokepoint::gui {

namespace {

double seconds_of(const TraceSpan& span) { return span.end - span.start; }
double seconds_of(const TraceBlock& block) { return static_cast<double>(block.filled); }
double critical_seconds_of(const TraceSpan& span) { return span.critical ? seconds_of(span) : 0.0; }
double critical_seconds_of(const TraceBlock& block) { return static_cast<double>(block.critical); }

template <class Children> TraceBlock merged(const Children& children) {
    TraceBlock block{.start = children.front().start};
    std::array<std::pair<std::uint32_t, double>, TraceModel::kFan> seconds{};
    std::size_t colors = 0;
    for (const auto& child : children) {
        block.end = std::max(block.end, child.end);
        const double filled = seconds_of(child);
        block.filled += static_cast<float>(filled);
        block.critical += static_cast<float>(critical_seconds_of(child));
        auto* const last = seconds.begin() + colors;
        auto* const at =
            std::find_if(seconds.begin(), last, [&](const auto& one) { return one.first == child.color; });
        if (at == last) {
            ++colors;
            *at = {child.color, filled};
        } else {
            at->second += filled;
        }
    }
    block.color =
        std::ranges::max_element(seconds.begin(), seconds.begin() + colors, {}, [](const auto& one) {
            return one.second;
        })->first;
    return block;
}

template <class Child> std::vector<TraceBlock> level_over(const std::vector<Child>& below) {
    std::vector<TraceBlock> level;
    level.reserve(below.size() / TraceModel::kFan + 1);
    for (std::size_t i = 0; i < below.size(); i += TraceModel::kFan) {
        level.push_back(merged(std::span(below).subspan(i, std::min(TraceModel::kFan, below.size() - i))));
    }
    return level;
}

/// Fills pixels from the pyramid, descending only where a block is wider than a pixel.
class Sampler {
public:
    Sampler(const TraceTrack& track, double from, double to, std::vector<TracePixel>& pixels)
        : track_(track),
          from_(from),
          to_(to),
          per_second_(static_cast<double>(pixels.size()) / (to - from)),
          pixels_(pixels),
          most_(pixels.size(), 0.0F) {}

    void run() {
        if (track_.levels.empty()) {
            descend_spans(0, track_.spans.size());
        } else {
            descend(track_.levels.size() - 1, 0, track_.levels.back().size());
        }
    }

private:
    void descend(std::size_t level, std::size_t first, std::size_t last) {
        const auto& blocks = track_.levels[level];
        for (std::size_t i = first; i < last; ++i) {
            const TraceBlock& block = blocks[i];
            if (block.start >= to_) {
                break;
            }
            if (block.end <= from_) {
                continue;
            }
            if ((block.end - block.start) * per_second_ <= 1.0) {
                fill(block);
            } else if (level == 0) {
                descend_spans(i * TraceModel::kFan,
                              std::min((i + 1) * TraceModel::kFan, track_.spans.size()));
            } else {
                descend(level - 1, i * TraceModel::kFan,
                        std::min((i + 1) * TraceModel::kFan, track_.levels[level - 1].size()));
            }
        }
    }
    void descend_spans(std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            const TraceSpan& span = track_.spans[i];
            if (span.start < to_ && span.end > from_) {
                fill(span);
            }
        }
    }
    template <class Work> void fill(const Work& work) {
        const double left = (work.start - from_) * per_second_;
        const double right = (work.end - from_) * per_second_;
        const double wide = work.end - work.start;
        const double density = wide > 0.0 ? std::min(1.0, seconds_of(work) / wide) : 1.0;
        const double critical = wide > 0.0 ? std::min(1.0, critical_seconds_of(work) / wide) : 0.0;
        const auto last = static_cast<double>(pixels_.size() - 1);
        const auto first_pixel = static_cast<std::size_t>(std::clamp(std::floor(left), 0.0, last));
        const auto last_pixel = static_cast<std::size_t>(std::clamp(std::ceil(right) - 1.0, 0.0, last));
        for (std::size_t p = first_pixel; p <= last_pixel; ++p) {
            const double inside =
                std::min(right, static_cast<double>(p) + 1.0) - std::max(left, static_cast<double>(p));
            const auto share = static_cast<float>(std::max(inside, 1e-6) * density);
            const auto critical_share = static_cast<float>(std::max(inside, 1e-6) * critical);
            pixels_[p].filled = std::min(1.0F, pixels_[p].filled + share);
            pixels_[p].critical = std::min(1.0F, pixels_[p].critical + critical_share);
            if (share >= most_[p]) {
                most_[p] = share;
                pixels_[p].color = static_cast<std::int32_t>(work.color);
            }
        }
    }

    const TraceTrack& track_;
    double from_, to_, per_second_;
    std::vector<TracePixel>& pixels_;
    std::vector<float> most_;
};

QString unescaped(std::string_view json) {
    const QByteArray text(json.data(), static_cast<qsizetype>(json.size()));
    return text.contains('\\') ? QJsonDocument::fromJson("[\"" + text + "\"]").array().at(0).toString()
                               : QString::fromUtf8(text);
}

void count_from_first(std::vector<TraceTrack>& tracks) {
    double first = std::numeric_limits<double>::infinity();
    double last = 0.0;
    for (const TraceTrack& track : tracks) {
        for (const TraceSpan& span : track.spans) {
            first = std::min(first, span.start);
            last = std::max(last, span.end);
        }
    }
    if (!(first > last - first)) {
        return;
    }
    for (TraceTrack& track : tracks) {
        for (TraceSpan& span : track.spans) {
            span.start -= first;
            span.end -= first;
        }
    }
}

} // namespace

std::uint32_t TraceModel::intern_name(std::string_view json) {
    const auto [at, added] =
        name_ids_.try_emplace(std::string(json), static_cast<std::uint32_t>(names_.size()));
    if (added) {
        names_.push_back(unescaped(json));
    }
    return at->second;
}

std::uint32_t TraceModel::intern_color(std::string_view color) {
    const auto [at, added] =
        color_ids_.try_emplace(std::string(color), static_cast<std::uint32_t>(colors_.size()));
    if (added) {
        colors_.emplace_back(color);
    }
    return at->second;
}

TraceTrack& TraceModel::track(int process, int thread) {
    const std::uint64_t id = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(process)) << 32U) |
                             static_cast<std::uint32_t>(thread);
    const auto [at, added] = by_thread_.try_emplace(id, tracks_.size());
    if (added) {
        tracks_.push_back({.process = process, .thread = thread});
    }
    return tracks_[at->second];
}

void TraceModel::finish() {
    std::unordered_map<int, QString> processes;
    for (const TraceTrack& track : tracks_) {
        if (!track.process_name.isEmpty()) {
            processes[track.process] = track.process_name;
        }
    }
    for (TraceTrack& track : tracks_) {
        const auto found = processes.find(track.process);
        track.process_name =
            found == processes.end() ? QString("process %1").arg(track.process) : found->second;
    }
    std::erase_if(tracks_, [](const TraceTrack& track) { return track.spans.empty(); });
    std::ranges::sort(tracks_, [](const TraceTrack& a, const TraceTrack& b) {
        return std::pair(a.process, a.thread) < std::pair(b.process, b.thread);
    });
    by_thread_.clear();
    count_from_first(tracks_);
    for (TraceTrack& track : tracks_) {
        track.spans.shrink_to_fit();
        std::ranges::stable_sort(track.spans, {}, &TraceSpan::start);
        for (const TraceSpan& span : track.spans) {
            track.longest = std::max(track.longest, span.end - span.start);
            end_ = std::max(end_, span.end);
            critical_ = critical_ || span.critical;
        }
        track.levels.clear();
        if (track.spans.size() > kFan) {
            track.levels.push_back(level_over(track.spans));
            while (track.levels.back().size() > kFan) {
                track.levels.push_back(level_over(track.levels.back()));
            }
        }
    }
}

std::size_t TraceModel::span_count() const {
    std::size_t sum = 0;
    for (const TraceTrack& track : tracks_) {
        sum += track.spans.size();
    }
    return sum;
}

void TraceModel::sample(const TraceTrack& track, double from, double to, std::vector<TracePixel>& pixels) {
    std::ranges::fill(pixels, TracePixel{});
    if (!pixels.empty() && to > from && !track.spans.empty()) {
        Sampler(track, from, to, pixels).run();
    }
}

std::size_t TraceModel::first_behind(const TraceTrack& track, double time) {
    // No span that starts earlier than this can reach the time.
    auto at = std::ranges::lower_bound(track.spans, time - track.longest, {}, &TraceSpan::start);
    while (at != track.spans.end() && at->end <= time) {
        ++at;
    }
    return static_cast<std::size_t>(at - track.spans.begin());
}

std::optional<std::size_t> TraceModel::span_at(const TraceTrack& track, double time) {
    auto at = std::ranges::upper_bound(track.spans, time, {}, &TraceSpan::start);
    while (at != track.spans.begin()) {
        --at;
        if (at->end > time) {
            return static_cast<std::size_t>(at - track.spans.begin());
        }
        if (at->start < time - track.longest) {
            break;
        }
    }
    return std::nullopt;
}

QColor trace_color(const std::string& reserved) {
    // catapult-project/catapult, tracing/tracing/base/color_scheme.html
    static const std::array<std::pair<const char*, QRgb>, 7> kReserved{
        {{"generic_work", qRgb(125, 125, 125)},
         {"thread_state_running", qRgb(126, 200, 148)},
         {"rail_response", qRgb(67, 135, 253)},
         {"rail_animation", qRgb(244, 74, 63)},
         {"thread_state_iowait", qRgb(255, 140, 0)},
         {"thread_state_uninterruptible", qRgb(182, 125, 143)},
         {kUpdateColor, qRgb(0, 118, 112)}}};
    for (const auto& [name, color] : kReserved) {
        if (reserved == name) {
            return QColor::fromRgb(color);
        }
    }
    // Actions, and spans of other programs: a steady colour by name.
    constexpr int kHues = 360;
    const std::size_t hash = std::hash<std::string>{}(reserved);
    return reserved.empty() ? QColor(0xA8, 0xAD, 0xB4)
                            : QColor::fromHsl(static_cast<int>(hash % kHues), 90, 150);
}

} // namespace chokepoint::gui
