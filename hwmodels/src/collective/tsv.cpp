// SPDX-License-Identifier: Apache-2.0
// Cells and numbers of lines of text.
#include "tsv.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

namespace chokepoint::hw {

std::vector<std::string> split(std::string_view line, char separator) {
    std::vector<std::string> cells;
    std::istringstream stream{std::string(line)};
    for (std::string cell; std::getline(stream, cell, separator);) {
        cells.push_back(cell);
    }
    return cells;
}

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> found;
    std::istringstream stream{std::string(line)};
    for (std::string word; stream >> word;) {
        found.push_back(word);
    }
    return found;
}

std::optional<double> number_from(std::string_view cell) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const bool whole = error == std::errc{} && end == cell.data() + cell.size();
    return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

} // namespace chokepoint::hw
