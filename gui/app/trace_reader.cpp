// SPDX-License-Identifier: GPL-3.0-or-later
#include "trace_reader.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace chokepoint::gui {

namespace {

/// Walks the fields of one event: flat but for its arguments.
class Fields {
public:
    explicit Fields(std::string_view text) : text_(text) {}

    /// The next name and value; false at the end. Objects are walked into, their fields named as they are.
    bool next(std::string_view& name, std::string_view& value) {
        for (;;) {
            skip("{}, \t\r\n");
            if (at_ >= text_.size()) {
                return false;
            }
            name = string();
            skip(": \t\r\n");
            if (at_ < text_.size() && text_[at_] == '{') {
                inside_ = name;
                continue;
            }
            value = at_ < text_.size() && text_[at_] == '"' ? string() : plain();
            return true;
        }
    }
    /// The object whose fields come now: "args".
    [[nodiscard]] std::string_view inside() const { return inside_; }

private:
    void skip(std::string_view characters) {
        while (at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }
    std::string_view string() {
        if (at_ >= text_.size() || text_[at_] != '"') {
            throw std::runtime_error("expected a name in quotes");
        }
        const std::size_t begin = ++at_;
        while (at_ < text_.size() && text_[at_] != '"') {
            at_ += text_[at_] == '\\' ? 2 : 1;
        }
        const std::string_view found = text_.substr(begin, at_ - begin);
        ++at_;
        return found;
    }
    std::string_view plain() {
        const std::size_t begin = at_;
        int depth = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            if (depth == 0 && (c == ',' || c == '}')) {
                break;
            }
        }
        return text_.substr(begin, at_ - begin);
    }

    std::string_view text_, inside_;
    std::size_t at_ = 0;
};

template <class Number> Number number(std::string_view text, Number otherwise) {
    std::from_chars(text.data(), text.data() + text.size(), otherwise);
    return otherwise;
}

struct Event {
    char phase = ' ';
    int process = 0, thread = 0;
    double at = 0.0, duration = 0.0; ///< microseconds
    std::string_view name, color, argument_name, kernel, segment;
    std::int32_t micro_batch = -1, layer = -1;
    bool critical = false;
};

Event read_event(std::string_view text) {
    Event event;
    Fields fields(text);
    for (std::string_view name, value; fields.next(name, value);) {
        if (fields.inside() == "args") {
            if (name == "micro_batch") {
                event.micro_batch = number(value, -1);
            } else if (name == "layer") {
                event.layer = number(value, -1);
            } else if (name == "name") {
                event.argument_name = value;
            } else if (name == "critical") {
                event.critical = value == "true" || value == "1";
            } else if (name == "kernel") {
                event.kernel = value;
            } else if (name == "segment") {
                event.segment = value;
            }
        } else if (name == "ph") {
            event.phase = value.empty() ? ' ' : value.front();
        } else if (name == "pid") {
            event.process = number(value, 0);
        } else if (name == "tid") {
            event.thread = number(value, 0);
        } else if (name == "ts") {
            event.at = number(value, 0.0);
        } else if (name == "dur") {
            event.duration = number(value, 0.0);
        } else if (name == "name") {
            event.name = value;
        } else if (name == "cname") {
            event.color = value;
        }
    }
    return event;
}

/// The trace has what a step ends with in the colour of backward work; here it has its own.
std::string_view color_of(const Event& event) {
    const bool update = event.name == "optimizer" || event.name == "gradient norm";
    return update ? kUpdateColor : event.color;
}

} // namespace

void TraceReader::feed(std::string_view piece) {
    std::size_t begin = 0; // of the part of the piece that `pending_` still lacks
    for (std::size_t i = 0; i < piece.size(); ++i) {
        const char c = piece[i];
        if (in_string_) {
            in_string_ = escaped_ || c != '"';
            escaped_ = !escaped_ && c == '\\';
        } else if (c == '"') {
            in_string_ = true;
        } else if (!in_list_) {
            in_list_ = c == '[';
        } else if (c == '{') {
            if (depth_++ == 0) {
                begin = i;
                pending_.clear();
            }
        } else if (c == '}' && depth_ > 0 && --depth_ == 0) {
            try {
                if (pending_.empty()) {
                    event(piece.substr(begin, i + 1 - begin));
                } else {
                    pending_.append(piece.substr(0, i + 1));
                    event(pending_);
                    pending_.clear();
                }
            } catch (const std::exception& error) {
                throw std::runtime_error(
                    fmt::format("no trace event at byte {}: {}", read_ + begin, error.what()));
            }
            begin = i + 1;
        }
    }
    if (depth_ > 0) {
        pending_.append(piece.substr(pending_.empty() ? begin : 0));
    }
    read_ += piece.size();
}

void TraceReader::event(std::string_view text) {
    any_ = true;
    const Event event = read_event(text);
    const int process = first_process_ + event.process;
    if (event.phase == 'X') {
        constexpr double kMicrosecond = 1e-6;
        const std::uint32_t detail =
            event.kernel.empty()
                ? TraceSpan::kNoDetail
                : model_.intern_name(event.segment.empty()
                                         ? std::string(event.kernel)
                                         : fmt::format("{}, in {}", event.kernel, event.segment));
        model_.track(process, event.thread)
            .spans.push_back({event.at * kMicrosecond, (event.at + event.duration) * kMicrosecond,
                              model_.intern_name(event.name), model_.intern_color(color_of(event)),
                              event.micro_batch, event.layer, event.critical, detail});
    } else if (event.phase == 'M' && event.name == "thread_name") {
        model_.track(process, event.thread).thread_name =
            QString::fromUtf8(event.argument_name.data(), static_cast<qsizetype>(event.argument_name.size()));
    } else if (event.phase == 'M' && event.name == "process_name") {
        // Its threads follow; the name is kept on a track of its own until then.
        model_.track(process, -1).process_name =
            QString::fromUtf8(event.argument_name.data(), static_cast<qsizetype>(event.argument_name.size()));
    }
}

void TraceReader::end() const {
    if (depth_ > 0 || in_string_) {
        throw std::runtime_error(fmt::format("the trace ends within an event, after {} bytes", read_));
    }
    if (!any_) {
        throw std::runtime_error("the trace holds no events (expected Chrome trace JSON)");
    }
}

} // namespace chokepoint::gui
