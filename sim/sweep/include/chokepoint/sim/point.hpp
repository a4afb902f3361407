// SPDX-License-Identifier: Apache-2.0
// One simulated point of a sweep: its headline figures, and everything that `run` would say of it.
#pragma once

#include <chokepoint/sim/scenario_template.hpp>
#include <chokepoint/sim/workers.hpp>

namespace chokepoint::sim {

/// A figure with its 5th and 95th percentile.
template <class Quantity> struct Banded {
    Quantity value{}, p5{}, p95{};
    friend bool operator==(const Banded&, const Banded&) = default;
};

struct Headline {
    Banded<hw::Seconds> step;
    std::optional<Banded<double>> gpu_hours; ///< of the campaign, where the scenario has one
    std::optional<Banded<hw::Usd>> usd;      ///< likewise
    double tokens_per_second_per_gpu = 0.0;
    double mfu = 0.0; ///< causal, of the dense BF16 peak
    hw::Bytes peak_memory;
    std::string gpu;
    int gpus = 0;
    friend bool operator==(const Headline&, const Headline&) = default;
};

enum class PointStatus {
    done,
    infeasible, ///< the scenario refuses it: a plan that does not fit, a cap that makes no sense
    failed,     ///< it ended its process, took too long or too much memory, or threw
};
std::string_view name(PointStatus);
/// @throws std::invalid_argument if there is no such status.
PointStatus point_status_from(std::string_view);

struct PointResult {
    PointStatus status = PointStatus::failed;
    std::string error; ///< of a point that is not done
    Headline headline; ///< of one that is
    std::string json;  ///< likewise: chokepoint/run/1
    hw::Seconds wall;
};

/// What a point is known by: a hash of everything the scenario resolved to, of the catalog and of the
/// program.
std::string content_key(const Scenario&);
/// Of a point that is no scenario: of the file and the overrides instead.
std::string content_key(const ScenarioTemplate&, std::span<const std::string> overrides);

/// Simulates points in a worker. What can be shared between them is kept from one to the next.
/// @param source must outlive the workers
Work point_work(const ScenarioTemplate& source);
/// A point as point_work's task, and its answer.
std::string point_task(std::span<const std::string> overrides);
PointResult point_result(const Answer&);

} // namespace chokepoint::sim
