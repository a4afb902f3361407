// SPDX-License-Identifier: Apache-2.0
// A validated scenario: the loader reports every fault at once, with file, line and column, and never
// half-accepts.
#pragma once

#include <chokepoint/sim/perturbation.hpp>
#include <chokepoint/sim/settings.hpp>

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/own_fits.hpp>
#include <chokepoint/hwmodels/transfer.hpp>
#include <chokepoint/workloads/plan.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace chokepoint::sim {

struct Diagnostic {
    std::string file;
    int line = 0, column = 0; ///< 1-based; 0 where there is no place (an unreadable file, a --set override)
    std::string message;
    std::string table = {}; ///< figures behind the message, for a reader: lines to print below it; often none
    friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};
/// "half-rail.toml:7:12: error: caps.nic: …"
std::string to_text(const Diagnostic&, std::string_view severity = "error");

/// All faults of a scenario. what() holds one line per fault.
class ScenarioError : public std::runtime_error {
public:
    explicit ScenarioError(std::vector<Diagnostic> faults);
    [[nodiscard]] const std::vector<Diagnostic>& faults() const { return faults_; }

private:
    std::vector<Diagnostic> faults_;
};

/// What each fault says, without place and without the lists of names that would have been known.
std::string one_line(const ScenarioError&);

enum class Origin { file, override_, catalog, preset, default_, derived };
std::string_view name(Origin);

/// One key after resolution, as `check` prints it and as JSON carries it.
struct ResolvedValue {
    std::string key;      ///< "plan.global_batch"
    std::string text;     ///< "15360", "400 Gb/s", with the unit
    double base = 0.0;    ///< SI value of numbers; 1 or 0 of booleans
    bool is_text = false; ///< a name rather than a number
    Origin origin = Origin::default_;
    std::string where; ///< "file.toml:7:12", "--set", a catalog file's source, or the default's reason
};

enum class ComputeModel { calibrated, roofline };

struct Campaign {
    double tokens = 0.0;                   ///< 0: no campaign asked for
    std::optional<hw::UsdPerSecond> price; ///< per GPU
    std::optional<int> ramp_from;          ///< sequences per step at the start
    double ramp_tokens = 0.0; ///< tokens over which the batch grows linearly to plan.global_batch
    std::optional<Day> start; ///< first day of the first phase
    friend bool operator==(const Campaign&, const Campaign&) = default;
};

class Scenario;

/// A stretch of a campaign with one model and plan, or one whose cost is an input.
struct Phase {
    std::string name;
    double tokens = 0.0;                      ///< of the batch ramp too; 0 where the time is given
    std::optional<hw::Seconds> gpu_time;      ///< GPU-seconds, where the scenario gives them
    std::shared_ptr<const Scenario> scenario; ///< where it does not: the keys in force, the phase as campaign
};

/// What one run needs, resolved and checked. Made by the loader, or from two that it made (hybrid()).
class Scenario {
public:
    [[nodiscard]] const std::string& title() const { return title_; }
    [[nodiscard]] const std::string& file() const { return file_; }
    [[nodiscard]] const hw::Cluster& cluster() const { return cluster_; } ///< caps applied
    [[nodiscard]] const hw::Caps& caps() const { return caps_; }
    [[nodiscard]] double sustained_clock() const { return sustained_clock_; }
    [[nodiscard]] double gpu_variation() const { return gpu_variation_; } ///< coefficient, of their speeds
    /// Of cluster.fits; nothing: the shipped curves alone.
    [[nodiscard]] const std::optional<hw::OwnFits>& own_fits() const { return own_fits_; }
    /// Of cluster.transfers; nothing: the shipped ones.
    [[nodiscard]] const std::optional<hw::TransferRates>& transfer_rates() const { return transfer_rates_; }
    [[nodiscard]] const work::ModelArch& model() const { return model_; }
    [[nodiscard]] const work::ParallelPlan& plan() const { return plan_; }
    [[nodiscard]] const Campaign& campaign() const { return campaign_; }
    /// In their order; none if the campaign is a single stretch of the scenario's own plan.
    [[nodiscard]] const std::vector<Phase>& phases() const { return phases_; }
    /// Nothing where the scenario does not ask, or where it and the catalog leave the part's power open.
    [[nodiscard]] const std::optional<FailureSettings>& failures() const { return failures_; }
    [[nodiscard]] const std::optional<EnergySettings>& energy() const { return energy_; }
    [[nodiscard]] const std::optional<CostSettings>& cost() const { return cost_; }
    [[nodiscard]] const std::vector<Perturbation>& perturbations() const { return perturbations_; }
    [[nodiscard]] ComputeModel compute_model() const { return compute_model_; }
    [[nodiscard]] const std::string& catalog_hash() const { return catalog_hash_; }
    /// Figures of the part, node and fabric that the run uses and that no good source stands behind:
    /// "h800-sxm: dense_peak.fp32".
    [[nodiscard]] const std::vector<std::string>& estimates() const { return estimates_; }
    [[nodiscard]] const std::vector<ResolvedValue>& resolved() const { return resolved_; }
    [[nodiscard]] const std::vector<Diagnostic>& warnings() const { return warnings_; }

private:
    friend class ScenarioBuilder;
    friend class HybridBuilder;
    Scenario() = default;
    std::string title_, file_, catalog_hash_;
    hw::Cluster cluster_;
    hw::Caps caps_;
    double sustained_clock_ = 1.0;
    double gpu_variation_ = 0.0;
    std::optional<hw::OwnFits> own_fits_;
    std::optional<hw::TransferRates> transfer_rates_;
    work::ModelArch model_;
    work::ParallelPlan plan_;
    Campaign campaign_;
    std::vector<Phase> phases_;
    std::optional<FailureSettings> failures_;
    std::optional<EnergySettings> energy_;
    std::optional<CostSettings> cost_;
    ComputeModel compute_model_ = ComputeModel::calibrated;
    std::vector<std::string> estimates_;
    std::vector<Perturbation> perturbations_;
    std::vector<ResolvedValue> resolved_;
    std::vector<Diagnostic> warnings_;
};

struct LoadOptions {
    std::vector<std::string> overrides;                     ///< "plan.expert=32", as --set gives them
    std::vector<std::filesystem::path> catalog_directories; ///< --catalog
    /// Whether a plan that only may fit passes with a warning, and one that does not fit is told what would
    /// make it fit. A search wants neither: its plans shall fit as predicted, and remedies take longer than
    /// all other checks.
    bool remedies = true;
};

/// The file "-" is standard input, whose relative paths start at the working directory.
/// @throws ScenarioError with every fault; std::runtime_error if the shipped catalog cannot be read.
Scenario load_scenario(const std::filesystem::path& file, const LoadOptions& = {});
/// The same from text; `file` only names it in messages.
Scenario parse_scenario(std::string_view text, const std::string& file, const LoadOptions& = {});

/// What is wrong with a key's name ("no key of a scenario is called so; did you mean 'plan.micro_batch'?");
/// nothing where scenarios have it.
std::optional<std::string> fault_of_key(std::string_view path);

/// docs/scenario.md and docs/schema/scenario.schema.json, generated from the table of keys that the loader
/// reads by.
std::string scenario_reference_markdown();
std::string scenario_json_schema();

} // namespace chokepoint::sim
