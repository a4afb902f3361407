// SPDX-License-Identifier: Apache-2.0
// What a scenario key is: the one description that reading, defaults, range checks, documentation and schema
// share.
#pragma once

#include "draft.hpp"

#include <span>
#include <string_view>

namespace chokepoint::sim::loader {

enum class Kind { text, choice, choices, integer, integers, number, boolean, quantity, date };

/// The names a key accepts. Fixed sets are part of the program; the others are data, shown by a command.
struct NameList {
    std::vector<std::string> (*names)(const Library&) = nullptr;
    std::string_view noun = {};      ///< "part": for messages
    std::string_view listed_by = {}; ///< "chokepoint list gpus"; empty: a fixed set
};

/// What values a key takes. Limits are texts in the key's own form ("1", "10 Tb/s"), inclusive.
struct Shape {
    Kind kind = Kind::text;
    std::string_view min = {}, max = {};
    hw::Dimension dimension = hw::Dimension::count;
    NameList list = {};
    std::string_view file_ending = {}; ///< ".json": a choice may also be a path that ends so
};

enum class Need {
    required,
    defaulted, ///< `fallback` if absent
    unset,     ///< may stay without a value
    node,      ///< from the node that the catalog puts the part in, else `fallback`
    computed,  ///< derived from other keys if absent
    fabric,    ///< from the fabric that cluster.fabric.name names; none where it does not apply
    preset,    ///< from model.arch; `fallback` if no preset is named, required if that is empty
};

struct Key {
    std::string_view path; ///< "cluster.caps.nic"
    Shape shape;
    Need need = Need::required;
    std::string_view fallback;
    std::string_view reason; ///< why the fallback, or what happens without a value
    std::string_view doc;    ///< one line
    Binding field;
};

/// How a draft takes the tables of an array, [[campaign.phase]]: the section's keys are bound to the fields
/// of one record at a time.
struct Repeat {
    void (*begin)(Draft&) = nullptr;               ///< a fresh record
    void (*store)(Draft&) = nullptr;               ///< the record is read
    void (*select)(Draft&, std::size_t) = nullptr; ///< an earlier record again
};

/// For a section bound to the member `Current`, whose records are kept in the member `All`.
template <auto Current, auto All>
inline constexpr Repeat repeat{[](Draft& draft) { draft.*Current = {}; },
                               [](Draft& draft) { (draft.*All).push_back(draft.*Current); },
                               [](Draft& draft, std::size_t i) { draft.*Current = (draft.*All)[i]; }};

struct Section {
    std::string_view path; ///< "cluster.caps"
    std::string_view doc;
    Repeat repeat = {};                               ///< of an array of tables
    std::span<const std::string_view> overrides = {}; ///< sections whose keys each of its tables may replace
    /// The key that a value given in place of the section means: `fabric = "x"` is `fabric.name = "x"`.
    std::string_view shorthand = {};
    [[nodiscard]] bool repeated() const { return repeat.begin != nullptr; }
};

/// Every key, grouped by section, in the order the documentation lists them.
std::span<const Key> all_keys();
std::span<const Section> all_sections();
/// Those of [plan], which are among them.
std::span<const Key> plan_keys();
/// Those of [reliability], [energy] and [cost], which are among them.
std::span<const Key> money_keys();
/// Those of [[perturb]], likewise.
std::span<const Key> perturb_keys();
const Key* find_key(std::string_view path);
const Section* find_section(std::string_view path);
/// Whether the key belongs to the tables of an array.
bool in_record(const Key&);
/// The path of the key that a value at `path` belongs to: "cluster.fabric.name" of "cluster.fabric".
std::string spelled_out(std::string_view path);

/// "cluster.caps" of "cluster.caps.nic"; "" of "title".
std::string_view section_of(std::string_view path);
/// The path below its top-level section, as messages name a key: "caps.nic" of "cluster.caps.nic".
std::string_view label(std::string_view path);

/// `a whole number from 1 to 64`, `a bandwidth such as "200 Gb/s"`.
std::string expected(const Shape&, const Library&);

/// A value read by a shape, or why it cannot be.
struct ReadResult {
    Value value;
    std::string text;  ///< as the file has it
    std::string fault; ///< empty: none
};
ReadResult read_value(const Raw&, const Shape&, const Library&);
/// A limit or default of the table; these are written like bare values of a --set.
Raw raw_from_text(std::string_view, const Shape&);

/// The value for people: "400 Gb/s", "[norm, activation]"; "none" without one.
std::string to_text(const Value&, const Shape&);

} // namespace chokepoint::sim::loader
