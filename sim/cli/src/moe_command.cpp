// SPDX-License-Identifier: Apache-2.0
// `collective --op dispatch|combine`: DeepEP's kernels, by DeepEP's own count of bytes, beside published
// timings.
#include "collective_command.hpp"

#include "json.hpp"
#include "result.hpp"

#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::cli {

namespace {

constexpr int kScaleBlock = 128;    // FP8 values that share a scale
constexpr double kScaleBytes = 4.0; // an FP32 scale
constexpr std::string_view kDispatch = "dispatch";
constexpr std::string_view kCombine = "combine";

hw::Bytes token_bytes(const CollectiveOptions& options) {
    const std::string dtype = !options.dtype.empty()    ? options.dtype
                              : options.op == kDispatch ? "fp8"
                                                        : "bf16";
    if (dtype == "bf16") {
        return hw::element_bytes(hw::DType::bf16) * options.hidden;
    }
    if (dtype == "fp8") {
        return hw::element_bytes(hw::DType::fp8) * options.hidden +
               hw::Bytes(kScaleBytes * options.hidden / kScaleBlock);
    }
    throw unknown("number format", dtype, {"bf16", "fp8"});
}

hw::ExpertRouting routing_from(const CollectiveOptions& options, const hw::Node& node) {
    const int nodes = std::max(1, options.nodes);
    const int ranks = options.gpus == 0 ? nodes * node.gpus : options.gpus;
    if (ranks % nodes != 0 || ranks / nodes > node.gpus || ranks < 2) {
        throw UsageError(
            fmt::format("--gpus {} on --nodes {}: expected at least 2 GPUs, as many in each node and "
                        "at most {} of {}",
                        ranks, nodes, node.gpus, node.gpu.id));
    }
    return {options.experts, options.top_k, ranks, ranks / nodes,
            nodes > 1 ? std::min(options.max_nodes, nodes) : 0};
}

/// The published timing with the fewest SMs of the same shape.
std::optional<hw::DeepEpTiming> measured(const CollectiveOptions& options, const hw::ExpertRouting& routing) {
    std::optional<hw::DeepEpTiming> best;
    for (const hw::DeepEpTiming& timing : hw::read_deepep_table()) {
        if (timing.part == options.gpu && timing.nodes * 8 == routing.ranks && routing.ranks_per_node == 8 &&
            timing.hidden == options.hidden && timing.tokens == options.tokens &&
            timing.top_k == options.top_k && timing.experts == options.experts &&
            (!best || timing.sms < best->sms)) {
            best = timing;
        }
    }
    return best;
}

hw::Bytes bytes_on(const hw::TransferShape& shape, hw::Port port) {
    hw::Bytes sum;
    for (const hw::PortFlow& flow : shape.flows) {
        sum += flow.port == port ? flow.bytes : hw::Bytes(0.0);
    }
    return sum;
}

} // namespace

bool is_moe_operation(const std::string& op) { return op == kDispatch || op == kCombine; }

int moe_command(const CollectiveOptions& options, const Common& common) {
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    const hw::Caps caps = caps_from(options.caps);
    const hw::Node node = node_from(catalog, options.gpu, caps);
    const hw::ExpertRouting routing = routing_from(options, node);
    const hw::Cluster cluster =
        cluster_from(catalog, node, routing.ranks / routing.ranks_per_node, options.fabric);
    const std::vector<std::string> estimates = transfer_estimates(catalog, cluster, caps, options.fabric);
    const auto direction = options.op == kDispatch ? hw::MoeDirection::dispatch : hw::MoeDirection::combine;
    const hw::Bytes per_token = token_bytes(options);
    hw::TransferShape shape;
    hw::Spread spread;
    try {
        spread = hw::expected_spread(routing);
        shape = hw::moe_transfer(rates_from(options.transfers), cluster, routing, direction, options.tokens,
                                 per_token, false, distance_in(cluster, routing.ranks_per_node));
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
    const hw::Seconds time = hw::uncontended_time(shape);
    const auto published = caps == hw::Caps{} ? measured(options, routing) : std::nullopt;
    const hw::Bytes payload = per_token * options.tokens;
    const auto rate = [&](double copies) { return payload * copies / time; };

    std::string text =
        fmt::format("{} of {} tokens x {} ({}) to top {} of {} experts over {} {} on {} node{}\n", options.op,
                    options.tokens, options.hidden, hw::to_text(per_token), options.top_k, options.experts,
                    routing.ranks, options.gpu, cluster.nodes, cluster.nodes == 1 ? "" : "s");
    text += fmt::format("  distinct destinations of a token   {:.2f} nodes ({:.2f} remote), {:.2f} ranks\n",
                        spread.nodes, spread.remote_nodes, spread.ranks);
    text += fmt::format("  on the wire, one direction         NVLink {}, NIC {}\n",
                        hw::to_text(bytes_on(shape, hw::Port::nvlink)),
                        hw::to_text(bytes_on(shape, hw::Port::nic)));
    text += fmt::format("  time                               {}\n", hw::to_text(time));
    text += fmt::format("  as DeepEP counts                   NVLink {}, RDMA {}\n",
                        hw::to_text(rate(spread.ranks)),
                        cluster.nodes > 1 ? hw::to_text(rate(spread.nodes)) : std::string("-"));
    Json measured_seconds, error; // null without a published time
    if (published) {
        const hw::Seconds theirs = options.op == kDispatch ? published->dispatch : published->combine;
        measured_seconds = theirs.value();
        error = time / theirs - 1.0;
        text += fmt::format("  measured (aiconfigurator, {} SMs)  {}, error {:+.1f}%\n", published->sms,
                            hw::to_text(theirs), 100.0 * (time / theirs - 1.0));
    }
    for (const std::string& figures : estimates) {
        text += fmt::format("  estimates, without a good source   {}\n", figures);
    }
    emit(common,
         {{"schema", "chokepoint/collective/1"},
          {"program", program_json(catalog.content_hash())},
          {"gpu", options.gpu},
          {"op", options.op},
          {"gpus", routing.ranks},
          {"nodes", cluster.nodes},
          {"estimates", estimates},
          {"rows", Json::array({{{"tokens", options.tokens},
                                 {"bytes_per_token", per_token.value()},
                                 {"seconds", time.value()},
                                 {"nvlink_bytes", bytes_on(shape, hw::Port::nvlink).value()},
                                 {"nic_bytes", bytes_on(shape, hw::Port::nic).value()},
                                 {"latency_seconds", shape.latency.value()},
                                 {"measured_seconds", measured_seconds},
                                 {"error", error}}})}},
         text);
    return kFine;
}

} // namespace chokepoint::cli
