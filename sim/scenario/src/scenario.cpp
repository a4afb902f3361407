// SPDX-License-Identifier: Apache-2.0
// From a file to a Scenario: read, check, and either hand over or throw every fault.
#include "axes.hpp"
#include "reading.hpp"
#include "software.hpp"
#include "text.hpp"

#include <chokepoint/sim/scenario_template.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <system_error>

namespace chokepoint::sim {
namespace {

using loader::Library;
using loader::Reading;

std::string join_lines(const std::vector<Diagnostic>& faults) {
    std::vector<std::string> lines;
    for (const Diagnostic& fault : faults) {
        lines.push_back(to_text(fault));
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

/// Faults of the file by position, then those of overrides.
void sort_faults(std::vector<Diagnostic>& faults) {
    std::stable_sort(faults.begin(), faults.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tuple(a.line == 0, a.line, a.column) < std::tuple(b.line == 0, b.line, b.column);
    });
}

void throw_if_any(std::vector<Diagnostic>& faults) {
    if (!faults.empty()) {
        sort_faults(faults);
        throw ScenarioError(std::move(faults));
    }
}

} // namespace

/// The only maker of Scenarios.
class ScenarioBuilder {
public:
    static Scenario build(Reading& reading, const std::string& file, std::vector<Phase> phases) {
        Scenario scenario;
        scenario.resolved_ = loader::resolve_all(reading);
        scenario.estimates_ = loader::used_estimates(reading);
        scenario.cluster_ = loader::make_cluster(reading.draft, reading.library);
        loader::Draft& draft = reading.draft;
        scenario.title_ = std::move(draft.title);
        scenario.file_ = file;
        scenario.catalog_hash_ = reading.library.catalog.content_hash();
        scenario.caps_ = draft.caps;
        scenario.sustained_clock_ = draft.sustained_clock;
        scenario.gpu_variation_ = draft.gpu_variation;
        scenario.own_fits_ = std::move(draft.own_fits);
        scenario.transfer_rates_ = std::move(draft.transfer_rates);
        scenario.model_ = std::move(draft.model);
        scenario.plan_ = std::move(draft.plan);
        scenario.campaign_ = draft.campaign;
        scenario.phases_ = std::move(phases);
        scenario.failures_ = draft.failures;
        scenario.energy_ = draft.power;
        scenario.cost_ = draft.money;
        scenario.compute_model_ = draft.compute;
        scenario.perturbations_ = std::move(draft.perturbations);
        sort_faults(reading.warnings);
        scenario.warnings_ = std::move(reading.warnings);
        return scenario;
    }
};

namespace {

void check(Reading& reading) {
    loader::check_cluster(reading);
    loader::check_model(reading);
    loader::read_own_schedule(reading);
    loader::apply_software(reading);
    loader::check_plan(reading);
    loader::check_campaign(reading);
    loader::check_phases(reading);
    loader::check_reliability(reading);
    loader::check_energy(reading);
    loader::check_cost(reading);
    loader::check_perturbations(reading);
    if (reading.faults.empty()) {
        loader::check_memory(reading);
    }
    if (reading.faults.empty()) {
        loader::check_failures(reading);
    }
}

/// The phase as a run of its own. Its faults go to `whole`; one that the whole scenario has too is said once.
std::optional<Phase> make_phase(const loader::PhaseDocument& document, Reading& whole) {
    const loader::PhaseDraft& draft = document.phase;
    Phase phase{draft.name, 0.0, std::nullopt, nullptr};
    if (draft.gpu_hours) {
        phase.gpu_time = *draft.gpu_hours * hw::kHour;
        return phase;
    }
    Reading reading(document.document, whole.library);
    check(reading);
    for (Diagnostic& fault : reading.faults) {
        fault.message = fmt::format("phase \"{}\": {}", loader::printable(draft.name), fault.message);
        whole.faults.push_back(std::move(fault));
    }
    if (!reading.faults.empty()) {
        return std::nullopt;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    if (draft.steps) {
        reading.draft.campaign.tokens =
            *draft.steps * static_cast<double>(plan.global_batch) * static_cast<double>(plan.sequence);
    }
    phase.tokens = reading.draft.campaign.tokens;
    for (const Diagnostic& warning : reading.warnings) {
        if (std::ranges::find(whole.warnings, warning) == whole.warnings.end()) {
            whole.warnings.push_back(warning);
        }
    }
    phase.scenario =
        std::make_shared<const Scenario>(ScenarioBuilder::build(reading, document.document.file, {}));
    return phase;
}

std::vector<Phase> make_phases(Reading& reading, const loader::Document& document) {
    std::vector<Phase> phases;
    double tokens = 0.0;
    for (const loader::PhaseDocument& phase : loader::phase_documents(reading, document)) {
        if (std::optional<Phase> made = make_phase(phase, reading)) {
            tokens += made->tokens;
            phases.push_back(std::move(*made));
        }
    }
    if (!phases.empty() && reading.faults.empty()) {
        loader::check_total(reading, tokens);
        reading.draft.campaign.tokens = tokens;
    }
    return phases;
}

} // namespace

struct ScenarioTemplate::Content {
    std::string text;
    std::string file;
    std::vector<std::string> overrides;
    Library library;
    loader::Document document; ///< without [sweep]
    std::vector<Axis> axes;
    std::vector<Diagnostic> axis_faults;
    std::once_flag guess_made;
    loader::SoftwareGuess guess; ///< of the scenario as the file and its overrides have it

    [[nodiscard]] loader::SoftwareGuess guess_software() const {
        loader::Document own = document;
        std::vector<Diagnostic> ignored;
        loader::apply_overrides(own, overrides, ignored);
        return loader::guess_software(Reading(own, library));
    }
};

ScenarioTemplate::ScenarioTemplate(std::unique_ptr<Content> content) : content_(std::move(content)) {}
ScenarioTemplate::~ScenarioTemplate() = default;
ScenarioTemplate::ScenarioTemplate(ScenarioTemplate&&) noexcept = default;
ScenarioTemplate& ScenarioTemplate::operator=(ScenarioTemplate&&) noexcept = default;

ScenarioTemplate ScenarioTemplate::parse(std::string text, const std::string& file, LoadOptions options) {
    loader::Document document = loader::parse_document(text, file);
    Library library{hw::Catalog::load(options.catalog_directories),
                    work::load_presets(hw::data_path("models")),
                    loader::load_software(hw::data_path("software")),
                    hw::load_economics(options.catalog_directories), options.remedies};
    std::unique_ptr<Content> content(new Content{std::move(text),
                                                 file,
                                                 std::move(options.overrides),
                                                 std::move(library),
                                                 std::move(document),
                                                 {},
                                                 {},
                                                 {},
                                                 {}});
    content->axes = loader::take_axes(content->document, content->library, content->axis_faults);
    return ScenarioTemplate(std::move(content));
}

ScenarioTemplate ScenarioTemplate::load(const std::filesystem::path& file, LoadOptions options) {
    if (file == "-") {
        return parse(std::string(std::istreambuf_iterator<char>(std::cin), {}), "<stdin>",
                     std::move(options));
    }
    return parse(loader::read_text(file, "a scenario"), file.string(), std::move(options));
}

Scenario ScenarioTemplate::with(std::span<const std::string> more) const {
    loader::Document document = content_->document;
    std::vector<Diagnostic> faults = content_->axis_faults;
    std::vector<std::string> overrides = content_->overrides;
    overrides.insert(overrides.end(), more.begin(), more.end());
    loader::apply_overrides(document, overrides, faults);
    Reading reading(document, content_->library);
    if (!more.empty()) {
        // Points of one sweep have one software, though another precision would be taken for another's.
        std::call_once(content_->guess_made, [&] { content_->guess = content_->guess_software(); });
        reading.usual_software = content_->guess;
    }
    reading.faults.insert(reading.faults.end(), faults.begin(), faults.end());
    check(reading);
    throw_if_any(reading.faults);
    std::vector<Phase> phases = make_phases(reading, document);
    throw_if_any(reading.faults);
    return ScenarioBuilder::build(reading, content_->file, std::move(phases));
}

const std::vector<Axis>& ScenarioTemplate::axes() const {
    std::vector<Diagnostic> faults = content_->axis_faults;
    throw_if_any(faults);
    return content_->axes;
}

Axis ScenarioTemplate::axis(const std::string& text, const std::string& option) const {
    const loader::Place place{fmt::format("{} {}", option, loader::printable(text)), 0, 0, true};
    std::vector<Diagnostic> faults;
    Axis axis = loader::axis_from(text, place, content_->library, faults);
    throw_if_any(faults);
    return axis;
}

const std::string& ScenarioTemplate::text() const { return content_->text; }
std::string ScenarioTemplate::title() const {
    for (const loader::Entry& entry : content_->document.entries) {
        if (loader::join_path(entry.path) == "title" && entry.raw &&
            std::holds_alternative<std::string>(entry.raw->value)) {
            return std::get<std::string>(entry.raw->value);
        }
    }
    return {};
}
const std::string& ScenarioTemplate::file() const { return content_->file; }
const std::string& ScenarioTemplate::catalog_hash() const { return content_->library.catalog.content_hash(); }

Scenario parse_scenario(std::string_view text, const std::string& file, const LoadOptions& options) {
    return ScenarioTemplate::parse(std::string(text), file, options).with({});
}

Scenario load_scenario(const std::filesystem::path& file, const LoadOptions& options) {
    return ScenarioTemplate::load(file, options).with({});
}

ScenarioError::ScenarioError(std::vector<Diagnostic> faults)
    : std::runtime_error(join_lines(faults)),
      faults_(std::move(faults)) {}

std::string one_line(const ScenarioError& error) {
    std::vector<std::string> messages;
    for (const Diagnostic& fault : error.faults()) {
        messages.push_back(fault.message.substr(0, fault.message.find("; known: ")));
    }
    return fmt::format("{}", fmt::join(messages, "; "));
}

std::string to_text(const Diagnostic& diagnostic, std::string_view severity) {
    const std::string position =
        diagnostic.line > 0 ? fmt::format(":{}:{}", diagnostic.line, diagnostic.column) : "";
    return fmt::format("{}{}: {}: {}", diagnostic.file, position, severity, diagnostic.message);
}

std::string_view name(Origin origin) {
    switch (origin) {
    case Origin::file:
        return "file";
    case Origin::override_:
        return "override";
    case Origin::catalog:
        return "catalog";
    case Origin::preset:
        return "preset";
    case Origin::default_:
        return "default";
    case Origin::derived:
        return "derived";
    }
    throw std::logic_error("name(Origin): an origin without a name");
}

} // namespace chokepoint::sim

namespace chokepoint::sim::loader {
namespace {

// One more than check_text() lets pass, so that an endless file ends there.
constexpr std::size_t kReadLimit = (std::size_t{16} << 20) + 1;

[[noreturn]] void cannot_read(const std::filesystem::path& file, std::string_view why) {
    throw ScenarioError({{file.string(), 0, 0, fmt::format("cannot be read: {}", why)}});
}

} // namespace

std::string read_text(const std::filesystem::path& file, std::string_view noun) {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        cannot_read(file, fmt::format("it is a directory; expected {} file", noun));
    }
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        cannot_read(file, std::generic_category().message(errno));
    }
    std::string text(kReadLimit, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) {
        cannot_read(file, std::generic_category().message(errno));
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

Diagnostic at(const Place& place, std::string message) {
    return {place.file, place.line, place.column, std::move(message)};
}

std::string to_text(const Place& place) {
    return place.is_override ? "--set" : fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

} // namespace chokepoint::sim::loader
