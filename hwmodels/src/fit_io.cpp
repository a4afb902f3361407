// SPDX-License-Identifier: Apache-2.0
// The fit file: what is fitted is written once and read by every run.
#include <chokepoint/hwmodels/fit.hpp>

#include "fit_form.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFitSchema = "chokepoint/fits/1";
constexpr double kTera = 1e12;
constexpr double kGiga = 1e9;

template <typename T> T known(std::optional<T> value, const std::string& text) {
    if (!value) {
        throw std::runtime_error(fmt::format("unknown name '{}'", text));
    }
    return *value;
}

/// Nine significant digits: more than any measurement carries, few enough to read and to compare.
double rounded(double value) { return std::stod(fmt::format("{:.9g}", value)); }

Json rounded(const std::vector<double>& values) {
    Json json = Json::array();
    for (const double value : values) {
        json.push_back(rounded(value));
    }
    return json;
}

Json write_residuals(const std::vector<Residual>& residuals) {
    Json json = Json::array();
    for (const Residual& residual : residuals) {
        Json row = Json::array();
        for (const double coordinate : residual.at) {
            row.push_back(coordinate);
        }
        row.push_back(rounded(residual.log_ratio));
        json.push_back(std::move(row));
    }
    return json;
}

Json write_fit(const Fit& fit) {
    Json json;
    json["kernel"] = name(fit.kernel);
    if (!is_memory_bound(fit.kernel)) {
        json["dtype"] = name(fit.dtype);
        json["scaling"] = name(fit.scaling);
    }
    json["form"] = name(fit.form);
    json["software"] = fit.software;
    if (!fit.vintage.empty()) {
        json["vintage"] = fit.vintage;
    }
    if (!fit.measured_on.id.empty()) {
        json["measured_on"] = {{"part", fit.measured_on.id},
                               {"sm_count", fit.measured_on.sm_count},
                               {"tensor_tflops", rounded(fit.measured_on.tensor.value() / kTera)},
                               {"memory_gbps", rounded(fit.measured_on.memory.value() / kGiga)}};
    }
    if (!fit.parts.empty()) {
        json["parts"] = fit.parts;
    }
    if (fit.own_run) {
        json["own_run"] = true;
    }
    json["launch_us"] = rounded(fit.launch.value() * 1e6);
    const auto names = parameter_names(fit.form);
    for (std::size_t i = 0; i < names.size(); ++i) {
        json["parameters"][names[i]] = rounded(fit.parameters[i]);
    }
    if (fit.side_bandwidth > 0.0) {
        json["side_bandwidth"] = rounded(fit.side_bandwidth);
        json["side_launch_us"] = rounded(fit.side_launch.value() * 1e6);
    }
    if (fit.sustained_loss > 0.0) {
        json["sustained_loss"] = rounded(fit.sustained_loss);
    }
    json["free"] = fit.free;
    json["covariance"] = rounded(fit.covariance);
    json["rms_log_error"] = rounded(fit.rms_log_error);
    json["cv_mape"] = rounded(fit.cv_mape);
    json["rows"] = fit.rows;
    json["data"] = fit.data;
    if (!fit.note.empty()) {
        json["note"] = fit.note;
    }
    for (const auto& [vintage, offset] : fit.vintages) {
        json["vintages"][vintage] = rounded(offset);
    }
    if (fit.training.rows > 0) {
        json["training"] = {{"factor", rounded(fit.training.factor)},
                            {"log_sigma", rounded(fit.training.log_sigma)},
                            {"rows", fit.training.rows},
                            {"reason", fit.training.reason}};
    }
    if (!is_memory_bound(fit.kernel)) {
        for (const Range& range : fit.hull) {
            json["hull"].push_back({range.low, range.high});
        }
        json["corrected"] = fit.corrected;
        json["residuals"] = write_residuals(fit.residuals);
    }
    return json;
}

std::vector<Residual> read_residuals(const Json& json) {
    std::vector<Residual> residuals;
    for (const Json& row : json) {
        residuals.push_back({{row.at(0), row.at(1), row.at(2), row.at(3)}, row.at(4)});
    }
    return residuals;
}

/// What a curve cannot be computed from.
void check(const Fit& fit) {
    const std::string which = is_memory_bound(fit.kernel) ? std::string(name(fit.kernel))
                                                          : fmt::format("{} {} {}", name(fit.kernel),
                                                                        name(fit.dtype), name(fit.scaling));
    const auto refuse = [&](std::string_view what, double value, std::string_view expected) {
        throw std::runtime_error(fmt::format("{}: {} is {}; expected {}", which, what, value, expected));
    };
    const auto form = form_parameters(fit.form);
    for (std::size_t i = 0; i < form.size(); ++i) {
        const double value = fit.parameters[i];
        if (!(value > 0.0 && std::isfinite(value)) || (form[i].share && value >= 1.0)) {
            refuse(form[i].name, value, form[i].share ? "more than 0 and less than 1" : "more than 0");
        }
    }
    const auto need = [&](std::string_view what, double value, bool zero) {
        if (!std::isfinite(value) || value < 0.0 || (value == 0.0 && !zero)) {
            refuse(what, value, zero ? "0 or more" : "more than 0");
        }
    };
    need("launch_us", fit.launch.value() * 1e6, true);
    need("side_bandwidth", fit.side_bandwidth, true);
    need("sustained_loss", fit.sustained_loss, true);
    need("rms_log_error", fit.rms_log_error, true);
    need("cv_mape", fit.cv_mape, true);
    need("training.factor", fit.training.factor, false);
    for (const Residual& residual : fit.residuals) {
        if (!std::isfinite(residual.log_ratio) ||
            std::ranges::any_of(residual.at, [](double x) { return !(x > 0.0); })) {
            refuse("a residual", residual.log_ratio, "a finite one at a shape of positive sides");
        }
    }
}

Fit read_fit(const Json& json) {
    Fit fit;
    const auto kernel = json.at("kernel").get<std::string>();
    fit.kernel = known(kernel_class_from(kernel), kernel);
    if (json.contains("dtype")) {
        const auto dtype = json.at("dtype").get<std::string>();
        fit.dtype = known(dtype_from(dtype), dtype);
        const auto scaling = json.at("scaling").get<std::string>();
        fit.scaling = known(scaling_from(scaling), scaling);
    }
    const auto form = json.at("form").get<std::string>();
    fit.form = known(curve_form_from(form), form);
    fit.software = json.at("software");
    fit.vintage = json.value("vintage", "");
    if (json.contains("measured_on")) {
        const Json& part = json.at("measured_on");
        fit.measured_on = {part.at("part"), part.at("sm_count"),
                           FlopsPerSecond(part.at("tensor_tflops").get<double>() * kTera),
                           BytesPerSecond(part.at("memory_gbps").get<double>() * kGiga)};
    }
    fit.parts = json.value("parts", std::vector<std::string>{});
    fit.own_run = json.value("own_run", false);
    fit.side_bandwidth = json.value("side_bandwidth", 0.0);
    fit.side_launch = Seconds(json.value("side_launch_us", 0.0) * 1e-6);
    fit.sustained_loss = json.value("sustained_loss", 0.0);
    fit.launch = Seconds(json.at("launch_us").get<double>() * 1e-6);
    for (const std::string& parameter : parameter_names(fit.form)) {
        fit.parameters.push_back(json.at("parameters").at(parameter));
    }
    fit.free = json.at("free").get<std::vector<std::string>>();
    fit.covariance = json.at("covariance").get<std::vector<double>>();
    fit.rms_log_error = json.at("rms_log_error");
    fit.cv_mape = json.at("cv_mape");
    fit.rows = json.at("rows");
    fit.data = json.at("data").get<std::vector<std::string>>();
    fit.note = json.value("note", "");
    fit.vintages = json.value("vintages", std::map<std::string, double>{});
    if (json.contains("training")) {
        const Json& training = json.at("training");
        fit.training = {training.at("factor"), training.at("log_sigma"), training.at("rows"),
                        training.at("reason")};
    }
    if (!is_memory_bound(fit.kernel)) {
        for (std::size_t i = 0; i < fit.hull.size(); ++i) {
            fit.hull[i] = {json.at("hull").at(i).at(0), json.at("hull").at(i).at(1)};
        }
        fit.corrected = json.at("corrected");
        fit.residuals = read_residuals(json.at("residuals"));
    }
    return fit;
}

Json write_stream(const StreamFigures& stream) {
    return {{"gap_us", rounded(stream.gap.value() * 1e6)},
            {"floor_us", rounded(stream.floor.value() * 1e6)},
            {"streaming_slowdown", stream.streaming_slowdown},
            {"arithmetic_slowdown", stream.arithmetic_slowdown},
            {"transfer_share", stream.transfer_share}};
}

StreamFigures read_stream(const Json& json) {
    return {Seconds(json.at("gap_us").get<double>() * 1e-6),
            Seconds(json.at("floor_us").get<double>() * 1e-6), json.at("streaming_slowdown"),
            json.at("arithmetic_slowdown"), json.at("transfer_share")};
}

/// One line per member: long arrays of numbers stay on one line.
std::string pretty(const Json& fit) {
    std::string text;
    for (const auto& [key, value] : fit.items()) {
        text += fmt::format("{}   {}: {}", text.empty() ? "" : ",\n", Json(key).dump(), value.dump());
    }
    return text;
}

} // namespace

std::string to_json(const FitSet& set) {
    std::string fits;
    for (const Fit& fit : set.fits) {
        fits += fmt::format("{}  {{\n{}\n  }}", fits.empty() ? "" : ",\n", pretty(write_fit(fit)));
    }
    return fmt::format(
        "{{\n \"schema\": {},\n \"architecture\": {},\n \"stream\": {},\n \"fits\": [\n{}\n ]\n}}\n",
        Json(kFitSchema).dump(), Json(set.architecture).dump(), write_stream(set.stream).dump(), fits);
}

std::shared_ptr<const FitSet> FitLibrary::read(const std::filesystem::path& file) {
    std::shared_ptr<const FitSet>& set = sets_[file];
    if (set == nullptr) {
        set = std::make_shared<const FitSet>(read_fits(file));
    }
    return set;
}

FitSet read_fits(const std::filesystem::path& file) {
    try {
        std::ifstream stream(file);
        if (!stream) {
            throw std::runtime_error("the file cannot be opened");
        }
        const Json json = Json::parse(stream);
        if (json.at("schema") != kFitSchema) {
            throw std::runtime_error(
                fmt::format("schema is {}; expected '{}'", json.at("schema").dump(), kFitSchema));
        }
        FitSet set;
        set.architecture = json.at("architecture");
        set.stream = read_stream(json.at("stream"));
        for (const Json& fit : json.at("fits")) {
            set.fits.push_back(read_fit(fit));
            check(set.fits.back());
        }
        return set;
    } catch (const std::exception& error) {
        throw std::runtime_error(fmt::format("cannot read fits from '{}': {}", file.string(), error.what()));
    }
}

} // namespace chokepoint::hw
