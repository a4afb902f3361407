// SPDX-License-Identifier: Apache-2.0
// Reads measurement files: hwmodels/measurements/README.md describes their format.
#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

using Json = nlohmann::ordered_json;
using namespace literals;

constexpr std::string_view kMeasurementSchema = "chokepoint/measurements/1";

/// @throws std::runtime_error that says where it is missing.
const Json& child(const Json& json, const char* key, const std::string& where) {
    if (!json.contains(key)) {
        throw std::runtime_error(fmt::format("{}: '{}' is missing", where, key));
    }
    return json.at(key);
}

/// @throws std::runtime_error that says where it is missing, or that it is of another type.
template <typename T> T member(const Json& json, const char* key, const std::string& where) {
    const Json& value = child(json, key, where);
    try {
        return value.get<T>();
    } catch (const Json::exception&) {
        throw std::runtime_error(
            fmt::format("{}: '{}' is {}; expected another type", where, key, value.dump()));
    }
}

/// One row by its column names, and where it stands for errors.
class Row {
public:
    Row(const Json& columns, const Json& cells, std::string where) : where_(std::move(where)) {
        if (!cells.is_array() || cells.size() != columns.size()) {
            throw std::runtime_error(
                fmt::format("{}: {} cells for {} columns", where_, cells.size(), columns.size()));
        }
        for (std::size_t i = 0; i < cells.size(); ++i) {
            cells_[columns[i].get<std::string>()] = &cells[i];
        }
    }
    [[nodiscard]] const std::string& where() const { return where_; }
    [[nodiscard]] bool has(const std::string& column) const { return cells_.contains(column); }
    template <typename T> [[nodiscard]] T get(const std::string& column) const {
        const auto found = cells_.find(column);
        if (found == cells_.end()) {
            throw std::runtime_error(fmt::format("{}: no column '{}'", where_, column));
        }
        try {
            return found->second->get<T>();
        } catch (const Json::exception&) {
            throw std::runtime_error(
                fmt::format("{}: {} is {}; expected another type", where_, column, found->second->dump()));
        }
    }
    template <typename T> [[nodiscard]] T get(const std::string& column, T otherwise) const {
        return has(column) ? get<T>(column) : otherwise;
    }

private:
    std::string where_;
    std::map<std::string, const Json*> cells_;
};

template <typename T>
T known(std::optional<T> value, const std::string& text, std::string_view what, const std::string& where) {
    if (!value) {
        throw std::runtime_error(fmt::format("{}: '{}' is no {}", where, text, what));
    }
    return *value;
}

MeasurementUse use_from(const std::string& text, const std::string& where) {
    if (text == "fit") {
        return MeasurementUse::fit;
    }
    if (text == "check") {
        return MeasurementUse::check;
    }
    if (text == "training") {
        return MeasurementUse::training;
    }
    throw std::runtime_error(fmt::format("{}: use is '{}'; expected fit, check or training", where, text));
}

GpuSpec read_part(const Json& series, const std::string& in) {
    const std::string where = in + ": part";
    const Json& json = child(series, "part", in);
    GpuSpec part;
    part.id = member<std::string>(json, "id", where);
    part.architecture = member<std::string>(json, "architecture", where);
    part.sm_count = member<int>(json, "sm_count", where);
    part.dense_peak[DType::bf16] = member<double>(json, "bf16_tflops", where) * 1.0_TFLOPS;
    part.dense_peak[DType::fp16] = part.dense_peak[DType::bf16];
    const auto optional = [&](DType dtype, const char* key) {
        if (const double tflops = json.contains(key) ? member<double>(json, key, where) : 0.0; tflops > 0.0) {
            part.dense_peak[dtype] = tflops * 1.0_TFLOPS;
        }
    };
    optional(DType::fp8, "fp8_tflops");
    optional(DType::fp4, "fp4_tflops");
    part.dense_peak[DType::fp32] = member<double>(json, "fp32_tflops", where) * 1.0_TFLOPS;
    part.memory_bandwidth = member<double>(json, "memory_gbps", where) * 1.0_GBps;
    part.tdp = Watts(json.contains("tdp_watts") ? member<double>(json, "tdp_watts", where) : 0.0);
    return part;
}

Operator read_operator(const Json& series, const Row& row) {
    const auto kernel_text = row.has("kernel") ? row.get<std::string>("kernel")
                                               : member<std::string>(series, "kernel", row.where());
    const KernelClass kernel =
        known(kernel_class_from(kernel_text), kernel_text, "kernel class", row.where());
    const auto label = row.get<std::string>("name", "");
    if (is_memory_bound(kernel)) {
        return streaming(label, kernel, Bytes(row.get<double>("read_mb") * 1e6),
                         Bytes(row.get<double>("written_mb") * 1e6), row.get<int>("launches"));
    }
    if (is_attention(kernel)) {
        Operator op = attention(label, kernel, row.get<std::int64_t>("batch"), row.get<std::int64_t>("seq"),
                                row.get<int>("heads"), row.get<int>("kv_heads"), row.get<int>("dim_qk"),
                                row.get<int>("dim_v"), row.get<bool>("causal"));
        if (row.has("seq_kv")) { // keys of their own, whose traffic the row states
            op.seq_kv = row.get<std::int64_t>("seq_kv");
            op.read = Bytes(row.get<double>("read_mb") * 1e6);
            op.written = Bytes(row.get<double>("written_mb") * 1e6);
        }
        return op;
    }
    const auto dtype_text = member<std::string>(series, "dtype", row.where());
    const auto scaling_text = member<std::string>(series, "scaling", row.where());
    return gemm(label, kernel, known(dtype_from(dtype_text), dtype_text, "number format", row.where()),
                known(scaling_from(scaling_text), scaling_text, "scaling", row.where()),
                row.get<std::int64_t>("m"), row.get<std::int64_t>("n"), row.get<std::int64_t>("k"),
                row.get<int>("groups", 1));
}

/// The GEMM that the same row also timed, of the same groups and rows.
Operator second_gemm(const Operator& first, const Row& row) {
    return gemm(first.name, first.kernel, first.dtype, first.scaling, first.m, row.get<std::int64_t>("n2"),
                row.get<std::int64_t>("k2"), first.groups);
}

bool is_held_out(const Row& row) {
    const auto split = row.get<std::string>("split", "train");
    if (split != "train" && split != "holdout") {
        throw std::runtime_error(
            fmt::format("{}: split is '{}'; expected train or holdout", row.where(), split));
    }
    return split == "holdout";
}

Measurement read_row(const Json& series, const Row& row) {
    Measurement measurement;
    measurement.op = read_operator(series, row);
    if (row.has("n2")) {
        measurement.then = {second_gemm(measurement.op, row)};
    }
    measurement.side = Bytes(row.get<double>("side_mb", 0.0) * 1e6);
    measurement.holdout = is_held_out(row);
    measurement.beside = row.get<double>("beside", 0.0);
    if (!row.has("us") && !row.has("tflops")) {
        throw std::runtime_error(fmt::format("{}: no time; expected a column 'us' or 'tflops'", row.where()));
    }
    measurement.time = row.has("us") ? row.get<double>("us") * 1.0_us
                                     : arithmetic(measurement.op) / (row.get<double>("tflops") * 1.0_TFLOPS);
    if (!(measurement.time > Seconds(0.0))) {
        throw std::runtime_error(fmt::format("{}: the time is not positive", row.where()));
    }
    return measurement;
}

/// No kernel is faster than its part: a time in another unit, or a peak of another format.
void check_against_peak(const GpuSpec& part, const Measurement& measurement, const std::string& where) {
    Flops work = arithmetic(measurement.op);
    for (const Operator& next : measurement.then) {
        work += arithmetic(next);
    }
    const auto peak = part.dense_peak.find(measurement.op.dtype);
    if (is_memory_bound(measurement.op.kernel) || peak == part.dense_peak.end()) {
        return;
    }
    constexpr double kClock = 1.1; // parts boost somewhat beyond the clock of their datasheets
    if (const FlopsPerSecond reached = work / measurement.time; reached > peak->second * kClock) {
        throw std::runtime_error(
            fmt::format("{}: {} is more than the part's {}; expected `us` in microseconds", where,
                        to_text(reached), to_text(peak->second)));
    }
}

MeasurementSeries read_series(const Json& json, const std::string& file) {
    MeasurementSeries series;
    series.id = member<std::string>(json, "id", file);
    series.file = file;
    const std::string where = fmt::format("{}: {}", file, series.id);
    const auto text = [&](const char* key) { return member<std::string>(json, key, where); };
    series.use = use_from(text("use"), where);
    series.software = text("software");
    series.vintage = text("vintage");
    series.source = text("source");
    series.licence = text("licence");
    series.part = read_part(json, where);
    series.sms_held = json.value("sms_held", 0);
    series.loop = json.value("loop", 0.0);
    series.older = json.value("older", std::map<std::string, double>{});
    const Json& columns = child(json, "columns", where);
    const Json& rows = child(json, "rows", where);
    std::vector<std::string> faults;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        try {
            const Row row(columns, rows[i], fmt::format("{} row {}", where, i + 1));
            series.rows.push_back(read_row(json, row));
            check_against_peak(series.part, series.rows.back(), row.where());
        } catch (const std::exception& fault) {
            faults.emplace_back(fault.what());
        }
    }
    if (!faults.empty()) {
        throw std::runtime_error(fmt::format("{}", fmt::join(faults, "\n")));
    }
    return series;
}

void read_stream_figures(const Json& series, StreamFigures& stream) {
    if (series.contains("launch")) {
        stream.gap = series.at("launch").at("gap_us").get<double>() * 1.0_us;
        stream.floor = series.at("launch").at("floor_us").get<double>() * 1.0_us;
    }
    if (series.contains("beside")) {
        const Json& beside = series.at("beside");
        stream.streaming_slowdown = beside.at("streaming_slowdown");
        stream.arithmetic_slowdown = beside.at("arithmetic_slowdown");
        stream.transfer_share = beside.at("share");
    }
}

void read_file(const std::filesystem::path& file, MeasurementSet& set) {
    std::ifstream stream(file);
    const Json json = Json::parse(stream);
    const auto schema = json.is_object() ? json.value("schema", "") : std::string();
    if (!schema.starts_with("chokepoint/measurements/")) {
        return; // figures of another kind, such as transfers, lie in the same folder
    }
    if (schema != kMeasurementSchema) {
        throw std::runtime_error(fmt::format("schema is '{}'; expected '{}'", schema, kMeasurementSchema));
    }
    for (const Json& series : child(json, "series", file.filename().string())) {
        set.series.push_back(read_series(series, file.filename().string()));
        set.series.back().own_run = json.value("kind", "published") == "measured";
        read_stream_figures(series, set.stream);
    }
}

} // namespace

namespace {

/// Kernels that do the same work: whoever runs them takes the fastest.
bool same_work(const Measurement& x, const Measurement& y) {
    if (x.op.kernel != y.op.kernel || x.op.m != y.op.m || x.op.n != y.op.n || x.op.k != y.op.k) {
        return false; // most pairs, without a copy
    }
    Operator named = x.op;
    named.name = y.op.name;
    return named == y.op && x.side == y.side && x.then == y.then;
}

bool same_series(const MeasurementSeries& a, const MeasurementSeries& b) {
    return a.file == b.file && a.id == b.id;
}

/// Of own runs, a shape that several kernels were timed on is fitted once, to the fastest; the others stay as
/// series to compare with.
void keep_fastest(MeasurementSet& set) {
    const auto competes = [](const MeasurementSeries& series) {
        return series.own_run && series.use == MeasurementUse::fit;
    };
    std::vector<MeasurementSeries> slower;
    for (const MeasurementSeries& series : set.series) {
        if (!competes(series)) {
            continue;
        }
        MeasurementSeries beaten = series;
        beaten.rows.clear();
        for (const Measurement& row : series.rows) {
            const bool faster_elsewhere =
                std::ranges::any_of(set.series, [&](const MeasurementSeries& other) {
                    return other.file == series.file && &other != &series && competes(other) &&
                           std::ranges::any_of(other.rows, [&](const Measurement& rival) {
                               return same_work(row, rival) && rival.time < row.time;
                           });
                });
            if (faster_elsewhere) {
                beaten.rows.push_back(row);
            }
        }
        if (!beaten.rows.empty()) {
            slower.push_back(std::move(beaten));
        }
    }
    for (MeasurementSeries& series : set.series) {
        const auto beaten = std::ranges::find_if(
            slower, [&](const MeasurementSeries& each) { return same_series(each, series); });
        if (beaten != slower.end()) {
            std::erase_if(series.rows, [&](const Measurement& row) {
                return std::ranges::find(beaten->rows, row) != beaten->rows.end();
            });
        }
    }
    for (MeasurementSeries& series : slower) {
        series.id += "/slower";
        series.use = MeasurementUse::check;
        set.series.push_back(std::move(series));
    }
}

} // namespace

MeasurementSet read_measurements(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return read_measurements(files);
}

MeasurementSet read_measurements(const std::vector<std::filesystem::path>& files) {
    MeasurementSet set;
    for (const auto& file : files) {
        try {
            read_file(file, set);
        } catch (const std::exception&) {
            std::throw_with_nested(std::runtime_error(fmt::format("cannot read '{}'", file.string())));
        }
    }
    keep_fastest(set);
    return set;
}

} // namespace chokepoint::hw
