// SPDX-License-Identifier: Apache-2.0
// Names points by their content, so that equal ones are simulated once whoever asks.
#include <chokepoint/sim/point.hpp>

#include <chokepoint/hwmodels/build_info.hpp>

#include <fmt/format.h>

namespace chokepoint::sim {
namespace {

/// FNV-1a of 128 bits: draft-eastlake-fnv, sections 2 and 5. Among a million points two share one with a
/// chance of 1e-27.
class Fnv128 {
public:
    void add(std::string_view text) {
        for (const char c : text) {
            add_byte(static_cast<unsigned char>(c));
        }
        add_byte(0); // so that moving a byte between texts changes the hash
    }
    [[nodiscard]] std::string text() const {
        return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash_ >> 64U),
                           static_cast<std::uint64_t>(hash_));
    }

private:
    __extension__ using Wide = unsigned __int128;
    static constexpr Wide wide(std::uint64_t high, std::uint64_t low) { return (Wide{high} << 64U) | low; }
    void add_byte(unsigned char byte) { hash_ = (hash_ ^ byte) * wide(0x1000000, 0x13b); }
    Wide hash_ = wide(0x6c62272e07bb0142, 0x62b821756295c58d);
};

Fnv128 of_program(const std::string& catalog_hash) {
    Fnv128 hash;
    hash.add(hw::version());
    hash.add(hw::commit());
    hash.add(catalog_hash);
    return hash;
}

void add(Fnv128& hash, const Scenario& scenario) {
    for (const ResolvedValue& value : scenario.resolved()) {
        hash.add(value.key);
        // The text says the rest of what a list or a name is; of numbers it may be written in several ways.
        hash.add(value.is_text ? value.text : fmt::format("{}", value.base));
    }
    for (const Phase& phase : scenario.phases()) {
        hash.add(phase.name);
        if (phase.scenario) {
            add(hash, *phase.scenario);
        }
    }
}

} // namespace

std::string content_key(const Scenario& scenario) {
    Fnv128 hash = of_program(scenario.catalog_hash());
    add(hash, scenario);
    return hash.text();
}

std::string content_key(const ScenarioTemplate& source, std::span<const std::string> overrides) {
    Fnv128 hash = of_program(source.catalog_hash());
    hash.add("no scenario");
    hash.add(source.text());
    for (const std::string& text : overrides) {
        hash.add(text);
    }
    return hash.text();
}

} // namespace chokepoint::sim
