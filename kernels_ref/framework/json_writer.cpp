// SPDX-License-Identifier: Apache-2.0
// JSON text by hand: RFC 8259.
#include "framework/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace chokepoint::kref {

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (levels_.empty()) {
        return;
    }
    Level& level = levels_.back();
    if (!level.empty) {
        text_ += level.one_line ? ", " : ",";
    }
    level.empty = false;
    if (!level.one_line) {
        text_ += '\n';
        text_.append(levels_.size(), ' ');
    }
}

void JsonWriter::open(char bracket, bool one_line) {
    separate();
    text_ += bracket;
    levels_.push_back({true, one_line});
}

void JsonWriter::close(char bracket) {
    const Level level = levels_.back();
    levels_.pop_back();
    if (!level.empty && !level.one_line) {
        text_ += '\n';
        text_.append(levels_.size(), ' ');
    }
    text_ += bracket;
    if (levels_.empty()) {
        text_ += '\n';
    }
}

JsonWriter& JsonWriter::begin_object() { return open('{', false), *this; }
JsonWriter& JsonWriter::end_object() { return close('}'), *this; }
JsonWriter& JsonWriter::begin_array() { return open('[', false), *this; }
JsonWriter& JsonWriter::end_array() { return close(']'), *this; }
JsonWriter& JsonWriter::begin_row() { return open('[', true), *this; }

JsonWriter& JsonWriter::key(std::string_view name) {
    value(name);
    text_ += ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    constexpr std::string_view kHex = "0123456789abcdef";
    text_ += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (byte < 0x20) {
            text_ += "\\u00";
            text_ += kHex[byte >> 4];
            text_ += kHex[byte & 15];
        } else {
            text_ += c;
        }
    }
    text_ += '"';
    return *this;
}

JsonWriter& JsonWriter::value(double number) {
    separate();
    if (!std::isfinite(number)) {
        text_ += "null";
        return *this;
    }
    std::array<char, 40> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text_.append(digits.data(), end);
    return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
    separate();
    text_ += std::to_string(number);
    return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
    separate();
    text_ += truth ? "true" : "false";
    return *this;
}

} // namespace chokepoint::kref
