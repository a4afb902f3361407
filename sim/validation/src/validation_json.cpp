// SPDX-License-Identifier: Apache-2.0
// A validation as JSON: every row, every score, every reason.
#include <chokepoint/sim/validation_report.hpp>

#include <chokepoint/hwmodels/build_info.hpp>

#include <nlohmann/json.hpp>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::ordered_json;

template <class Quantity> Json number(const std::optional<Quantity>& quantity) {
    return quantity ? Json(quantity->value()) : Json(nullptr);
}

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json row(const PublishedRun& run, const Prediction& p, const RunFamilies& families) {
    const auto& interval = p.interval;
    return {{"id", run.id},
            {"source", run.source},
            {"stack", run.stack},
            {"software", families.software},
            {"bound", run.bound},
            {"published", run.score == Score::time     ? "time"
                          : run.score == Score::tflops ? "tflops"
                          : run.score == Score::memory ? "memory"
                                                       : "hold"},
            {"model", run.model()},
            {"gpu", run.key("cluster.gpu")},
            {"gpus", p.gpus},
            {"kind", families.kind},
            {"scale", families.scale},
            {"layout", families.layout},
            {"precision", run.key("plan.precision")},
            {"measured_seconds", number(p.measured)},
            {"predicted_seconds", number(p.predicted)},
            {"error", number(p.error())},
            {"interval", interval ? Json(*interval) : Json(nullptr)},
            {"measured_memory_bytes", number(run.memory)},
            {"predicted_memory_bytes", number(p.memory)},
            {"memory_error", number(p.memory_error(run))},
            {"assumed", run.assumed},
            {"note", run.note},
            {"reason", p.reason}};
}

Json score_json(const FamilyScore& score) {
    return {{"family", score.family},
            {"member", score.member},
            {"rows", score.rows},
            {"layouts", score.layouts},
            {"median", score.median},
            {"p90", score.p90},
            {"mean", score.mean},
            {"bias", score.bias},
            {"covered", number(score.covered)},
            {"rank_correlation", number(score.rank)},
            {"rank_groups", score.rank_groups},
            {"in_order", number(score.in_order)},
            {"regret", number(score.regret)}};
}

Json overheads_json(const Overheads& all) {
    Json stacks = Json::array();
    for (const StackOverhead& stack : all.stacks) {
        stacks.push_back({{"architecture", stack.architecture},
                          {"stack", stack.stack},
                          {"runs", stack.runs},
                          {"measured_over_predicted", stack.ratio},
                          {"overhead", stack.overhead},
                          {"left_out_error", number(stack.left_out)}});
    }
    Json architectures = Json::array();
    for (const ArchitectureOverhead& each : all.architectures) {
        architectures.push_back(
            {{"architecture", each.architecture}, {"stacks", each.stacks}, {"overhead", each.overhead}});
    }
    return {{"stacks", std::move(stacks)},
            {"architectures", std::move(architectures)},
            {"overhead", all.stacks.empty() ? Json(nullptr) : Json(all.overhead)},
            {"left_out_median", number(all.left_out_median)},
            {"left_out_mean", number(all.left_out_mean)}};
}

Json campaigns_json(const std::vector<CampaignFigure>& figures) {
    Json rows = Json::array();
    for (const CampaignFigure& figure : figures) {
        rows.push_back({{"training", figure.run},
                        {"figure", figure.figure},
                        {"published", figure.published},
                        {"predicted", number(figure.predicted)},
                        {"error", number(figure.error())},
                        {"interval", figure.interval ? Json(*figure.interval) : Json(nullptr)},
                        {"source", figure.source},
                        {"assumed", figure.assumed},
                        {"note", figure.note},
                        {"reason", figure.reason}});
    }
    return rows;
}

} // namespace

std::string to_json(const ValidationReport& report, const std::string& catalog_hash,
                    const std::vector<CampaignFigure>& campaigns) {
    Json rows = Json::array();
    const std::vector<RunFamilies> families = families_of(report);
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        rows.push_back(row(report.runs[i], report.predictions[i], families[i]));
    }
    Json scores = Json::array();
    for (const FamilyScore& score : report.scores) {
        scores.push_back(score_json(score));
    }
    Json by_software = Json::array();
    for (const FamilyScore& score : report.memory) {
        if (&score != &report.memory.front()) {
            by_software.push_back(score_json(score));
        }
    }
    Json reasons = Json::array();
    for (const ReasonCount& reason : report.reasons) {
        reasons.push_back({{"reason", reason.reason}, {"rows", reason.rows}});
    }
    const Json json{{"schema", "chokepoint/validate/1"},
                    {"program",
                     {{"version", std::string(hw::version())},
                      {"commit", std::string(hw::commit())},
                      {"catalog_hash", catalog_hash}}},
                    {"scores", std::move(scores)},
                    {"memory", report.memory.empty() ? Json(nullptr) : score_json(report.memory.front())},
                    {"memory_by_software", std::move(by_software)},
                    {"not_predicted", std::move(reasons)},
                    {"rows", std::move(rows)},
                    {"campaigns", campaigns_json(campaigns)},
                    {"overheads", report.overheads ? overheads_json(*report.overheads) : Json(nullptr)}};
    return json.dump(2) + "\n";
}

} // namespace chokepoint::sim
