// SPDX-License-Identifier: Apache-2.0
// How far predictions lie from what was measured, per family of runs, and how well they rank configurations.
#pragma once

#include <chokepoint/sim/campaign_figures.hpp>
#include <chokepoint/sim/overhead.hpp>

namespace chokepoint::sim {

/// A number that counts as much as its weight.
struct Weighted {
    double value = 0.0;
    double weight = 1.0;
};
/// The value below which this share of the weight lies; half-way between two where the share falls between
/// them.
double quantile(std::vector<Weighted>, double share);
double mean(std::span<const Weighted>);
/// Spearman's rank correlation; ties share the mean of their ranks. Nothing for fewer than three pairs or if
/// all values of a side are equal.
std::optional<double> spearman(std::span<const std::pair<double, double>>);

/// Runs with the same scenario count as one: each weighs one over their number.
struct FamilyScore {
    std::string family, member; ///< "gpu", "h100-sxm"
    int rows = 0;
    int layouts = 0;     ///< distinct scenarios
    double median = 0.0; ///< of absolute relative errors
    double p90 = 0.0;
    double mean = 0.0; ///< of absolute relative errors
    double bias = 0.0; ///< mean of signed relative errors
    /// Share of runs measured between the predicted 5th and 95th percentile: honest at 0.9.
    std::optional<double> covered;
    /// Which configuration of one model on one cluster is better: means over groups of at least three,
    /// weighted by their configurations. Spearman's rank correlation of tokens per second; of pairs measured
    /// at least a tenth apart the share in the right order; and how much faster the best measured one is than
    /// the one predicted best.
    std::optional<double> rank, in_order, regret;
    int rank_groups = 0;
};

struct ReasonCount {
    std::string reason;
    int rows = 0;
};

struct ValidationReport {
    std::vector<PublishedRun> runs;
    std::vector<Prediction> predictions; ///< one for each run
    std::vector<FamilyScore> scores;     ///< families in a fixed order, members by name
    std::vector<ReasonCount> reasons;    ///< of runs without a prediction, most frequent first
    /// Of runs that publish a peak of memory: of all, then of each software. Empty if none does.
    std::vector<FamilyScore> memory;
    std::optional<Overheads> overheads; ///< where asked for
};

/// Families that a run belongs to beside those that its own keys name, and what its weight comes from.
struct RunFamilies {
    std::string kind;     ///< "MoE" or "dense"; empty if the run cannot be put as a scenario
    std::string scale;    ///< "65 to 512 GPUs"; empty likewise
    std::string software; ///< without its release
    int layout = 0;       ///< equal for runs with the same scenario
};
/// One for each run.
std::vector<RunFamilies> families_of(const ValidationReport&);

ValidationReport validation_report(std::vector<PublishedRun>, std::vector<Prediction>);

/// Rows are left out of a summary.
std::string to_text(const ValidationReport&, bool summary_only);
std::string to_csv(const ValidationReport&);
/// chokepoint/validate/1 (docs/schema/validate.schema.json), but for the program's own figures.
std::string to_json(const ValidationReport&, const std::string& catalog_hash,
                    const std::vector<CampaignFigure>& = {});

/// One of FIELD=TEXT (id, gpu, model, stack, source, score, bound or a scenario key) or a bare part of an id;
/// without regard to case. @throws std::invalid_argument naming the field that is not known.
bool matches(const PublishedRun&, const std::string& filter);

} // namespace chokepoint::sim
