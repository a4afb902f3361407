// SPDX-License-Identifier: Apache-2.0
// What a run says: step time and where it went, memory, campaign, dollars, and how sure we are.
#pragma once

#include <chokepoint/sim/critical_path.hpp>
#include <chokepoint/sim/draw.hpp>
#include <chokepoint/sim/draws.hpp>
#include <chokepoint/sim/economy.hpp>
#include <chokepoint/sim/memory_over_time.hpp>
#include <chokepoint/sim/response.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/sim/step_costs.hpp>
#include <chokepoint/sim/timeline.hpp>
#include <chokepoint/workloads/memory.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// Seconds of one rank, or their mean over ranks. The first six add up to the step; exposed communication is
/// the part of them in which the compute stream waits for a transfer.
struct Phases {
    hw::Seconds f;  ///< forward chunks run alone
    hw::Seconds b;  ///< backward chunks run alone, full or input gradient only
    hw::Seconds w;  ///< separate weight gradients
    hw::Seconds fb; ///< overlapped pairs
    hw::Seconds bubble;
    hw::Seconds optimizer; ///< gradient reduction, optimizer, parameter gathering
    hw::Seconds exposed_communication;
    [[nodiscard]] hw::Seconds total() const { return f + b + w + fb + bubble + optimizer; }
};

/// Phases of every rank from the spans of its actions: an action lasts from the moment its rank is free and
/// its inputs have arrived until its last kernel or expert transfer is done. What lies between is bubble:
/// waiting for other ranks, and for pipeline sends, which the published DualPipe code awaits between its
/// chunks, not in them.
std::vector<Phases> phases_per_rank(const work::TaskGraph&, const Timeline&);
Phases mean(const std::vector<Phases>&);

/// GPUs of one pipeline rank that did the same at the same times: one of them was simulated.
struct SimulatedClass {
    int pipeline_rank = 0;
    int representative = 0; ///< the lowest of its GPUs
    int gpus = 1;
    std::string why; ///< what set them apart; empty: they are the rest of their rank
};
struct FoldReport {
    std::string mode;                    ///< "auto", "none" or "stage"
    std::vector<SimulatedClass> classes; ///< by rank of the simulated graph, ascending pipeline rank
};
/// From phases of each class to those of each pipeline rank: the mean over its GPUs.
std::vector<Phases> per_pipeline_rank(const std::vector<Phases>& classes, const FoldReport&);

struct StepReport {
    hw::Seconds seconds;
    double tokens = 0.0;
    double tokens_per_second_per_gpu = 0.0;
    hw::FlopsPerSecond flops_per_gpu_causal, flops_per_gpu_noncausal;
    double mfu_causal = 0.0, mfu_noncausal = 0.0; ///< against the dense BF16 peak
    hw::Flops flops_per_token_causal, flops_per_token_noncausal;
    Phases phases; ///< mean over ranks
    std::vector<Phases> per_rank;
};

/// What an input moves; signed.
struct Effect {
    hw::Seconds step;
    double gpu_hours = 0.0; ///< that the campaign pays for
    hw::Usd usd;
};

/// What an input moves one standard deviation below its best value and one above.
struct Ends {
    Effect low, high;
};
/// Half of the distance between them: what one standard deviation moves, either way.
Effect half_distance(const Ends&);

/// A random variable. Two runs that name the same one share it: what moves it moves both.
struct Term {
    std::string name; ///< "hopper gemm kernels, fp8: q_b"
    Ends ends;
};

/// Of independent ones together: below and above.
Ends root_of_squares(const std::vector<Term>&);

/// One input that is not exact: its relative standard deviation, and what that moves. It may be known through
/// several terms, whose errors are independent.
struct Driver {
    std::string input;
    double relative_sigma = 0.0;
    Ends ends;     ///< of each figure first the lower one; of several terms, root of their squares
    Effect effect; ///< root of the squares of the terms' half distances
    std::vector<Term> terms;
};

/// 90% of a normal distribution lies within this many standard deviations.
inline constexpr double kP95 = 1.6448536269514722;

/// What a figure is in each of kEvenDraws draws of all inputs: two runs' draws of one number are of the same
/// values of the inputs that they share.
struct Drawn {
    std::vector<double> step_seconds;
    std::vector<double> gpu_hours;               ///< that the campaign pays for; empty without one
    std::vector<double> uninterrupted_gpu_hours; ///< if nothing fails
    std::vector<double> usd;                     ///< empty without a price
};

/// How well the figures of a report are known: from the chains of tasks that are critical with inputs at
/// their best values and off them (StepResponse), campaign and prices.
struct Uncertainty {
    /// Root of the squares of the drivers' effects on the step, over it.
    double relative_sigma = 0.0;
    double gpu_hours_sigma = 0.0, usd_sigma = 0.0; ///< likewise, of what the campaign pays for
    double uninterrupted_sigma = 0.0;              ///< likewise, of its GPU-hours if nothing fails
    std::vector<Driver> drivers; ///< largest effect on dollars first, or on GPU-hours or the step
    Drawn drawn;
    Percentiles step_seconds{}, gpu_hours{}, uninterrupted_gpu_hours{}, usd{}; ///< of `drawn`
};

/// What the wall time of a step or campaign is made of, mean over ranks; adds up to it.
struct Spent {
    hw::Seconds kernels; ///< the compute stream works
    hw::Seconds exposed_communication;
    hw::Seconds bubble;
    hw::Seconds given; ///< in phases whose GPU-hours the scenario gives
    [[nodiscard]] hw::Seconds total() const { return kernels + exposed_communication + bubble + given; }
};
/// Of a step.
Spent spent(const Phases&);

/// One stretch of a campaign.
struct PhaseReport {
    std::string name;
    double tokens = 0.0;
    hw::Seconds wall;
    double gpu_hours = 0.0;
    bool given = false; ///< GPU-hours of the scenario rather than of a simulation
    hw::Seconds step;   ///< at the full batch; 0 where given
    BusyShares shares;  ///< of that step
    Spent spent;
    std::optional<Day> first_day, last_day;
};

struct CampaignReport {
    double tokens = 0.0;
    hw::Seconds wall; ///< on this cluster without interruptions
    double gpu_hours = 0.0;
    double goodput = 1.0; ///< share of the expected time that trains; 1 where failures are off
    double gpu_hours_per_trillion_tokens = 0.0; ///< at the full batch
    double ramp_gpu_hours = 0.0;                ///< of gpu_hours, spent while the batch grows
    /// (sequences per step, seconds) that the ramp was interpolated from.
    std::vector<std::pair<int, hw::Seconds>> ramp_points;
    std::string ramp_note;
    std::optional<FailureReport> failures;  ///< where they are on; what stands above is without them
    BusyShares shares;                      ///< of the step at the full batch
    Spent spent;                            ///< adds up to `wall`
    std::vector<PhaseReport> phases;        ///< none if the campaign is a single stretch
    std::optional<Day> first_day, last_day; ///< where the scenario says when it starts
};

/// Kernels of one class and number format whose shapes lie outside what was measured on the part.
struct ExtrapolatedKernels {
    std::string kernels; ///< "grouped_gemm fp8 block_128"
    double share = 0.0;  ///< of the step's kernel time
};

struct RunReport {
    std::string title;
    std::string gpu;
    int gpus = 0;
    std::vector<std::string> caps; ///< that the scenario sets, as it sets them: "nvlink = 100 GB/s"
    StepReport step;
    std::vector<work::MemoryUse> memory; ///< per pipeline rank
    std::vector<MemoryPeak> peaks;       ///< per pipeline rank: when its activations are most
    hw::Bytes memory_capacity;
    CriticalPath critical_path;
    Uncertainty uncertainty;
    std::optional<Sample> sample; ///< of a Monte-Carlo, if one was asked for
    std::optional<CampaignReport> campaign;
    std::optional<EnergyReport> energy;
    std::optional<CostReport> cost;
    std::string schedule_note;
    std::vector<std::string> estimates; ///< Scenario::estimates()
    std::vector<ExtrapolatedKernels> extrapolated;
    FoldReport fold;
    std::int64_t tasks = 0;
    EngineStats engine;
    std::vector<std::string> warnings;
};

StepReport step_report(const Scenario&, const work::TaskGraph&, const Timeline&, const FoldReport&);
/// Of everything that the report says by then. GPU-hours and dollars follow the step's time, except in phases
/// whose GPU-hours are given; failures, prices, power and figures of ownership are computed anew.
Uncertainty uncertainty(const Scenario&, const RunReport&, const StepResponse&);

/// Integrates the batch ramp over tokens: the batch grows linearly with the tokens seen, and the step time is
/// linear between the simulated points, in each of its parts. Points ascend, first = ramp start, last = full
/// batch.
struct RampPoint {
    int sequences = 0; ///< of a step
    hw::Seconds step;
    Spent spent; ///< of it
};
CampaignReport campaign_report(const Scenario&, const std::vector<RampPoint>& points);
/// A phase whose GPU-hours the scenario gives.
PhaseReport given_phase(const Scenario&, const Phase&);
/// One that was simulated as a campaign of its own.
PhaseReport simulated_phase(const Phase&, const CampaignReport&);
/// Phases one after another, dated from campaign.start. What belongs to a full batch is the first simulated
/// phase's.
CampaignReport add_up(const Scenario&, const std::vector<CampaignReport>& simulated,
                      std::vector<PhaseReport>);

/// "2,048 x h800-sxm, capped", where it is.
std::string cluster_label(const RunReport&);
/// With the caps: "2,048 x h800-sxm, capped: nvlink = 100 GB/s".
std::string cluster_text(const RunReport&);
/// "95% of the kernel time: 23% grouped_gemm fp8 block_128, …"; empty if everything was measured.
std::string extrapolated_text(const RunReport&);

/// The report as a person reads it, in at most 100 columns.
std::string to_text(const RunReport&);
/// The contract chokepoint/run/1 (docs/schema/run.schema.json): SI units, snake_case.
enum class JsonLayout { indented, one_line };
std::string to_json(const RunReport&, const Scenario&, JsonLayout = JsonLayout::indented);

/// Two runs side by side, the largest differences first.
std::string compare_text(const RunReport& a, const RunReport& b);

/// Chrome/Perfetto trace JSON: one process per simulated class, one track per stream.
struct TraceOptions {
    std::vector<int> ranks; ///< pipeline ranks; empty: all
    FoldReport fold;        ///< names the processes; empty: each is a pipeline rank
    /// Activations of each process, drawn as a counter; empty: none is.
    std::vector<std::vector<MemoryLevel>> held = {};
    /// Spans that are marked as the step's critical path; empty: none is.
    std::vector<PathStep> critical = {};
};
std::string to_trace_json(const work::TaskGraph&, const StepCosts&, const Timeline&,
                          const TraceOptions& = {});

} // namespace chokepoint::sim
