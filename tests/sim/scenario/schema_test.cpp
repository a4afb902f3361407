// SPDX-License-Identifier: Apache-2.0
// What an editor accepts by the JSON schema is what the loader accepts by its table.
#include "scenario_text.hpp"
#include "support/json_schema.hpp"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <sstream>

using namespace chokepoint;

namespace {

std::string violations(const std::string& toml_text) {
    std::ostringstream json_text;
    json_text << toml::json_formatter{toml::parse(toml_text)};
    return test::schema_violations(sim::scenario_json_schema(), json_text.str());
}

} // namespace

TEST(ScenarioSchema, AcceptsTheShippedScenarios) {
    for (const auto& file : test::toml_files(test::kSource / "scenarios")) {
        EXPECT_EQ(violations(test::read_text(file)), "") << file;
    }
    EXPECT_EQ(violations(std::string(test::kValid)), "");
}

TEST(ScenarioSchema, RefusesWhatNeedsNoArithmeticToRefuse) {
    for (const char* name : {"half-rail", "unknown-keys", "missing", "no-sections", "wrong-kinds",
                             "absurd-numbers", "sections-as-values"}) {
        const auto file = test::kSource / "tests/data/bad" / (std::string(name) + ".toml");
        std::string text = test::read_text(file);
        EXPECT_NE(violations(text), "") << file;
    }
}
