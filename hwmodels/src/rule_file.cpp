// SPDX-License-Identifier: Apache-2.0
// Reads export rules from TOML, so that a user's hypothetical rule is as good as a real one.
#include "data_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/rules.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iterator>
#include <map>
#include <span>

namespace chokepoint::hw {
namespace {

constexpr std::array kAllFigures{Figure::tpp, Figure::performance_density, Figure::aggregate_io,
                                 Figure::memory_bandwidth, Figure::hbm_bandwidth_density};
/// What a rule can make of a part; the other rulings follow from the part.
constexpr std::array kConsequences{Ruling::free, Ruling::case_by_case, Ruling::licence,
                                   Ruling::presumption_of_denial};

Dimension dimension_of(Figure figure) {
    const bool is_rate = figure == Figure::aggregate_io || figure == Figure::memory_bandwidth;
    return is_rate ? Dimension::bandwidth : Dimension::count;
}

template <typename Value> std::optional<Value> named(std::span<const Value> all, std::string_view text) {
    const auto found = std::ranges::find(all, text, [](Value value) { return name(value); });
    return found == all.end() ? std::nullopt : std::optional(*found);
}

template <typename Value> std::string names(std::span<const Value> all) {
    std::vector<std::string_view> texts;
    std::ranges::transform(all, std::back_inserter(texts), [](Value value) { return name(value); });
    return fmt::format("{}", fmt::join(texts, ", "));
}

Place place_of(const Section& section, std::string_view key) { return section.entries->find(key)->second.at; }

/// "2023-11-17", a day that exists.
bool is_day(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return false;
    }
    const auto number = [&](std::size_t from, std::size_t digits) {
        int value = -1;
        const char* end = text.data() + from + digits;
        return std::from_chars(text.data() + from, end, value).ptr == end ? value : -1;
    };
    const int month = number(5, 2);
    const int day = number(8, 2);
    return month > 0 && day > 0 &&
           std::chrono::year_month_day(std::chrono::year(number(0, 4)),
                                       std::chrono::month(static_cast<unsigned>(month)),
                                       std::chrono::day(static_cast<unsigned>(day)))
               .ok();
}

std::string read_day(DataFile& file, const Section& root, std::string_view key) {
    const std::string day = file.text(root, key);
    if (!day.empty() && !is_day(day)) {
        file.fault(place_of(root, key),
                   fmt::format("{}: \"{}\" is no day; expected one such as 2023-11-17", key, day));
    }
    return day;
}

/// At most one of two bounds that limit a figure from the same side.
std::optional<Threshold> read_side(DataFile& file, const Section& bounds, Figure figure, Bound one,
                                   Bound other) {
    if (bounds.has(name(one)) && bounds.has(name(other))) {
        file.fault(place_of(bounds, name(other)),
                   fmt::format("{}: both {} and {}; give one", bounds.path, name(one), name(other)));
        return std::nullopt;
    }
    for (const Bound bound : {one, other}) {
        if (bounds.has(name(bound))) {
            return Threshold{figure, bound, file.quantity(bounds, name(bound), dimension_of(figure))};
        }
    }
    return std::nullopt;
}

/// "at least", as a message says it.
std::string words(Bound bound) {
    std::string text(name(bound));
    std::ranges::replace(text, '_', ' ');
    return text;
}

void check_contradiction(DataFile& file, const Section& bounds, const Threshold& lower,
                         const Threshold& upper) {
    const bool closed = lower.bound == Bound::at_least && upper.bound == Bound::at_most;
    const bool read = lower.limit > 0.0 && upper.limit > 0.0;
    if (read && (lower.limit > upper.limit || (lower.limit == upper.limit && !closed))) {
        file.fault(place_of(bounds, name(lower.bound)),
                   fmt::format("{}: no value is {} {} and {} {}", bounds.path, words(lower.bound),
                               to_text(lower.figure, lower.limit), words(upper.bound),
                               to_text(upper.figure, upper.limit)));
    }
}

void read_thresholds(DataFile& file, const Section& bounds, Figure figure, Conjunction& conjunction) {
    file.allow(bounds, {"at_least", "above", "below", "at_most"});
    const auto lower = read_side(file, bounds, figure, Bound::at_least, Bound::above);
    const auto upper = read_side(file, bounds, figure, Bound::below, Bound::at_most);
    if (lower && upper) {
        check_contradiction(file, bounds, *lower, *upper);
    }
    for (const auto& threshold : {lower, upper}) {
        if (threshold) {
            conjunction.push_back(*threshold);
        }
    }
    if (bounds.entries->empty()) {
        file.fault(bounds.at,
                   fmt::format("{}: no bound; expected at_least, above, below or at_most", bounds.path));
    }
}

Conjunction read_conjunction(DataFile& file, const Section& conditions) {
    Conjunction conjunction;
    for (const auto& [key, value] : *conditions.entries) {
        const auto figure = named<Figure>(kAllFigures, key);
        if (!figure) {
            file.fault(value.key_at, fmt::format("{}.{}: no figure of that name; expected one of {}",
                                                 conditions.path, key, names<Figure>(kAllFigures)));
        } else if (const Section bounds = file.section(conditions, key);
                   std::holds_alternative<DataTable>(value.held)) {
            read_thresholds(file, bounds, *figure, conjunction);
        }
    }
    if (conditions.entries->empty()) {
        file.fault(conditions.at, fmt::format("{}: no conditions; expected one on {}", conditions.path,
                                              names<Figure>(kAllFigures)));
    }
    return conjunction;
}

std::vector<Conjunction> read_conjunctions(DataFile& file, std::string_view key) {
    std::vector<Conjunction> conjunctions;
    const std::size_t faults = file.faults().size();
    for (const Section& conditions : file.sections(file.root(), key)) {
        conjunctions.push_back(read_conjunction(file, conditions));
    }
    if (conjunctions.empty() && file.faults().size() == faults) {
        file.fault(place_of(file.root(), key), fmt::format("{}: an empty list", key));
    }
    return conjunctions;
}

Ruling read_ruling(DataFile& file, std::string_view key) {
    const std::string text = file.text(file.root(), key);
    const auto ruling = named<Ruling>(kConsequences, text);
    if (!ruling && !text.empty()) {
        file.fault(place_of(file.root(), key),
                   fmt::format("{}: no ruling is called \"{}\"; expected one of {}", key, text,
                               names<Ruling>(kConsequences)));
    }
    return ruling.value_or(Ruling::undetermined);
}

Subject read_subject(DataFile& file) {
    const std::string text = file.text(file.root(), "applies_to");
    if (!text.empty() && text != "accelerator" && text != "stand_alone_hbm") {
        file.fault(place_of(file.root(), "applies_to"),
                   fmt::format("applies_to: \"{}\"; expected \"accelerator\" or \"stand_alone_hbm\"", text));
    }
    return text == "stand_alone_hbm" ? Subject::stand_alone_hbm : Subject::accelerator;
}

Rule read_rule(DataFile& file, const std::string& stem) {
    const Section root = file.root();
    file.allow(root, {"id", "title", "instrument", "source", "effective", "until", "applies_to",
                      "consequence", "otherwise", "note", "scope", "alternative"});
    Rule rule;
    rule.id = file.text(root, "id");
    rule.title = file.text(root, "title");
    rule.instrument = file.text(root, "instrument");
    rule.source = file.text(root, "source");
    rule.effective = read_day(file, root, "effective");
    if (root.has("until")) {
        rule.until = read_day(file, root, "until");
    }
    rule.applies_to = read_subject(file);
    rule.consequence = read_ruling(file, "consequence");
    rule.otherwise = read_ruling(file, "otherwise");
    if (root.has("note")) {
        rule.note = file.text(root, "note");
    }
    if (root.has("scope")) {
        rule.scope = read_conjunctions(file, "scope");
    }
    rule.alternatives = read_conjunctions(file, "alternative");

    if (!rule.id.empty() && rule.id != stem) {
        file.fault(place_of(root, "id"),
                   fmt::format("id: \"{}\" in a file called \"{}.toml\"; they must agree", rule.id, stem));
    }
    if (is_day(rule.effective) && rule.until && is_day(*rule.until) && *rule.until <= rule.effective) {
        file.fault(place_of(root, "until"),
                   fmt::format("until: {} is not after effective, {}", *rule.until, rule.effective));
    }
    if (rule.consequence == rule.otherwise && rule.consequence != Ruling::undetermined) {
        file.fault(place_of(root, "otherwise"),
                   fmt::format("otherwise: {}, as consequence is; the thresholds would decide nothing",
                               name(rule.otherwise)));
    }
    return rule;
}

Rule read_rule_file(const std::filesystem::path& path, std::vector<std::string>& faults) {
    try {
        DataFile file(path.string(), read_text_file(path.string()));
        Rule rule = file.parsed() ? read_rule(file, path.stem().string()) : Rule{};
        faults.insert(faults.end(), file.faults().begin(), file.faults().end());
        return rule;
    } catch (const std::runtime_error& error) {
        faults.push_back(fmt::format("{}: error: {}", path.string(), error.what()));
        return {};
    }
}

void throw_if_any(const std::vector<std::string>& faults) {
    if (!faults.empty()) {
        throw CatalogError(fmt::format("{}", fmt::join(faults, "\n")));
    }
}

} // namespace

Rule load_rule(const std::filesystem::path& path) {
    std::vector<std::string> faults;
    Rule rule = read_rule_file(path, faults);
    throw_if_any(faults);
    return rule;
}

std::vector<Rule> load_rules(const std::vector<std::filesystem::path>& user_directories) {
    std::vector<std::filesystem::path> directories{data_path("catalog")};
    directories.insert(directories.end(), user_directories.begin(), user_directories.end());
    std::vector<std::string> faults;
    std::map<std::string, Rule> by_id;
    for (const std::filesystem::path& directory : directories) {
        std::error_code ignored;
        if (!std::filesystem::is_directory(directory, ignored)) {
            faults.push_back(fmt::format("{}: error: no such catalog directory", directory.string()));
        }
        for (const std::filesystem::path& path : toml_files(directory / "rule")) {
            Rule rule = read_rule_file(path, faults);
            by_id.insert_or_assign(rule.id, rule);
        }
    }
    throw_if_any(faults);
    std::vector<Rule> rules;
    std::ranges::transform(by_id, std::back_inserter(rules), [](const auto& entry) { return entry.second; });
    std::ranges::stable_sort(rules, {}, &Rule::effective);
    return rules;
}

} // namespace chokepoint::hw
