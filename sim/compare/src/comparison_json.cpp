// SPDX-License-Identifier: Apache-2.0
// The JSON contract chokepoint/compare/1.
#include <chokepoint/sim/comparison.hpp>

#include <nlohmann/json.hpp>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::ordered_json;

/// b - a for every number that both sides have, by its path in the run's JSON.
void differences(const Json& a, const Json& b, const std::string& path, Json& out) {
    if (a.is_object() && b.is_object()) {
        for (const auto& [key, value] : a.items()) {
            if (b.contains(key)) {
                differences(value, b.at(key), path.empty() ? key : path + "." + key, out);
            }
        }
    } else if (a.is_number() && b.is_number()) {
        const double before = a.get<double>();
        const double after = b.get<double>();
        out.push_back({{"key", path},
                       {"a", before},
                       {"b", after},
                       {"difference", after - before},
                       {"ratio", before != 0.0 ? Json(after / before) : Json(nullptr)}});
    }
}

Json differences(const Json& a, const Json& b) {
    Json rows = Json::array();
    for (const char* part : {"step", "memory", "campaign", "cost"}) {
        differences(a.at(part), b.at(part), part, rows);
    }
    return rows;
}

Json parts_json(const TimeParts& parts) {
    Json json;
    for (std::size_t i = 0; i < kTimeParts; ++i) {
        json[std::string(name(static_cast<TimePart>(i)))] = parts[i];
    }
    return json;
}

Json waterfall_json(const Waterfall& waterfall) {
    Json bars = Json::array();
    for (const WaterfallBar& bar : waterfall.bars) {
        bars.push_back({{"resource", std::string(name(bar.group))},
                        {"label", std::string(label(bar.group))},
                        {"difference", sum(bar.parts)},
                        {"parts", parts_json(bar.parts)}});
    }
    return {{"measure", std::string(name(waterfall.measure))},
            {"a", sum(waterfall.from)},
            {"b", sum(waterfall.to)},
            {"difference", sum(waterfall.to) - sum(waterfall.from)},
            {"parts_a", parts_json(waterfall.from)},
            {"parts_b", parts_json(waterfall.to)},
            {"bars", std::move(bars)}};
}

Json match_json(const std::optional<Matched>& matched) {
    if (!matched) {
        return nullptr;
    }
    return {{"by", std::string(name(matched->by))},
            {"gpus_before", matched->gpus_before},
            {"gpus", matched->scenario.cluster().gpus()},
            {"target", matched->target},
            {"reached", matched->reached},
            {"limit", matched->limit}};
}

Json interval_json(const Difference& difference) {
    const auto [low, middle, high] = difference.percentiles;
    Json drivers = Json::array();
    for (const auto& [input, sigma] : difference.drivers) {
        drivers.push_back({{"input", input}, {"sigma", sigma}});
    }
    return {{"measure", std::string(name(difference.measure))},
            {"difference", difference.centre},
            {"p5", low},
            {"p50", middle},
            {"p95", high},
            {"sigma", difference.sigma},
            {"sigma_if_independent", difference.independent_sigma},
            {"drivers", std::move(drivers)}};
}

Json pair_json(const Comparison& comparison, std::size_t side, const std::vector<Json>& runs) {
    Json falls = Json::array();
    for (const Waterfall& waterfall : comparison.waterfalls[side - 1]) {
        falls.push_back(waterfall_json(waterfall));
    }
    Json intervals = Json::array();
    for (const Difference& difference : comparison.differences[side - 1]) {
        intervals.push_back(interval_json(difference));
    }
    return {{"a", 0},
            {"b", side},
            {"match", match_json(comparison.sides[side].matched)},
            {"waterfalls", std::move(falls)},
            {"intervals", std::move(intervals)},
            {"differences", differences(runs[0], runs[side])}};
}

} // namespace

std::string to_json(const Comparison& comparison) {
    std::vector<Json> runs;
    for (const Side& side : comparison.sides) {
        runs.push_back(Json::parse(to_json(side.report, side.scenario)));
    }
    Json pairs = Json::array();
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        pairs.push_back(pair_json(comparison, side, runs));
    }
    return Json{{"schema", "chokepoint/compare/1"},
                {"program", runs[0].at("program")},
                {"headline", std::string(name(comparison.headline))},
                {"differences", differences(runs[0], runs[1])},
                {"comparisons", std::move(pairs)},
                {"runs", runs}}
               .dump(2) +
           "\n";
}

} // namespace chokepoint::sim
