// SPDX-License-Identifier: Apache-2.0
// A comparison as one page that needs nothing else: question, answer, reasons, certainty, assumptions, and
// how far off the program was on the published runs that are most like it.
#pragma once

#include <chokepoint/sim/annotations.hpp>
#include <chokepoint/sim/comparison.hpp>
#include <chokepoint/sim/validation.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

/// A picture with what it shows.
struct HtmlFigure {
    std::string caption;
    std::string svg; ///< its ids unlike those of the page's other figures
};

struct NearRun {
    PublishedRun run;
    Prediction prediction;
};

struct HtmlReport {
    Comparison comparison; ///< of one side or more
    std::vector<HtmlFigure> waterfall, curves, tornado;
    std::vector<NearRun> near;
    std::vector<Annotations> annotations; ///< of each side's file; none: its values stand without their words
    std::string program;                  ///< version and commit
};

std::string to_html(const HtmlReport&);

/// The published runs most like the scenarios: of the same model, part, precision and schedule.
std::vector<PublishedRun> nearest_runs(const Comparison&, const std::vector<PublishedRun>&, std::size_t most);

} // namespace chokepoint::sim
