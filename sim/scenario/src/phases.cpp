// SPDX-License-Identifier: Apache-2.0
// Turns each [[campaign.phase]] into the document it stands for: the scenario with the phase's keys in place.
#include "reading.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::sim::loader {
namespace {

constexpr std::string_view kPhase = "campaign.phase";
// What a phase says of itself and the scenario says of a run without phases.
constexpr std::array<std::string_view, 3> kOwn{"tokens", "ramp_from", "ramp_tokens"};

std::string in_phase(const PhaseDraft& phase, std::string_view message) {
    return fmt::format("phase {}: {}", in_quotes(phase.name), message);
}

void check_phase(Reading& reading, const RecordReading& record, const PhaseDraft& phase) {
    const int ways = int(record.slot("tokens").given) + int(record.slot("steps").given) +
                     int(record.slot("gpu_hours").given);
    if (ways != 1) {
        reading.fault(record.place,
                      in_phase(phase, fmt::format("{} of tokens, steps and gpu_hours; expected exactly one",
                                                  ways == 0 ? "none" : "more than one")));
    }
    const bool given = record.slot("gpu_hours").given;
    if (given && !record.overrides.empty()) {
        reading.fault(record.overrides.front().key,
                      in_phase(phase, "gpu_hours are an input; a plan or model beside them changes nothing"));
    }
    for (const std::string_view ramp : {"ramp_from", "ramp_tokens"}) {
        if (record.slot(ramp).given && !record.slot("tokens").given) {
            reading.fault(record.slot(ramp).place,
                          in_phase(phase, fmt::format("{} is given without tokens", ramp)));
        }
    }
}

Raw raw_of(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        return {*whole};
    }
    return {std::get<double>(value)};
}

} // namespace

void check_phases(Reading& reading) {
    std::size_t index = 0;
    for (const RecordReading& record : reading.records()) {
        if (record.section->path == kPhase) {
            check_phase(reading, record, reading.draft.phases[index++]);
        }
    }
    if (index == 0) {
        return;
    }
    for (const std::string_view ramp : {"campaign.ramp_from", "campaign.ramp_tokens"}) {
        if (reading.slot(ramp).given) {
            reading.fault(ramp, fmt::format("{} is given beside [[campaign.phase]]; expected it in the phase "
                                            "that it belongs to",
                                            label(ramp)));
        }
    }
}

std::vector<PhaseDocument> phase_documents(const Reading& reading, const Document& document) {
    std::vector<PhaseDocument> phases;
    for (const RecordReading& record : reading.records()) {
        if (record.section->path != kPhase) {
            continue;
        }
        PhaseDocument phase{reading.draft.phases[phases.size()], record.place, document};
        std::erase_if(phase.document.records,
                      [](const Record& other) { return join_path(other.path) == kPhase; });
        std::erase_if(phase.document.entries, [](const Entry& entry) {
            const std::string path = join_path(entry.path);
            return path == kPhase || std::ranges::any_of(kOwn, [&](std::string_view own) {
                       return path == fmt::format("campaign.{}", own);
                   });
        });
        for (const Entry& entry : record.overrides) {
            replace(phase.document.entries, entry);
        }
        Draft draft = reading.draft;
        record.section->repeat.select(draft, phases.size());
        for (const std::string_view own : kOwn) {
            const Slot& slot = record.slot(own);
            if (slot.given) {
                replace(phase.document.entries, {{"campaign", std::string(own)},
                                                 slot.place,
                                                 slot.place,
                                                 raw_of(slot.key->field.get(draft))});
            }
        }
        phases.push_back(std::move(phase));
    }
    return phases;
}

void check_total(Reading& reading, double tokens) {
    constexpr double kRounding = 1e-6; // what "14.8e12" may have left out
    const double total = reading.draft.campaign.tokens;
    if (reading.slot("campaign.tokens").given && std::abs(tokens - total) > kRounding * total) {
        reading.fault(
            "campaign.tokens",
            fmt::format("tokens ({:g}) differ from the {:g} that the phases add up to", total, tokens));
    }
}

} // namespace chokepoint::sim::loader
