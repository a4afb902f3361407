// SPDX-License-Identifier: Apache-2.0
// Published training runs as scenarios: what was measured, what the program predicts, and how far apart they
// are.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// What a source publishes of a run: its step time, only a rate of arithmetic, or only its peak of memory. A
/// held run's model is not described, so that it can be listed but not simulated.
enum class Score { time, tflops, memory, hold };
/// Which of a pipeline's ranks a memory reading is of.
enum class MemoryRank { fullest, last };
/// What a memory reading counts: tensors, or what PyTorch's allocator holds of the device for them.
enum class MemoryKind { allocated, reserved };
/// How a source counts the FLOPs behind its rate.
enum class FlopConvention { causal, full, full_recompute };

/// One line of a file of published runs.
struct PublishedRun {
    std::string id, source;
    std::string stack; ///< software and its release
    std::string bound; ///< "fair": the plan is stated in full; "loose": something that moves the step is not
    Score score = Score::time;
    std::optional<hw::Seconds> seconds;     ///< of one step
    std::optional<hw::FlopsPerSecond> rate; ///< per GPU
    FlopConvention flops = FlopConvention::full;
    std::optional<hw::Bytes> memory; ///< of one GPU at its fullest moment
    MemoryRank memory_rank = MemoryRank::fullest;
    MemoryKind memory_kind = MemoryKind::allocated;
    std::string assumed, note;
    std::filesystem::path folder; ///< where paths among the keys start
    /// Scenario keys and their values, both as text.
    std::vector<std::pair<std::string, std::string>> keys;

    /// The value of a key; empty without one.
    [[nodiscard]] std::string key(std::string_view path) const;
    /// Its model.arch, or "40 layers of 5120" of a model that is spelled out.
    [[nodiscard]] std::string model() const;
};

/// The file that ships with the program.
std::filesystem::path published_runs_file();
/// The one of runs of which only peaks of memory are compared.
std::filesystem::path published_memory_file();
/// The one of whole campaigns.
std::filesystem::path published_campaigns_file();
/// Reads a table of tab-separated columns. @throws ScenarioError with every fault of the file.
std::vector<PublishedRun> load_published_runs(const std::filesystem::path&);
std::vector<PublishedRun> parse_published_runs(std::string_view text, const std::string& file);

/// The run as a scenario that a user could have written.
std::string scenario_text(const PublishedRun&);

struct Prediction {
    std::optional<hw::Seconds> measured;           ///< as published, or as a published rate implies
    std::optional<hw::Seconds> predicted;          ///< nothing if the run cannot be put as a scenario
    std::optional<hw::Bytes> memory;               ///< of the rank and kind that the run measured
    std::optional<std::array<double, 2>> interval; ///< 5th and 95th percentile of the predicted seconds
    std::string reason;                            ///< why there is no prediction; empty if there is one
    int gpus = 0;
    bool moe = false;
    double tokens = 0.0; ///< of one step
    /// (predicted - measured) / measured.
    [[nodiscard]] std::optional<double> error() const;
    [[nodiscard]] std::optional<double> memory_error(const PublishedRun&) const;
};

/// Simulates one run in this process. Never throws for what the run says.
Prediction predict(const PublishedRun&);

struct PredictOptions {
    int processes = 0; ///< 0: as many as there are cores
    std::function<void(double)> progress;
};
/// Simulates runs in child processes, since SimGrid allows one simulation at a time in each. Runs that are
/// the same scenario are simulated once. A run that ends its process is told so; the others go on.
std::vector<Prediction> predict_all(std::span<const PublishedRun>, const PredictOptions& = {});

} // namespace chokepoint::sim
