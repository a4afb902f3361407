// SPDX-License-Identifier: Apache-2.0
// Sets texts, tables and pictures as HTML.
#include "html_text.hpp"

#include <fmt/format.h>

#include <iterator>

namespace chokepoint::sim {
namespace {

std::string table_row(const std::vector<std::string>& cells, std::string_view tag) {
    std::string out = "<tr>";
    for (const std::string& cell : cells) {
        const std::size_t end = cell.find('\n'); // what stands below is said in small
        const std::string below = end == std::string::npos
                                      ? ""
                                      : fmt::format("<br><small>{}</small>", escaped(cell.substr(end + 1)));
        fmt::format_to(std::back_inserter(out), "<{0}>{1}{2}</{0}>", tag, escaped(cell.substr(0, end)),
                       below);
    }
    return out + "</tr>\n";
}

/// The picture without what only a file of its own begins with.
std::string inlined(std::string_view svg) {
    const std::size_t begin = svg.find("<svg");
    return std::string(begin == std::string_view::npos ? svg : svg.substr(begin));
}

} // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string as_html(const Table& table) {
    std::string out =
        "<table class=\"whole\">\n<thead>" + table_row(table.head, "th") + "</thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
        out += table_row(row, "td");
    }
    return out + "</tbody>\n</table>\n";
}

std::string figures(const std::vector<HtmlFigure>& all) {
    std::string out;
    for (const HtmlFigure& figure : all) {
        fmt::format_to(std::back_inserter(out), "<figure>{}<figcaption>{}</figcaption></figure>\n",
                       inlined(figure.svg), escaped(figure.caption));
    }
    return out;
}

std::string section(std::string_view title, const std::string& content) {
    return fmt::format("<h2>{}</h2>\n{}", escaped(title), content);
}

} // namespace chokepoint::sim
