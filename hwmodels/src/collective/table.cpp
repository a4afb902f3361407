// SPDX-License-Identifier: Apache-2.0
// Reads the published table of NCCL timings: one line per part, operation and number of GPUs, one column per
// size.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/collective.hpp>

#include "../data_file.hpp"
#include "tsv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr std::size_t kLabels = 4; // part, software, operation, GPUs

class TableReader {
public:
    TableReader(std::string file, const Catalog& catalog) : file_(std::move(file)), catalog_(catalog) {}

    std::vector<CollectiveSeries> read() {
        std::istringstream stream(read_text_file(file_));
        for (std::string line; std::getline(stream, line);) {
            ++line_;
            if (line.empty() || line.front() == '#') {
                continue;
            }
            const std::vector<std::string> cells = split(line, '\t');
            sizes_.empty() ? read_header(cells) : read_series(cells);
        }
        if (!faults_.empty()) {
            throw std::runtime_error(fmt::format("{}", fmt::join(faults_, "\n")));
        }
        return std::move(series_);
    }

private:
    void fault(std::string_view message) {
        faults_.push_back(fmt::format("{}:{}: error: {}", file_, line_, message));
    }

    double number(const std::string& text, std::string_view what) {
        const auto value = number_from(text);
        if (!value || *value <= 0.0) {
            fault(fmt::format("{}: '{}' is no positive number", what, text));
            return 1.0;
        }
        return *value;
    }

    void read_header(const std::vector<std::string>& cells) {
        if (cells.size() <= kLabels) {
            fault("the header holds no sizes; expected part, software, op, gpus and sizes in bytes");
        }
        for (std::size_t i = kLabels; i < cells.size(); ++i) {
            sizes_.emplace_back(number(cells[i], "size"));
        }
    }

    void read_series(const std::vector<std::string>& cells) {
        if (cells.size() != kLabels + sizes_.size()) {
            fault(fmt::format("{} columns; expected {}", cells.size(), kLabels + sizes_.size()));
            return;
        }
        const GpuSpec* part = catalog_.find_gpu(cells[0]);
        const auto op = collective_from(cells[2]);
        if (part == nullptr) {
            fault(fmt::format("no part is called '{}'", cells[0]));
        }
        if (!op) {
            fault(fmt::format("no collective is called '{}'", cells[2]));
        }
        CollectiveSeries series{.part = cells[0], .software = cells[1], .node = {}, .points = {}};
        series.ranks = static_cast<int>(number(cells[3], "gpus"));
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            series.points.push_back({sizes_[i], Seconds(number(cells[kLabels + i], "time") * 1e-6)});
        }
        if (part != nullptr && op) {
            series.node = catalog_.usual_node(*part).value_or(Node{});
            series.node.gpu = *part;
            series.op = *op;
            series_.push_back(std::move(series));
        }
    }

    std::string file_;
    const Catalog& catalog_;
    int line_ = 0;
    std::vector<Bytes> sizes_;
    std::vector<CollectiveSeries> series_;
    std::vector<std::string> faults_;
};

} // namespace

std::vector<CollectiveSeries> read_collective_table(const std::filesystem::path& path,
                                                    const Catalog& catalog) {
    return TableReader(path.string(), catalog).read();
}

std::vector<CollectiveSeries> read_collective_table(const Catalog& catalog) {
    return read_collective_table(data_path("measurements") / "published" / "nccl_intranode.tsv", catalog);
}

bool fitted(const CollectiveSeries&, const CollectiveSeries::Point& point) {
    return std::lround(std::log2(point.bytes.value())) % 2 != 0;
}

} // namespace chokepoint::hw
