// SPDX-License-Identifier: Apache-2.0
// Spreads published runs over child processes and gathers what they answer.
#include <chokepoint/sim/validation.hpp>
#include <chokepoint/sim/workers.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace chokepoint::sim {
namespace {

/// Measured, predicted, memory, gpus, moe, p5, p95, reason; separated by tabs.
std::string to_text(const Prediction& p) {
    const auto number = [](const auto& quantity) {
        return quantity ? fmt::format("{:.17g}", quantity->value()) : std::string("-");
    };
    std::string reason = p.reason;
    std::ranges::replace_if(reason, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    const auto end = [&](std::size_t which) {
        return number(p.interval ? std::optional(hw::Seconds((*p.interval)[which])) : std::nullopt);
    };
    return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", number(p.measured), number(p.predicted),
                       number(p.memory), p.gpus, p.moe ? 1 : 0, end(0), end(1), p.tokens, reason);
}

Prediction from_text(std::string_view text) {
    std::array<std::string, 9> cells;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t tab = i + 1 < cells.size() ? text.find('\t') : text.size();
        cells[i] = text.substr(0, tab);
        text.remove_prefix(std::min(tab + 1, text.size()));
    }
    Prediction p;
    const auto read = [](const std::string& cell, auto& quantity) {
        if (cell != "-") {
            quantity.emplace(std::stod(cell));
        }
    };
    read(cells[0], p.measured);
    read(cells[1], p.predicted);
    read(cells[2], p.memory);
    p.gpus = std::stoi(cells[3]);
    p.moe = cells[4] == "1";
    if (cells[5] != "-") {
        p.interval = {std::stod(cells[5]), std::stod(cells[6])};
    }
    p.tokens = std::stod(cells[7]);
    p.reason = cells[8];
    return p;
}

std::size_t index_from(std::string_view text) { return std::stoul(std::string(text)); }

/// Runs that are the same scenario and are measured the same way, by the first of them.
std::map<std::size_t, std::vector<std::size_t>> equal_runs(std::span<const PublishedRun> runs) {
    std::map<std::string, std::size_t> first;
    std::map<std::size_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        std::string signature;
        for (const auto& [path, value] : runs[i].keys) {
            signature += fmt::format("{}={}\n", path, value);
        }
        signature += fmt::format("{} {}", static_cast<int>(runs[i].memory_rank),
                                 static_cast<int>(runs[i].memory_kind));
        if (runs[i].score != Score::time) {
            signature = runs[i].id; // its measured time follows from more than the scenario
        }
        groups[first.emplace(signature, i).first->second].push_back(i);
    }
    return groups;
}

} // namespace

std::vector<Prediction> predict_all(std::span<const PublishedRun> runs, const PredictOptions& options) {
    const auto groups = equal_runs(runs);
    std::vector<Prediction> predictions(runs.size());
    const auto workers =
        process_workers(std::min(options.processes > 0 ? options.processes : cores(), int(groups.size())),
                        [&](std::string_view task) { return to_text(predict(runs[index_from(task)])); });
    auto next = groups.begin();
    for (std::size_t answered = 0; answered < groups.size();) {
        for (; workers->idle() > 0 && next != groups.end(); ++next) {
            workers->start(next->first, fmt::format("{}", next->first));
        }
        for (const Answer& answer : workers->wait(std::chrono::seconds(1))) {
            const Prediction prediction = answer.failure.empty()
                                              ? from_text(answer.text)
                                              : Prediction{.measured = runs[answer.task].seconds,
                                                           .reason = "not simulated: " + answer.failure};
            for (const std::size_t index : groups.at(answer.task)) {
                predictions[index] = prediction;
                predictions[index].measured = runs[index].seconds ? runs[index].seconds : prediction.measured;
            }
            ++answered;
            if (options.progress) {
                options.progress(static_cast<double>(answered) / static_cast<double>(groups.size()));
            }
        }
    }
    return predictions;
}

} // namespace chokepoint::sim
