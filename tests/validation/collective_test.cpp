// SPDX-License-Identifier: Apache-2.0
// NCCL inside a node, predicted against measured: sizes that the fit saw, sizes that it did not, and a number
// of GPUs that a fit without it did not.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace chokepoint::hw {
namespace {

constexpr Bytes kLarge{1024.0 * 1024.0};

const std::vector<CollectiveSeries>& table() {
    static const auto series = read_collective_table(Catalog::load());
    return series;
}

struct Quantiles {
    std::size_t rows = 0;
    double median = 0.0;
    double p90 = 0.0;
};

Quantiles quantiles(std::vector<double> errors) {
    if (errors.empty()) {
        return {};
    }
    std::ranges::sort(errors);
    const auto at = [&](double share) {
        return errors[std::min(errors.size() - 1,
                               static_cast<std::size_t>(share * static_cast<double>(errors.size())))];
    };
    return {errors.size(), at(0.5), at(0.9)};
}

/// Absolute relative errors of the points that `wanted` admits, by part and operation; "" sums a part up.
using Errors = std::map<std::pair<std::string, std::string>, std::vector<double>>;

Errors errors_of(const TransferRates& rates, const FitFilter& wanted) {
    Errors errors;
    for (const CollectiveSeries& series : table()) {
        const Cluster cluster{series.node, {}, 1};
        for (const CollectiveSeries::Point& point : series.points) {
            if (!wanted(series, point)) {
                continue;
            }
            const Seconds time = uncontended_time(
                collective(rates, cluster, series.op, point.bytes, series.ranks, series.ranks));
            const double error = std::abs(time / point.time - 1.0);
            errors[{series.part, std::string(name(series.op))}].push_back(error);
            errors[{series.part, ""}].push_back(error);
        }
    }
    return errors;
}

bool large(const CollectiveSeries::Point& point) { return point.bytes >= kLarge; }
bool held_out(const CollectiveSeries& series, const CollectiveSeries::Point& point) {
    return large(point) && !fitted(series, point);
}

void print(const std::string& part, const std::string& op, std::initializer_list<Quantiles> columns) {
    fmt::print("  {:<10} {:<15}", part, op.empty() ? "all" : op);
    for (const Quantiles& column : columns) {
        fmt::print(" {:>5} {:>6.1f}% {:>6.1f}%", column.rows, 100.0 * column.median, 100.0 * column.p90);
    }
    fmt::print("\n");
}

TEST(CollectiveValidation, HeldOutSizesFromOneMebibyteUp) {
    const TransferRates rates = load_transfer_rates();
    const Errors judged = errors_of(rates, &held_out);
    Errors seen = errors_of(rates, [](const auto& s, const auto& p) { return large(p) && fitted(s, p); });
    Errors small = errors_of(rates, [](const auto& s, const auto& p) { return !large(p) && !fitted(s, p); });
    fmt::print("\nNCCL inside a node: absolute error, median and p90\n  {:<26} {:^21} {:^21} {:^21}\n", "",
               "held out, >= 1 MiB", "fitted, >= 1 MiB", "held out, smaller");
    for (const auto& [key, errors] : judged) {
        const Quantiles column = quantiles(errors);
        print(key.first, key.second, {column, quantiles(seen[key]), quantiles(small[key])});
        if (key.second.empty()) { // the bounds of the issue, for every part
            EXPECT_LE(column.median, 0.08) << key.first;
            EXPECT_LE(column.p90, 0.20) << key.first;
        }
    }
}

/// The curves of two and eight GPUs say what four take.
TEST(CollectiveValidation, AHeldOutNumberOfGpus) {
    constexpr int kHeldOut = 4;
    TransferRates rates = load_transfer_rates();
    rates.collectives =
        fit_collectives(table(), [](const auto& series, const auto&) { return series.ranks != kHeldOut; });
    const Errors judged = errors_of(rates, [](const auto& series, const auto& point) {
        return series.ranks == kHeldOut && large(point);
    });
    fmt::print("\nNCCL over 4 GPUs, by curves fitted to 2 and 8: absolute error, median and p90\n");
    for (const auto& [key, errors] : judged) {
        const Quantiles column = quantiles(errors);
        print(key.first, key.second, {column});
        if (key.second.empty()) {
            EXPECT_LE(column.median, 0.08) << key.first;
        }
    }
}

} // namespace
} // namespace chokepoint::hw
