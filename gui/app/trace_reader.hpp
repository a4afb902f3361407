// SPDX-License-Identifier: GPL-3.0-or-later
// Reads Chrome trace JSON piece by piece, as a child writes it: a trace of a million spans is 160 MB of text,
// which no parser that keeps the document could hold within this program's bounds.
#pragma once

#include "trace_model.hpp"

#include <string>
#include <string_view>

namespace chokepoint::gui {

class TraceReader {
public:
    /// Spans go to `model`, the process ids counted from `first_process`.
    explicit TraceReader(TraceModel& model, int first_process = 0)
        : model_(model),
          first_process_(first_process) {}

    /// Any piece of the text. @throws std::runtime_error at what is no event, with its place in the text.
    void feed(std::string_view piece);
    /// @throws std::runtime_error if the text ended within an event, or held none.
    void end() const;

private:
    void event(std::string_view text);

    TraceModel& model_;
    int first_process_;
    std::string pending_;  ///< the event that has begun
    std::size_t read_ = 0; ///< bytes before `pending_`
    int depth_ = 0;        ///< of braces within the list of events
    bool in_list_ = false, in_string_ = false, escaped_ = false, any_ = false;
};

} // namespace chokepoint::gui
