// SPDX-License-Identifier: GPL-3.0-or-later
// A timeline of up to millions of spans, by track, with a pyramid over each track: what is narrower than a
// pixel is looked up merged, so that a repaint costs by pixels rather than by spans.
#pragma once

#include <QColor>
#include <QString>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace chokepoint::gui {

struct TraceSpan {
    double start = 0.0, end = 0.0;             ///< seconds
    std::uint32_t name = 0;                    ///< TraceModel::name()
    std::uint32_t color = 0;                   ///< TraceModel::color()
    std::int32_t micro_batch = -1, layer = -1; ///< -1: none
    bool critical = false;
    std::uint32_t detail = kNoDetail; ///< TraceModel::name(): what else the trace says of it

    static constexpr std::uint32_t kNoDetail = 0xFFFFFFFF;
};

/// Consecutive spans of a track, or consecutive blocks below them.
struct TraceBlock {
    double start = 0.0, end = 0.0;
    std::uint32_t color = 0; ///< of what takes most of it
    float filled = 0.0F;     ///< its spans' seconds
    float critical = 0.0F;   ///< of them, on the critical path
};

struct TraceTrack {
    int process = 0, thread = 0;
    QString process_name, thread_name;
    std::vector<TraceSpan> spans;                ///< by start
    double longest = 0.0;                        ///< of them
    std::vector<std::vector<TraceBlock>> levels; ///< [0] over spans, [1] over [0], …
};

/// What a pixel of a track shows.
struct TracePixel {
    std::int32_t color = -1; ///< -1: idle
    float filled = 0.0F;     ///< share of the pixel
    float critical = 0.0F;   ///< of it, on the critical path
};

class TraceModel {
public:
    static constexpr std::size_t kFan = 16; ///< children of a block

    /// Of the text between the quotes of a JSON string.
    std::uint32_t intern_name(std::string_view json);
    std::uint32_t intern_color(std::string_view);
    /// The track of a process and thread, made if there is none. Valid until the next call.
    TraceTrack& track(int process, int thread);
    /// Sorts and builds the pyramids; called once, when all spans are there. Empty tracks go. A trace that
    /// counts from an arbitrary moment, later than its own length, is counted from its first span.
    void finish();

    [[nodiscard]] const std::vector<TraceTrack>& tracks() const { return tracks_; }
    [[nodiscard]] const QString& name(std::uint32_t id) const { return names_[id]; }
    [[nodiscard]] const std::string& color(std::uint32_t id) const { return colors_[id]; }
    [[nodiscard]] std::size_t color_count() const { return colors_.size(); }
    [[nodiscard]] bool has_color(const std::string& color) const { return color_ids_.contains(color); }
    [[nodiscard]] std::size_t name_count() const { return names_.size(); }
    [[nodiscard]] std::size_t span_count() const;
    [[nodiscard]] double end() const { return end_; }
    /// Whether the trace says what its critical path is.
    [[nodiscard]] bool has_critical_path() const { return critical_; }

    /// One value per pixel of [from, to). Work in proportion to the pixels, whatever the number of spans.
    static void sample(const TraceTrack&, double from, double to, std::vector<TracePixel>& pixels);
    /// The first span of the track that ends behind `time`; spans_.size() if none does.
    static std::size_t first_behind(const TraceTrack&, double time);
    /// The span at a time; the last to start of those that overlap.
    static std::optional<std::size_t> span_at(const TraceTrack&, double time);

private:
    std::vector<TraceTrack> tracks_;
    std::unordered_map<std::uint64_t, std::size_t> by_thread_;
    std::unordered_map<std::string, std::uint32_t> name_ids_, color_ids_;
    std::vector<QString> names_;
    std::vector<std::string> colors_;
    double end_ = 0.0;
    bool critical_ = false;
};

/// Of spans that end a step: gradient norm and optimizer. No trace has this name.
inline constexpr const char* kUpdateColor = "update";

/// The colour that trace viewers give a reserved name ("thread_state_running"), so that both show the same.
QColor trace_color(const std::string& reserved);

} // namespace chokepoint::gui
