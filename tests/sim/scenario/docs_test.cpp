// SPDX-License-Identifier: Apache-2.0
// docs/scenario.md and the JSON schema say what the loader does: both come from its table, and here they meet
// it.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace chokepoint;
using nlohmann::json;

namespace {

/// Compares with the file, or writes it if UPDATE_GOLDEN is set.
void expect_up_to_date(const std::filesystem::path& file, const std::string& generated) {
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << generated;
    }
    EXPECT_EQ(test::read_text(file), generated) << file << " is stale; UPDATE_GOLDEN=1 rewrites it";
}

struct SchemaKey {
    std::string path;
    json schema;
};

void collect(const json& object, const std::string& prefix, std::vector<SchemaKey>& keys) {
    for (const auto& [name, schema] : object.at("properties").items()) {
        const std::string path = prefix.empty() ? name : prefix + "." + name;
        const bool section_or_short =
            schema.contains("anyOf") && schema.at("anyOf").back().contains("properties");
        if (schema.contains("properties")) {
            collect(schema, path, keys);
        } else if (section_or_short) { // a section that a value may stand for
            collect(schema.at("anyOf").back(), path, keys);
        } else if (schema.contains("items") && schema.at("items").contains("properties")) {
            continue; // an array of tables; its keys are not the scenario's own
        } else {
            keys.push_back({path, schema});
        }
    }
}

std::vector<SchemaKey> schema_keys() {
    std::vector<SchemaKey> keys;
    collect(json::parse(sim::scenario_json_schema()), "", keys);
    return keys;
}

std::vector<std::string> faults_with(const std::string& key, const std::string& value) {
    return test::faults_of(test::kValid, {key + "=" + value});
}

} // namespace

TEST(ScenarioReference, IsUpToDate) {
    expect_up_to_date(test::kSource / "docs/scenario.md", sim::scenario_reference_markdown());
}

TEST(ScenarioSchema, IsUpToDate) {
    expect_up_to_date(test::kSource / "docs/schema/scenario.schema.json", sim::scenario_json_schema());
}

TEST(ScenarioReference, ItsSpelledOutModelLoads) {
    const std::string page = sim::scenario_reference_markdown();
    const std::string fence = "```toml\n";
    const std::size_t start = page.find(fence) + fence.size();
    const std::string example = page.substr(start, page.find("```", start) - start);
    const auto scenario = sim::parse_scenario(example, "docs/scenario.md");
    for (const auto& resolved : scenario.resolved()) {
        const bool of_model = resolved.key.starts_with("model.") && resolved.key != "model.arch";
        const bool of_other_attention =
            resolved.key.ends_with("kv_heads") || resolved.key == "model.attention.head_dim";
        const bool of_hybrids = resolved.key == "model.pattern" || resolved.key.starts_with("model.mamba.");
        if (of_model && !of_other_attention && !of_hybrids) {
            EXPECT_EQ(resolved.origin, sim::Origin::file) << resolved.key << " is not spelled out";
        }
    }
}

TEST(ScenarioReference, NamesEveryKey) {
    const std::string page = sim::scenario_reference_markdown();
    for (const SchemaKey& key : schema_keys()) {
        EXPECT_THAT(page, testing::HasSubstr("| `" + key.path.substr(key.path.rfind('.') + 1) + "` |"));
    }
}

TEST(KeyTable, EveryKeyIsReadAndRefusesADate) {
    for (const SchemaKey& key : schema_keys()) {
        const bool takes_a_date = key.schema.value("pattern", "").starts_with("^[0-9]{4}-");
        if (key.path == "title" || key.path == "question" || takes_a_date) {
            continue; // as an override, a date is text there
        }
        const auto found = faults_with(key.path, "1979-05-27");
        ASSERT_FALSE(found.empty()) << key.path;
        EXPECT_THAT(found.front(), testing::HasSubstr("--set " + key.path + "=1979-05-27: error: "))
            << key.path;
    }
}

TEST(KeyTable, LimitsAreInclusiveAndHold) {
    for (const SchemaKey& key : schema_keys()) {
        if (!key.schema.contains("minimum") || key.schema.at("type") != "integer") {
            continue;
        }
        const auto low = key.schema.at("minimum").get<std::int64_t>();
        const auto high = key.schema.at("maximum").get<std::int64_t>();
        const auto out_of_range = testing::Contains(testing::HasSubstr("is out of range"));
        EXPECT_THAT(faults_with(key.path, std::to_string(low - 1)), out_of_range) << key.path;
        EXPECT_THAT(faults_with(key.path, std::to_string(high + 1)), out_of_range) << key.path;
        EXPECT_THAT(faults_with(key.path, std::to_string(low)), testing::Not(out_of_range)) << key.path;
        EXPECT_THAT(faults_with(key.path, std::to_string(high)), testing::Not(out_of_range)) << key.path;
    }
}

TEST(KeyTable, EveryKeyHasADescription) {
    for (const SchemaKey& key : schema_keys()) {
        EXPECT_GT(key.schema.at("description").get<std::string>().size(), 5U) << key.path;
    }
}
