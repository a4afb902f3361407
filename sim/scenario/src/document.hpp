// SPDX-License-Identifier: Apache-2.0
// A TOML text as a flat list of keys, each with its place: all that the loader sees of TOML.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <cstdint>
#include <variant>

namespace chokepoint::sim::loader {

/// Where a key or value stands: a position in the file, or a --set override (then `file` names it).
struct Place {
    std::string file;
    int line = 0, column = 0;
    bool is_override = false;
};
Diagnostic at(const Place&, std::string message);
/// "v3.toml:7:12", or "--set".
std::string to_text(const Place&);

struct Raw;
using RawList = std::vector<Raw>;
/// What TOML has and scenarios do not: "a date", "a table".
struct Foreign {
    std::string noun;
};
/// A value as it stands in the file, before anyone asked whether it fits.
struct Raw {
    std::variant<std::string, std::int64_t, double, bool, RawList, Foreign> value;
};
inline constexpr const char* kTableNoun = "a table";
/// How a fault names what it found: `"256"`, `-4`, `true`, `a list`.
std::string describe(const Raw&);

struct Entry {
    std::vector<std::string> path; ///< {"cluster", "caps", "nic"}
    Place key, value;
    std::optional<Raw> raw; ///< nothing: a table
};

/// One element of an array of tables, [[campaign.phase]]. Its entries' paths start inside it.
struct Record {
    std::vector<std::string> path; ///< of the array: {"campaign", "phase"}
    Place place;
    std::vector<Entry> entries;
};

/// Tables come before the keys inside them. An array of tables is an entry, and each of its tables a record.
struct Document {
    std::string file;
    std::vector<Entry> entries;
    std::vector<Record> records; ///< in the order of the file within an array
};

/// @throws ScenarioError with one fault if the text is not TOML.
Document parse_document(std::string_view text, const std::string& file);

/// A file's text, at most a little more than a scenario may have.
/// @throws ScenarioError with one fault if it cannot be read; `noun` is what it should have been ("a
/// schedule").
std::string read_text(const std::filesystem::path&, std::string_view noun);

/// An override's value: TOML if it reads as one, else the bare text.
Raw parse_override_value(std::string_view text);

} // namespace chokepoint::sim::loader
