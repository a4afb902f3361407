// SPDX-License-Identifier: Apache-2.0
// Follows the parser through a trace: keeps what concerns GPUs, and lets all else pass by.
#include "trace_events.hpp"

#include "trace_stream.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <istream>
#include <limits>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 256;
constexpr std::size_t kMostFaults = 20;
/// 10 million GPU events are hours of training, and under a gigabyte here.
constexpr std::size_t kMostEvents = 10'000'000;
constexpr std::size_t kMostNameBytes = std::size_t{256} << 20;

/// Microseconds as the file writes them, "1740461679471346.125", to whole nanoseconds without the rounding of
/// a double; nothing if they are out of range.
std::optional<ProfileTime> time_from(std::string_view text) {
    constexpr std::int64_t kPerMicrosecond = 1000;
    constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / kPerMicrosecond / 4;
    const std::size_t point = text.find('.');
    if (text.find_first_of("eE") != std::string_view::npos) {
        double value = 0.0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        if (!(std::abs(value) < static_cast<double>(kLimit))) {
            return std::nullopt;
        }
        return ProfileTime(std::llround(value * static_cast<double>(kPerMicrosecond)));
    }
    const std::string_view whole = text.substr(0, point);
    std::int64_t microseconds = 0;
    const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), microseconds);
    if (error != std::errc() || end != whole.data() + whole.size() || std::abs(microseconds) > kLimit) {
        return std::nullopt;
    }
    std::int64_t nanoseconds = 0;
    if (point != std::string_view::npos) {
        std::string digits(text.substr(point + 1, 3)); // what follows the nanoseconds is cut off
        digits.resize(3, '0');
        std::from_chars(digits.data(), digits.data() + digits.size(), nanoseconds);
    }
    const bool negative = text.starts_with('-');
    return ProfileTime(microseconds * kPerMicrosecond + (negative ? -nanoseconds : nanoseconds));
}

/// The members of one event that matter here, as text; empty: absent.
struct Members {
    std::string phase, category, name, start, duration, thread, device, stream;
    std::optional<std::int64_t> correlation;
    bool name_given = false;
};

enum class Category { gpu, launch, annotation, other };

/// Spellings of today's Kineto and of PyTorch 1.
Category category_of(std::string& text) {
    if (text == "Kernel" || text == "Memcpy" || text == "Memset") {
        text = text == "Kernel" ? "kernel" : text == "Memcpy" ? "gpu_memcpy" : "gpu_memset";
    }
    if (text == "kernel" || text == "gpu_memcpy" || text == "gpu_memset") {
        return Category::gpu;
    }
    if (text == "cuda_runtime" || text == "cuda_driver" || text == "Runtime") {
        return Category::launch;
    }
    return text == "user_annotation" ? Category::annotation : Category::other;
}

/// Numbers for texts, in the order they are first seen.
template <typename Value> class Interned {
public:
    std::uint32_t index(const Value& value, std::vector<Value>& all) {
        const auto [found, added] = known_.try_emplace(value, static_cast<std::uint32_t>(all.size()));
        if (added) {
            all.push_back(value);
        }
        return found->second;
    }

private:
    std::map<Value, std::uint32_t> known_;
};

class Handler : public nlohmann::json_sax<Json> {
public:
    Handler(const TraceStream& stream, std::string file) : stream_(stream), file_(std::move(file)) {}

    bool null() override { return scalar("null"); }
    bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
    bool number_integer(number_integer_t value) override { return number(std::to_string(value), value); }
    bool number_unsigned(number_unsigned_t value) override {
        constexpr auto kMost = static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
        return number(std::to_string(value),
                      value > kMost ? std::nullopt : std::optional(static_cast<std::int64_t>(value)));
    }
    bool number_float(number_float_t, const string_t& text) override { return number(text, std::nullopt); }
    bool string(string_t& value) override {
        text_ = true;
        scalar(value);
        text_ = false;
        return true;
    }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        const Context outer = context();
        Context inner = Context::skip;
        if (stack_.empty()) {
            inner = Context::root;
        } else if (outer == Context::events) {
            inner = Context::event;
            members_ = {};
        } else if (outer == Context::event && key_ == "args") {
            inner = Context::arguments;
        } else if (outer == Context::devices) {
            inner = Context::device;
            device_id_.reset();
            device_name_.clear();
        } else if (outer == Context::root && key_ == "distributedInfo") {
            inner = Context::distributed;
        }
        return enter(inner);
    }
    bool start_array(std::size_t) override {
        const Context outer = context();
        Context inner = Context::skip;
        if (stack_.empty() || (outer == Context::root && key_ == "traceEvents")) {
            inner = Context::events; // a bare list of events is a trace too
            has_events_ = true;
        } else if (outer == Context::root && key_ == "deviceProperties") {
            inner = Context::devices;
        }
        return enter(inner);
    }
    bool key(string_t& value) override {
        key_ = context() == Context::skip ? string_t() : value;
        return true;
    }
    bool end_object() override {
        const Context ended = context();
        stack_.pop_back();
        if (ended == Context::event) {
            finish_event();
        } else if (ended == Context::device && device_id_) {
            events.devices[*device_id_] = device_name_;
        }
        return true;
    }
    bool end_array() override {
        stack_.pop_back();
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
        std::string what = error.what();
        what = what.substr(std::min(what.size(), what.find("] ") + 2));
        constexpr std::size_t kReadable = 300;
        what.resize(std::min(what.size(), kReadable));
        throw ProfileError(fmt::format("{}: error: byte {}: {}", file_, position, what));
    }

    /// @throws ProfileError if the file is no trace or has faults.
    void finish() const {
        if (!has_events_) {
            throw ProfileError(
                fmt::format("{}: error: no traceEvents; expected a trace of PyTorch's profiler", file_));
        }
        if (!faults_.empty()) {
            throw ProfileError(fmt::format("{}", fmt::join(faults_, "\n")));
        }
    }

    TraceEvents events;

private:
    enum class Context : std::uint8_t { root, events, event, arguments, devices, device, distributed, skip };

    [[nodiscard]] Context context() const { return stack_.empty() ? Context::skip : stack_.back(); }

    bool enter(Context inner) {
        if (stack_.size() == kDeepest) {
            throw ProfileError(fmt::format("{}: error: byte {}: nested deeper than {} levels", file_,
                                           stream_.position(), kDeepest));
        }
        stack_.push_back(inner);
        return true;
    }

    bool number(const std::string& text, std::optional<std::int64_t> whole) {
        whole_ = whole;
        scalar(text);
        whole_.reset();
        return true;
    }

    bool scalar(const std::string& value) {
        switch (context()) {
        case Context::event:
            event_member(value);
            break;
        case Context::arguments:
            if (key_ == "device") {
                members_.device = value;
            } else if (key_ == "stream") {
                members_.stream = value;
            } else if (key_ == "correlation") {
                members_.correlation = whole_;
            }
            break;
        case Context::device:
            if (key_ == "id") {
                device_id_ = whole_;
            } else if (key_ == "name") {
                device_name_ = value;
            }
            break;
        case Context::distributed:
            if (key_ == "rank") {
                events.rank = whole_;
            } else if (key_ == "world_size") {
                events.world_size = whole_;
            }
            break;
        default:
            break;
        }
        return true;
    }

    void event_member(const std::string& value) {
        if (key_ == "ph") {
            members_.phase = value;
        } else if (key_ == "cat") {
            members_.category = value;
        } else if (key_ == "name") {
            members_.name = value;
            members_.name_given = text_;
        } else if (key_ == "ts") {
            members_.start = value;
        } else if (key_ == "dur") {
            members_.duration = value;
        } else if (key_ == "tid") {
            members_.thread = value;
        } else if (key_ == "pid" && members_.device.empty()) {
            members_.device = value;
        }
    }

    void finish_event() {
        ++events.events;
        if (members_.phase != "X") {
            return;
        }
        const Category category = category_of(members_.category);
        if (category == Category::other) {
            return;
        }
        const auto start = time("ts", members_.start);
        if (category == Category::launch) {
            if (start && members_.correlation) {
                events.launches.insert_or_assign(*members_.correlation, *start);
                check_size(events.launches.size(), "launches");
            }
            return;
        }
        const auto duration = time("dur", members_.duration);
        if (!members_.name_given) {
            fault("without a name");
        }
        if (duration && *duration < ProfileTime::zero()) {
            fault(fmt::format("dur is {}; expected none below zero", members_.duration));
        } else if (start && duration) {
            add(category, *start, *start + *duration);
        }
    }

    void add(Category category, ProfileTime start, ProfileTime end) {
        if (category == Category::annotation) {
            events.annotations.push_back(
                {start, end, annotation_names_.index(members_.name, events.annotation_names)});
            check_size(events.annotations.size(), "annotations");
            check_names(events.annotation_names);
            return;
        }
        std::int64_t device = 0;
        const std::string& text = members_.device;
        if (std::from_chars(text.data(), text.data() + text.size(), device).ec != std::errc()) {
            fault(fmt::format("device is \"{}\"; expected a number", text));
            return;
        }
        const std::size_t kernels = events.kernels.size();
        const std::uint32_t kernel = kernels_.index({members_.name, members_.category}, events.kernels);
        if (events.kernels.size() > kernels) {
            check_bytes(members_.name.size());
        }
        const std::uint32_t place = places_.index(
            {device, members_.stream.empty() ? members_.thread : members_.stream}, events.places);
        events.gpu.push_back({start, end, kernel, place, members_.correlation.value_or(0)});
        check_size(events.gpu.size(), "GPU events");
    }

    std::optional<ProfileTime> time(std::string_view member, const std::string& text) {
        const auto value = text.empty() ? std::nullopt : time_from(text);
        if (!value) {
            fault(text.empty() ? fmt::format("without {}", member)
                               : fmt::format("{} is {}; expected microseconds", member, text.substr(0, 40)));
        }
        return value;
    }

    void fault(const std::string& what) {
        constexpr std::size_t kReadable = 60;
        faults_.push_back(fmt::format("{}: error: byte {}: {} event '{}': {}", file_, stream_.position(),
                                      members_.category, members_.name.substr(0, kReadable), what));
        if (faults_.size() == kMostFaults) {
            faults_.push_back(
                fmt::format("{}: error: only the first {} faults are shown", file_, kMostFaults));
            finish();
        }
    }

    void check_size(std::size_t count, std::string_view what) const {
        if (count > kMostEvents) {
            throw ProfileError(fmt::format("{}: error: byte {}: more than {} {}; profile fewer steps", file_,
                                           stream_.position(), kMostEvents, what));
        }
    }
    void check_names(const std::vector<std::string>& names) {
        if (names.size() > annotation_count_) {
            annotation_count_ = names.size();
            check_bytes(names.back().size());
        }
    }
    void check_bytes(std::size_t bytes) {
        name_bytes_ += bytes;
        if (name_bytes_ > kMostNameBytes) {
            throw ProfileError(fmt::format("{}: error: byte {}: more than {} bytes of different names", file_,
                                           stream_.position(), kMostNameBytes));
        }
    }

    const TraceStream& stream_;
    std::string file_;
    std::vector<Context> stack_;
    string_t key_;
    bool text_ = false; ///< the scalar in hand is a string
    std::optional<std::int64_t> whole_;
    Members members_;
    std::optional<std::int64_t> device_id_;
    std::string device_name_;
    bool has_events_ = false;
    std::vector<std::string> faults_;
    std::size_t name_bytes_ = 0;
    std::size_t annotation_count_ = 0;
    Interned<ProfiledKernel> kernels_;
    Interned<TraceEvents::StreamPlace> places_;
    Interned<std::string> annotation_names_;
};

} // namespace

TraceEvents read_trace_events(TraceStream& stream, const std::string& file) {
    Handler handler(stream, file);
    std::istream text(&stream);
    Json::sax_parse(text, &handler);
    handler.finish();
    return std::move(handler.events);
}

} // namespace chokepoint::sim
