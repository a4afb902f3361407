// SPDX-License-Identifier: Apache-2.0
// Reads the published timings of DeepEP's kernels.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include "../data_file.hpp"
#include "tsv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <utility>

namespace chokepoint::hw {

std::vector<DeepEpTiming> read_deepep_table(const std::filesystem::path& path) {
    constexpr std::size_t kColumns = 9; // part nodes hidden tokens top_k experts sms dispatch_us combine_us
    std::vector<DeepEpTiming> timings;
    std::vector<std::string> faults;
    bool header = true;
    int number = 0;
    for (const std::string& line : split(read_text_file(path.string()), '\n')) {
        ++number;
        if (line.empty() || line.front() == '#' || std::exchange(header, false)) {
            continue;
        }
        const std::vector<std::string> cells = split(line, '\t');
        std::vector<double> values;
        for (std::size_t i = 1; i < cells.size(); ++i) {
            if (const auto value = number_from(cells[i]); value && *value > 0.0) {
                values.push_back(*value);
            }
        }
        if (cells.size() != kColumns || values.size() + 1 != kColumns) {
            faults.push_back(
                fmt::format("{}:{}: error: expected a part and eight positive numbers, found '{}'",
                            path.string(), number, line));
            continue;
        }
        const auto whole = [&](std::size_t i) { return static_cast<int>(values[i]); };
        timings.push_back({cells[0], whole(0), whole(1), whole(2), whole(3), whole(4), whole(5),
                           Seconds(values[6] * 1e-6), Seconds(values[7] * 1e-6)});
    }
    if (!faults.empty()) {
        throw std::runtime_error(fmt::format("{}", fmt::join(faults, "\n")));
    }
    return timings;
}

std::vector<DeepEpTiming> read_deepep_table() {
    return read_deepep_table(data_path("measurements") / "published" / "deepep_normal.tsv");
}

} // namespace chokepoint::hw
