// SPDX-License-Identifier: Apache-2.0
// kref: checks and times the kernels of a training step.
#include "framework/options.hpp"
#include "framework/report.hpp"
#include "framework/supervisor.hpp"

#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <random>
#include <stdexcept>

namespace chokepoint::kref {
namespace {

#ifndef KREF_COMMIT
#define KREF_COMMIT "unknown"
#endif

using Clock = std::chrono::steady_clock;
constexpr int kNoDeviceStatus = 77; // ctest's "skipped"
constexpr Seconds kWriteEvery{20};  // what a killed run loses at most

/// What a lease must not end without comes first; a phase that ends early leaves its time to the next.
std::vector<Step> steps_of(const Options& options, std::uint64_t seed) {
    const auto step = [&](Phase phase, double share, std::vector<Mode> modes) {
        WorkOrder order;
        order.items = items_of(phase, options.filter);
        order.phase = phase;
        order.modes = std::move(modes);
        order.sm_limit = options.sm_limit;
        order.seed = seed;
        return Step{std::move(order), share};
    };
    switch (options.command) {
    case Command::check:
        return {step(Phase::check, 1.0, {})};
    case Command::run:
        return {step(Phase::timing, 1.0,
                     options.mode ? std::vector<Mode>{*options.mode}
                                  : std::vector<Mode>{Mode::cold, Mode::hot, Mode::sustained})};
    default:
        return {step(Phase::timing, 0.85, {Mode::cold, Mode::hot}), step(Phase::contended, 0.6, {}),
                step(Phase::sustained, 1.0, {})};
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
    RunFacts facts;
    facts.commit = options.commit.empty() ? KREF_COMMIT : options.commit;
    facts.date = today();
    facts.budget = options.budget;
    facts.seed = options.seed ? *options.seed : std::random_device{}();
    const auto file_of = [&](const RunResult& known) {
        facts.machine = known.facts;
        facts.spent = Clock::now() - start;
        return measurement_file(facts, known.measurements);
    };
    auto written = start;
    // To a file only: stdout gets one document, at the end.
    const auto save = [&](const RunResult& known) {
        if (!options.json.empty() && options.json != "-" && !known.measurements.empty()) {
            write_file(options.json, file_of(known));
        }
        written = Clock::now();
    };
    const auto progress = [&](const RunResult& known) {
        std::fprintf(table, "%s\n", summary_line(known.measurements.back()).c_str());
        std::fflush(table);
        if (Clock::now() - written > kWriteEvery) {
            save(known);
        }
    };
    stop_on_signals();
    const RunResult result =
        run_steps(steps_of(options, facts.seed), options.budget, &work, Patience{}, progress, save);
    const std::vector<Measurement>& measurements = result.measurements;
    const std::string& fatal = result.fatal;
    if (measurements.empty()) {
        std::fprintf(stderr, "kref: %s\n", fatal.empty() ? "no kernel matches the filter" : fatal.c_str());
        return fatal.starts_with("no CUDA device") ? kNoDeviceStatus : fatal.empty() ? 2 : 1;
    }
    if (options.json == "-") {
        write_file("-", file_of(result));
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
