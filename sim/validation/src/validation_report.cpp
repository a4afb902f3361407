// SPDX-License-Identifier: Apache-2.0
// Scores predictions by family, and ranks configurations of one model on one cluster.
#include <chokepoint/sim/validation_report.hpp>

#include "choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>

namespace chokepoint::sim {
namespace {

/// The keys of a run whose paths are `wanted`, and their values.
template <typename Predicate> std::string keys_of(const PublishedRun& run, Predicate wanted) {
    std::string text;
    for (const auto& [path, value] : run.keys) {
        if (wanted(path)) {
            text += fmt::format("{}={}\n", path, value);
        }
    }
    return text;
}

std::string scale_of(const Prediction& prediction) {
    struct Scale {
        int up_to;
        std::string_view name;
    };
    constexpr std::array kScales{Scale{8, "1 to 8 GPUs"}, Scale{64, "9 to 64 GPUs"},
                                 Scale{512, "65 to 512 GPUs"}};
    const auto at = std::ranges::find_if(kScales, [&](const Scale& s) { return prediction.gpus <= s.up_to; });
    return std::string(at == kScales.end() ? "more than 512 GPUs" : at->name);
}

/// "Megatron-Bridge" of "Megatron-Bridge 26.04.01": a last word of digits and dots is a release.
std::string product_of(const std::string& stack) {
    const std::size_t space = stack.rfind(' ');
    const bool release = space != std::string::npos && space + 1 < stack.size() &&
                         stack.find_first_not_of("0123456789.-", space + 1) == std::string::npos;
    return release ? stack.substr(0, space) : stack;
}

std::string kind_of(const Prediction& prediction) { return prediction.moe ? "MoE" : "dense"; }

/// The same for runs that are the same scenario, whatever release ran it. A run of which only a rate is
/// published stands alone.
std::string layout_of(const PublishedRun& run) {
    return (run.score == Score::time ? "" : run.id) +
           keys_of(run, [](const std::string& path) { return path != "plan.software"; });
}

/// The model and the cluster of a run, whatever its plan. A table of positions grows with the sequence, and
/// sources that leave the NICs or the vocabulary unsaid mean the same cluster and model.
std::string group_of(const PublishedRun& run) {
    constexpr std::array<std::string_view, 6> kSame{"cluster.gpu", "cluster.nodes", "cluster.gpus_per_node",
                                                    "model.arch",  "model.layers",  "model.hidden"};
    return keys_of(run,
                   [&](const std::string& path) { return std::ranges::find(kSame, path) != kSame.end(); });
}

bool is_inside(const Prediction& prediction) {
    const auto [low, high] = *prediction.interval;
    return low <= prediction.measured->value() && prediction.measured->value() <= high;
}

class Scorer {
public:
    explicit Scorer(const ValidationReport& report) : report_(report) {
        for (std::size_t i = 0; i < report.runs.size(); ++i) {
            if (report.predictions[i].error()) {
                ++copies_[layout(i)];
            }
        }
    }

    /// Rows that this function puts under a name; the others are left out.
    template <typename MemberOf>
    std::vector<FamilyScore> by(const std::string& family, MemberOf member_of) const {
        std::map<std::string, std::vector<std::size_t>> members;
        for (std::size_t i = 0; i < report_.runs.size(); ++i) {
            if (!report_.predictions[i].error()) {
                continue;
            }
            if (const std::string member = member_of(report_.runs[i], report_.predictions[i]);
                !member.empty()) {
                members[member].push_back(i);
            }
        }
        std::vector<FamilyScore> scores;
        for (const auto& [member, rows] : members) {
            scores.push_back(score(family, member, rows));
        }
        return scores;
    }

private:
    [[nodiscard]] std::string layout(std::size_t i) const { return layout_of(report_.runs[i]); }

    [[nodiscard]] FamilyScore score(const std::string& family, const std::string& member,
                                    const std::vector<std::size_t>& rows) const {
        FamilyScore out;
        out.family = family;
        out.member = member;
        out.rows = static_cast<int>(rows.size());
        std::vector<Weighted> absolute, with_sign, inside;
        std::map<std::string, int> layouts;
        for (const std::size_t i : rows) {
            const double weight = 1.0 / copies_.at(layout(i));
            const double error = *report_.predictions[i].error();
            absolute.push_back({std::abs(error), weight});
            with_sign.push_back({error, weight});
            inside.push_back({is_inside(report_.predictions[i]) ? 1.0 : 0.0, weight});
            ++layouts[layout(i)];
        }
        constexpr double kMedian = 0.5, kP90 = 0.9;
        out.layouts = static_cast<int>(layouts.size());
        out.median = quantile(absolute, kMedian);
        out.p90 = quantile(absolute, kP90);
        out.mean = mean(absolute);
        out.bias = mean(with_sign);
        out.covered = mean(inside);
        add_choice(out, rows);
        return out;
    }

    /// Tokens per second of each distinct configuration, published (mean over its rows) and predicted.
    [[nodiscard]] Rates rates_of(const std::vector<std::size_t>& same) const {
        double measured = 0.0;
        for (const std::size_t i : same) {
            measured += report_.predictions[i].measured->value() / static_cast<double>(same.size());
        }
        const std::size_t any = same.front();
        const double tokens = report_.predictions[any].tokens;
        return {tokens / measured, tokens / report_.predictions[any].predicted->value()};
    }

    void add_choice(FamilyScore& out, const std::vector<std::size_t>& rows) const {
        std::map<std::string, std::map<std::string, std::vector<std::size_t>>> groups;
        for (const std::size_t i : rows) {
            groups[group_of(report_.runs[i])][layout(i)].push_back(i);
        }
        std::vector<Weighted> rank, in_order, regret;
        for (const auto& [group, configurations] : groups) {
            std::vector<Rates> rates;
            for (const auto& [configuration, same] : configurations) {
                rates.push_back(rates_of(same));
            }
            if (const auto choice = judge(rates)) {
                const auto weight = static_cast<double>(rates.size());
                rank.push_back({choice->rank, weight});
                regret.push_back({choice->regret, weight});
                if (choice->in_order) {
                    in_order.push_back({*choice->in_order, weight});
                }
            }
        }
        const auto mean_of = [](const std::vector<Weighted>& values) {
            return values.empty() ? std::nullopt : std::optional(mean(values));
        };
        out.rank_groups = static_cast<int>(rank.size());
        out.rank = mean_of(rank);
        out.in_order = mean_of(in_order);
        out.regret = mean_of(regret);
    }

    const ValidationReport& report_;
    std::map<std::string, int> copies_;
};

template <typename Range> void append(std::vector<FamilyScore>& all, Range&& more) {
    all.insert(all.end(), more.begin(), more.end());
}

std::vector<FamilyScore> all_scores(const ValidationReport& report) {
    const Scorer scorer(report);
    const auto timed = [](const PublishedRun& run) { return run.score == Score::time; };
    const auto of_timed = [&](auto member) {
        return [=](const PublishedRun& run, const Prediction& prediction) {
            return timed(run) ? member(run, prediction) : std::string();
        };
    };
    std::vector<FamilyScore> scores;
    append(scores, scorer.by("published", [&](const PublishedRun& run, const Prediction&) {
        return std::string(timed(run) ? "step time" : "FLOP rate only");
    }));
    append(scores, scorer.by("bound",
                             of_timed([](const PublishedRun& run, const Prediction&) { return run.bound; })));
    append(scores, scorer.by("kind", of_timed([](const PublishedRun&, const Prediction& prediction) {
                                 return kind_of(prediction);
                             })));
    append(scores, scorer.by("gpu", of_timed([](const PublishedRun& run, const Prediction&) {
                                 return run.key("cluster.gpu");
                             })));
    append(scores, scorer.by("scale", of_timed([](const PublishedRun&, const Prediction& prediction) {
                                 return scale_of(prediction);
                             })));
    append(scores, scorer.by("precision", of_timed([](const PublishedRun& run, const Prediction&) {
                                 return run.key("plan.precision");
                             })));
    append(scores, scorer.by("software", of_timed([](const PublishedRun& run, const Prediction&) {
                                 return product_of(run.stack);
                             })));
    append(scores, scorer.by("release", of_timed([](const PublishedRun& run, const Prediction&) {
                                 return product_of(run.stack) == run.stack ? std::string() : run.stack;
                             })));
    return scores;
}

/// Plans that do not fit differ in every figure; as a reason they are one.
std::string kind_of(const std::string& reason) {
    const bool memory =
        reason.starts_with("the plan needs ") && reason.find("more than the ") != std::string::npos;
    return memory ? "the plan needs more memory than the part has" : reason;
}

std::vector<ReasonCount> count_reasons(const ValidationReport& report) {
    std::map<std::string, int> counts;
    for (const Prediction& prediction : report.predictions) {
        if (!prediction.reason.empty()) {
            ++counts[kind_of(prediction.reason)];
        }
    }
    std::vector<ReasonCount> reasons;
    for (const auto& [reason, rows] : counts) {
        reasons.push_back({reason, rows});
    }
    std::ranges::stable_sort(reasons, std::ranges::greater{}, &ReasonCount::rows);
    return reasons;
}

/// Of these errors, one a distinct scenario and reading.
FamilyScore memory_score(const std::string& member,
                         const std::map<std::string, std::vector<double>>& errors) {
    FamilyScore out;
    out.family = "memory";
    out.member = member;
    std::vector<Weighted> absolute, with_sign;
    for (const auto& [layout, of_layout] : errors) {
        for (const double error : of_layout) {
            const double weight = 1.0 / static_cast<double>(of_layout.size());
            absolute.push_back({std::abs(error), weight});
            with_sign.push_back({error, weight});
        }
    }
    out.rows = static_cast<int>(absolute.size());
    out.layouts = static_cast<int>(errors.size());
    if (!absolute.empty()) {
        constexpr double kMedian = 0.5, kP90 = 0.9;
        out.median = quantile(absolute, kMedian);
        out.p90 = quantile(absolute, kP90);
        out.mean = mean(absolute);
        out.bias = mean(with_sign);
    }
    return out;
}

/// Steps of any length share one peak of memory: the same one of the same plan is one reading.
std::string memory_reading(const PublishedRun& run) {
    std::string text = fmt::format("{:.17g}\n", run.memory->value());
    for (const auto& [path, value] : run.keys) {
        text += path == "plan.global_batch" ? std::string() : fmt::format("{}={}\n", path, value);
    }
    return text;
}

/// All of them, then by software.
std::vector<FamilyScore> memory_scores(const ValidationReport& report) {
    std::map<std::string, std::vector<double>> all;
    std::map<std::string, std::map<std::string, std::vector<double>>> by_software;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const PublishedRun& run = report.runs[i];
        if (const auto error = report.predictions[i].memory_error(run)) {
            all[memory_reading(run)].push_back(*error);
            by_software[product_of(run.stack)][memory_reading(run)].push_back(*error);
        }
    }
    std::vector<FamilyScore> scores;
    if (!all.empty()) {
        scores.push_back(memory_score("peak of one GPU", all));
    }
    for (const auto& [software, errors] : by_software) {
        scores.push_back(memory_score(software, errors));
    }
    return scores;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string field_of(const PublishedRun& run, std::string_view field) {
    constexpr std::array<std::string_view, 4> kScores{"time", "tflops", "memory", "hold"};
    if (field == "id") {
        return run.id;
    }
    if (field == "gpu") {
        return run.key("cluster.gpu");
    }
    if (field == "model") {
        return run.model();
    }
    if (field == "stack") {
        return run.stack;
    }
    if (field == "source") {
        return run.source;
    }
    if (field == "score") {
        return std::string(kScores.at(static_cast<std::size_t>(run.score)));
    }
    if (field == "bound") {
        return run.bound;
    }
    if (field.find('.') != std::string_view::npos) {
        return run.key(field);
    }
    throw std::invalid_argument(
        fmt::format("no field is called '{}'; expected id, gpu, model, stack, source, score, "
                    "bound or a scenario key such as plan.precision",
                    field));
}

} // namespace

ValidationReport validation_report(std::vector<PublishedRun> runs, std::vector<Prediction> predictions) {
    if (runs.size() != predictions.size()) {
        throw std::logic_error(
            fmt::format("{} predictions for {} published runs", predictions.size(), runs.size()));
    }
    ValidationReport report;
    report.runs = std::move(runs);
    report.predictions = std::move(predictions);
    report.scores = all_scores(report);
    report.reasons = count_reasons(report);
    report.memory = memory_scores(report);
    return report;
}

std::vector<RunFamilies> families_of(const ValidationReport& report) {
    std::map<std::string, int> layouts;
    std::vector<RunFamilies> families;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const PublishedRun& run = report.runs[i];
        const Prediction& prediction = report.predictions[i];
        const bool described = prediction.gpus > 0;
        const auto next = static_cast<int>(layouts.size());
        families.push_back({.kind = described ? kind_of(prediction) : std::string(),
                            .scale = described ? scale_of(prediction) : std::string(),
                            .software = product_of(run.stack),
                            .layout = layouts.emplace(layout_of(run), next).first->second});
    }
    return families;
}

bool matches(const PublishedRun& run, const std::string& filter) {
    const std::size_t equals = filter.find('=');
    const std::string field = equals == std::string::npos ? "id" : filter.substr(0, equals);
    const std::string wanted = equals == std::string::npos ? filter : filter.substr(equals + 1);
    return lower(field_of(run, field)).find(lower(wanted)) != std::string::npos;
}

} // namespace chokepoint::sim
