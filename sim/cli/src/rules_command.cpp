// SPDX-License-Identifier: Apache-2.0
// The command `rules`: what every export rule says of every part, and which caps a rule would admit.
#include "commands.hpp"

#include "json.hpp"
#include "part_options.hpp"
#include "result.hpp"
#include "rules_table.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/rules.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace chokepoint::cli {

namespace {

/// Those that the rules compare with thresholds and that a part's JSON states.
constexpr std::array kFigures{hw::Figure::tpp, hw::Figure::performance_density, hw::Figure::aggregate_io,
                              hw::Figure::memory_bandwidth};

template <typename Range> std::vector<std::string> ids(const Range& entries) {
    std::vector<std::string> list;
    std::ranges::transform(entries, std::back_inserter(list), [](const auto& entry) { return entry.id; });
    return list;
}

const hw::GpuSpec& part_called(const hw::Catalog& catalog, const std::string& id) {
    const hw::GpuSpec* part = catalog.find_gpu(id);
    if (part == nullptr) {
        throw unknown("part", id, ids(catalog.gpus()));
    }
    return *part;
}

const hw::Rule& rule_called(const std::vector<hw::Rule>& rules, const std::string& id) {
    const auto rule = std::ranges::find(rules, id, &hw::Rule::id);
    if (rule == rules.end()) {
        throw unknown("rule", id, ids(rules));
    }
    return *rule;
}

Json margin_json(const hw::Margin& margin) {
    return {{"figure", hw::name(margin.threshold.figure)},
            {"bound", hw::name(margin.threshold.bound)},
            {"limit", margin.threshold.limit},
            {"value", margin.value ? Json(*margin.value) : Json(nullptr)},
            {"ratio", margin.ratio ? Json(*margin.ratio) : Json(nullptr)}};
}

Json verdict_json(const hw::Rule& rule, const hw::Verdict& verdict) {
    Json margins = Json::array();
    for (const hw::Margin& margin : verdict.margins) {
        margins.push_back(margin_json(margin));
    }
    return {{"rule", rule.id},
            {"ruling", hw::name(verdict.ruling)},
            {"missing", verdict.missing},
            {"margins", std::move(margins)}};
}

Json rule_json(const hw::Rule& rule) {
    Json alternatives = Json::array();
    for (const hw::Conjunction& conjunction : rule.alternatives) {
        Json thresholds = Json::array();
        for (const hw::Threshold& threshold : conjunction) {
            thresholds.push_back({{"figure", hw::name(threshold.figure)},
                                  {"bound", hw::name(threshold.bound)},
                                  {"limit", threshold.limit}});
        }
        alternatives.push_back(std::move(thresholds));
    }
    return {{"rule", rule.id},
            {"title", rule.title},
            {"instrument", rule.instrument},
            {"effective", rule.effective},
            {"until", rule.until ? Json(*rule.until) : Json(nullptr)},
            {"consequence", hw::name(rule.consequence)},
            {"alternatives", std::move(alternatives)}};
}

Json figures_json(const hw::GpuSpec& part) {
    Json figures = Json::object();
    for (const hw::Figure figure : kFigures) {
        const auto value = hw::figure_of(part, figure);
        figures[std::string(hw::name(figure))] = value ? Json(*value) : Json(nullptr);
    }
    return figures;
}

/// The caps that a set holds, by the names that scenarios use.
std::vector<std::pair<std::string, std::string>> caps_text(const hw::Caps& caps) {
    std::vector<std::pair<std::string, std::string>> list;
    if (caps.nvlink) {
        list.emplace_back("caps.nvlink", hw::to_text(*caps.nvlink));
    }
    if (caps.memory_bandwidth) {
        list.emplace_back("caps.memory_bandwidth", hw::to_text(*caps.memory_bandwidth));
    }
    if (caps.tpp) {
        list.emplace_back("caps.tpp", fmt::format("{:.6g}", *caps.tpp));
    }
    return list;
}

/// What each rule says of the part with the caps: "us-2023-10a: free, us-2023-10b: not_applicable".
std::string rulings_text(const std::vector<hw::Rule>& rules, const hw::GpuSpec& part) {
    std::vector<std::string> words;
    for (const hw::Rule& rule : rules) {
        words.push_back(fmt::format("{}: {}", rule.id, hw::name(hw::classify(rule, part).ruling)));
    }
    return fmt::format("{}", fmt::join(words, ", "));
}

/// Figures that the rules ask for and the part's file does not give: "performance_density".
std::vector<std::string> unknown_figures(const std::vector<hw::Rule>& rules, const hw::GpuSpec& part) {
    std::vector<std::string> unknown;
    for (const hw::Rule& rule : rules) {
        for (const hw::Margin& margin : hw::classify(rule, part).margins) {
            std::string figure(hw::name(margin.threshold.figure));
            if (!margin.value && std::ranges::find(unknown, figure) == unknown.end()) {
                unknown.push_back(std::move(figure));
            }
        }
    }
    return unknown;
}

int design(const RulesOptions& options, const hw::Catalog& catalog, const std::vector<hw::Rule>& all,
           const Common& common) {
    const hw::GpuSpec& part = part_called(catalog, options.design);
    std::vector<hw::Rule> rules;
    for (const std::string& id : options.under) {
        rules.push_back(rule_called(all, id));
    }
    const std::vector<hw::Caps> sets = hw::minimal_caps(rules, part);
    std::string text;
    for (const hw::Rule& rule : rules) {
        text += fmt::format("{} under {} ({})\n", part.id, rule.id, rule.instrument);
    }
    Json json_sets = Json::array();
    for (const hw::Caps& caps : sets) {
        const auto list = caps_text(caps);
        Json set = Json::object();
        std::vector<std::string> words;
        for (const auto& [key, value] : list) {
            set[key] = value;
            words.push_back(key + " = \"" + value + "\"");
        }
        json_sets.push_back(std::move(set));
        text += fmt::format("  {}: then {}\n",
                            list.empty() ? std::string("as it is")
                                         : fmt::format("just below {}", fmt::join(words, " and ")),
                            rulings_text(rules, hw::apply(caps, part)));
    }
    if (sets.empty()) {
        text += "  no set of caps is known to be enough\n";
    }
    const std::vector<std::string> unknown = unknown_figures(rules, part);
    if (!unknown.empty()) {
        text += fmt::format("  {} of {} is not known: the caps are such that it does not matter\n",
                            fmt::join(unknown, " and "), part.id);
    }
    emit(common,
         {{"schema", "chokepoint/rules/1"},
          {"program", program_json(catalog.content_hash())},
          {"design",
           {{"part", part.id},
            {"rules", options.under},
            {"unknown", unknown},
            {"caps", std::move(json_sets)}}}},
         text);
    return kFine;
}

} // namespace

int rules_command(const RulesOptions& options, const Common& common) {
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    std::vector<hw::Rule> rules = hw::load_rules(common.catalog_directories);
    if (options.design.empty() != options.under.empty()) {
        throw UsageError("--design PART and --under RULE go together");
    }
    if (!options.caps.empty() && (options.parts.empty() || !options.design.empty())) {
        throw UsageError("--cap changes named parts; name at least one PART, without --design");
    }
    const hw::Caps caps = caps_from(options.caps);
    if (caps.nic) {
        throw UsageError("--cap nic: no rule speaks of NICs; expected nvlink, memory_bandwidth or tpp");
    }
    if (!options.design.empty()) {
        return design(options, catalog, rules, common);
    }
    if (!options.on.empty()) {
        std::erase_if(rules, [&](const hw::Rule& rule) { return !hw::in_force(rule, options.on); });
    }
    std::vector<hw::GpuSpec> named;
    for (const std::string& id : options.parts) {
        named.push_back(hw::apply(caps, part_called(catalog, id)));
    }
    std::vector<const hw::GpuSpec*> parts;
    std::ranges::transform(named, std::back_inserter(parts), [](const hw::GpuSpec& part) { return &part; });
    if (parts.empty()) {
        std::ranges::transform(catalog.gpus(), std::back_inserter(parts),
                               [](const hw::GpuSpec& part) { return &part; });
    }
    std::string text = rules_table(parts, rules);
    if (options.parts.size() == 1) {
        text += margins_text(*parts.front(), rules);
    } else {
        text += "`chokepoint rules PART` prints the margin to each threshold\n";
    }
    Json rows = Json::array();
    for (const hw::GpuSpec* part : parts) {
        Json verdicts = Json::array();
        for (const hw::Rule& rule : rules) {
            verdicts.push_back(verdict_json(rule, hw::classify(rule, *part)));
        }
        rows.push_back(
            {{"part", part->id}, {"figures", figures_json(*part)}, {"verdicts", std::move(verdicts)}});
    }
    Json shown = Json::array();
    std::ranges::transform(rules, std::back_inserter(shown), rule_json);
    emit(common,
         {{"schema", "chokepoint/rules/1"},
          {"program", program_json(catalog.content_hash())},
          {"rules", std::move(shown)},
          {"parts", std::move(rows)}},
         text);
    return kFine;
}

} // namespace chokepoint::cli
