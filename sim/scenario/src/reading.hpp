// SPDX-License-Identifier: Apache-2.0
// A scenario half-way: every key read or given its default, with all faults so far and the place of each
// value.
#pragma once

#include "key.hpp"

#include <filesystem>
#include <initializer_list>
#include <map>
#include <set>

namespace chokepoint::sim::loader {

/// One key of the table while the scenario is read.
struct Slot {
    const Key* key = nullptr;
    Place place; ///< of the value; without one, of the nearest section
    Origin origin = Origin::default_;
    std::string text; ///< as written; empty: not written
    std::string where;
    bool given = false;
    bool sound = true; ///< false: missing or faulty, so that no further check can use it
};

/// One table of an array, [[campaign.phase]].
struct RecordReading {
    const Section* section = nullptr;
    std::size_t index = 0; ///< in its array
    Place place;
    std::vector<Slot> slots;
    std::vector<Entry> overrides;                                ///< keys of other sections that it replaces
    [[nodiscard]] const Slot& slot(std::string_view name) const; ///< by the key's last part
};

/// The software that a plan is taken for, and what speaks for it; empty: nothing speaks for another.
struct SoftwareGuess {
    std::string id, because;
};

class Reading {
public:
    Reading(const Document&, const Library&);

    const Library& library;
    Draft draft;
    std::vector<Diagnostic> faults, warnings;
    std::optional<SoftwareGuess> usual_software; ///< where the scenario names none; nothing: to be guessed

    [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }
    [[nodiscard]] const std::string& file() const { return file_; } ///< the scenario's
    Slot& slot(std::string_view path);
    [[nodiscard]] const Slot& slot(std::string_view path) const;
    [[nodiscard]] const std::vector<RecordReading>& records() const { return records_; }
    /// Whether all of these keys have values that further checks can rely on.
    [[nodiscard]] bool sound(std::initializer_list<std::string_view> paths) const;
    /// The header of a section, or of the nearest section around it.
    [[nodiscard]] Place section_place(std::string_view section) const;

    /// A fault or warning at the key's place.
    void fault(std::string_view path, std::string message);
    void fault(const Place&, std::string message);
    void warn(std::string_view path, std::string message);
    /// Sets a value that follows from others, or from the catalog.
    void derive(std::string_view path, const Value&, std::string_view where, Origin = Origin::derived);
    /// A file that a value names.
    [[nodiscard]] std::filesystem::path file_named(const std::string& name, const Place&) const;

private:
    void read_entries(const Document&);
    void read_entry(const Entry&, const std::string& path);
    void unknown(const Entry&);
    void reject_section(const Entry&, const std::string& path);
    void resolve(Slot&);
    void read_given(Slot&, const Entry&);
    /// The architecture that model.arch names. @return whether there is one
    bool read_model(const Place&);
    /// The rates that cluster.transfers names, the curves that cluster.fits does. @return whether they could
    /// be read
    bool read_transfers(const Place&);
    bool read_fits(const Place&);
    /// Each line of a message as a fault of its own.
    void fault_lines(const Place&, std::string_view key, const std::string& message);
    void fill_absent(Slot&); ///< what the table says of an absent key
    void report_missing();
    void read_records(const Document&);
    void read_record(const Section&, const Record&, std::size_t index);
    [[nodiscard]] std::string missing_key(const Key&) const;
    [[nodiscard]] bool excused(std::string_view path) const;

    std::string file_;
    std::vector<Slot> slots_;
    std::vector<RecordReading> records_;
    std::map<std::string, Place, std::less<>> sections_; ///< that the file has
    std::map<std::string, const Entry*, std::less<>> given_;
    std::set<std::string, std::less<>>
        excused_; ///< keys and sections that a slip in the file must have meant
    int guesses_ = 0;
};

/// Puts an entry in place of one of the same path.
void replace(std::vector<Entry>&, Entry);

/// Puts each "key=value" in place of what the file says. Faults of form ("no '='") are added to `faults`.
void apply_overrides(Document&, const std::vector<std::string>& overrides, std::vector<Diagnostic>& faults);

/// Checks that need more than one key. Each reports all it finds.
void check_cluster(Reading&);
void check_fabric(Reading&);
void check_model(Reading&);
void check_plan(Reading&);
/// Its parts: what data-parallel ranks share out, recomputation and overlaps; the schedule and its stages.
void check_sharing(Reading&);
void check_stages(Reading&, int micro_batches);
/// Reads the file of plan.schedule, if it names one.
void read_own_schedule(Reading&);
void check_campaign(Reading&);
/// Needs a scenario without faults.
void check_memory(Reading&);
void check_phases(Reading&);
void check_reliability(Reading&);
void check_energy(Reading&);
void check_cost(Reading&);
/// What failures cost the job; needs a scenario without faults.
void check_failures(Reading&);
void check_perturbations(Reading&);
/// The tokens of all phases against campaign.tokens.
void check_total(Reading&, double tokens);

/// A phase as a scenario of its own: its keys in place of the file's.
struct PhaseDocument {
    PhaseDraft phase;
    Place place;
    Document document;
};
/// Needs phases without faults.
std::vector<PhaseDocument> phase_documents(const Reading&, const Document&);

/// "hgx-8x400g: NVIDIA datasheet (estimate)": where a figure of the catalog comes from.
std::string cite(std::string_view entry, const std::map<std::string, hw::Citation>&,
                 const std::string& field);

/// Whether the part is known, and of this architecture: "blackwell".
bool is_of(const Reading&, std::string_view architecture);
/// Whether NVLink joins more GPUs than a board of eight, if not all of them are used: a rack, whose software
/// is set up otherwise.
bool in_a_rack(const Reading&);
/// The node that the scenario names, or the part's usual one; nullptr if the catalog has none.
const hw::NodeEntry* node_entry(const Draft&, const hw::Catalog&);
/// The GPUs as the caps leave them.
hw::Cluster make_cluster(const Draft&, const Library&);

/// Figures that the run uses and that are marked as estimates, by entry of the catalog: "h800-sxm:
/// dense_peak.fp32".
std::vector<std::string> used_estimates(const Reading&);

/// Every key of the table, then what was derived and what the catalog says about the part and the fabric.
std::vector<ResolvedValue> resolve_all(const Reading&);

} // namespace chokepoint::sim::loader
