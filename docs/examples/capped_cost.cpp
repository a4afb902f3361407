// SPDX-License-Identifier: Apache-2.0
// What a cap on NVLink does to a training's cost:  find_package(chokepoint)  and  chokepoint::chokepoint
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/run.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    using namespace chokepoint;
    if (argc != 2) {
        fmt::print(stderr, "usage: capped_cost SCENARIO.toml\n");
        return 2;
    }
    try {
        fmt::print("data: {}\n", hw::data_directory().string());
        for (const char* cap : {"400 GB/s", "200 GB/s", "100 GB/s"}) {
            sim::LoadOptions options;
            options.overrides = {fmt::format("cluster.caps.nvlink={}", cap)}; // as --set
            const sim::RunReport report = sim::run(sim::load_scenario(argv[1], options));
            fmt::print("{:>9}  {:8.3f} s a step", cap, report.step.seconds.value());
            if (report.cost && report.cost->campaign) { // neither without a price and a number of tokens
                const auto [low, middle, high] = report.uncertainty.usd; // p5, p50, p95
                fmt::print("  {:12.0f} USD, {:.0f} to {:.0f}", report.cost->campaign->value(), low, high);
            }
            fmt::print("\n");
        }
    } catch (const sim::ScenarioError& wrong) {
        fmt::print(stderr, "{}\n", wrong.what()); // a line for each fault
        return 2;
    } catch (const std::exception& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 1;
    }
}
