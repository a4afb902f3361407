// SPDX-License-Identifier: Apache-2.0
// Gives ranks what child processes inherit: the scenario as it was read, so that all compute the same.
#include "sweep_team.hpp"

#include "commands.hpp"
#include "json.hpp"

#include <chokepoint/sim/point.hpp>

#include <algorithm>
#include <optional>

namespace chokepoint::cli {

namespace {

std::string to_text(const sim::ScenarioTemplate& source, const sim::LoadOptions& options,
                    const sim::WorkerLimits& limits) {
    Json catalogs = Json::array();
    for (const std::filesystem::path& directory : options.catalog_directories) {
        catalogs.push_back(directory.string());
    }
    Json set_up{{"scenario", source.text()},
                {"file", source.file()},
                {"overrides", options.overrides},
                {"catalogs", std::move(catalogs)}};
    if (limits.time_out) {
        set_up["time_out"] = limits.time_out->value();
    }
    if (limits.memory) {
        set_up["memory"] = limits.memory->value();
    }
    return set_up.dump();
}

/// A child process for each rank, so that a point that ends it leaves the rank, and with it the job, alive.
class RankWorker : public sim::Workers {
public:
    explicit RankWorker(const std::string& text) : RankWorker(Json::parse(text)) {}
    [[nodiscard]] int count() const override { return child_->count(); }
    [[nodiscard]] int idle() const override { return child_->idle(); }
    void start(std::size_t task, std::string_view text) override { child_->start(task, text); }
    std::vector<sim::Answer> wait(std::chrono::milliseconds longest) override {
        return child_->wait(longest);
    }

private:
    explicit RankWorker(const Json& set_up)
        : source_(sim::ScenarioTemplate::parse(set_up.at("scenario").get<std::string>(),
                                               set_up.at("file").get<std::string>(), options_of(set_up))),
          child_(sim::process_workers(1, sim::point_work(source_), limits_of(set_up))) {}

    static sim::LoadOptions options_of(const Json& set_up) {
        sim::LoadOptions options;
        options.overrides = set_up.at("overrides").get<std::vector<std::string>>();
        for (const auto& directory : set_up.at("catalogs").get<std::vector<std::string>>()) {
            options.catalog_directories.emplace_back(directory);
        }
        return options;
    }
    static sim::WorkerLimits limits_of(const Json& set_up) {
        sim::WorkerLimits limits;
        if (set_up.contains("time_out")) {
            limits.time_out = hw::Seconds(set_up.at("time_out").get<double>());
        }
        if (set_up.contains("memory")) {
            limits.memory = hw::Bytes(set_up.at("memory").get<double>());
        }
        return limits;
    }

    sim::ScenarioTemplate source_;
    std::unique_ptr<sim::Workers> child_;
};

} // namespace

SweepTeam::SweepTeam(int jobs) : jobs_(jobs) {
    if (!sim::started_by_mpi()) {
        return;
    }
    ranks_ = std::make_unique<sim::MpiRanks>();
    if (jobs_ > 0 && ranks_->hands_out()) {
        throw UsageError(
            "--jobs is for one machine: of MPI ranks, the first hands points out and every other "
            "computes one at a time");
    }
}

bool SweepTeam::serves() const { return ranks_ && !ranks_->hands_out(); }

void SweepTeam::serve() {
    ranks_->serve([](const std::string& set_up) { return std::make_unique<RankWorker>(set_up); });
}

std::unique_ptr<sim::Workers> SweepTeam::workers(const sim::ScenarioTemplate& source,
                                                 const sim::LoadOptions& options,
                                                 const sim::WorkerLimits& limits, std::int64_t points) {
    if (ranks_) {
        return ranks_->workers(to_text(source, options, limits));
    }
    const std::int64_t processes = std::min<std::int64_t>(jobs_ > 0 ? jobs_ : sim::cores(), points);
    return sim::process_workers(static_cast<int>(processes), sim::point_work(source), limits);
}

} // namespace chokepoint::cli
