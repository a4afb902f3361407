// SPDX-License-Identifier: Apache-2.0
// Simulates a point and puts what it gives into a text, for the way back from a worker.
#include "plain.hpp"

#include <chokepoint/sim/point.hpp>

#include <chokepoint/sim/run.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chokepoint::sim {
namespace {

using Json = nlohmann::json;

constexpr std::array kStatuses{std::pair{PointStatus::done, std::string_view("done")},
                               std::pair{PointStatus::infeasible, std::string_view("infeasible")},
                               std::pair{PointStatus::failed, std::string_view("failed")}};

Headline headline_of(const RunReport& report) {
    Headline headline;
    const Uncertainty& u = report.uncertainty;
    const auto banded = [](double best, const Percentiles& found) {
        return Banded<double>{best, found[0], found[2]};
    };
    const auto with_unit = [](const Banded<double>& b, auto unit) {
        return Banded<decltype(unit)>{b.value * unit, b.p5 * unit, b.p95 * unit};
    };
    headline.step = with_unit(banded(report.step.seconds.value(), u.step_seconds), hw::Seconds(1.0));
    if (report.campaign) {
        headline.gpu_hours = banded(report.campaign->gpu_hours, u.uninterrupted_gpu_hours);
    }
    if (report.cost && report.cost->campaign) {
        headline.usd = with_unit(banded(report.cost->campaign->value(), u.usd), hw::Usd(1.0));
    }
    headline.tokens_per_second_per_gpu = report.step.tokens_per_second_per_gpu;
    headline.mfu = report.step.mfu_causal;
    for (const work::MemoryUse& use : report.memory) {
        headline.peak_memory = std::max(headline.peak_memory, use.total());
    }
    headline.gpu = report.gpu;
    headline.gpus = report.gpus;
    return headline;
}

template <class Quantity> Json to_json(const Banded<Quantity>& b) {
    return {plain(b.value), plain(b.p5), plain(b.p95)};
}
template <class Quantity> Json to_json(const std::optional<Banded<Quantity>>& b) {
    return b ? to_json(*b) : Json(nullptr);
}
template <class Quantity> void from_json(const Json& json, Banded<Quantity>& b) {
    b = {Quantity(json.at(0).get<double>()), Quantity(json.at(1).get<double>()),
         Quantity(json.at(2).get<double>())};
}
template <class Quantity> void from_json(const Json& json, std::optional<Banded<Quantity>>& b) {
    if (!json.is_null()) {
        from_json(json, b.emplace());
    }
}

/// One line, then the run's own JSON.
std::string to_text(const PointResult& result) {
    const Headline& h = result.headline;
    const Json line{{"status", name(result.status)},
                    {"error", result.error},
                    {"wall", result.wall.value()},
                    {"step", to_json(h.step)},
                    {"gpu_hours", to_json(h.gpu_hours)},
                    {"usd", to_json(h.usd)},
                    {"tokens", h.tokens_per_second_per_gpu},
                    {"mfu", h.mfu},
                    {"peak_memory", h.peak_memory.value()},
                    {"gpu", h.gpu},
                    {"gpus", h.gpus}};
    return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" + result.json;
}

PointResult from_text(const std::string& text) {
    const std::size_t end = text.find('\n');
    const Json line = Json::parse(text.substr(0, end));
    PointResult result;
    result.status = point_status_from(line.at("status").get<std::string>());
    result.error = line.at("error").get<std::string>();
    result.wall = hw::Seconds(line.at("wall").get<double>());
    Headline& h = result.headline;
    from_json(line.at("step"), h.step);
    from_json(line.at("gpu_hours"), h.gpu_hours);
    from_json(line.at("usd"), h.usd);
    h.tokens_per_second_per_gpu = line.at("tokens").get<double>();
    h.mfu = line.at("mfu").get<double>();
    h.peak_memory = hw::Bytes(line.at("peak_memory").get<double>());
    h.gpu = line.at("gpu").get<std::string>();
    h.gpus = line.at("gpus").get<int>();
    result.json = text.substr(end + 1);
    return result;
}

PointResult simulate_point(const ScenarioTemplate& source, const std::vector<std::string>& overrides,
                           StepCache& cache) {
    const auto started = std::chrono::steady_clock::now();
    PointResult result;
    try {
        const Scenario scenario = source.with(overrides);
        const RunReport report = run(scenario, {.progress = {}, .cache = &cache});
        result.headline = headline_of(report);
        result.json = sim::to_json(report, scenario, JsonLayout::one_line);
        result.status = PointStatus::done;
    } catch (const ScenarioError& refused) {
        result.status = PointStatus::infeasible;
        result.error = one_line(refused);
    }
    result.wall =
        hw::Seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    return result;
}

} // namespace

std::string_view name(PointStatus status) {
    return std::ranges::find(kStatuses, status, &std::pair<PointStatus, std::string_view>::first)->second;
}

PointStatus point_status_from(std::string_view text) {
    const auto found = std::ranges::find(kStatuses, text, &std::pair<PointStatus, std::string_view>::second);
    if (found == kStatuses.end()) {
        throw std::invalid_argument(fmt::format("no status of a point is called '{}'", text));
    }
    return found->first;
}

Work point_work(const ScenarioTemplate& source) {
    return [&source, cache = std::make_shared<StepCache>()](std::string_view task) {
        return to_text(simulate_point(source, Json::parse(task).get<std::vector<std::string>>(), *cache));
    };
}

std::string point_task(std::span<const std::string> overrides) {
    return Json(std::vector<std::string>(overrides.begin(), overrides.end())).dump();
}

PointResult point_result(const Answer& answer) {
    if (!answer.failure.empty()) {
        return {.status = PointStatus::failed, .error = answer.failure};
    }
    return from_text(answer.text);
}

} // namespace chokepoint::sim
