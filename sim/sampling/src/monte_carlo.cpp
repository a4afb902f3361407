// SPDX-License-Identifier: Apache-2.0
// Hands trials to workers and gathers percentiles.
#include <chokepoint/sim/monte_carlo.hpp>

#include <chokepoint/sim/quantile.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

/// Of one trial.
struct Figures {
    double step = 0.0;
    std::optional<double> gpu_hours, usd;
};

Figures figures_of(const Scenario& scenario, const Draw& draw, PreparedSteps& prepared, Fold fold) {
    const RunReport report =
        run_headline(scenario, {.progress = {}, .fold = fold, .draw = &draw, .prepared = &prepared});
    Figures made{report.step.seconds.value(), {}, {}};
    if (report.campaign) {
        made.gpu_hours = paid_gpu_time(*report.campaign) / hw::kHour;
        if (report.cost) {
            made.usd = drawn_usd(scenario, report, draw).value();
        }
    }
    return made;
}

/// Three numbers, "-" for one that is not there.
std::string to_text(const Figures& made) {
    const auto number = [](const std::optional<double>& value) {
        return value ? fmt::format("{:.17g}", *value) : std::string("-");
    };
    return fmt::format("{} {} {}", number(made.step), number(made.gpu_hours), number(made.usd));
}

std::optional<double> take_number(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word == "-" ? std::nullopt : std::optional(std::stod(std::string(word)));
}

Figures figures_from(std::string_view text) {
    Figures made;
    made.step = take_number(text).value();
    made.gpu_hours = take_number(text);
    made.usd = take_number(text);
    return made;
}

template <class Quantity> std::array<Quantity, 3> percentiles(std::vector<double> values) {
    std::ranges::sort(values);
    return {Quantity(quantile(values, 0.05)), Quantity(quantile(values, 0.5)),
            Quantity(quantile(values, 0.95))};
}

template <class Quantity>
std::optional<std::array<Quantity, 3>> percentiles(const std::vector<Figures>& all,
                                                   std::optional<double> Figures::* figure) {
    std::vector<double> values;
    for (const Figures& each : all) {
        if (each.*figure) {
            values.push_back(*(each.*figure));
        }
    }
    return values.size() == all.size() ? std::optional(percentiles<Quantity>(std::move(values)))
                                       : std::nullopt;
}

Sample sample_of(const std::vector<Figures>& all, std::uint64_t seed) {
    std::vector<double> steps;
    std::ranges::transform(all, std::back_inserter(steps), &Figures::step);
    return {.trials = static_cast<int>(all.size()),
            .seed = seed,
            .step = percentiles<hw::Seconds>(std::move(steps)),
            .gpu_hours = percentiles<double>(all, &Figures::gpu_hours),
            .usd = percentiles<hw::Usd>(all, &Figures::usd)};
}

} // namespace

Work draw_work(const Scenario& scenario, std::uint64_t seed, Fold fold) {
    return [&scenario, seed, fold, prepared = std::make_shared<PreparedSteps>()](std::string_view task) {
        const Draw draw(seed, std::stoull(std::string(task)));
        return to_text(figures_of(scenario, draw, *prepared, fold));
    };
}

std::optional<Sample> monte_carlo(Workers& workers, const MonteCarloOptions& options) {
    if (options.trials < 1) {
        throw std::invalid_argument("a Monte-Carlo without draws; expected at least 1");
    }
    constexpr std::chrono::milliseconds kBetween{100};
    std::vector<Figures> all(static_cast<std::size_t>(options.trials));
    std::size_t next = 0;
    for (std::size_t answered = 0; answered < all.size();) {
        if (options.stop && options.stop()) {
            return std::nullopt;
        }
        for (; workers.idle() > 0 && next < all.size(); ++next) {
            workers.start(next, fmt::format("{}", next));
        }
        for (const Answer& answer : workers.wait(kBetween)) {
            if (!answer.failure.empty()) {
                throw std::runtime_error(
                    fmt::format("draw {} of the Monte-Carlo failed: {}", answer.task, answer.failure));
            }
            all[answer.task] = figures_from(answer.text);
            ++answered;
        }
        if (options.progress) {
            options.progress(static_cast<int>(answered));
        }
    }
    return sample_of(all, options.seed);
}

} // namespace chokepoint::sim
