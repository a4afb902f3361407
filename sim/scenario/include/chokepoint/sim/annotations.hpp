// SPDX-License-Identifier: Apache-2.0
// What the author of a scenario wrote beside its values: the comments that TOML leaves out, which say where a
// value is from.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

struct Annotations {
    /// By line of the value: the comment behind it, or else the lines right above it, or else those above its
    /// table's header.
    std::map<int, std::string> beside;
    /// "[1] DeepSeek-V3 technical report, arXiv 2412.19437", in their order.
    std::vector<std::string> references;
    friend bool operator==(const Annotations&, const Annotations&) = default;
};

/// Of the text of a scenario file.
Annotations read_annotations(std::string_view text);

/// The line that ResolvedValue::where names, "v3.toml:7:12"; 0 for "--set" and for what no file says.
int line_of(std::string_view where);

} // namespace chokepoint::sim
