// SPDX-License-Identifier: Apache-2.0
// The command `calibrate`: fits the cost curves anew from measurement files and says how far they are off.
#include "commands.hpp"

#include "calibrate_view.hpp"
#include "json.hpp"
#include "output_file.hpp"
#include "result.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>

namespace chokepoint::cli {

namespace {

std::string chain(const std::exception& error) {
    std::string text = error.what();
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& cause) {
        text += ": " + chain(cause);
    }
    return text;
}

/// @throws UsageError with the fault of every file that cannot be read.
hw::MeasurementSet read_all(const std::vector<std::filesystem::path>& files) {
    std::vector<std::string> faults;
    for (const auto& file : files) {
        try {
            hw::read_measurements(std::vector{file});
        } catch (const std::exception& error) {
            faults.push_back(chain(error));
        }
    }
    if (!faults.empty()) {
        throw UsageError(fmt::format("{}", fmt::join(faults, "\n")));
    }
    return hw::read_measurements(files);
}

/// Those of the rows to fit, in the order they are fitted.
std::vector<std::string_view> architectures_of(const hw::MeasurementSet& set) {
    const auto known = hw::fitted_architectures();
    for (const hw::MeasurementSeries& series : set.series) {
        if (series.use == hw::MeasurementUse::fit &&
            std::ranges::find(known, series.part.architecture) == known.end()) {
            throw UsageError(fmt::format("{}: series '{}' is of architecture '{}'; expected one of {}",
                                         series.file, series.id, series.part.architecture,
                                         fmt::join(known, ", ")));
        }
    }
    std::vector<std::string_view> found;
    std::ranges::copy_if(known, std::back_inserter(found), [&](std::string_view architecture) {
        return std::ranges::any_of(set.series, [&](const hw::MeasurementSeries& series) {
            return series.use == hw::MeasurementUse::fit && series.part.architecture == architecture;
        });
    });
    if (found.empty()) {
        throw UsageError("no file has a series with \"use\": \"fit\"; there is nothing to fit");
    }
    return found;
}

Calibrated calibrated(const hw::MeasurementSet& set, std::string_view architecture) {
    const auto shipped = hw::data_path("fits") / fmt::format("{}.json", architecture);
    Calibrated result;
    if (std::filesystem::exists(shipped)) {
        const hw::FitSet known = hw::read_fits(shipped);
        result.fits = hw::fit_all(set, architecture, &known);
    } else {
        result.fits = hw::fit_all(set, architecture);
    }
    result.scores = hw::score(result.fits, set);
    result.rows = hw::score_rows(result.fits, set);
    return result;
}

bool is_from(const hw::Fit& fit, const hw::MeasurementSet& set) {
    return std::ranges::any_of(set.series, [&](const hw::MeasurementSeries& series) {
        return std::ranges::find(fit.data, series.id) != fit.data.end();
    });
}

/// Errors on one part alone.
void keep_part(Calibrated& result, const std::string& part) {
    std::erase_if(result.scores, [&](const hw::SeriesScore& score) { return score.part != part; });
    std::erase_if(result.rows, [&](const hw::RowScore& score) { return score.series->part.id != part; });
}

void require_part(const hw::MeasurementSet& set, const std::string& part) {
    std::vector<std::string> parts;
    for (const hw::MeasurementSeries& series : set.series) {
        if (std::ranges::find(parts, series.part.id) == parts.end()) {
            parts.push_back(series.part.id);
        }
    }
    if (!part.empty() && std::ranges::find(parts, part) == parts.end()) {
        throw UsageError(fmt::format("--part: no file has rows of '{}'; expected one of {}", part,
                                     fmt::join(parts, ", ")));
    }
}

void append_text(std::string& out, const Calibrated& result, const hw::MeasurementSet& set,
                 const CalibrateOptions& options) {
    fmt::format_to(std::back_inserter(out), "{}\n  {:<18} {:<15} {:<10} {:<26} {:>5} {:>7} {:>9}  {}\n",
                   result.fits.architecture, "class", "format", "part", "software", "rows", "rms", "left out",
                   "from");
    for (const hw::Fit& fit : result.fits.fits) {
        fmt::format_to(std::back_inserter(out),
                       "  {:<18} {:<15} {:<10} {:<26.26} {:>5} {:>6.1f}% {:>8.1f}%  {}\n",
                       hw::name(fit.kernel), format_name(fit.kernel, fit.dtype, fit.scaling),
                       fit.measured_on.id, fit.software, fit.rows, 100 * fit.rms_log_error, 100 * fit.cv_mape,
                       is_from(fit, set) ? "these files" : "the shipped fit");
    }
    fmt::format_to(std::back_inserter(out), "\n  {:<42} {:<8} {:>5} {:>8} {:>8} {:>8} {:>8}\n", "series", "",
                   "rows", "mean", "median", "p90", "bias");
    for (const hw::SeriesScore& each : result.scores) {
        if (each.holdout && !options.holdout) {
            continue;
        }
        const bool fitted = each.use == hw::MeasurementUse::fit;
        fmt::format_to(std::back_inserter(out),
                       "  {:<42} {:<8} {:>5} {:>7.1f}% {:>7.1f}% {:>7.1f}% {:>+7.1f}%\n", each.id,
                       each.holdout ? "held out" : (fitted ? "fitted" : "checked"), each.rows,
                       100 * each.mean, 100 * each.median, 100 * each.p90, 100 * each.bias);
    }
    out += '\n';
    if (options.rows) {
        out += rows_text(result.rows) + '\n';
    }
}

/// The roof over a series and its rows below it.
void add_points(Json& series, const hw::SeriesScore& score, const hw::MeasurementSet& set) {
    const auto source = std::ranges::find(set.series, score.id, &hw::MeasurementSeries::id);
    series["peak_flops_per_second"] = source->part.peak(score.dtype).value();
    series["memory_bytes_per_second"] = source->part.memory_bandwidth.value();
    Json points = Json::array();
    for (const hw::ScoredRow& row : score.scored) {
        points.push_back({{"flops", row.arithmetic.value()},
                          {"bytes", row.traffic.value()},
                          {"measured_seconds", row.measured.value()},
                          {"predicted_seconds", row.predicted.value()}});
    }
    series["points"] = std::move(points);
}

Json json_of(const Calibrated& result, const hw::MeasurementSet& set, const CalibrateOptions& options) {
    Json curves = Json::array();
    for (const hw::Fit& fit : result.fits.fits) {
        curves.push_back({{"kernel", hw::name(fit.kernel)},
                          {"format", format_name(fit.kernel, fit.dtype, fit.scaling)},
                          {"part", fit.measured_on.id},
                          {"software", fit.software},
                          {"vintage", fit.vintage},
                          {"rows", fit.rows},
                          {"rms_log_error", fit.rms_log_error},
                          {"left_out_error", fit.cv_mape},
                          {"from_these_files", is_from(fit, set)}});
    }
    Json series = Json::array();
    for (const hw::SeriesScore& each : result.scores) {
        series.push_back({{"id", each.id},
                          {"part", each.part},
                          {"kernel", hw::name(each.kernel)},
                          {"format", format_name(each.kernel, each.dtype, each.scaling)},
                          {"fitted", each.use == hw::MeasurementUse::fit && !each.holdout},
                          {"held_out", each.holdout},
                          {"rows", each.rows},
                          {"mean", each.mean},
                          {"median", each.median},
                          {"p90", each.p90},
                          {"bias", each.bias}});
        if (options.points) {
            add_points(series.back(), each, set);
        }
    }
    Json json{{"architecture", result.fits.architecture},
              {"curves", std::move(curves)},
              {"series", std::move(series)}};
    if (options.rows) {
        json["rows"] = rows_json(result.rows);
    }
    return json;
}

} // namespace

int calibrate_command(const CalibrateOptions& options, const Common& common) {
    const hw::MeasurementSet set = read_all(options.files);
    const std::vector<std::string_view> architectures = architectures_of(set);
    require_part(set, options.part);
    ChartOutput charts(options.charts);
    std::vector<std::unique_ptr<OutputFile>> outputs; // opened before the work, so that a fault costs none
    for (const std::string_view architecture : architectures) {
        if (!options.output.empty()) {
            std::filesystem::create_directories(options.output);
            const auto file = std::filesystem::path(options.output) / fmt::format("{}.json", architecture);
            outputs.push_back(std::make_unique<OutputFile>(file.string()));
        }
    }
    std::string text;
    std::vector<std::string> files;
    Json results = Json::array();
    std::vector<Calibrated> all;
    for (const std::string_view architecture : architectures) {
        Calibrated result = calibrated(set, architecture);
        files.push_back(hw::to_json(result.fits));
        if (!options.part.empty()) {
            keep_part(result, options.part);
        }
        append_text(text, result, set, options);
        results.push_back(json_of(result, set, options));
        all.push_back(std::move(result));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        outputs[i]->commit(files[i]);
    }
    charts.write(calibration_chart(all));
    const std::string hash = hw::Catalog::load(common.catalog_directories).content_hash();
    emit(common,
         {{"schema", "chokepoint/calibrate/1"},
          {"program", program_json(hash)},
          {"architectures", std::move(results)}},
         text);
    return kFine;
}

} // namespace chokepoint::cli
