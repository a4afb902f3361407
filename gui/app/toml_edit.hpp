// SPDX-License-Identifier: GPL-3.0-or-later
// Changes single values of a TOML text and leaves every other byte, comments and order included, as it is.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::gui {

/// A value's place in the text, in bytes, and what it says.
struct TomlValue {
    std::size_t begin = 0, end = 0;
    int line = 0;     ///< 1-based
    std::string text; ///< of strings their content; of others the literal
};

/// Every value of a text by its dotted key; those of arrays of tables as "perturb[0].speed".
struct TomlIndex {
    std::map<std::string, TomlValue> values;
    std::map<std::string, int> tables; ///< of arrays of tables, how many each has
    /// The dotted key of the value at a line; empty if there is none.
    [[nodiscard]] std::string key_at(int line) const;
};

/// Nothing if the text is no TOML.
std::optional<TomlIndex> index_toml(std::string_view text);

/// The text with `key` set to a TOML literal: in place if it is there, else as a new line at the end of its
/// table. Nothing if the text is no TOML, or if the key cannot be added to it (its table is a value there).
std::optional<std::string> set_toml(std::string_view text, const std::string& key,
                                    const std::string& literal);
/// The text with one more [[name]] at its end.
std::string add_toml_table(std::string_view text, const std::string& name);
/// The text with `key = …` called `key.inner = …`: what `key` is short for, so that other keys of the table
/// can stand beside it. Nothing if the text has no such key.
std::optional<std::string> spell_out_toml(std::string_view text, const std::string& key,
                                          const std::string& inner);
/// The text without the key's line, or without the key where its inline table has others. The text itself if
/// it has no such key; nothing if it is no TOML.
std::optional<std::string> remove_toml(std::string_view text, const std::string& key);

/// "a\"b" in quotes, escaped as TOML's basic strings are.
std::string toml_string(std::string_view text);

} // namespace chokepoint::gui
