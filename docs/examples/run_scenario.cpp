// SPDX-License-Identifier: Apache-2.0
// Runs a scenario from C++:  find_package(chokepoint)  and  target_link_libraries(... chokepoint::chokepoint)
#include <chokepoint/sim/run.hpp>

#include <fmt/core.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    using namespace chokepoint;
    if (argc != 2) {
        fmt::print(stderr, "usage: run_scenario SCENARIO.toml\n");
        return 2;
    }
    try {
        const sim::Scenario scenario = sim::load_scenario(argv[1]);
        const sim::RunReport report = sim::run(scenario);
        fmt::print("{}", sim::to_text(report));
    } catch (const sim::ScenarioError& wrong) {
        for (const sim::Diagnostic& fault : wrong.faults()) {
            fmt::print(stderr, "{}\n", sim::to_text(fault)); // file:line:column: error: ...
        }
        return 2;
    } catch (const std::exception& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 1;
    }
}
