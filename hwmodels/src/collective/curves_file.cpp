// SPDX-License-Identifier: Apache-2.0
// Collective curves as TOML: the shipped fit file, and the part of a rates file that an import writes.
#include "curves_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

template <typename T>
T named(DataFile& file, const Section& section, std::string_view key,
        std::optional<T> (*from)(std::string_view)) {
    const std::string text = file.text(section, key);
    const auto value = from(text);
    if (!value && !text.empty()) {
        file.fault(section.entries->find(key)->second.at,
                   fmt::format("{}.{}: no {} is called '{}'", section.path, key, key, text));
    }
    return value.value_or(T{});
}

/// A number that may be absent: zero is written so.
double optional_number(DataFile& file, const Section& section, std::string_view key) {
    return section.has(key) ? file.quantity(section, key, Dimension::count) : 0.0;
}

Seconds optional_time(DataFile& file, const Section& section, std::string_view key) {
    return section.has(key) ? Seconds(file.quantity(section, key, Dimension::seconds)) : Seconds(0.0);
}

CollectiveRegime read_regime(DataFile& file, const Section& section) {
    file.allow(section, {"protocol", "until", "start", "per_hop", "share", "own", "memory"});
    CollectiveRegime regime;
    regime.protocol = file.text(section, "protocol");
    if (section.has("until")) {
        regime.until = optional_time(file, section, "until");
    }
    regime.start = optional_time(file, section, "start");
    regime.per_hop = optional_number(file, section, "per_hop");
    regime.share = file.quantity(section, "share", Dimension::count);
    regime.own = optional_number(file, section, "own");
    regime.memory = optional_number(file, section, "memory");
    if (regime.share > 1.0) {
        file.fault(section.at, fmt::format("{}.share: {} of the port's rate; expected at most 1",
                                           section.path, regime.share));
    }
    return regime;
}

void check_order(DataFile& file, const Section& section, const CollectiveCurve& curve) {
    if (curve.regimes.empty()) {
        return;
    }
    for (std::size_t i = 0; i + 1 < curve.regimes.size(); ++i) {
        const auto& until = curve.regimes[i].until;
        if (!until || (i > 0 && curve.regimes[i - 1].until >= until)) {
            file.fault(section.at,
                       fmt::format("{}: every protocol but the last needs an 'until' above the one "
                                   "before it",
                                   section.path));
            return;
        }
    }
    if (curve.regimes.back().until) {
        file.fault(section.at, fmt::format("{}: the last protocol ends ('until'); expected it to hold for "
                                           "every larger size",
                                           section.path));
    }
}

} // namespace

std::vector<CollectiveCurve> read_collective_curves(DataFile& file, const Section& parent) {
    std::vector<CollectiveCurve> curves;
    for (const Section& section : file.sections(parent, "collective")) {
        file.allow(section, {"architecture", "op", "algorithm", "protocols"});
        CollectiveCurve curve;
        curve.architecture = file.text(section, "architecture");
        curve.op = named<Collective>(file, section, "op", &collective_from);
        curve.algorithm = named<Algorithm>(file, section, "algorithm", &algorithm_from);
        for (const Section& entry : file.sections(section, "protocols")) {
            curve.regimes.push_back(read_regime(file, entry));
        }
        check_order(file, section, curve);
        curves.push_back(std::move(curve));
    }
    return curves;
}

std::string to_toml(std::span<const CollectiveCurve> curves) {
    std::string text;
    for (const CollectiveCurve& curve : curves) {
        fmt::format_to(
            std::back_inserter(text),
            "\n[[collective]]\narchitecture = \"{}\"\nop = \"{}\"\nalgorithm = \"{}\"\nprotocols = [\n",
            curve.architecture, name(curve.op), name(curve.algorithm));
        for (const CollectiveRegime& regime : curve.regimes) {
            std::vector<std::string> members{fmt::format("protocol = \"{}\"", regime.protocol)};
            const auto add = [&](std::string_view key, double value, std::string_view unit) {
                if (value > 0.0) {
                    members.push_back(unit.empty() ? fmt::format("{} = {:.6g}", key, value)
                                                   : fmt::format("{} = \"{:.6g} {}\"", key, value, unit));
                }
            };
            add("until", regime.until.value_or(Seconds(0.0)).value() * 1e6, "us");
            add("start", regime.start.value() * 1e6, "us");
            add("per_hop", regime.per_hop, "");
            add("share", regime.share, "");
            add("own", regime.own, "");
            add("memory", regime.memory, "");
            fmt::format_to(std::back_inserter(text), "  {{ {} }},\n", fmt::join(members, ", "));
        }
        text += "]\n";
    }
    return text;
}

std::vector<CollectiveCurve> load_collective_curves() {
    const std::string path = (data_path("fits") / "collectives.toml").string();
    DataFile file(path, read_text_file(path));
    std::vector<CollectiveCurve> curves;
    if (file.parsed()) {
        file.allow(file.root(), {"collective"});
        curves = read_collective_curves(file, file.root());
    }
    if (!file.faults().empty()) {
        throw std::runtime_error(fmt::format("{}", fmt::join(file.faults(), "\n")));
    }
    return curves;
}

} // namespace chokepoint::hw
