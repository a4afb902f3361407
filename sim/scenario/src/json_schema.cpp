// SPDX-License-Identifier: Apache-2.0
// The table of keys as a JSON schema (draft-07), for editors and for programs that write scenarios.
#include "key.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chokepoint::sim {
namespace {

using loader::Key;
using loader::Kind;
using loader::Need;
using loader::Shape;
using Json = nlohmann::ordered_json;

Json number_from(std::string_view text) { return Json::parse(text); }

Json limits(const Shape& shape, std::string_view type) {
    Json schema{{"type", type}};
    if (!shape.min.empty()) {
        schema["minimum"] = number_from(shape.min);
        schema["maximum"] = number_from(shape.max);
    }
    return schema;
}

/// A name is one of a fixed set, or any text where the set is data.
Json name_schema(const Shape& shape) {
    Json schema{{"type", "string"}};
    if (shape.list.listed_by.empty()) {
        schema["enum"] = shape.list.names({});
        if (!shape.file_ending.empty()) {
            const Json file{{"type", "string"}, {"pattern", fmt::format("\\{}$", shape.file_ending)}};
            return {{"anyOf", Json::array({schema, file})}};
        }
    }
    return schema;
}

Json quantity_schema(const Shape& shape) {
    if (shape.dimension == hw::Dimension::count || shape.dimension == hw::Dimension::ratio) {
        return {{"anyOf", Json::array({limits(shape, "number"), Json{{"type", "string"}}})}};
    }
    // A number and a unit; which units fit, the loader says.
    return {{"type", "string"}, {"pattern", "^[-+]?[0-9.]+([eE][-+]?[0-9]+)? ?[^0-9 ]"}};
}

Json value_schema(const Shape& shape) {
    switch (shape.kind) {
    case Kind::text:
        return {{"type", "string"}, {"minLength", 1}};
    case Kind::choice:
        return name_schema(shape);
    case Kind::choices:
        return {{"anyOf", Json::array({{{"type", "array"}, {"items", name_schema(shape)}},
                                       name_schema(shape),
                                       {{"const", "none"}}})}};
    case Kind::integer:
        return limits(shape, "integer");
    case Kind::integers:
        return {{"type", "array"}, {"items", limits(shape, "integer")}};
    case Kind::number:
        return limits(shape, "number");
    case Kind::boolean:
        return {{"type", "boolean"}};
    case Kind::date:
        return {{"type", "string"}, {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}};
    case Kind::quantity:
        return quantity_schema(shape);
    }
    throw std::logic_error("value_schema(): a kind of key without a schema");
}

std::string description(const Key& key) {
    std::string text(key.doc);
    if (key.shape.kind == Kind::quantity) {
        text += fmt::format("; {}, from {} to {}", hw::describe(key.shape.dimension), key.shape.min,
                            key.shape.max);
    }
    if (!key.shape.list.listed_by.empty()) {
        text += fmt::format("; a {} that '{}' prints", key.shape.list.noun, key.shape.list.listed_by);
    }
    if (!key.fallback.empty()) {
        text += fmt::format("; default {} ({})", key.fallback, key.reason);
    }
    return text;
}

Json empty_object(std::string_view doc) {
    return {{"type", "object"},
            {"description", doc},
            {"additionalProperties", false},
            {"properties", Json::object()}};
}

/// The object of a section inside the whole schema; sections are listed outer first.
Json& section_object(Json& schema, std::string_view section) {
    if (section.empty()) {
        return schema;
    }
    const std::string_view outer = loader::section_of(section);
    const std::size_t start = outer.empty() ? 0 : outer.size() + 1;
    Json& object = section_object(schema, outer)["properties"][std::string(section.substr(start))];
    const loader::Section* found = loader::find_section(section);
    return found != nullptr && found->repeated() ? object["items"] : object;
}

/// The tables of an array may replace any key of these sections, and need to name none.
void add_overrides(Json& schema, const loader::Section& section) {
    for (const std::string_view outer : section.overrides) {
        Json copy = section_object(schema, outer);
        copy.erase("required");
        section_object(schema, section.path)["properties"][std::string(outer)] = std::move(copy);
    }
}

std::string last_part(std::string_view path) { return std::string(path.substr(path.rfind('.') + 1)); }

/// Without a preset, every key of the model that has no default must be there.
Json spelled_out_model() {
    Json schema{{"required", Json::array()}, {"properties", Json::object()}};
    for (const Key& key : loader::all_keys()) {
        if (key.need != Need::preset || !key.fallback.empty()) {
            continue;
        }
        Json* object = &schema;
        if (const std::string_view section = loader::section_of(key.path); section != "model") {
            const std::string inner = last_part(section);
            if (!schema["properties"].contains(inner)) {
                schema["required"].push_back(inner);
            }
            object = &schema["properties"][inner];
        }
        (*object)["required"].push_back(last_part(key.path));
    }
    return schema;
}

/// Axes are named by keys of any section, dotted or in quotes, so their names are not listed.
Json sweep_schema(std::string_view doc) {
    const Json axis{{"anyOf", Json::array({Json{{"type", "string"}}, Json{{"type", "array"}, {"minItems", 1}},
                                           Json{{"type", "object"}}})}};
    const Json zipped{
        {"type", "array"},
        {"items",
         {{"type", "object"},
          {"properties",
           {{"labels", {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}}}}},
          {"additionalProperties", axis}}}};
    return {{"type", "object"},
            {"description", doc},
            {"properties", {{"zip", zipped}}},
            {"additionalProperties", axis}};
}

} // namespace

std::string scenario_json_schema() {
    Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "Chokepoint scenario"}};
    schema.update(empty_object("A training job on a cluster. Generated from the loader's table of keys."));
    for (const loader::Section& section : loader::all_sections()) {
        if (!section.path.empty()) {
            section_object(schema, section.path) =
                section.path == "sweep" ? sweep_schema(section.doc) : empty_object(section.doc);
        }
        if (section.repeated()) {
            Json& outer = section_object(schema, loader::section_of(section.path));
            outer["properties"][last_part(section.path)]["type"] = "array";
        }
    }
    for (const Key& key : loader::all_keys()) {
        Json& object = section_object(schema, loader::section_of(key.path));
        Json property = value_schema(key.shape);
        property["description"] = description(key);
        object["properties"][last_part(key.path)] = std::move(property);
        if (key.need == Need::required) {
            object["required"].push_back(last_part(key.path));
        }
    }
    for (const loader::Section& section : loader::all_sections()) {
        if (!section.shorthand.empty()) {
            Json& object = section_object(schema, section.path);
            Json name = object["properties"][std::string(section.shorthand)];
            object = {{"description", section.doc},
                      {"anyOf", Json::array({std::move(name), std::move(object)})}};
        }
    }
    for (const loader::Section& section : loader::all_sections()) {
        add_overrides(schema, section);
    }
    for (const std::string section : {"cluster", "model", "plan"}) {
        schema["required"].push_back(section);
    }
    schema["properties"]["model"]["anyOf"] = Json::array({Json{{"required", {"arch"}}}, spelled_out_model()});
    return schema.dump(2) + "\n";
}

} // namespace chokepoint::sim
