// SPDX-License-Identifier: Apache-2.0
// Reads the tables of an array, [[campaign.phase]], by the same table of keys as the rest of a scenario.
#include "reading.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim::loader {

void Reading::read_records(const Document& document) {
    for (const Section& section : all_sections()) {
        std::size_t index = 0;
        for (const Record& record : document.records) {
            if (section.repeated() && join_path(record.path) == section.path) {
                read_record(section, record, index++);
            }
        }
    }
}

void Reading::read_record(const Section& section, const Record& record, std::size_t index) {
    RecordReading reading{&section, index, record.place, {}, {}};
    std::map<std::string, const Entry*, std::less<>> given;
    std::string skipped;
    for (const Entry& entry : record.entries) {
        const std::string inner = join_path(entry.path);
        if (!skipped.empty() && below(inner, skipped)) {
            continue;
        }
        skipped = entry.raw ? "" : inner;
        const std::string path = fmt::format("{}.{}", section.path, inner);
        const bool replaces = std::ranges::any_of(
            section.overrides, [&](std::string_view outer) { return below(inner, outer); });
        const Key* replaced = replaces ? find_key(inner) : nullptr;
        if (entry.path.size() == 1 && find_key(path) != nullptr) {
            given[path] = &entry;
        } else if (replaced != nullptr && !in_record(*replaced)) {
            reading.overrides.push_back(entry);
        } else if (replaces && find_section(inner) != nullptr && !entry.raw) {
            skipped.clear(); // its keys follow
        } else {
            Entry unknown_entry = entry;
            if (!replaces) {
                unknown_entry.path.insert(unknown_entry.path.begin(), record.path.begin(), record.path.end());
            }
            unknown(unknown_entry);
        }
    }
    section.repeat.begin(draft);
    for (const Key& key : all_keys()) {
        if (section_of(key.path) != section.path) {
            continue;
        }
        Slot slot{.key = &key, .place = record.place, .where = std::string(key.reason)};
        if (const auto found = given.find(key.path); found != given.end()) {
            read_given(slot, *found->second);
        } else {
            fill_absent(slot);
            if (key.need == Need::required && !excused(key.path)) {
                faults.push_back(at(record.place, missing_key(key)));
            }
        }
        reading.slots.push_back(std::move(slot));
    }
    section.repeat.store(draft);
    records_.push_back(std::move(reading));
}

const Slot& RecordReading::slot(std::string_view name) const {
    return *std::ranges::find_if(
        slots, [&](const Slot& slot) { return slot.key->path.substr(section->path.size() + 1) == name; });
}

} // namespace chokepoint::sim::loader
