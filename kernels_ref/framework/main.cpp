// SPDX-License-Identifier: Apache-2.0
// kref: checks and times the kernels of a training step.
#include "framework/options.hpp"
#include "framework/report.hpp"
#include "framework/supervisor.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>

namespace chokepoint::kref {
namespace {

#ifndef KREF_COMMIT
#define KREF_COMMIT "unknown"
#endif

using Clock = std::chrono::steady_clock;
constexpr int kNoDeviceStatus = 77; // ctest's "skipped"
constexpr Seconds kWriteEvery{20};  // what a killed run loses at most

/// A phase and its share of what time is left when its turn comes.
struct Step {
    Phase phase;
    std::vector<Mode> modes;
    double share;
};

std::vector<Step> steps_of(const Options& options) {
    const std::vector<Mode> both{Mode::cold, Mode::hot};
    switch (options.command) {
    case Command::check:
        return {{Phase::check, {}, 1.0}};
    case Command::run:
        return {{Phase::timing,
                 options.mode ? std::vector<Mode>{*options.mode}
                              : std::vector<Mode>{Mode::cold, Mode::hot, Mode::sustained},
                 1.0}};
    default:
        // What a lease must not end without comes first; a phase that ends early leaves its time to the next.
        return {{Phase::timing, both, 0.85}, {Phase::contended, {}, 0.6}, {Phase::sustained, {}, 1.0}};
    }
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

/// Whole or not at all: a killed run leaves the previous state.
void write_file(const std::string& path, const std::string& text) {
    if (path == "-") {
        std::fwrite(text.data(), 1, text.size(), stdout);
        return;
    }
    const std::string temporary = path + ".part";
    std::ofstream out(temporary, std::ios::binary);
    out << text;
    out.close();
    if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) {
        throw std::runtime_error("cannot write '" + path + "'");
    }
}

/// What a file is made of.
struct RunState {
    RunFacts facts;
    std::vector<Measurement> measurements;
};

void add(RunState& state, const PhaseResult& phase, Seconds spent) {
    state.measurements.insert(state.measurements.end(), phase.measurements.begin(), phase.measurements.end());
    for (const auto& known : phase.facts) {
        if (std::find(state.facts.machine.begin(), state.facts.machine.end(), known) ==
            state.facts.machine.end()) {
            state.facts.machine.push_back(known);
        }
    }
    state.facts.spent = spent;
}

/// To a file only: stdout gets one document, at the end.
void save(const Options& options, const RunState& state) {
    if (!options.json.empty() && options.json != "-") {
        write_file(options.json, measurement_file(state.facts, state.measurements));
    }
}

/// Before minutes of device time are spent on a file that nobody can write.
void require_writable(const Options& options) {
    if (options.json.empty() || options.json == "-") {
        return;
    }
    const std::string probe = options.json + ".part";
    if (!std::ofstream(probe, std::ios::binary)) {
        throw std::invalid_argument("--json: cannot write '" + options.json + "'");
    }
    std::remove(probe.c_str());
}

int run(const Options& options) {
    const auto start = Clock::now();
    require_writable(options);
    // With the file on stdout, the table goes to stderr.
    std::FILE* table = options.json == "-" ? stderr : stdout;
    RunState state;
    RunFacts& facts = state.facts;
    facts.commit = options.commit.empty() ? KREF_COMMIT : options.commit;
    facts.date = today();
    facts.budget = options.budget;
    facts.seed = options.seed ? *options.seed : std::random_device{}();
    const std::vector<Measurement>& measurements = state.measurements;
    std::string fatal;
    std::set<int> given_up;
    stop_on_signals();
    for (const Step& step : steps_of(options)) {
        WorkOrder order;
        order.items = items_of(step.phase, options.filter);
        std::erase_if(order.items, [&](const Item& item) { return given_up.contains(item.kernel); });
        order.phase = step.phase;
        order.modes = step.modes;
        order.sm_limit = options.sm_limit;
        order.seed = facts.seed;
        order.budget = (options.budget - (Clock::now() - start)) * step.share;
        if (order.items.empty()) {
            continue;
        }
        auto written = Clock::now();
        const PhaseResult result =
            supervise(std::move(order), &work, Patience{}, [&](const PhaseResult& known) {
                std::fprintf(table, "%s\n", summary_line(known.measurements.back()).c_str());
                std::fflush(table);
                if (Clock::now() - written > kWriteEvery) {
                    RunState so_far = state;
                    add(so_far, known, Clock::now() - start);
                    save(options, so_far);
                    written = Clock::now();
                }
            });
        add(state, result, Clock::now() - start);
        given_up.insert(result.given_up.begin(), result.given_up.end());
        if (!result.fatal.empty()) {
            fatal = result.fatal;
            break;
        }
        save(options, state);
    }
    if (measurements.empty()) {
        std::fprintf(stderr, "kref: %s\n", fatal.empty() ? "no kernel matches the filter" : fatal.c_str());
        return fatal.starts_with("no CUDA device") ? kNoDeviceStatus : fatal.empty() ? 2 : 1;
    }
    if (!options.json.empty()) {
        write_file(options.json, measurement_file(facts, measurements));
    }
    std::fprintf(table, "%s", closing_lines(measurements).c_str());
    if (!fatal.empty()) {
        std::fprintf(stderr, "kref: %s\n", fatal.c_str());
        return 1;
    }
    for (const Measurement& m : measurements) {
        if (m.outcome == Outcome::wrong || m.outcome == Outcome::died || m.outcome == Outcome::error) {
            return 1;
        }
    }
    return 0;
}

} // namespace
} // namespace chokepoint::kref

int main(int count, char** arguments) {
    using namespace chokepoint::kref;
    try {
        const Options options = parse_options({arguments + 1, arguments + count});
        switch (options.command) {
        case Command::help:
            std::fputs(help_text().c_str(), stdout);
            return 0;
        case Command::list:
            std::fputs(list_text(options.filter).c_str(), stdout);
            return 0;
        default:
            return run(options);
        }
    } catch (const std::invalid_argument& e) {
        std::fprintf(stderr, "kref: %s\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "kref: %s\n", e.what());
        return 1;
    }
}
