// SPDX-License-Identifier: Apache-2.0
// Options of `import kineto`, and what it prints.
#pragma once

#include "commands.hpp"

#include <chokepoint/sim/predicted_profile.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chokepoint::cli {

struct KinetoOptions {
    std::string file;
    std::string against; ///< a scenario; empty: none
    std::string rules;   ///< a table of kernel rules; empty: the shipped one
    std::string csv;     ///< file, "-" for stdout, empty for none
    std::string trace;   ///< the same, of the timeline
    std::optional<int> pair, rank, count;
    std::optional<std::int64_t> device;
};
int import_kineto_command(const KinetoOptions&, const Common&);

/// A profile as measured and, where a scenario was named, as predicted.
struct KinetoReport {
    sim::Profile profile;
    sim::ProfileSummary measured;
    std::string scenario;
    sim::ProfileScope scope;
    std::optional<sim::PredictedProfile> predicted;
    std::vector<sim::ComparedRow> rows;
};
inline double seconds(sim::ProfileTime time) { return 1e-9 * static_cast<double>(time.count()); }
std::string to_text(const KinetoReport&);
std::string to_csv(const KinetoReport&);

} // namespace chokepoint::cli
