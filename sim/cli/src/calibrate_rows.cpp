// SPDX-License-Identifier: Apache-2.0
// Every measured row beside what the curves say of it.
#include "calibrate_view.hpp"
#include "json.hpp"

#include <fmt/format.h>

#include <iterator>

namespace chokepoint::cli {

namespace {

/// What the fit has to do with the row.
std::string_view standing(const hw::RowScore& score) {
    switch (score.series->use) {
    case hw::MeasurementUse::training:
        return "training";
    case hw::MeasurementUse::check:
        return "checked";
    case hw::MeasurementUse::fit:
        break;
    }
    return score.row->holdout ? "held out" : hw::is_training_size(score.row->op) ? "fitted" : "too small";
}

double error_of(const hw::RowScore& score) { return score.predicted / score.row->time - 1.0; }

} // namespace

std::string format_name(hw::KernelClass kernel, hw::DType dtype, hw::Scaling scaling) {
    if (hw::is_memory_bound(kernel)) {
        return "";
    }
    return scaling == hw::Scaling::none ? std::string(hw::name(dtype))
                                        : fmt::format("{} {}", hw::name(dtype), hw::name(scaling));
}

std::string shape_text(const hw::Measurement& row) {
    const hw::Operator& op = row.op;
    if (hw::is_memory_bound(op.kernel)) {
        return fmt::format("{:.4g} + {:.4g} MB", op.read.value() / kMega, op.written.value() / kMega);
    }
    if (op.seq_q > 0) {
        const std::string keys = op.seq_kv != op.seq_q ? fmt::format(" to {}", op.seq_kv) : "";
        return fmt::format("{} x {}{}, {} heads {}/{}{}", op.batch, op.seq_q, keys, op.heads, op.dim_qk,
                           op.dim_v, op.causal ? " causal" : "");
    }
    std::string text = fmt::format("{} x {} x {}", op.m, op.n, op.k);
    for (const hw::Operator& next : row.then) {
        text += fmt::format(", {} x {}", next.n, next.k);
    }
    return op.groups > 1 ? fmt::format("{} of {}", op.groups, text) : text;
}

std::string rows_text(const std::vector<hw::RowScore>& rows) {
    std::string out;
    const hw::MeasurementSeries* series = nullptr;
    for (const hw::RowScore& score : rows) {
        if (score.series != series) {
            series = score.series;
            fmt::format_to(std::back_inserter(out), "  {} ({}, {}{})\n", series->id, series->part.id,
                           series->software,
                           series->sms_held > 0
                               ? fmt::format(", on {} of {} SMs", series->part.sm_count - series->sms_held,
                                             series->part.sm_count)
                               : "");
        }
        const std::string& name = score.row->op.name;
        fmt::format_to(
            std::back_inserter(out), "    {:<9} {:<18} {:<38.38} {:<36} {:>10.1f} {:>10.1f} {:>+7.1f}%\n",
            standing(score), hw::name(score.row->op.kernel), name, shape_text(*score.row),
            score.row->time.value() / kMicro, score.predicted.value() / kMicro, kPercent * error_of(score));
    }
    return out.empty() ? out
                       : fmt::format("  {:<11} {:<18} {:<38} {:<36} {:>10} {:>10} {:>8}\n", "row", "class",
                                     "name", "shape", "measured", "predicted", "error") +
                             out;
}

Json rows_json(const std::vector<hw::RowScore>& rows) {
    Json list = Json::array();
    for (const hw::RowScore& score : rows) {
        const hw::Operator& op = score.row->op;
        list.push_back({{"series", score.series->id},
                        {"part", score.series->part.id},
                        {"kernel", hw::name(op.kernel)},
                        {"format", format_name(op.kernel, op.dtype, op.scaling)},
                        {"name", op.name},
                        {"shape", shape_text(*score.row)},
                        {"standing", standing(score)},
                        {"measured_seconds", score.row->time.value()},
                        {"predicted_seconds", score.predicted.value()}});
    }
    return list;
}

} // namespace chokepoint::cli
