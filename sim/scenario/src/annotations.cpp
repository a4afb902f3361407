// SPDX-License-Identifier: Apache-2.0
// Tells values from comments, line by line.
#include <chokepoint/sim/annotations.hpp>

#include <charconv>
#include <optional>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kBlank);
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// Where the comment begins, or the end of the line: a # inside quotes begins none.
std::size_t comment_start(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (quote == '"' && line[i] == '\\') {
            ++i; // what is escaped ends no text
        } else if (quote != 0) {
            quote = line[i] == quote ? 0 : quote;
        } else if (line[i] == '"' || line[i] == '\'') {
            quote = line[i];
        } else if (line[i] == '#') {
            return i;
        }
    }
    return line.size();
}

bool is_reference(std::string_view comment) {
    const std::size_t close = comment.find(']');
    return comment.starts_with('[') && close != std::string_view::npos && close > 1 &&
           comment.substr(1, close - 1).find_first_not_of("0123456789") == std::string_view::npos &&
           close + 1 < comment.size();
}

void append(std::string& text, std::string_view more) {
    if (!text.empty() && !more.empty()) {
        text += ' ';
    }
    text += more;
}

class Reader {
public:
    Annotations read(std::string_view text) {
        for (int line = 1; !text.empty(); ++line) {
            const std::size_t end = text.find('\n');
            take(line, text.substr(0, end));
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
        return std::move(found_);
    }

private:
    void take(int number, std::string_view line) {
        const std::size_t hash = comment_start(line);
        const std::string_view content = trimmed(line.substr(0, hash));
        const std::string_view comment =
            hash < line.size() ? trimmed(line.substr(hash + 1)) : std::string_view();
        if (!content.empty()) {
            take_value(number, content, comment);
        } else if (comment.empty()) {
            above_.clear();
            continued_.reset();
        } else if (is_reference(comment)) {
            found_.references.emplace_back(comment);
            above_.clear();
            continued_.reset();
        } else if (continued_ && line.find('#') > 0) {
            append(found_.beside[*continued_], comment); // the rest of a comment behind a value
        } else {
            append(above_, comment);
        }
    }

    void take_value(int number, std::string_view content, std::string_view comment) {
        const bool header = content.starts_with('[');
        if (header) {
            of_table_ = above_;
            append(of_table_, comment);
        } else {
            const std::string own = !comment.empty() ? std::string(comment) : above_;
            const std::string& said = own.empty() ? of_table_ : own;
            if (!said.empty()) {
                found_.beside[number] = said;
            }
        }
        continued_ = comment.empty() || header ? std::nullopt : std::optional(number);
        above_.clear();
    }

    Annotations found_;
    std::string above_, of_table_;
    std::optional<int> continued_;
};

} // namespace

Annotations read_annotations(std::string_view text) { return Reader().read(text); }

int line_of(std::string_view where) {
    const std::size_t column = where.rfind(':');
    const std::size_t line =
        column == std::string_view::npos || column == 0 ? column : where.rfind(':', column - 1);
    if (line == std::string_view::npos) {
        return 0;
    }
    const auto number = [&](std::string_view digits) {
        int value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return error == std::errc() && end == digits.data() + digits.size() && value > 0 ? value : 0;
    };
    return number(where.substr(column + 1)) > 0 ? number(where.substr(line + 1, column - line - 1)) : 0;
}

} // namespace chokepoint::sim
