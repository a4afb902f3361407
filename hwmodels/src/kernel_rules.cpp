// SPDX-License-Identifier: Apache-2.0
// Reads the table of kernel rules and applies it: plain substrings, so that no name can make matching slow.
#include <chokepoint/hwmodels/kernel_rules.hpp>

#include "data_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

constexpr std::array kDuties{Duty::compute, Duty::communication, Duty::copy};

/// What the simulator's transfers are called (work::TransferKind), and the wait for slower ranks in front.
constexpr std::array<std::string_view, 9> kTransfers{"dispatch",       "combine",    "pipeline",
                                                     "reduce_scatter", "all_gather", "all_reduce",
                                                     "all_to_all",     "ring_shift", "waiting"};

std::optional<Duty> duty_from(std::string_view text) {
    const auto found = std::ranges::find(kDuties, text, [](Duty duty) { return name(duty); });
    return found == kDuties.end() ? std::nullopt : std::optional(*found);
}

/// "gemm fp8", or "norm_fwd" of a class that has no format.
std::optional<PricedOperator> operator_from(std::string_view text) {
    const std::size_t space = text.find(' ');
    const auto kernel = kernel_class_from(text.substr(0, space));
    if (!kernel || is_memory_bound(*kernel) != (space == std::string_view::npos)) {
        return std::nullopt;
    }
    PricedOperator result{*kernel, std::nullopt};
    if (space != std::string_view::npos) {
        result.dtype = dtype_from(text.substr(space + 1));
        if (!result.dtype) {
            return std::nullopt;
        }
    }
    return result;
}

Place place_of(const Section& section, std::string_view key) { return section.entries->find(key)->second.at; }

std::vector<std::string> optional_texts(DataFile& file, const Section& section, std::string_view key) {
    if (!section.has(key)) {
        return {};
    }
    std::vector<std::string> texts = file.texts(section, key);
    if (std::ranges::find(texts, "") != texts.end()) {
        file.fault(place_of(section, key),
                   fmt::format("{}.{}: an empty text fits everything", section.path, key));
    }
    return texts;
}

ProfiledClass read_class(DataFile& file, const Section& section) {
    file.allow(section, {"id", "duty", "operators", "transfers"});
    ProfiledClass result;
    result.id = file.text(section, "id");
    const std::string duty = file.text(section, "duty");
    if (const auto known = duty_from(duty)) {
        result.duty = *known;
    } else if (!duty.empty()) {
        file.fault(
            place_of(section, "duty"),
            fmt::format("{}.duty: \"{}\"; expected compute, communication or copy", section.path, duty));
    }
    for (const std::string& text : optional_texts(file, section, "operators")) {
        if (const auto priced = operator_from(text)) {
            result.operators.push_back(*priced);
        } else {
            file.fault(
                place_of(section, "operators"),
                fmt::format("{}.operators: \"{}\" is no operator; expected a kernel class with a number "
                            "format, \"gemm bf16\", or one that streams memory, \"norm_fwd\"",
                            section.path, text));
        }
    }
    for (const std::string& text : optional_texts(file, section, "transfers")) {
        if (std::ranges::find(kTransfers, text) != kTransfers.end()) {
            result.transfers.push_back(text);
        } else {
            file.fault(place_of(section, "transfers"),
                       fmt::format("{}.transfers: \"{}\" is no transfer; expected one of {}", section.path,
                                   text, fmt::join(kTransfers, ", ")));
        }
    }
    return result;
}

KernelRule read_rule(DataFile& file, const Section& section, const std::vector<ProfiledClass>& classes) {
    file.allow(section, {"class", "any", "all", "categories", "streams", "source"});
    KernelRule rule;
    const std::string of_class = file.text(section, "class");
    const auto found = std::ranges::find(classes, of_class, &ProfiledClass::id);
    if (found != classes.end()) {
        rule.of_class = static_cast<std::size_t>(found - classes.begin());
    } else if (!of_class.empty()) {
        file.fault(place_of(section, "class"),
                   fmt::format("{}.class: no class has the id \"{}\"", section.path, of_class));
    }
    rule.any = optional_texts(file, section, "any");
    rule.all = optional_texts(file, section, "all");
    rule.categories = optional_texts(file, section, "categories");
    rule.streams = optional_texts(file, section, "streams");
    if (rule.any.empty() && rule.all.empty() && rule.categories.empty() && rule.streams.empty()) {
        file.fault(section.at,
                   fmt::format("{}: no condition; expected any, all, categories or streams", section.path));
    }
    return rule;
}

KernelRules read_rules(DataFile& file) {
    KernelRules rules;
    file.allow(file.root(), {"class", "rule"});
    for (const Section& section : file.sections(file.root(), "class")) {
        rules.classes.push_back(read_class(file, section));
        const std::string& id = rules.classes.back().id;
        if (!id.empty() && std::ranges::count(rules.classes, id, &ProfiledClass::id) > 1) {
            file.fault(place_of(section, "id"),
                       fmt::format("{}.id: \"{}\" is there twice", section.path, id));
        }
    }
    for (const Section& section : file.sections(file.root(), "rule")) {
        rules.rules.push_back(read_rule(file, section, rules.classes));
    }
    return rules;
}

bool has(const std::vector<std::string>& list, std::string_view text) {
    return list.empty() || std::ranges::find(list, text) != list.end();
}

bool applies(const KernelRule& rule, std::string_view kernel, std::string_view category,
             std::string_view stream) {
    const auto within = [&](const std::string& part) { return kernel.find(part) != std::string_view::npos; };
    return has(rule.categories, category) && has(rule.streams, stream) &&
           std::ranges::all_of(rule.all, within) &&
           (rule.any.empty() || std::ranges::any_of(rule.any, within));
}

} // namespace

std::string_view name(Duty duty) {
    return duty == Duty::compute ? "compute" : duty == Duty::communication ? "communication" : "copy";
}

std::string to_text(const PricedOperator& priced) {
    return priced.dtype ? fmt::format("{} {}", name(priced.kernel), name(*priced.dtype))
                        : std::string(name(priced.kernel));
}

std::optional<std::size_t> KernelRules::classify(std::string_view kernel, std::string_view category,
                                                 std::string_view stream) const {
    const auto found = std::ranges::find_if(
        rules, [&](const KernelRule& rule) { return applies(rule, kernel, category, stream); });
    return found == rules.end() ? std::nullopt : std::optional(found->of_class);
}

KernelRules load_kernel_rules(const std::filesystem::path& path) {
    const std::string name = (path.empty() ? data_path("kernel_rules") / "kineto.toml" : path).string();
    std::string text;
    try {
        text = read_text_file(name);
    } catch (const std::runtime_error& error) {
        throw CatalogError(fmt::format("{}: error: {}", name, error.what()));
    }
    DataFile file(name, text);
    KernelRules rules = file.parsed() ? read_rules(file) : KernelRules{};
    if (!file.faults().empty()) {
        throw CatalogError(fmt::format("{}", fmt::join(file.faults(), "\n")));
    }
    return rules;
}

} // namespace chokepoint::hw
