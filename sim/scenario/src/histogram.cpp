// SPDX-License-Identifier: Apache-2.0
// Reads counts leniently in form and strictly in meaning: one for each expert, none negative, not all zero.
#include "histogram.hpp"

#include "text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

namespace chokepoint::sim::loader {
namespace {

Histogram refused(int experts, std::string fault) {
    return {std::vector<double>(static_cast<std::size_t>(experts), 1.0 / experts), std::move(fault)};
}

std::string from_json(const std::string& text, std::vector<double>& counts) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_array()) {
        return "is no JSON array of counts";
    }
    for (const auto& count : json) {
        if (!count.is_number()) {
            return fmt::format("holds {} among its counts; expected numbers", in_quotes(count.dump()));
        }
        counts.push_back(count.get<double>());
    }
    return {};
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string from_csv(const std::string& text, std::vector<double>& counts) {
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        const std::string_view cell = trimmed(std::string_view(line).substr(line.rfind(',') + 1));
        if (trimmed(line).empty()) {
            continue;
        }
        double count = 0.0;
        const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), count);
        if (fault != std::errc() || end != cell.data() + cell.size()) {
            if (number == 1) {
                continue; // a header
            }
            return fmt::format("line {} ends in {}; expected a count", number, in_quotes(cell));
        }
        counts.push_back(count);
    }
    return {};
}

} // namespace

Histogram read_histogram(const std::filesystem::path& file, int experts) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (std::error_code ignored;
        !in || std::filesystem::is_directory(file, ignored) || !(text << in.rdbuf())) {
        return refused(experts, fmt::format("{} cannot be read", in_quotes(file.string())));
    }
    std::vector<double> counts;
    const std::string content = text.str();
    const bool is_json = trimmed(content).starts_with('[') || trimmed(content).starts_with('{');
    if (const std::string fault = is_json ? from_json(content, counts) : from_csv(content, counts);
        !fault.empty()) {
        return refused(experts, fmt::format("{} {}", in_quotes(file.string()), fault));
    }
    if (counts.size() != static_cast<std::size_t>(experts)) {
        return refused(experts, fmt::format("{} has {} counts; the model has {} experts",
                                            in_quotes(file.string()), counts.size(), experts));
    }
    double sum = 0.0;
    for (const double count : counts) {
        if (!(count >= 0.0) || !std::isfinite(count)) {
            return refused(experts, fmt::format("{} has a count of {}; expected 0 or more",
                                                in_quotes(file.string()), count));
        }
        sum += count;
    }
    if (!(sum > 0.0)) {
        return refused(experts, fmt::format("{} counts no rows at all", in_quotes(file.string())));
    }
    for (double& count : counts) {
        count /= sum;
    }
    return {std::move(counts), {}};
}

} // namespace chokepoint::sim::loader
