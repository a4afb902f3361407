// SPDX-License-Identifier: Apache-2.0
// Every command's JSON is what its published schema says.
#include "run_cli.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

using chokepoint::test::read_file;
using chokepoint::test::run_cli;

namespace {

/// Every violation as text; empty if the document fits.
std::string violations(const std::string& schema_name, const nlohmann::json& document) {
    using Adapter = valijson::adapters::NlohmannJsonAdapter;
    const auto text = read_file(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "docs/schema" /
                                (schema_name + ".schema.json"));
    const nlohmann::json schema_json = nlohmann::json::parse(text);
    valijson::Schema schema;
    valijson::SchemaParser().populateSchema(Adapter(schema_json), schema);
    valijson::ValidationResults results;
    valijson::Validator().validate(schema, Adapter(document), &results);
    std::string out;
    for (valijson::ValidationResults::Error error; results.popError(error);) {
        for (const std::string& part : error.context) {
            out += part;
        }
        out += ": " + error.description + "\n";
    }
    return out;
}

struct Case {
    std::string schema;
    std::vector<std::string> arguments;
};

class Schema : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(Schema, IsWhatTheCommandPrints) {
    const auto result = run_cli(GetParam().arguments);
    EXPECT_EQ(violations(GetParam().schema, nlohmann::json::parse(result.out)), "");
}

INSTANTIATE_TEST_SUITE_P(
    Commands, Schema,
    testing::Values(Case{"run", {"run", "scenarios/small-16-gpus.toml", "--json", "-"}},
                    Case{"run", {"run", "scenarios/deepseek-v3-h800.toml", "--json", "-"}},
                    Case{"compare",
                         {"compare", "scenarios/deepseek-v3-h800.toml", "scenarios/deepseek-v3-h100.toml",
                          "--json", "-"}},
                    Case{"check", {"check", "scenarios/deepseek-v3-h800.toml", "--json", "-"}},
                    Case{"check", {"check", "no-such-file.toml", "--json", "-"}},
                    Case{"list", {"list", "gpus", "--json", "-"}},
                    Case{"list", {"list", "models", "--json", "-"}},
                    Case{"list", {"list", "schedules", "--json", "-"}},
                    Case{"list", {"list", "fabrics", "--json", "-"}},
                    Case{"show", {"show", "gpu", "h800-sxm", "--json", "-"}},
                    Case{"show", {"show", "model", "deepseek-v3", "--json", "-"}},
                    Case{"trace", {"trace", "scenarios/small-16-gpus.toml", "-o", "-"}}));

TEST(SchemaItself, RejectsAResultThatLacksAField) {
    auto document =
        nlohmann::json::parse(run_cli({"run", "scenarios/small-16-gpus.toml", "--json", "-"}).out);
    document["step"].erase("seconds");
    EXPECT_NE(violations("run", document), "");
}
