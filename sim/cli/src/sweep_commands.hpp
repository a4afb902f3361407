// SPDX-License-Identifier: Apache-2.0
// The commands around sweeps; each returns the exit code.
#pragma once

#include "commands.hpp"

#include <chokepoint/sim/result_store.hpp>

#include <nlohmann/json_fwd.hpp>

#include <fmt/format.h>

namespace chokepoint::cli {

struct SweepCommandOptions {
    std::string scenario; ///< file; empty with `resume`: the store's
    std::vector<std::string> axes;
    std::string store;
    bool resume = false, retry = false;
    int jobs = 0;                 ///< processes; 0: as many as there are cores
    std::string time_out, memory; ///< quantities with their units; empty: no bound
    std::int64_t max_points = 0;  ///< 0: sim::kMostPoints
};
int sweep_command(const SweepCommandOptions&, const Common&);

struct ResultsOptions {
    std::string store;
    std::int64_t sweep = 0; ///< 0: the last
    std::vector<std::string> where;
    std::string sort; ///< field; "-" before it: the largest first
    int limit = 0;    ///< rows; 0: all
    std::string csv;
    std::optional<std::int64_t> point; ///< print this one's whole result instead
    bool sweeps = false;               ///< list the sweeps instead
};
int results_command(const ResultsOptions&, const Common&);

struct PlotOptions {
    std::string store;
    std::int64_t sweep = 0;
    std::string kind = "line"; ///< line, heat-map or front
    std::string x, y, series;  ///< fields; empty: chosen
    std::string best_of;       ///< axis whose best position is taken at every place
    std::vector<std::string> where;
    std::vector<std::string> marks; ///< "400=A800, H800"
    std::string title;
    bool linear_x = false, linear_y = false;
    double knee = 0.05; ///< rise over a series' least value that counts as the knee; 0: none
    ChartFiles charts;
};
int plot_command(const PlotOptions&, const Common&);

/// Of a store's last sweep: dollars where its points have them, or else GPU-hours, or the step, along the
/// longest axis of numbers, with a line for each position of the other axis if there is one.
/// @throws UsageError if the store cannot be drawn so
nlohmann::ordered_json store_chart(const std::string& store);

struct OptimizeCommandOptions {
    std::string scenario;
    std::vector<std::string> vary;
    std::string objective = "step";
    std::string max_memory;
    bool front = false;
    int jobs = 0;
    std::int64_t max_points = 0;
};
int optimize_command(const OptimizeCommandOptions&, const Common&);

/// A quantity of an option; nothing if it was not given. @throws UsageError naming the option
template <class Quantity>
std::optional<Quantity> option_quantity(const std::string& text, hw::Dimension dimension,
                                        const char* option) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto parsed = hw::parse_quantity(text);
    if (!parsed || parsed->dimension != dimension || !(parsed->base > 0.0)) {
        throw UsageError(
            fmt::format("{}: \"{}\" is not {} above zero", option, text, hw::describe(dimension)));
    }
    return Quantity(parsed->base);
}

/// Opens a store for reading, or says as a usage error that it is none.
sim::ResultStore open_results(const std::string& file);
/// The sweep of this id, or the last one for 0. @throws UsageError if there is none
sim::SweepRecord chosen_sweep(const sim::ResultStore&, const std::string& file, std::int64_t id);

} // namespace chokepoint::cli
