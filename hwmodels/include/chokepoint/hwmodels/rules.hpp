// SPDX-License-Identifier: Apache-2.0
// Export rules as data: what a rule says of a part, by how much, and which caps would make the part
// admissible.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

/// What rules set thresholds on. `aggregate_io` counts `GpuSpec::nvlink`, both directions, and nothing else:
/// the 2022 rule means all input and output but memory, but parts carry no PCIe figure (64 GB/s for
/// generation 4, 128 for 5). `performance_density` is TPP per mm2 of die; a die area that is missing or an
/// estimate leaves it unknown.
enum class Figure { tpp, performance_density, aggregate_io, memory_bandwidth, hbm_bandwidth_density };
std::string_view name(Figure);
/// `value` as it is printed: "15,832", "19.45", "900 GB/s". Bandwidths are held in bytes per second, density
/// of memory bandwidth in GB/s per mm2.
std::string to_text(Figure, double value);
/// Nothing if the part lacks what the figure is counted from.
std::optional<double> figure_of(const GpuSpec&, Figure);

enum class Bound { at_least, above, below, at_most };
std::string_view name(Bound);

struct Threshold {
    Figure figure = Figure::tpp;
    Bound bound = Bound::at_least;
    double limit = 0.0; ///< in the unit that to_text(Figure, double) takes
    friend bool operator==(const Threshold&, const Threshold&) = default;
};

/// All of them must hold.
using Conjunction = std::vector<Threshold>;

enum class Subject { accelerator, stand_alone_hbm };

/// What a rule makes of a part; the first four from mild to severe.
enum class Ruling { free, case_by_case, licence, presumption_of_denial, not_applicable, undetermined };
std::string_view name(Ruling);

struct Rule {
    std::string id; ///< "us-2023-10a"
    std::string title;
    std::string instrument; ///< "88 FR 73458, ECCN 3A090.a"
    std::string source;
    std::string effective;            ///< first day in force, "2023-11-17"
    std::optional<std::string> until; ///< first day no longer in force
    Subject applies_to = Subject::accelerator;
    std::vector<Conjunction> scope; ///< the rule speaks of parts that meet any of them; of all if empty
    std::vector<Conjunction> alternatives; ///< parts that meet any of them get `consequence`
    Ruling consequence = Ruling::licence;
    Ruling otherwise = Ruling::free; ///< milder than `consequence` in a restriction, more severe in an easing
    std::optional<std::string> note; ///< conditions that no figure expresses
    friend bool operator==(const Rule&, const Rule&) = default;
};

/// The shipped rules and then those of the user's directories (rule/*.toml; a later file replaces an earlier
/// one of the same id), oldest first. A directory without rules adds none.
/// @throws CatalogError with every fault of every file.
std::vector<Rule> load_rules(const std::vector<std::filesystem::path>& user_directories = {});

/// One rule file. @throws CatalogError with every fault of it.
Rule load_rule(const std::filesystem::path&);

/// `day` is an ISO date.
bool in_force(const Rule&, std::string_view day);

struct Margin {
    Threshold threshold;
    std::optional<double> value; ///< nothing if the figure is unknown
    std::optional<double> ratio; ///< value / limit
    friend bool operator==(const Margin&, const Margin&) = default;
};

struct Verdict {
    Ruling ruling = Ruling::undetermined;
    std::vector<std::string> missing; ///< when undetermined: the keys the part's file would have to give
    std::vector<Margin> margins;      ///< of each distinct threshold: the alternatives', then the scope's
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// An unknown figure leaves a verdict undetermined only if it could change it.
Verdict classify(const Rule&, const GpuSpec&);

/// True if the ruling is the milder of the rule's two, or if the rule does not apply.
bool admits(const Rule&, const Verdict&);

/// A cap stays by this share under its threshold: too little to show in print, enough that scaling a part's
/// rates to the cap cannot round it over.
inline constexpr double kCapClearance = 1e-9;

/// Every minimal set of caps with which all of the rules admit the part: no cap of a set can be raised or
/// dropped without tightening another. One empty set if the part is admitted as it is; none if no caps are
/// known to be enough.
std::vector<Caps> minimal_caps(std::span<const Rule>, const GpuSpec&);
inline std::vector<Caps> minimal_caps(const Rule& rule, const GpuSpec& gpu) {
    return minimal_caps(std::span(&rule, 1), gpu);
}

} // namespace chokepoint::hw
