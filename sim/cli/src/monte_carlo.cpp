// SPDX-License-Identifier: Apache-2.0
// The Monte-Carlo of a run, with progress, until Ctrl-C.
#include "monte_carlo.hpp"

#include "interrupt.hpp"

#include <chokepoint/sim/monte_carlo.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::cli {

std::optional<sim::Sample> draw_sample(const sim::Scenario& scenario, const MonteCarlo& options,
                                       Progress& progress, const Common& common) {
    const InterruptGuard guard;
    const auto workers =
        sim::process_workers(std::min(options.jobs > 0 ? options.jobs : sim::cores(), options.trials),
                             sim::draw_work(scenario, options.seed, common.fold));
    const auto tell = [&](int done) {
        progress.tell("monte-carlo", static_cast<double>(done) / options.trials,
                      {.text = fmt::format("{} of {} draws", done, options.trials),
                       .json = fmt::format(R"("draws":{},"done":{})", options.trials, done)});
    };
    return sim::monte_carlo(*workers,
                            {.trials = options.trials, .seed = options.seed, .progress = tell, .stop = [] {
                                 return InterruptGuard::interrupted();
                             }});
}

} // namespace chokepoint::cli
