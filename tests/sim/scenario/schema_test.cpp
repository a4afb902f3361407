// SPDX-License-Identifier: Apache-2.0
// What an editor accepts by the JSON schema is what the loader accepts by its table.
#include "scenario_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <toml++/toml.h>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <sstream>

using namespace chokepoint;

namespace {

std::string violations(const std::string& toml_text) {
    using Adapter = valijson::adapters::NlohmannJsonAdapter;
    const nlohmann::json schema_json = nlohmann::json::parse(sim::scenario_json_schema());
    valijson::Schema schema;
    valijson::SchemaParser().populateSchema(Adapter(schema_json), schema);
    std::ostringstream json_text;
    json_text << toml::json_formatter{toml::parse(toml_text)};
    const nlohmann::json document = nlohmann::json::parse(json_text.str());
    valijson::ValidationResults results;
    valijson::Validator().validate(schema, Adapter(document), &results);
    std::string out;
    for (valijson::ValidationResults::Error error; results.popError(error);) {
        out += error.description + "\n";
    }
    return out;
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
