// SPDX-License-Identifier: Apache-2.0
// Reads the fields of a config.json and remembers on which line each of them stands.
#include "hf_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::work {
namespace {

using Json = nlohmann::json;

/// Python writes infinities, which are no JSON, as in Nemotron's time_step_limit. A number of the same length
/// takes their place; a field that counts anything is out of range with it.
std::string without_infinities(std::string text) {
    constexpr std::string_view kInfinity = "Infinity";
    constexpr std::string_view kNumber = "1e308   ";
    static_assert(kInfinity.size() == kNumber.size());
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && std::string_view(text).substr(i, kInfinity.size()) == kInfinity) {
            text.replace(i, kInfinity.size(), kNumber);
        }
    }
    return text;
}

/// Walks the text for the parser and counts its lines on the way.
class LineIterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    LineIterator(const char* at, int* line) : at_(at), line_(line) {}
    reference operator*() const { return *at_; }
    LineIterator& operator++() {
        *line_ += *at_ == '\n' ? 1 : 0;
        ++at_;
        return *this;
    }
    LineIterator operator++(int) {
        const LineIterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const LineIterator& a, const LineIterator& b) { return a.at_ == b.at_; }
    friend bool operator!=(const LineIterator& a, const LineIterator& b) { return a.at_ != b.at_; }

private:
    const char* at_;
    int* line_;
};

/// Notes the line of every field of the outermost object, and what is wrong with the text.
class FieldLines : public nlohmann::json_sax<Json> {
public:
    FieldLines(const int* line, std::map<std::string, int, std::less<>>* lines,
               std::vector<ConfigFault>* faults)
        : line_(line),
          lines_(lines),
          faults_(faults) {}

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_array() override { return leave(); }
    bool key(string_t& field) override {
        if (depth_ == 1 && !lines_->emplace(field, *line_).second) {
            faults_->push_back({*line_, fmt::format("'{}' is given twice", printable(field))});
        }
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
        std::string_view what = error.what();
        what.remove_prefix(
            std::min(what.find("] ") + 2, what.size())); // the library's own number of the error
        faults_->push_back({*line_, fmt::format("not JSON: {}", printable(what))});
        return false;
    }

    static std::string printable(std::string_view text) {
        constexpr std::size_t kLongest = 200;
        std::string out(text.substr(0, kLongest));
        std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
        return out;
    }

private:
    bool enter() {
        ++depth_;
        return true;
    }
    bool leave() {
        --depth_;
        return true;
    }

    const int* line_;
    std::map<std::string, int, std::less<>>* lines_;
    std::vector<ConfigFault>* faults_;
    int depth_ = 0;
};

std::string describe(const Json& value) {
    return value.is_structured()
               ? fmt::format("an {}", value.type_name())
               : FieldLines::printable(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

bool in_range(const Json& value, Range range) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return number <= static_cast<std::uint64_t>(range.max) &&
               static_cast<std::int64_t>(number) >= range.min;
    }
    return value.is_number_integer() && value.get<std::int64_t>() >= range.min &&
           value.get<std::int64_t>() <= range.max;
}

std::string expected_in(Range range) {
    return fmt::format("a whole number from {} to {}", range.min, range.max);
}

} // namespace

HfFields::HfFields(std::string_view text) {
    const std::string finite = without_infinities(std::string(text));
    int line = 1;
    FieldLines sax(&line, &lines_, &faults_);
    const LineIterator begin(finite.data(), &line);
    const LineIterator end(finite.data() + finite.size(), &line);
    if (!Json::sax_parse(begin, end, &sax)) {
        return;
    }
    document_ = Json::parse(finite, nullptr, false);
    if (!document_.is_object()) {
        faults_.push_back({1, fmt::format("found {}; expected a JSON object", describe(document_))});
        document_ = Json();
    }
}

bool HfFields::has(const char* field) const {
    return document_.is_object() && document_.contains(field) && !document_.at(field).is_null();
}

const Json* HfFields::find(const char* field) {
    known_.insert(field);
    return has(field) ? &document_.at(field) : nullptr;
}

void HfFields::fault(const char* field, std::string message) {
    const auto line = lines_.find(field);
    faults_.push_back({line == lines_.end() ? 1 : line->second, std::move(message)});
}

void HfFields::wrong(const char* field, const Json& value, std::string_view expected) {
    fault(field, fmt::format("{} is {}; expected {}", field, describe(value), expected));
}

int HfFields::whole(const char* field, Range range, std::optional<std::int64_t> fallback) {
    const Json* value = find(field);
    if (value != nullptr && in_range(*value, range)) {
        return value->get<int>();
    }
    if (value != nullptr) {
        wrong(field, *value, expected_in(range));
    } else if (!fallback) {
        const bool null = lines_.contains(field);
        fault(field,
              fmt::format("{} is {}; expected {}", field, null ? "null" : "missing", expected_in(range)));
    }
    return static_cast<int>(fallback.value_or(0));
}

bool HfFields::truth(const char* field, bool fallback) {
    const Json* value = find(field);
    if (value != nullptr && !value->is_boolean()) {
        wrong(field, *value, "true or false");
    }
    return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
}

std::string HfFields::text(const char* field) {
    const Json* value = find(field);
    if (value == nullptr) {
        const bool null = lines_.contains(field);
        fault(field, fmt::format("{} is {}; expected a text", field, null ? "null" : "missing"));
    } else if (!value->is_string()) {
        wrong(field, *value, "a text");
    }
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::vector<int> HfFields::wholes(const char* field, Range range) {
    const Json* value = find(field);
    std::vector<int> list;
    if (value == nullptr) {
        return list;
    }
    if (!value->is_array() ||
        !std::ranges::all_of(*value, [&](const Json& item) { return in_range(item, range); })) {
        wrong(field, *value, fmt::format("a list, each item {}", expected_in(range)));
        return list;
    }
    for (const Json& item : *value) {
        list.push_back(item.get<int>());
    }
    return list;
}

std::vector<std::string> HfFields::texts(const char* field, std::span<const std::string_view> words) {
    const Json* value = find(field);
    std::vector<std::string> list;
    if (value == nullptr) {
        return list;
    }
    const auto known = [&](const Json& item) {
        return item.is_string() && std::ranges::find(words, item.get<std::string>()) != words.end();
    };
    if (!value->is_array() || !std::ranges::all_of(*value, known)) {
        wrong(field, *value, fmt::format("a list, each item one of {}", fmt::join(words, ", ")));
        return list;
    }
    return value->get<std::vector<std::string>>();
}

void HfFields::require(const char* field, const Json& expected, std::string_view why) {
    const Json* value = find(field);
    if (value != nullptr && *value != expected) {
        wrong(field, *value, fmt::format("{}: {}", expected.dump(), why));
    }
}

void HfFields::require_all(const char* field, std::string_view expected, std::string_view why) {
    const Json* value = find(field);
    if (value == nullptr) {
        return;
    }
    const auto fits = [&](const Json& item) {
        return item.is_string() && item.get<std::string>() == expected;
    };
    if (!value->is_array() || !std::ranges::all_of(*value, fits)) {
        fault(field, fmt::format("{} holds something else than \"{}\": {}", field, expected, why));
    }
}

void HfFields::refuse_others(std::string_view model_type) {
    for (const auto& [field, line] : lines_) {
        if (!known_.contains(field)) {
            faults_.push_back(
                {line, fmt::format("'{}' is no known field of model_type {}; delete it if it says "
                                   "nothing about the architecture",
                                   FieldLines::printable(field), model_type)});
        }
    }
}

} // namespace chokepoint::work
