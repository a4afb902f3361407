// SPDX-License-Identifier: Apache-2.0
// The command `import nccl-tests`: a user's own timings become a rates file that a scenario can name.
#include "collective_command.hpp"

#include "json.hpp"
#include "output_file.hpp"
#include "part_options.hpp"
#include "result.hpp"

#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/hwmodels/nccl_tests.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <ctime>
#include <iterator>
#include <set>

namespace chokepoint::cli {

namespace {

/// Words of letters and digits in lower case: "NVIDIA H100 80GB HBM3" -> nvidia, h100, 80gb, hbm3.
std::set<std::string> tokens_of(std::string_view text) {
    std::set<std::string> tokens;
    std::string token;
    for (const char c : std::string(text) + ' ') {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            token += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!token.empty()) {
            tokens.insert(std::exchange(token, ""));
        }
    }
    return tokens;
}

/// The part whose id begins with a word of the device's name; SXM where the name does not say the form, as
/// NVIDIA's drivers name those ("H100 80GB HBM3" against "H100 PCIe" and "H100 NVL").
std::string part_from(const hw::Catalog& catalog, const std::string& device) {
    const std::set<std::string> found = tokens_of(device);
    const auto has = [&](const char* word) { return found.contains(word); };
    std::vector<std::string> candidates;
    for (const hw::GpuSpec& gpu : catalog.gpus()) {
        const auto dash = gpu.id.find('-');
        const std::string form = dash == std::string::npos ? "" : gpu.id.substr(dash + 1);
        const bool named = found.contains(gpu.id.substr(0, dash));
        const bool formed = form.empty() || form == (has("pcie") ? "pcie" : has("nvl") ? "nvl" : "sxm");
        if (named && formed) {
            candidates.push_back(gpu.id);
        }
    }
    if (candidates.size() != 1) {
        throw UsageError(
            fmt::format("the device '{}' names no part of the catalog: name it with --gpu (`chokepoint "
                        "list gpus`)",
                        device));
    }
    return candidates.front();
}

std::vector<hw::NcclTestsRun> runs_from(const ImportOptions& options) {
    std::optional<hw::Collective> op;
    if (!options.op.empty()) {
        op = hw::collective_from(options.op);
        if (!op) {
            std::vector<std::string> names;
            std::ranges::transform(hw::all_collectives(), std::back_inserter(names),
                                   [](hw::Collective known) { return std::string(hw::name(known)); });
            throw unknown("operation", options.op, names);
        }
    }
    try {
        return hw::read_nccl_tests(options.file, op);
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
}

/// Point to point and broadcast are priced by the curves of the operations that they move data like.
hw::Collective measured_as(hw::Collective op) {
    return op == hw::Collective::broadcast   ? hw::Collective::all_gather
           : op == hw::Collective::send_recv ? hw::Collective::all_to_all
                                             : op;
}

std::vector<hw::CollectiveSeries> series_from(const std::vector<hw::NcclTestsRun>& runs,
                                              const hw::Node& node) {
    std::vector<hw::CollectiveSeries> all;
    for (const hw::NcclTestsRun& run : runs) {
        if (run.ranks % run.nodes != 0 || run.ranks / run.nodes > node.gpus) {
            throw UsageError(
                fmt::format("{}: {} ranks on {} hosts; expected as many on each, at most the {} GPUs of a "
                            "node of {}",
                            hw::name(run.op), run.ranks, run.nodes, node.gpus, node.gpu.id));
        }
        if (run.nodes == 1 && measured_as(run.op) != run.op) {
            throw UsageError(fmt::format("{} within a node is priced as {}: import that instead",
                                         hw::name(run.op), hw::name(measured_as(run.op))));
        }
        hw::CollectiveSeries series{
            .part = node.gpu.id, .software = "nccl-tests", .node = node, .points = run.points};
        series.op = run.op;
        series.ranks = run.ranks;
        series.nodes = run.nodes;
        all.push_back(std::move(series));
    }
    return all;
}

/// Median and 90th percentile of the absolute error that is left.
std::pair<double, double> errors_of(const hw::CollectiveSeries& series, const hw::TransferRates& rates,
                                    const hw::Cluster& cluster) {
    std::vector<double> errors;
    for (const auto& point : series.points) {
        const hw::Seconds time = hw::uncontended_time(hw::collective(
            rates, cluster, series.op, point.bytes, series.ranks, series.ranks / series.nodes));
        errors.push_back(std::abs(time / point.time - 1.0));
    }
    std::ranges::sort(errors);
    return {errors[errors.size() / 2], errors[std::min(errors.size() - 1, errors.size() * 9 / 10)]};
}

std::string rates_text(const ImportOptions& options, const hw::Node& node,
                       const std::vector<hw::CollectiveCurve>& curves, const hw::NicShares& shares) {
    std::string text =
        fmt::format("# Transfer rates fitted by chokepoint {} to {} (nccl-tests) as {}.\n"
                    "# A scenario names this file as cluster.transfers; what it leaves out is as "
                    "shipped.\n",
                    hw::version(), options.file, node.gpu.id);
    const auto section = [&](std::string_view name, std::optional<double> share) {
        if (share) {
            text += fmt::format(
                "\n[{}]\nsource = \"nccl-tests\"\ndate = \"{:%Y-%m-%d}\"\nline_rate = \"{} GB/s\"\n"
                "reached = \"{:.6g} GB/s\"\n",
                name, fmt::gmtime(std::time(nullptr)), hw::nic_per_gpu(node).value() / 1e9,
                *share * hw::nic_per_gpu(node).value() / 1e9);
        }
    };
    section("nic", shares.others);
    section("nic_all_to_all", shares.all_to_all);
    return text + hw::to_toml(curves);
}

} // namespace

int import_nccl_tests_command(const ImportOptions& options, const Common& common) {
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    const std::vector<hw::NcclTestsRun> runs = runs_from(options);
    const std::string part = options.gpu.empty() ? part_from(catalog, runs.front().device) : options.gpu;
    const hw::Node node = node_from(catalog, part, caps_from(options.caps));
    const std::vector<hw::CollectiveSeries> all = series_from(runs, node);

    hw::TransferRates rates = hw::load_transfer_rates();
    const std::vector<hw::CollectiveCurve> shipped = rates.collectives;
    const auto curves = hw::fit_collectives(all, [](const auto&, const auto&) { return true; }, shipped);
    rates.collectives.insert(rates.collectives.begin(), curves.begin(), curves.end());
    const hw::NicShares shares = hw::fit_nic_shares(all, rates.collectives);
    hw::take_nic_share(rates, shares.others.value_or(rates.nic));
    rates.nic_all_to_all = shares.all_to_all.value_or(rates.nic_all_to_all);

    const auto or_null = [](std::optional<double> share) { return share ? Json(*share) : Json(nullptr); };

    std::string summary = fmt::format("{:<15} {:>5} {:>5} {:>5} {:>8} {:>8}   as {}\n", "operation", "gpus",
                                      "nodes", "sizes", "median", "p90", part);
    Json list = Json::array();
    for (const hw::CollectiveSeries& series : all) {
        const auto [median, p90] =
            errors_of(series, rates, cluster_from(catalog, node, series.nodes, std::string(kDefaultFabric)));
        fmt::format_to(std::back_inserter(summary), "{:<15} {:>5} {:>5} {:>5} {:>7.1f}% {:>7.1f}%\n",
                       hw::name(series.op), series.ranks, series.nodes, series.points.size(), 100.0 * median,
                       100.0 * p90);
        list.push_back({{"op", hw::name(series.op)},
                        {"gpus", series.ranks},
                        {"nodes", series.nodes},
                        {"sizes", series.points.size()},
                        {"median_error", median},
                        {"p90_error", p90}});
    }
    const std::string text = rates_text(options, node, curves, shares);
    if (!options.out.empty()) {
        OutputFile(options.out).commit(text);
    }
    emit(common,
         {{"schema", "chokepoint/import/1"},
          {"program", program_json(catalog.content_hash())},
          {"file", options.file},
          {"gpu", part},
          {"out", options.out.empty() ? Json(nullptr) : Json(options.out)},
          {"nic_share", or_null(shares.others)},
          {"nic_all_to_all_share", or_null(shares.all_to_all)},
          {"runs", std::move(list)}},
         options.out.empty() ? text : summary);
    return kFine;
}

} // namespace chokepoint::cli
