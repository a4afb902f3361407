// SPDX-License-Identifier: Apache-2.0
// One value of every input that is not exact, to check an interval by running a scenario again.
#pragma once

#include <chokepoint/sim/economy.hpp>
#include <chokepoint/sim/response.hpp>
#include <chokepoint/sim/timeline.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::sim {

struct RunReport;

/// Standard normal deviates by the names of random variables (Term::name): the same seed, trial and name give
/// the same deviate, whoever asks first and in whichever process.
class Draw {
public:
    Draw(std::uint64_t seed, std::uint64_t trial) : seed_(seed), trial_(trial) {}
    [[nodiscard]] double deviate(std::string_view name) const;
    double operator()(std::string_view name) const { return deviate(name); }
    /// Log-normal with a median of 1.
    [[nodiscard]] double factor(std::string_view name, double sigma) const;

private:
    std::uint64_t seed_, trial_;
};

/// How evenly a run's router spreads tokens is rarely published: one standard deviation is a factor of two
/// either way.
inline constexpr double kRoutingFactor = 2.0;

/// What a call takes the host (hw::Node::host_call), as an input that is not exact.
inline constexpr std::string_view kHostInput = "host starting kernels";
/// Standard deviation of its logarithm.
double host_sigma();

/// The costs of a step with every kernel, transfer and wait as drawn.
StepCosts drawn(const work::TaskGraph&, const StepCosts&, const std::string& architecture, const Draw&);
/// Failures that come as often as drawn; without a Monte-Carlo of their own.
FailureSettings drawn(const FailureSettings&, const Deviates&);
/// The campaign's dollars at prices, figures of ownership and power as drawn; 0 without a campaign.
hw::Usd drawn_usd(const Scenario&, const RunReport&, const Deviates&);

/// Figures of many draws: 5th, 50th and 95th percentile.
struct Sample {
    int trials = 0;
    std::uint64_t seed = 0;
    std::array<hw::Seconds, 3> step;
    std::optional<std::array<double, 3>> gpu_hours; ///< that the campaign pays for
    std::optional<std::array<hw::Usd, 3>> usd;
    friend bool operator==(const Sample&, const Sample&) = default;
};

} // namespace chokepoint::sim
