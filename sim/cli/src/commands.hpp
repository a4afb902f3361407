// SPDX-License-Identifier: Apache-2.0
// Every command as a function of its options; each returns the exit code.
#pragma once

#include "chart_output.hpp"
#include "progress.hpp"

#include <chokepoint/sim/fold.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chokepoint::cli {

constexpr int kFine = 0;
constexpr int kFailed = 1;
constexpr int kWrongInput = 2;

/// Wrong arguments that the parser cannot see: an unknown part, model or rank. Exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Options that every command shares.
struct Common {
    std::vector<std::string> overrides;                     ///< --set
    std::vector<std::filesystem::path> catalog_directories; ///< --catalog
    std::string json;                                       ///< --json FILE, "-" for stdout, empty for none
    ProgressStyle progress = ProgressStyle::automatic;
    sim::Fold fold = sim::Fold::automatic; ///< --fold
};

struct MonteCarlo {
    int trials = 0; ///< 0: none
    std::uint64_t seed = 1;
    int jobs = 0; ///< 0: as many as there are cores
};
struct RunCommandOptions {
    std::string scenario;
    MonteCarlo monte_carlo;
    ChartFiles charts;
};
int run_command(const RunCommandOptions&, const Common&);
int check_command(const std::string& file, const Common&);
int trace_command(const std::string& file, const std::string& output, const std::vector<int>& ranks,
                  const Common&);
struct ValidateOptions {
    std::string runs;                 ///< file of published runs; empty: the one that ships
    bool campaigns = false;           ///< whole campaigns instead of single steps
    std::vector<std::string> filters; ///< all must match
    std::vector<std::string> without; ///< keys that the runs shall not say
    std::string scenario;             ///< id of a run to print as a scenario, instead of validating
    std::string csv;                  ///< file, "-" for stdout, empty for none
    ChartFiles charts;
    bool summary = false;
    bool overhead = false; ///< also which framework_overhead the runs ask for
    int jobs = 0;          ///< processes; 0: as many as there are cores
};
int validate_command(const ValidateOptions&, const Common&);
struct RulesOptions {
    std::vector<std::string> parts; ///< empty: the whole catalog
    std::string on;                 ///< ISO date; empty: every rule, whenever in force
    std::vector<std::string> caps;  ///< on the named parts, as caps_from() takes them
    std::string design;             ///< --design PART
    std::vector<std::string> under; ///< --under RULE, repeatable
};
int rules_command(const RulesOptions&, const Common&);
struct ScheduleOptions {
    std::string name; ///< of the table, or a .csv file
    std::optional<int> ranks, micro_batches, virtual_stages, group;
    std::vector<double> times; ///< forward, input gradient, weight gradient; empty: 1 each
    std::string csv;           ///< --csv FILE
    ChartFiles charts;
};
int schedule_command(const ScheduleOptions&, const Common&);
struct CalibrateOptions {
    std::vector<std::filesystem::path> files;
    std::string output;   ///< folder for <architecture>.json; empty: nothing is written
    bool holdout = false; ///< also print the errors of held-out rows
    bool points = false;  ///< also every row's arithmetic, traffic and times, in the JSON
    bool rows = false;    ///< also print every row's error
    std::string part;     ///< only errors on this part; empty: on all
    ChartFiles charts;
};
int calibrate_command(const CalibrateOptions&, const Common&);
int list_command(const std::string& plural, const Common&);
/// GPUs to join by the fabric that is shown.
struct PluggedIn {
    int gpus = 0; ///< 0: none
    std::string node = "hgx-8x400g";
};
struct ShowOptions {
    std::int64_t sequence = 4096; ///< tokens, for the FLOPs of a model's token
    PluggedIn plugged;
    std::filesystem::path fits; ///< of a part: own curves, as cluster.fits names them; empty: none
};
int show_command(const std::string& kind, const std::string& id, const ShowOptions&, const Common&);

} // namespace chokepoint::cli
