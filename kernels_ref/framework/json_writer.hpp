// SPDX-License-Identifier: Apache-2.0
// Writes JSON, and nothing else: the program is copied alone to machines that have no JSON library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::kref {

class JsonWriter {
public:
    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    /// Elements of this array share a line.
    JsonWriter& begin_row();
    JsonWriter& key(std::string_view);
    JsonWriter& value(std::string_view);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(double); ///< shortest text that reads back equal; null if not finite
    JsonWriter& value(std::int64_t);
    JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
    JsonWriter& value(bool);
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void separate();
    void open(char bracket, bool one_line);
    void close(char bracket);

    struct Level {
        bool empty = true;
        bool one_line = false;
    };
    std::string text_;
    std::vector<Level> levels_;
    bool after_key_ = false;
};

} // namespace chokepoint::kref
