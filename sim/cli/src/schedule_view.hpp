// SPDX-License-Identifier: Apache-2.0
// A schedule as rows of text and as a chart, both to scale.
#pragma once

#include <chokepoint/workloads/unit_timeline.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chokepoint::cli {

/// A row per rank: "F3" and "B3" of the rank's first stage, "f3" and "b3" of its others, "F3&b1" together.
std::string schedule_rows(const work::Schedule&, const work::UnitTimeline&, const work::ActionTimes&);

/// A Gantt chart, as docs/schema/chart.schema.json has it.
nlohmann::ordered_json schedule_chart(const work::Schedule&, const work::UnitTimeline&,
                                      const work::ActionTimes&);

} // namespace chokepoint::cli
