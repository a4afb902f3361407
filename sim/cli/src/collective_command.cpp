// SPDX-License-Identifier: Apache-2.0
// The command `collective`: what NCCL's operations take on a cluster, as nccl-tests prints it, beside what
// was measured.
#include "collective_command.hpp"

#include "json.hpp"
#include "result.hpp"

#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/hwmodels/measured_reach.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace chokepoint::cli {

namespace {

constexpr double kFloatBytes = 4.0; // nccl-tests' default type

hw::Collective operation_from(const std::string& text) {
    const auto op = hw::collective_from(text == "all_to_all" ? "alltoall" : text);
    if (!op) {
        std::vector<std::string> names{"dispatch", "combine"};
        for (const hw::Collective known : hw::all_collectives()) {
            names.emplace_back(hw::name(known));
        }
        throw unknown("operation", text, names);
    }
    return *op;
}

/// How the group lies; every node holds as many GPUs.
struct Group {
    int gpus = 0;
    int nodes = 0;
    [[nodiscard]] int per_node() const { return gpus / nodes; }
};

Group group_from(const CollectiveOptions& options, const hw::Node& node) {
    Group group{options.gpus, options.nodes};
    if (group.gpus == 0) {
        group.gpus = node.gpus * std::max(1, group.nodes);
    }
    if (group.nodes == 0) {
        group.nodes = (group.gpus + node.gpus - 1) / node.gpus;
    }
    if (group.gpus < 2 || group.gpus % group.nodes != 0 || group.per_node() > node.gpus) {
        throw UsageError(
            fmt::format("--gpus {} on --nodes {}: expected at least 2 GPUs, as many in each node and "
                        "at most {} of {}",
                        group.gpus, group.nodes, node.gpus, node.gpu.id));
    }
    return group;
}

std::vector<hw::Bytes> sizes_from(const CollectiveOptions& options) {
    if (options.from.empty() != options.to.empty()) {
        throw UsageError("--from SIZE and --to SIZE go together");
    }
    if (options.from.empty()) {
        return {size_from("--bytes", options.bytes)};
    }
    const hw::Bytes last = size_from("--to", options.to);
    if (options.factor <= 1.0) {
        throw UsageError(fmt::format("--factor {}: expected more than 1", options.factor));
    }
    std::vector<hw::Bytes> sizes;
    for (hw::Bytes size = size_from("--from", options.from); size <= last; size *= options.factor) {
        sizes.push_back(size);
    }
    if (sizes.empty()) {
        throw UsageError(fmt::format("--from {} is above --to {}", options.from, options.to));
    }
    return sizes;
}

struct Row {
    hw::Bytes bytes;
    hw::CollectiveChoice choice;
    hw::Seconds time;
    std::optional<hw::Seconds> measured;
    std::string software;
    [[nodiscard]] std::optional<double> error() const {
        return measured ? std::optional(time / *measured - 1.0) : std::nullopt;
    }
};

/// The published time of the same part, operation, GPUs and size, where there is one.
void find_measured(Row& row, const std::vector<hw::CollectiveSeries>& table, const std::string& part,
                   hw::Collective op, int gpus) {
    for (const hw::CollectiveSeries& series : table) {
        if (series.part != part || series.op != op || series.ranks != gpus) {
            continue;
        }
        const auto point = std::ranges::find(series.points, row.bytes, &hw::CollectiveSeries::Point::bytes);
        if (point != series.points.end()) {
            row.measured = point->time;
            row.software = series.software;
        }
    }
}

bool counts_parts(hw::Collective op) {
    return op == hw::Collective::all_gather || op == hw::Collective::reduce_scatter ||
           op == hw::Collective::all_to_all;
}
bool reduces(hw::Collective op) {
    return op == hw::Collective::all_reduce || op == hw::Collective::reduce_scatter;
}

/// nccl-tests' own widths: seven columns for a time, with as many decimals as fit.
std::string time_text(hw::Seconds time) {
    const double us = time.value() * 1e6;
    return us >= 10000.0 ? fmt::format("{:7.0f}", us)
           : us >= 100.0 ? fmt::format("{:7.1f}", us)
                         : fmt::format("{:7.2f}", us);
}

void append_header(std::string& out, const hw::Cluster& cluster, hw::Collective op, const Group& group) {
    fmt::format_to(std::back_inserter(out),
                   "# chokepoint {} predicts; nothing ran\n# Collective test starting: {}_perf\n#\n# Using "
                   "devices\n",
                   hw::version(), hw::name(op));
    for (int rank = 0; rank < group.gpus; ++rank) {
        fmt::format_to(std::back_inserter(out),
                       "#  Rank {:2} Group  0 Pid      0 on predicted{} device {:2} [0x00] {}\n", rank,
                       rank / group.per_node(), rank % group.per_node(), cluster.node.gpu.name);
    }
    out +=
        "#\n#       size         count      type   redop    root     time   algbw   busbw  algorithm  "
        "protocol          measured   error\n#        (B)    (elements)                               (us)  "
        "(GB/s)  (GB/s)                                   (us)\n";
}

void append_row(std::string& out, const Row& row, hw::Collective op, const Group& group) {
    const double count = row.bytes.value() / kFloatBytes / (counts_parts(op) ? group.gpus : 1);
    const double algbw = (row.bytes / row.time).value() / 1e9;
    fmt::format_to(
        std::back_inserter(out),
        "{:12.0f}  {:12.0f}  {:>8}  {:>6}  {:>6}  {}  {:6.2f}  {:6.2f}  {:<9}  {:<16}  {:>8}  {:>6}",
        row.bytes.value(), count, "float", reduces(op) ? "sum" : "none",
        op == hw::Collective::broadcast ? 0 : -1, time_text(row.time), algbw,
        algbw * hw::bus_factor(op, group.gpus), hw::name(row.choice.algorithm), row.choice.protocol,
        row.measured ? time_text(*row.measured) : "-",
        row.measured ? fmt::format("{:+.1f}%", 100.0 * *row.error()) : "-");
    out += '\n';
}

Json row_json(const Row& row, hw::Collective op, const Group& group) {
    Json flows = Json::array();
    for (const hw::PortFlow& flow : row.choice.shape.flows) {
        flows.push_back({{"port", flow.port == hw::Port::nic ? "nic" : "nvlink"},
                         {"bytes", flow.bytes.value()},
                         {"bytes_per_second", flow.rate_cap.value()}});
    }
    const double algbw = (row.bytes / row.time).value();
    return {{"bytes", row.bytes.value()},
            {"seconds", row.time.value()},
            {"algorithm_bandwidth", algbw},
            {"bus_bandwidth", algbw * hw::bus_factor(op, group.gpus)},
            {"algorithm", hw::name(row.choice.algorithm)},
            {"protocol", row.choice.protocol},
            {"latency_seconds", row.choice.shape.latency.value()},
            {"flows", std::move(flows)},
            {"measured_seconds", row.measured ? Json(row.measured->value()) : Json(nullptr)},
            {"error", row.measured ? Json(*row.error()) : Json(nullptr)}};
}

} // namespace

int collective_command(const CollectiveOptions& options, const Common& common) {
    if (is_moe_operation(options.op)) {
        return moe_command(options, common);
    }
    const hw::Collective op = operation_from(options.op);
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    const hw::Caps caps = caps_from(options.caps);
    const hw::Node node = node_from(catalog, options.gpu, caps);
    const Group group = group_from(options, node);
    const hw::Cluster cluster = cluster_from(catalog, node, group.nodes, options.fabric);
    const std::optional<hw::Distance> distance = distance_in(cluster, group.per_node());
    const std::vector<std::string> estimates = transfer_estimates(catalog, cluster, caps, options.fabric);
    const hw::TransferRates rates = rates_from(options.transfers);
    // What was measured on the whole part says nothing about a capped one.
    const bool comparable = caps == hw::Caps{} && group.nodes == 1;
    const auto table = comparable ? hw::read_collective_table(catalog) : std::vector<hw::CollectiveSeries>{};

    std::string text;
    append_header(text, cluster, op, group);
    if (group.per_node() > hw::kMeasuredDomain) {
        text.insert(
            text.find("#\n# Using"),
            fmt::format("# extrapolated: nothing is published for more than {} GPUs of one NVLink domain\n",
                        hw::kMeasuredDomain));
    }
    for (const std::string& figures : estimates) {
        text.insert(text.find("#\n# Using"),
                    fmt::format("# estimates, without a good source: {}\n", figures));
    }
    Json rows = Json::array();
    for (const hw::Bytes bytes : sizes_from(options)) {
        Row row{.bytes = bytes, .choice = {}, .time = {}, .measured = {}, .software = {}};
        row.choice =
            hw::choose_collective(rates, cluster, {op, bytes, group.gpus, group.per_node(), false, distance});
        row.time = hw::uncontended_time(row.choice.shape);
        find_measured(row, table, options.gpu, op, group.gpus);
        append_row(text, row, op, group);
        if (row.measured && rows.empty()) {
            text.insert(text.find("#\n# Using"),
                        fmt::format("# measured: {} (aiconfigurator)\n", row.software));
        }
        rows.push_back(row_json(row, op, group));
    }
    emit(common,
         {{"schema", "chokepoint/collective/1"},
          {"program", program_json(catalog.content_hash())},
          {"gpu", options.gpu},
          {"op", hw::name(op)},
          {"gpus", group.gpus},
          {"nodes", group.nodes},
          {"estimates", estimates},
          {"rows", std::move(rows)}},
         text);
    return kFine;
}

} // namespace chokepoint::cli
