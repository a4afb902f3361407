// SPDX-License-Identifier: Apache-2.0
// Pictures of results. They are drawn by chokepoint-plot, a program of its own, since it needs Qt and is
// under Qt Charts' licence.
#pragma once

#include "output_file.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace chokepoint::cli {

/// The files of --svg, --png and --chart; empty: not asked for; "-": stdout.
struct ChartFiles {
    std::string svg, png;
    std::string description; ///< the chart's JSON, docs/schema/chart.schema.json
};

/// A chart as SVG, for a page that holds several: `prefix` goes before each of its ids.
/// @throws std::runtime_error if chokepoint-plot is not there or fails.
std::string draw_svg(const nlohmann::ordered_json& chart, const std::string& prefix);

/// @throws std::runtime_error if chokepoint-plot is not there: before any work is done.
void require_plotter();

/// Opens every file and finds the plotter before any work is done, and writes whole files or none.
class ChartOutput {
public:
    /// @throws std::runtime_error if a file cannot be written or chokepoint-plot is not there.
    explicit ChartOutput(const ChartFiles&);
    /// @throws std::runtime_error if chokepoint-plot fails.
    void write(const nlohmann::ordered_json& chart);

private:
    struct Picture {
        std::string format;
        std::unique_ptr<OutputFile> file;
    };
    std::vector<Picture> pictures_;
    std::unique_ptr<OutputFile> description_;
    std::string plotter_;
};

} // namespace chokepoint::cli
