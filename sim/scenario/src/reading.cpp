// SPDX-License-Identifier: Apache-2.0
// Walks a document by the table of keys: reads what is known, names what is not, and fills in what is absent.
#include "reading.hpp"

#include "text.hpp"

#include <chokepoint/workloads/hf_config.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace chokepoint::sim::loader {
namespace {

// Guesses cost an edit distance to every key; a file with more slips than this is no scenario.
constexpr int kMaxGuesses = 50;

bool is_section(std::string_view path) { return !path.empty() && find_section(path) != nullptr; }

/// "[plan]", or "[[campaign.phase]]" of an array of tables.
std::string header(std::string_view section) {
    const Section* found = find_section(section);
    return fmt::format(fmt::runtime(found != nullptr && found->repeated() ? "[[{}]]" : "[{}]"), section);
}

std::string in_section(std::string_view section) {
    return section.empty() ? "at the top, before the first section" : fmt::format("in {}", header(section));
}

std::string last_part(std::string_view path) { return std::string(path.substr(path.rfind('.') + 1)); }

/// Names that may stand directly in a section: its keys and its own sections.
std::vector<std::string> members(std::string_view section) {
    std::vector<std::string> names;
    for (const Key& key : all_keys()) {
        if (section_of(key.path) == section) {
            names.push_back(last_part(key.path));
        }
    }
    for (const Section& inner : all_sections()) {
        if (!inner.path.empty() && section_of(inner.path) == section) {
            names.push_back(last_part(inner.path));
        }
    }
    if (const Section* own = find_section(section)) {
        names.insert(names.end(), own->overrides.begin(), own->overrides.end());
    }
    return names;
}

bool is_array_of_tables(const Entry& entry) {
    const auto* list = entry.raw ? std::get_if<RawList>(&entry.raw->value) : nullptr;
    return list != nullptr && std::all_of(list->begin(), list->end(), [](const Raw& item) {
               return std::holds_alternative<Foreign>(item.value) &&
                      std::get<Foreign>(item.value).noun == kTableNoun;
           });
}

const Key* find_elsewhere(std::string_view name) {
    const auto keys = all_keys();
    const auto found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return last_part(key.path) == name; });
    return found == keys.end() ? nullptr : &*found;
}

std::string quote_each(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    for (const std::string& name : names) {
        out.push_back(fmt::format("'{}'", name));
    }
    return join_and(out);
}

} // namespace

Reading::Reading(const Document& document, const Library& names) : library(names), file_(document.file) {
    for (const Key& key : all_keys()) {
        if (!in_record(key)) {
            slots_.push_back({.key = &key});
        }
    }
    read_entries(document);
    for (Slot& slot : slots_) {
        resolve(slot);
    }
    report_missing();
    read_records(document);
}

void Reading::read_entries(const Document& document) {
    std::string skipped; // the subtree of an entry that was refused
    for (const Entry& entry : document.entries) {
        const std::string path = entry.raw ? spelled_out(join_path(entry.path)) : join_path(entry.path);
        if (!skipped.empty() && below(path, skipped)) {
            continue;
        }
        const bool dotted = std::any_of(entry.path.begin(), entry.path.end(), [](const std::string& part) {
            return part.find('.') != std::string::npos;
        });
        const Key* key = dotted ? nullptr : find_key(path);
        const Section* section = dotted || path.empty() ? nullptr : find_section(path);
        if (key != nullptr && !in_record(*key)) {
            given_[path] = &entry;
            skipped = entry.raw ? "" : path;
        } else if (section != nullptr) {
            sections_[path] = entry.key;
            if (section->repeated() ? !is_array_of_tables(entry) : entry.raw.has_value()) {
                reject_section(entry, path);
                skipped = section->repeated() ? path : "";
            }
        } else {
            unknown(entry);
            skipped = entry.raw ? "" : path;
        }
    }
}

void Reading::reject_section(const Entry& entry, const std::string& path) {
    const bool repeated = find_section(path)->repeated();
    faults.push_back(at(entry.value, fmt::format("{}: found {}; expected {}, {}", last_part(path),
                                                 entry.raw ? describe(*entry.raw) : kTableNoun,
                                                 repeated ? "a list of tables" : "a section", header(path))));
    excused_.insert(path);
}

void Reading::unknown(const Entry& entry) {
    const std::string& name = entry.path.back();
    const std::string section = join_path(std::span(entry.path).first(entry.path.size() - 1));
    const bool is_table = !entry.raw;
    std::string message =
        is_table
            ? fmt::format("unknown section [{}]", printable(join_path(entry.path)))
            : fmt::format("unknown key '{}' {}", printable(name),
                          section.empty() ? "at the top" : fmt::format("in {}", printable(header(section))));
    const std::vector<std::string> known = members(section);
    const std::optional<std::string> guess = guesses_++ < kMaxGuesses ? nearest(name, known) : std::nullopt;
    if (const Key* quoted_key = find_key(name);
        quoted_key != nullptr && name.find('.') != std::string::npos) {
        message += fmt::format("; write {} without quotes", name);
        excused_.insert(name);
    } else if (guess) {
        const std::string path = section.empty() ? *guess : fmt::format("{}.{}", section, *guess);
        message += is_table && is_section(path) ? fmt::format("; did you mean [{}]?", path)
                                                : fmt::format("; did you mean '{}'?", *guess);
        excused_.insert(path);
    } else if (const Key* elsewhere = find_elsewhere(name)) {
        message += fmt::format("; it belongs {}", in_section(section_of(elsewhere->path)));
        excused_.insert(std::string(elsewhere->path));
    } else if (guesses_ <= kMaxGuesses) {
        message += fmt::format("; known: {}", fmt::join(known, ", "));
    }
    faults.push_back(at(entry.key, std::move(message)));
}

void Reading::resolve(Slot& slot) {
    const auto found = given_.find(slot.key->path);
    if (found != given_.end()) {
        read_given(slot, *found->second);
    } else {
        slot.place = section_place(section_of(slot.key->path));
        slot.where = slot.key->reason;
        fill_absent(slot);
    }
}

void Reading::read_given(Slot& slot, const Entry& entry) {
    const Key& key = *slot.key;
    slot.given = true;
    slot.place = entry.value;
    slot.origin = entry.value.is_override ? Origin::override_ : Origin::file;
    slot.where = to_text(entry.value);
    const ReadResult result = read_value(entry.raw.value_or(Raw{Foreign{kTableNoun}}), key.shape, library);
    slot.sound = result.fault.empty();
    if (!slot.sound) {
        faults.push_back(at(slot.place, fmt::format("{}: {}", label(key.path), result.fault)));
        return;
    }
    slot.text = result.text;
    key.field.set(draft, result.value);
    if (key.path == "model.arch") {
        slot.sound = read_model(entry.value);
    } else if (key.path == "cluster.transfers") {
        slot.sound = read_transfers(entry.value);
    } else if (key.path == "cluster.fits") {
        slot.sound = read_fits(entry.value);
    }
}

std::filesystem::path Reading::file_named(const std::string& name, const Place& place) const {
    // From the scenario's folder, so that the two can be moved together; an override is typed in a shell.
    return place.is_override ? std::filesystem::path(name)
                             : std::filesystem::path(file_).parent_path() / name;
}

bool Reading::read_transfers(const Place& place) {
    const std::string file = file_named(*draft.transfers, place).string();
    try {
        draft.transfer_rates = hw::load_transfer_rates(file);
        draft.digests["cluster.transfers"] = digest(read_text(file, "transfer rates"));
        return true;
    } catch (const std::runtime_error& error) {
        fault_lines(place, "transfers", error.what());
        return false;
    }
}

bool Reading::read_fits(const Place& place) {
    try {
        draft.own_fits = hw::read_own_fits(file_named(*draft.fits, place));
        return true;
    } catch (const std::runtime_error& error) {
        fault_lines(place, "fits", error.what());
        return false;
    }
}

void Reading::fault_lines(const Place& place, std::string_view key, const std::string& message) {
    std::istringstream lines{message};
    for (std::string line; std::getline(lines, line);) {
        faults.push_back(at(place, fmt::format("{}: {}", key, line)));
    }
}

bool Reading::read_model(const Place& place) {
    if (!draft.arch->ends_with(".json")) {
        draft.model = *find_preset(library, *draft.arch);
        return true;
    }
    const std::filesystem::path file = file_named(*draft.arch, place);
    const work::ConfigReading reading = work::read_hf_config(file);
    for (const work::ConfigFault& fault : reading.faults) {
        faults.push_back(at(place, fmt::format("arch: {}:{}: {}", file.string(), fault.line, fault.message)));
    }
    if (reading.model) {
        draft.model = *reading.model;
    } else {
        draft.arch.reset(); // nothing to take the other keys from
    }
    return reading.model.has_value();
}

void Reading::fill_absent(Slot& slot) {
    const Key& key = *slot.key;
    if (excused(key.path)) {
        slot.sound = false;
    } else if (key.need == Need::preset && draft.arch) {
        slot.origin = Origin::preset;
        slot.where = fmt::format("{}: {}", draft.model.id, draft.model.source);
    } else if (key.need == Need::preset && !this->slot("model.arch").sound) {
        slot.sound = false;
    } else if (key.fallback.empty()) {
        slot.sound = key.need == Need::unset || key.need == Need::computed || key.need == Need::fabric;
    } else {
        const ReadResult result = read_value(raw_from_text(key.fallback, key.shape), key.shape, library);
        slot.sound = result.fault.empty();
        if (!slot.sound) { // a default that names data (a fabric) which this catalog lacks
            faults.push_back(at(slot.place, fmt::format("{} (default): {}", label(key.path), result.fault)));
            return;
        }
        slot.text = result.text;
        key.field.set(draft, result.value);
    }
}

bool Reading::excused(std::string_view path) const {
    return std::any_of(excused_.begin(), excused_.end(),
                       [&](const std::string& prefix) { return below(path, prefix); });
}

void Reading::report_missing() {
    std::map<std::string, std::vector<std::string>> missing; // by top-level section
    for (const Slot& slot : slots_) {
        const Key& key = *slot.key;
        const bool needed = key.need == Need::required || (key.need == Need::preset && key.fallback.empty() &&
                                                           this->slot("model.arch").sound);
        if (needed && !slot.given && !slot.sound && !excused(key.path)) {
            missing[std::string(key.path.substr(0, label(key.path) == key.path ? 0 : key.path.find('.')))]
                .emplace_back(label(key.path));
        }
    }
    if (missing.contains("model")) { // a model without its main figures has no sound defaults either
        for (Slot& slot : slots_) {
            slot.sound = slot.sound && (slot.given || slot.key->need != Need::preset);
        }
    }
    for (const auto& [section, names] : missing) {
        const Place place = section_place(section);
        if (section == "model") {
            faults.push_back(
                at(place, sections_.contains(section)
                              ? fmt::format("missing key 'arch' in [model]; without a preset [model] "
                                            "also needs {}",
                                            quote_each(names))
                              : fmt::format("missing section [model]; it needs 'arch', or else {}",
                                            quote_each(names))));
        } else if (!section.empty() && !sections_.contains(section)) {
            faults.push_back(
                at(place, fmt::format("missing section [{}]; it needs {}", section, quote_each(names))));
        } else {
            for (const std::string& name : names) {
                faults.push_back(
                    at(place,
                       missing_key(*find_key(section.empty() ? name : fmt::format("{}.{}", section, name)))));
            }
        }
    }
}

std::string Reading::missing_key(const Key& key) const {
    const std::string_view section = section_of(key.path);
    return fmt::format("missing key '{}' {}: {}, {}",
                       key.path.substr(section.empty() ? 0 : section.size() + 1), in_section(section),
                       key.doc, expected(key.shape, library));
}

Place Reading::section_place(std::string_view section) const {
    for (std::string_view path = section; !path.empty(); path = section_of(path)) {
        if (const auto found = sections_.find(path); found != sections_.end()) {
            return found->second;
        }
    }
    return {file_, 1, 1, false};
}

Slot& Reading::slot(std::string_view path) {
    const auto found =
        std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.key->path == path; });
    if (found == slots_.end()) {
        throw std::logic_error(fmt::format("no scenario key is called '{}'", path));
    }
    return *found;
}
const Slot& Reading::slot(std::string_view path) const { return const_cast<Reading*>(this)->slot(path); }

bool Reading::sound(std::initializer_list<std::string_view> paths) const {
    return std::all_of(paths.begin(), paths.end(), [&](std::string_view path) { return slot(path).sound; });
}

void Reading::fault(std::string_view path, std::string message) {
    faults.push_back(at(slot(path).place, std::move(message)));
}
void Reading::fault(const Place& place, std::string message) {
    faults.push_back(at(place, std::move(message)));
}
void Reading::warn(std::string_view path, std::string message) {
    warnings.push_back(at(slot(path).place, std::move(message)));
}

void Reading::derive(std::string_view path, const Value& value, std::string_view where, Origin origin) {
    Slot& derived = slot(path);
    derived.key->field.set(draft, value);
    derived.origin = origin;
    derived.text.clear();
    derived.where = where;
    derived.sound = true;
}

} // namespace chokepoint::sim::loader
