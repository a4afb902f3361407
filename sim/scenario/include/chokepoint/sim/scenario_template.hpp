// SPDX-License-Identifier: Apache-2.0
// A scenario whose keys may still change: reads the file and the catalog once, then makes any number of
// scenarios.
#pragma once

#include <chokepoint/sim/scenario.hpp>

namespace chokepoint::sim {

struct AxisValue {
    std::string text;             ///< as --set takes it: "50 GB/s"
    std::optional<double> number; ///< in base units, where the key is a number
    friend bool operator==(const AxisValue&, const AxisValue&) = default;
};

/// One dimension of a sweep: keys that change together.
struct Axis {
    std::vector<std::string> keys;
    std::vector<std::vector<AxisValue>> positions; ///< each with a value for every key
    std::vector<std::string> labels;               ///< what positions are called; empty: by their values
    /// "cluster.caps.nvlink"; of several keys "plan.tensor; plan.schedule".
    [[nodiscard]] std::string name() const;
    /// "400 GB/s", or its label.
    [[nodiscard]] std::string label(std::size_t position) const;
    friend bool operator==(const Axis&, const Axis&) = default;
};

class ScenarioTemplate {
public:
    /// @throws ScenarioError if the file cannot be read or is no TOML; std::runtime_error if the shipped
    /// catalog cannot be read. All other faults come with the scenarios made from it.
    static ScenarioTemplate load(const std::filesystem::path& file, LoadOptions = {});
    static ScenarioTemplate parse(std::string text, const std::string& file, LoadOptions = {});
    ~ScenarioTemplate();
    ScenarioTemplate(ScenarioTemplate&&) noexcept;
    ScenarioTemplate& operator=(ScenarioTemplate&&) noexcept;

    /// The scenario with these "key=value" in place, after the options' own. @throws ScenarioError
    [[nodiscard]] Scenario with(std::span<const std::string> overrides) const;
    /// The axes of [sweep], those of single keys first. @throws ScenarioError with every fault of [sweep]
    [[nodiscard]] const std::vector<Axis>& axes() const;
    /// An axis from "key=a,b,c", "key=from:to:count" or "key=log:from:to:count"; keys that change together
    /// are separated by ";". @throws ScenarioError naming the option that it came from
    [[nodiscard]] Axis axis(const std::string& text, const std::string& option = "--axis") const;

    [[nodiscard]] const std::string& text() const;
    /// As the file has it; empty if it has none.
    [[nodiscard]] std::string title() const;
    [[nodiscard]] const std::string& file() const;
    [[nodiscard]] const std::string& catalog_hash() const;

private:
    struct Content;
    explicit ScenarioTemplate(std::unique_ptr<Content>);
    std::unique_ptr<Content> content_;
};

} // namespace chokepoint::sim
