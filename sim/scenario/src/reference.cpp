// SPDX-License-Identifier: Apache-2.0
// docs/scenario.md, written from the table of keys so that it cannot fall behind.
#include "key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chokepoint::sim {
namespace {

using loader::Key;
using loader::Kind;
using loader::Need;
using loader::Shape;

constexpr std::string_view kIntroduction = R"(# Scenario files

<!-- Generated from the table of keys in sim/scenario/src/keys.cpp. A test fails when this page is stale;
     UPDATE_GOLDEN=1 rewrites it. -->

A scenario is a TOML file: a cluster, a model, a plan that spreads the one over the other, and the training run they
are part of. `chokepoint check FILE` validates it and prints every value with its origin; `--set plan.expert=32`
overrides any key of any command that reads a scenario.

* Every value with a dimension is text with its unit: `"400 Gb/s"`, `"3.33 us"`, `"2.00 USD/GPU-h"`. `GB` is 10^9 bytes,
  `GiB` 2^30; `b` is a bit, `B` a byte.
* An unknown key is an error. All faults are reported at once, each with file, line and column; nothing is simulated.
* An editor that reads JSON schemas checks a file while you type if it starts with the comment
  `#:schema ../docs/schema/scenario.schema.json`.

## A complete scenario

The model is spelled out here; `arch = "deepseek-v3"` would name a preset instead and `arch = "my-model/config.json"` a
HuggingFace configuration ([models](models.md)); keys beside either would replace its own.

```toml
)";

// Loaded by a test.
constexpr std::string_view kExample = R"(title = "A small mixture of experts on two nodes"
question = "How much of a step is bubble when a pipeline has two ranks?"

[cluster]
gpu = "h800-sxm"
nodes = 2
caps.nic = "200 Gb/s"

[model]
layers = 8
dense_layers = 1
hidden = 2048
dense_ffn_hidden = 8192
vocabulary = 32000
mtp_modules = 0
tied_embeddings = false
gated_ffn = true
activation = "silu"
norm = "rmsnorm"
block = "pre-norm"
biases = false
positions = 0

[model.attention]
kind = "mla"
heads = 16
q_lora_rank = 768
kv_lora_rank = 256
qk_nope_dim = 128
qk_rope_dim = 64
v_dim = 128
qkv_bias = false
qk_norm = false
window = 0
full_every = 0

[model.moe]
experts = 16
shared_experts = 1
top_k = 2
ffn_hidden = 4096
max_nodes = 0
shared_ffn_hidden = 4096
every = 1
latent = 0

[plan]
pipeline = 2
expert = 8
schedule = "1f1b"
micro_batch = 1
global_batch = 32
sequence = 4096
precision = "bf16"
recompute = ["norm"]
split = [4, 4]

[campaign]
tokens = "100e9"
price = "2.00 USD/GPU-h"
)";

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string names_cell(const Shape& shape) {
    if (!shape.list.listed_by.empty()) {
        return fmt::format("a {} of `{}`", shape.list.noun, shape.list.listed_by);
    }
    std::vector<std::string> names;
    for (const std::string& name : shape.list.names({})) {
        names.push_back(fmt::format("`\"{}\"`", name));
    }
    if (!shape.file_ending.empty()) {
        names.push_back(fmt::format("the path of a `{}` file", shape.file_ending));
    }
    return fmt::format("{}{}", shape.kind == Kind::choices ? "`\"none\"`, or one or a list of " : "",
                       fmt::join(names, ", "));
}

std::string range_cell(std::string_view noun, const Shape& shape) {
    return shape.min.empty() ? std::string(noun) : fmt::format("{}, {} to {}", noun, shape.min, shape.max);
}

std::string value_cell(const Shape& shape) {
    switch (shape.kind) {
    case Kind::text:
        return "text";
    case Kind::boolean:
        return "`true` or `false`";
    case Kind::date:
        return "date such as `\"2024-12-27\"`";
    case Kind::choice:
    case Kind::choices:
        return names_cell(shape);
    case Kind::integer:
        return range_cell("whole number", shape);
    case Kind::integers:
        return range_cell("list of whole numbers", shape);
    case Kind::number:
        return range_cell("number", shape);
    case Kind::quantity:
        return range_cell(hw::describe(shape.dimension), shape);
    }
    throw std::logic_error("value_cell(): a kind of key without a description");
}

std::string default_cell(const Key& key) {
    const std::string fallback =
        key.fallback.empty() ? "" : fmt::format("{}: {}", code(key.fallback), key.reason);
    switch (key.need) {
    case Need::required:
        return "**required**";
    case Need::unset:
        return fmt::format("none ({})", key.reason);
    case Need::computed:
        return std::string(key.reason);
    case Need::defaulted:
        return fallback;
    case Need::node:
        return fmt::format("`cluster.node`'s, or the catalog's usual node of the part, else {}", fallback);
    case Need::fabric:
        return "the fabric's";
    case Need::preset:
        return key.fallback.empty() ? "the preset's, else **required**"
                                    : fmt::format("the preset's, else {}", fallback);
    }
    throw std::logic_error("default_cell(): a need without a description");
}

std::string key_table(std::string_view section) {
    if (std::ranges::none_of(loader::all_keys(),
                             [&](const Key& key) { return loader::section_of(key.path) == section; })) {
        return {}; // [sweep] takes the keys of all others
    }
    std::string table = "\n| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const Key& key : loader::all_keys()) {
        if (loader::section_of(key.path) == section) {
            table += fmt::format("| {} | {} | {} | {} |\n", code(key.path.substr(key.path.rfind('.') + 1)),
                                 value_cell(key.shape), default_cell(key), key.doc);
        }
    }
    return table;
}

} // namespace

std::string scenario_reference_markdown() {
    std::string page = fmt::format("{}{}```\n\n## Keys\n", kIntroduction, kExample);
    for (const loader::Section& section : loader::all_sections()) {
        const std::string heading = section.path.empty() ? "Top of the file"
                                    : section.repeated() ? fmt::format("`[[{}]]`", section.path)
                                                         : fmt::format("`[{}]`", section.path);
        page += fmt::format("\n### {}\n\n{}\n{}", heading, section.doc, key_table(section.path));
    }
    return page;
}

} // namespace chokepoint::sim
