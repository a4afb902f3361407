// SPDX-License-Identifier: Apache-2.0
// The only test source that includes valijson, which costs seconds.
#include "json_schema.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace chokepoint::test {

std::string schema_violations(const std::string& schema_text, const std::string& document_text) {
    using Adapter = valijson::adapters::NlohmannJsonAdapter;
    const nlohmann::json schema_json = nlohmann::json::parse(schema_text);
    const nlohmann::json document = nlohmann::json::parse(document_text);
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

std::string published_schema_violations(const std::string& name, const std::string& document_text) {
    std::ifstream in(std::string(CHOKEPOINT_SOURCE_DIR) + "/docs/schema/" + name + ".schema.json");
    return schema_violations({std::istreambuf_iterator<char>(in), {}}, document_text);
}

} // namespace chokepoint::test
