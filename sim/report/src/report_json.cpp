// SPDX-License-Identifier: Apache-2.0
// The JSON contract chokepoint/run/1.
#include <chokepoint/sim/report.hpp>

#include <chokepoint/hwmodels/build_info.hpp>

#include <nlohmann/json.hpp>

#include <sys/resource.h>

namespace chokepoint::sim {

using Json = nlohmann::ordered_json;

namespace {

constexpr double kKilo = 1024.0;
constexpr hw::Joules kKilowattHour{3.6e6};

std::int64_t peak_rss_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::int64_t>(static_cast<double>(usage.ru_maxrss) * kKilo);
}

Json phases_json(const Phases& p) {
    return {{"f", p.f.value()},
            {"b", p.b.value()},
            {"w", p.w.value()},
            {"fb", p.fb.value()},
            {"bubble", p.bubble.value()},
            {"optimizer", p.optimizer.value()},
            {"exposed_communication", p.exposed_communication.value()}};
}

Json scenario_json(const Scenario& scenario) {
    Json values = Json::object();
    for (const ResolvedValue& value : scenario.resolved()) {
        values[value.key] = {{"value", value.is_text ? Json(value.text) : Json(value.base)},
                             {"text", value.text},
                             {"origin", std::string(name(value.origin))},
                             {"where", value.where}};
    }
    return {{"file", scenario.file()}, {"title", scenario.title()}, {"values", std::move(values)}};
}

Json step_json(const StepReport& step) {
    Json ranks = Json::array();
    for (const Phases& p : step.per_rank) {
        ranks.push_back(phases_json(p));
    }
    return {{"seconds", step.seconds.value()},
            {"tokens", step.tokens},
            {"tokens_per_second_per_gpu", step.tokens_per_second_per_gpu},
            {"tflops_per_gpu_causal", step.flops_per_gpu_causal.value() / 1e12},
            {"tflops_per_gpu_noncausal", step.flops_per_gpu_noncausal.value() / 1e12},
            {"mfu_causal", step.mfu_causal},
            {"mfu_noncausal", step.mfu_noncausal},
            {"gflop_per_token_causal", step.flops_per_token_causal.value() / 1e9},
            {"gflop_per_token_noncausal", step.flops_per_token_noncausal.value() / 1e9},
            {"phases", phases_json(step.phases)},
            {"phases_per_rank", std::move(ranks)}};
}

const work::MemoryUse* fullest(const std::vector<work::MemoryUse>& ranks) {
    const work::MemoryUse* most = nullptr;
    for (const work::MemoryUse& use : ranks) {
        if (most == nullptr || use.total() > most->total()) {
            most = &use;
        }
    }
    return most;
}

Json memory_json(const RunReport& report) {
    const work::MemoryUse* use = fullest(report.memory);
    if (use == nullptr) {
        return nullptr;
    }
    Json ranks = Json::array();
    for (const work::MemoryUse& rank : report.memory) {
        ranks.push_back(rank.total().value());
    }
    Json spans = Json::array();
    for (const MemoryPeak& peak : report.peaks) {
        spans.push_back({{"from_seconds", peak.from.value()}, {"until_seconds", peak.until.value()}});
    }
    return {{"peak_bytes", use->total().value()},
            {"capacity_bytes", report.memory_capacity.value()},
            {"by_kind",
             {{"parameters", use->parameters.value()},
              {"gradients", use->gradients.value()},
              {"optimizer", use->optimizer.value()},
              {"activations", use->activations.value()},
              {"buffers", use->buffers.value()},
              {"overhead", use->overhead.value()}}},
            {"peak_bytes_per_rank", std::move(ranks)},
            {"peak_span_per_rank", std::move(spans)}};
}

Json day_json(const std::optional<Day>& day) { return day ? Json(to_text(*day)) : Json(nullptr); }

Json sample_json(const FailureReport& failures, double gpus) {
    if (!failures.sample) {
        return nullptr;
    }
    const RenewalSample& sample = *failures.sample;
    Json gpu_hours = Json::array();
    for (const hw::Seconds wall : sample.quantiles) {
        gpu_hours.push_back(wall * gpus / hw::kHour);
    }
    return {{"trials", sample.trials},
            {"seed", failures.settings.seed},
            {"mean_days", sample.mean / hw::kDay},
            {"standard_error_days", sample.standard_error / hw::kDay},
            {"gpu_hours", std::move(gpu_hours)}};
}

Json failures_json(const CampaignReport& campaign) {
    if (!campaign.failures) {
        return nullptr;
    }
    const FailureReport& failures = *campaign.failures;
    const FailureCost& cost = failures.expected;
    return {{"gpu_hours", failures.gpu_hours},
            {"days", cost.wall / hw::kDay},
            {"last_day", day_json(failures.last_day)},
            {"goodput", cost.goodput},
            {"count", cost.failures},
            {"spare_gpus", failures.spare_gpus},
            {"state_bytes", failures.settings.state.value()},
            {"job_mtbf_seconds", cost.mtbf.value()},
            {"checkpoint_seconds", failures.settings.process.checkpoint.value()},
            {"checkpoint_interval_seconds", cost.interval.value()},
            {"lost_days",
             {{"repeated_work", cost.lost / hw::kDay},
              {"restarts", cost.restarts / hw::kDay},
              {"checkpoints", cost.checkpoints / hw::kDay},
              {"waiting", cost.waiting / hw::kDay},
              {"slow_hosts", cost.slowed / hw::kDay}}},
            {"monte_carlo", sample_json(failures, failures.gpu_hours / (cost.wall / hw::kHour))}};
}

Json phase_list_json(const CampaignReport& campaign) {
    Json phases = Json::array();
    for (const PhaseReport& phase : campaign.phases) {
        phases.push_back({{"name", phase.name},
                          {"tokens", phase.tokens},
                          {"gpu_hours", phase.gpu_hours},
                          {"days", phase.wall / hw::kDay},
                          {"given", phase.given},
                          {"step_seconds", phase.given ? Json(nullptr) : Json(phase.step.value())},
                          {"first_day", day_json(phase.first_day)},
                          {"last_day", day_json(phase.last_day)}});
    }
    return phases;
}

Json campaign_json(const RunReport& report) {
    if (!report.campaign) {
        return nullptr;
    }
    const CampaignReport& campaign = *report.campaign;
    Json points = Json::array();
    for (const auto& [sequences, seconds] : campaign.ramp_points) {
        points.push_back({{"global_batch", sequences}, {"step_seconds", seconds.value()}});
    }
    return {{"gpu_hours", campaign.gpu_hours},
            {"days", campaign.wall / hw::kDay},
            {"tokens", campaign.tokens},
            {"goodput", campaign.goodput},
            {"gpu_hours_per_trillion_tokens", campaign.gpu_hours_per_trillion_tokens},
            {"ramp_gpu_hours", campaign.ramp_gpu_hours},
            {"ramp_points", std::move(points)},
            {"ramp_note", campaign.ramp_note},
            {"failures", failures_json(campaign)},
            {"phases", phase_list_json(campaign)},
            {"first_day", day_json(campaign.first_day)},
            {"last_day", day_json(campaign.last_day)}};
}

Json optional_usd(const std::optional<hw::Usd>& usd) { return usd ? Json(usd->value()) : Json(nullptr); }

Json energy_json(const RunReport& report) {
    if (!report.energy) {
        return nullptr;
    }
    const EnergyReport& energy = *report.energy;
    const PowerStates& states = energy.settings.states;
    return {{"step_kwh", energy.step / kKilowattHour},
            {"campaign_kwh", energy.campaign ? Json(*energy.campaign / kKilowattHour) : Json(nullptr)},
            {"co2_kg", energy.co2 ? Json(energy.co2->value()) : Json(nullptr)},
            {"kg_per_kwh", energy.settings.carbon.value() * kKilowattHour.value()},
            {"grid", energy.settings.grid},
            {"pue", states.pue},
            {"node_watts_per_gpu", energy.node_power.value()},
            {"peak_megawatts", energy.peak.value() / 1e6},
            {"shares",
             {{"compute", energy.shares.compute},
              {"communication", energy.shares.communication},
              {"idle", energy.shares.idle}}},
            {"watts",
             {{"compute", states.compute.value()},
              {"communication", states.communication.value()},
              {"idle", states.idle.value()},
              {"host", states.host.value()}}}};
}

Json range_json(const UsdRange& range) {
    return {{"low", range.low.value()}, {"mid", range.mid.value()}, {"high", range.high.value()}};
}

Json cost_items_json(const CostReport& cost) {
    Json items = Json::array();
    for (const CostItem& item : cost.items) {
        Json entry = range_json(item.usd);
        entry["name"] = item.name;
        items.push_back(std::move(entry));
    }
    return items;
}

Json cost_json(const RunReport& report) {
    if (!report.cost) {
        return nullptr;
    }
    const CostReport& cost = *report.cost;
    const Json energy = energy_json(report);
    return {{"usd", optional_usd(cost.campaign)},
            {"energy_kwh", energy.is_null() ? Json(nullptr) : energy.at("campaign_kwh")},
            {"co2_kg", energy.is_null() ? Json(nullptr) : energy.at("co2_kg")},
            {"breakdown",
             {{"price_usd_per_gpu_hour", (cost.price * hw::kHour).value()},
              {"step_usd", cost.step.value()},
              {"usd_per_trillion_tokens", cost.per_trillion_tokens.value()},
              {"gpu_rental_usd", cost.items.empty() ? optional_usd(cost.campaign) : Json(nullptr)}}},
            {"counted", cost.title},
            {"range", cost.range ? range_json(*cost.range) : Json(nullptr)},
            {"items", cost_items_json(cost)},
            {"notes", cost.notes}};
}

Json sample_json(const std::optional<Sample>& sample) {
    if (!sample) {
        return nullptr;
    }
    Json made = {{"draws", sample->trials},
                 {"seed", sample->seed},
                 {"step_seconds", Json::array()},
                 {"gpu_hours", nullptr},
                 {"usd", nullptr}};
    for (const hw::Seconds& step : sample->step) {
        made["step_seconds"].push_back(step.value());
    }
    if (sample->gpu_hours) {
        made["gpu_hours"] = *sample->gpu_hours;
    }
    if (sample->usd) {
        made["usd"] = Json::array();
        for (const hw::Usd& usd : *sample->usd) {
            made["usd"].push_back(usd.value());
        }
    }
    return made;
}

Json effect_json(const Effect& effect) {
    return {
        {"step_seconds", effect.step.value()}, {"gpu_hours", effect.gpu_hours}, {"usd", effect.usd.value()}};
}

Json ends(const Percentiles& found) { return Json::array({found[0], found[2]}); }
double middle(const Percentiles& found) { return found[1]; }

Json uncertainty_json(const RunReport& report) {
    const Uncertainty& u = report.uncertainty;
    Json drivers = Json::array();
    for (const Driver& driver : u.drivers) {
        Json entry = {{"input", driver.input}, {"relative_sigma", driver.relative_sigma}};
        entry.update(effect_json(driver.effect));
        entry["low"] = effect_json(driver.ends.low);
        entry["high"] = effect_json(driver.ends.high);
        drivers.push_back(std::move(entry));
    }
    Json extrapolated = Json::array();
    for (const auto& [kernels, share] : report.extrapolated) {
        extrapolated.push_back({{"kernels", kernels}, {"share", share}});
    }
    Json result = {{"step_seconds", ends(u.step_seconds)},
                   {"gpu_hours", nullptr},
                   {"interrupted_gpu_hours", nullptr},
                   {"usd", nullptr},
                   {"median",
                    {{"step_seconds", middle(u.step_seconds)},
                     {"gpu_hours", nullptr},
                     {"interrupted_gpu_hours", nullptr},
                     {"usd", nullptr}}},
                   {"relative_sigma", u.relative_sigma},
                   {"drivers", std::move(drivers)},
                   {"extrapolated", std::move(extrapolated)},
                   {"monte_carlo", sample_json(report.sample)}};
    if (report.campaign) {
        result["gpu_hours"] = ends(u.uninterrupted_gpu_hours);
        result["median"]["gpu_hours"] = middle(u.uninterrupted_gpu_hours);
        if (report.campaign->failures) {
            result["interrupted_gpu_hours"] = ends(u.gpu_hours);
            result["median"]["interrupted_gpu_hours"] = middle(u.gpu_hours);
        }
    }
    if (report.cost && report.cost->campaign) {
        result["usd"] = ends(u.usd);
        result["median"]["usd"] = middle(u.usd);
    }
    return result;
}

Json critical_path_json(const RunReport& report) {
    Json path = Json::array();
    for (const auto& [resource, seconds] : report.critical_path.by_resource) {
        path.push_back({{"resource", std::string(name(resource))}, {"seconds", seconds.value()}});
    }
    return path;
}

/// At most this many classes are listed: a reader of more wants the trace.
constexpr std::size_t kListedClasses = 1000;

Json fold_json(const FoldReport& fold) {
    Json classes = Json::array();
    for (const SimulatedClass& simulated : fold.classes) {
        if (classes.size() < kListedClasses) {
            classes.push_back({{"pipeline_rank", simulated.pipeline_rank},
                               {"representative_gpu", simulated.representative},
                               {"gpus", simulated.gpus},
                               {"why", simulated.why}});
        }
    }
    return {{"mode", fold.mode}, {"classes", fold.classes.size()}, {"listed", std::move(classes)}};
}

Json program_json(const Scenario& scenario) {
    return {{"version", std::string(hw::version())},
            {"commit", std::string(hw::commit())},
            {"catalog_hash", scenario.catalog_hash()}};
}

Json run_json(const RunReport& report, const Scenario& scenario) {
    return {{"schema", "chokepoint/run/1"},
            {"program", program_json(scenario)},
            {"scenario", scenario_json(scenario)},
            {"step", step_json(report.step)},
            {"memory", memory_json(report)},
            {"critical_path", critical_path_json(report)},
            {"campaign", campaign_json(report)},
            {"energy", energy_json(report)},
            {"cost", cost_json(report)},
            {"uncertainty", uncertainty_json(report)},
            {"engine",
             {{"activities", report.engine.activities},
              {"flows", report.engine.flows},
              {"tasks", report.tasks},
              {"fold", fold_json(report.fold)},
              {"schedule_note", report.schedule_note},
              {"wall_seconds", report.engine.wall_seconds},
              {"peak_rss_bytes", peak_rss_bytes()}}},
            {"warnings", report.warnings}};
}

} // namespace

std::string to_json(const RunReport& report, const Scenario& scenario, JsonLayout layout) {
    constexpr int kIndented = 2;
    constexpr int kOneLine = -1;
    return run_json(report, scenario).dump(layout == JsonLayout::one_line ? kOneLine : kIndented) + "\n";
}

} // namespace chokepoint::sim
