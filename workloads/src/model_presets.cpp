// SPDX-License-Identifier: Apache-2.0
// Reads model presets, one TOML file each, and reports every fault of every file with its place.
#include <chokepoint/workloads/model_arch.hpp>

#include <chokepoint/hwmodels/catalog.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace chokepoint::work {
namespace {

/// Reads one file's keys into a ModelArch and remembers what is wrong with them.
class PresetReader {
public:
    explicit PresetReader(std::string file) : file_(std::move(file)) {}

    ModelArch read(const toml::table& root) {
        ModelArch model;
        text(root, "id", model.id);
        text(root, "source", model.source);
        whole(root, "layers", model.layers, true);
        whole(root, "dense_layers", model.dense_layers, !root.contains("pattern"));
        whole(root, "hidden", model.hidden, true);
        whole(root, "dense_ffn_hidden", model.dense_ffn_hidden);
        whole(root, "vocabulary", model.vocabulary, true);
        whole(root, "mtp_modules", model.mtp_modules);
        truth(root, "tied_embeddings", model.tied_embeddings);
        truth(root, "gated_ffn", model.gated_ffn);
        choice(root, "activation", model.activation, activation_from, "silu, gelu, relu or squared_relu");
        choice(root, "norm", model.norm, norm_kind_from, "rmsnorm or layernorm");
        choice(root, "block", model.block, block_form_from,
               "pre-norm, sandwich-norm, parallel or parallel-two-norms");
        truth(root, "biases", model.biases);
        whole(root, "positions", model.positions);
        if (root.contains("pattern")) {
            text(root, "pattern", model.pattern);
        }
        read_attention(root, model.attention);
        read_state_space(root, model.state_space);
        read_moe(root, model.moe);
        refuse_others(root, "",
                      {"id", "source", "layers", "dense_layers", "hidden", "dense_ffn_hidden", "vocabulary",
                       "mtp_modules", "tied_embeddings", "gated_ffn", "activation", "norm", "block", "biases",
                       "positions", "pattern", "attention", "mamba", "moe"});
        if (found_.empty()) {
            for (const std::string& fault : faults(model)) {
                report(root.source(), fault);
            }
        }
        return model;
    }

    void report(const toml::source_region& place, std::string_view message) {
        found_.push_back(
            fmt::format("{}:{}:{}: error: {}", file_, place.begin.line, place.begin.column, message));
    }

    [[nodiscard]] const std::vector<std::string>& found() const { return found_; }

private:
    void read_attention(const toml::table& root, Attention& attention) {
        const toml::table* table = section(root, "attention");
        if (table == nullptr) {
            report(root.source(), "no [attention]; expected its kind, heads and dimensions");
            return;
        }
        choice(*table, "kind", attention.kind, attention_kind_from, "mha, gqa or mla", true);
        const bool latent = attention.kind == AttentionKind::mla;
        whole(*table, "heads", attention.heads, true);
        whole(*table, "kv_heads", attention.kv_heads, attention.kind == AttentionKind::gqa);
        whole(*table, "head_dim", attention.head_dim, !latent);
        whole(*table, "q_lora_rank", attention.q_lora_rank);
        whole(*table, "kv_lora_rank", attention.kv_lora_rank, latent);
        whole(*table, "qk_nope_dim", attention.qk_nope_dim, latent);
        whole(*table, "qk_rope_dim", attention.qk_rope_dim, latent);
        whole(*table, "v_dim", attention.v_dim, latent);
        truth(*table, "qkv_bias", attention.qkv_bias);
        truth(*table, "qk_norm", attention.qk_norm);
        whole(*table, "window", attention.window);
        whole(*table, "full_every", attention.full_every);
        if (attention.kind == AttentionKind::mha && attention.kv_heads == 0) {
            attention.kv_heads = attention.heads;
        }
        refuse_others(*table, "attention.",
                      {"kind", "heads", "kv_heads", "head_dim", "q_lora_rank", "kv_lora_rank", "qk_nope_dim",
                       "qk_rope_dim", "v_dim", "qkv_bias", "qk_norm", "window", "full_every"});
    }

    void read_state_space(const toml::table& root, StateSpace& mamba) {
        const toml::table* table = section(root, "mamba");
        if (table == nullptr) {
            return;
        }
        whole(*table, "heads", mamba.heads, true);
        whole(*table, "head_dim", mamba.head_dim, true);
        whole(*table, "groups", mamba.groups);
        whole(*table, "state", mamba.state, true);
        whole(*table, "conv", mamba.conv);
        whole(*table, "chunk", mamba.chunk);
        refuse_others(*table, "mamba.", {"heads", "head_dim", "groups", "state", "conv", "chunk"});
    }

    void read_moe(const toml::table& root, Moe& moe) {
        const toml::table* table = section(root, "moe");
        if (table == nullptr) {
            return; // a dense model
        }
        whole(*table, "experts", moe.experts, true);
        whole(*table, "shared_experts", moe.shared_experts);
        whole(*table, "top_k", moe.top_k, true);
        whole(*table, "ffn_hidden", moe.ffn_hidden, true);
        whole(*table, "max_nodes", moe.max_nodes);
        whole(*table, "shared_ffn_hidden", moe.shared_ffn_hidden);
        whole(*table, "every", moe.every);
        whole(*table, "latent", moe.latent);
        refuse_others(*table, "moe.",
                      {"experts", "shared_experts", "top_k", "ffn_hidden", "max_nodes", "shared_ffn_hidden",
                       "every", "latent"});
    }

    const toml::table* section(const toml::table& root, std::string_view key) {
        const toml::node* node = root.get(key);
        if (node != nullptr && !node->is_table()) {
            report(node->source(), fmt::format("{} is no table; expected [{}]", key, key));
        }
        return node != nullptr ? node->as_table() : nullptr;
    }

    void whole(const toml::table& table, std::string_view key, int& target, bool required = false) {
        const toml::node* node = table.get(key);
        if (node == nullptr) {
            if (required) {
                report(table.source(), fmt::format("{} is missing; expected a whole number", key));
            }
            return;
        }
        const auto* number = node->as_integer();
        if (number == nullptr || number->get() < 0 || number->get() > std::numeric_limits<int>::max()) {
            report(node->source(), fmt::format("{} is no count; expected a whole number from 0 to {}", key,
                                               std::numeric_limits<int>::max()));
            return;
        }
        target = static_cast<int>(number->get());
    }

    void text(const toml::table& table, std::string_view key, std::string& target) {
        const toml::node* node = table.get(key);
        if (node == nullptr || !node->is_string() || node->as_string()->get().empty()) {
            report(node == nullptr ? table.source() : node->source(),
                   fmt::format("{} is missing or no text; expected a text", key));
            return;
        }
        target = node->as_string()->get();
    }

    void truth(const toml::table& table, std::string_view key, bool& target) {
        const toml::node* node = table.get(key);
        if (node == nullptr) {
            return;
        }
        if (!node->is_boolean()) {
            report(node->source(), fmt::format("{} is no truth value; expected true or false", key));
            return;
        }
        target = node->as_boolean()->get();
    }

    template <typename Enum>
    void choice(const toml::table& table, std::string_view key, Enum& target,
                std::optional<Enum> (*from)(std::string_view), std::string_view expected,
                bool required = false) {
        if (table.get(key) == nullptr && !required) {
            return;
        }
        std::string word;
        text(table, key, word);
        if (const auto known = from(word)) {
            target = *known;
        } else if (!word.empty()) {
            report(table.get(key)->source(), fmt::format("{} is '{}'; expected {}", key, word, expected));
        }
    }

    void refuse_others(const toml::table& table, std::string_view prefix,
                       std::initializer_list<std::string_view> known) {
        for (const auto& [key, node] : table) {
            if (std::ranges::find(known, key.str()) == known.end()) {
                report(key.source(), fmt::format("unknown key '{}{}'; expected one of {}", prefix, key.str(),
                                                 fmt::join(known, ", ")));
            }
        }
    }

    std::string file_;
    std::vector<std::string> found_;
};

std::vector<std::filesystem::path> preset_files(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() == ".toml") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

} // namespace

std::vector<ModelArch> load_presets(const std::filesystem::path& directory) {
    std::vector<ModelArch> presets;
    std::vector<std::string> found;
    for (const std::filesystem::path& file : preset_files(directory)) {
        PresetReader reader(file.string());
        try {
            presets.push_back(reader.read(toml::parse_file(file.string())));
        } catch (const toml::parse_error& error) {
            reader.report(error.source(), error.description());
        }
        found.insert(found.end(), reader.found().begin(), reader.found().end());
    }
    if (!found.empty()) {
        throw hw::CatalogError(fmt::format("{}", fmt::join(found, "\n")));
    }
    std::ranges::sort(presets, {}, &ModelArch::id);
    const auto twice = std::ranges::adjacent_find(presets, {}, &ModelArch::id);
    if (twice != presets.end()) {
        throw hw::CatalogError(fmt::format("{}: error: two presets are called '{}'; expected distinct ids",
                                           directory.string(), twice->id));
    }
    return presets;
}

} // namespace chokepoint::work
