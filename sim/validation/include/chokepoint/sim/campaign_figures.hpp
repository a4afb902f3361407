// SPDX-License-Identifier: Apache-2.0
// Whole trainings beside what their sources say they took: GPU-hours, days and dollars rather than steps.
#pragma once

#include <chokepoint/sim/validation.hpp>

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// One published figure of a training.
struct CampaignFigure {
    std::string run;                  ///< "deepseek-v3-campaign.toml", "llama2-70b"
    std::string figure = "gpu_hours"; ///< see scenarios/validation/campaign_figures.tsv
    double published = 0.0;           ///< GPU-hours, days or USD
    std::optional<double> predicted;
    std::optional<std::array<double, 2>> interval; ///< 5th and 95th percentile of it
    std::string source, note;
    std::string assumed; ///< what the source leaves open
    std::string reason;  ///< why there is no prediction
    [[nodiscard]] std::optional<double> error() const;
    friend bool operator==(const CampaignFigure&, const CampaignFigure&) = default;
};

/// The trainings whose plan is published, each simulated whole; `progress` hears a share from 0 to 1.
/// @throws ScenarioError with every fault of the file
std::vector<CampaignFigure> campaign_figures(const std::function<void(double)>& progress = {});
std::vector<CampaignFigure> parse_campaign_figures(std::string_view text, const std::string& file);
/// The trainings whose plan is assumed: GPU-hours of published_campaigns_file(), by the tokens of
/// campaign.tokens.
std::vector<CampaignFigure> campaign_figures(std::span<const PublishedRun>, std::span<const Prediction>);

std::string to_text(const std::vector<CampaignFigure>&);
std::string to_csv(const std::vector<CampaignFigure>&);

} // namespace chokepoint::sim
