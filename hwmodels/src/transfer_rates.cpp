// SPDX-License-Identifier: Apache-2.0
// Derives the shares of port rates that transfers reach from the published measurements.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include "collective/curves_file.hpp"
#include "data_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace chokepoint::hw {
namespace {

BytesPerSecond bandwidth(DataFile& file, const Section& section, std::string_view key) {
    return BytesPerSecond(file.quantity(section, key, Dimension::bandwidth));
}

/// One benchmark run: what it counted and which port held it back.
struct Run {
    ExpertRouting routing;
    Port port = Port::nic;
    Port limit = Port::nic;
    BytesPerSecond dispatch;
    BytesPerSecond combine;
};

struct Benchmark {
    BytesPerSecond nvlink; ///< one direction
    BytesPerSecond nic;
    double tokens = 0.0;
    Bytes dispatch_bytes; ///< per token
    Bytes combine_bytes;
    std::vector<Run> runs;
};

Port read_port(DataFile& file, const Section& section, std::string_view key) {
    const std::string text = file.text(section, key);
    if (!text.empty() && text != "nic" && text != "nvlink") {
        file.fault(section.entries->find(key)->second.at,
                   fmt::format("{}.{}: no port is called \"{}\"; expected \"nic\" or \"nvlink\"",
                               section.path, key, text));
    }
    return text == "nvlink" ? Port::nvlink : Port::nic;
}

/// `max_nodes` may be left out where the benchmark's router may pick any; `experts` stands in a run where it
/// differs between runs.
Benchmark read_benchmark(DataFile& file, std::string_view library) {
    const Section top = file.section(file.root(), library);
    file.allow(top, {"source", "date", "nvlink", "nic", "experts", "top_k", "max_nodes", "ranks_per_node",
                     "tokens", "dispatch_bytes", "combine_bytes", "run"});
    file.citation(top);
    Benchmark benchmark;
    benchmark.nvlink = bandwidth(file, top, "nvlink") / 2.0;
    benchmark.nic = bandwidth(file, top, "nic");
    benchmark.tokens = file.count(top, "tokens");
    benchmark.dispatch_bytes = Bytes(file.quantity(top, "dispatch_bytes", Dimension::bytes));
    benchmark.combine_bytes = Bytes(file.quantity(top, "combine_bytes", Dimension::bytes));
    ExpertRouting routing;
    const bool one_size = top.has("experts");
    routing.experts = one_size ? file.count(top, "experts") : 0;
    routing.top_k = file.count(top, "top_k");
    routing.max_nodes = top.has("max_nodes") ? file.count(top, "max_nodes") : 0;
    routing.ranks_per_node = file.count(top, "ranks_per_node");
    for (const Section& entry : file.sections(top, "run")) {
        file.allow(entry, {"ranks", "experts", "port", "limited_by", "dispatch", "combine"});
        routing.ranks = file.count(entry, "ranks");
        if (!one_size) {
            routing.experts = file.count(entry, "experts");
        }
        Run run{routing, read_port(file, entry, "port"), read_port(file, entry, "limited_by"), {}, {}};
        run.dispatch = bandwidth(file, entry, "dispatch");
        run.combine = bandwidth(file, entry, "combine");
        benchmark.runs.push_back(run);
    }
    return benchmark;
}

int nodes_of(const ExpertRouting& routing) { return std::max(1, routing.ranks / routing.ranks_per_node); }

/// Bytes that one direction of a port carries for each byte of payload: see moe_transfer().
double copies_on_wire(const ExpertRouting& routing, Port port) {
    const Spread spread = expected_spread(routing);
    const double members = std::min(routing.ranks, routing.ranks_per_node);
    return port == Port::nic ? spread.remote_nodes : spread.ranks * (members - 1.0) / members;
}

/// Seconds for each byte of payload: the benchmark counts a copy for every node or rank, the sender's
/// included.
double time_per_payload(const Run& run, BytesPerSecond counted) {
    const Spread spread = expected_spread(run.routing);
    return (run.port == Port::nic ? spread.nodes : spread.ranks) / counted.value();
}

MoeRates derive_rates(const Benchmark& benchmark, BytesPerSecond Run::* counted) {
    MoeRates rates;
    for (const Run& run : benchmark.runs) {
        const BytesPerSecond wire(copies_on_wire(run.routing, run.limit) /
                                  time_per_payload(run, run.*counted));
        const int nodes = nodes_of(run.routing);
        if (run.limit == Port::nic) {
            rates.nic.push_back({nodes, wire / benchmark.nic});
        } else {
            (nodes == 1 ? rates.nvlink_within_node : rates.nvlink_forwarding) = wire / benchmark.nvlink;
        }
    }
    std::ranges::sort(rates.nic, {}, &MoeRates::NicShare::nodes);
    return rates;
}

Seconds alone(const Benchmark& benchmark, const Run& run, BytesPerSecond Run::* counted, Bytes per_token) {
    return Seconds(benchmark.tokens * per_token.value() * time_per_payload(run, run.*counted));
}

void read_beside_compute(DataFile& file, const Benchmark& benchmark, TransferRates& rates) {
    const Section trace = file.section(file.root(), "beside_compute");
    file.allow(trace, {"source", "date", "ranks", "dispatch_forward", "dispatch_backward", "combine_forward",
                       "combine_backward"});
    file.citation(trace);
    const auto mean = [&](std::string_view forward, std::string_view backward) {
        return Seconds((file.quantity(trace, forward, Dimension::seconds) +
                        file.quantity(trace, backward, Dimension::seconds)) /
                       2.0);
    };
    const Seconds dispatch = mean("dispatch_forward", "dispatch_backward");
    const Seconds combine = mean("combine_forward", "combine_backward");
    const int ranks = file.count(trace, "ranks");
    const auto same =
        std::ranges::find(benchmark.runs, ranks, [](const Run& run) { return run.routing.ranks; });
    if (same == benchmark.runs.end()) {
        file.fault(trace.at,
                   fmt::format("beside_compute.ranks: no deepep.run has {} ranks to compare with", ranks));
        return;
    }
    if (file.faults().empty()) {
        rates.dispatch.beside_compute =
            dispatch / alone(benchmark, *same, &Run::dispatch, benchmark.dispatch_bytes);
        rates.combine.beside_compute =
            combine / alone(benchmark, *same, &Run::combine, benchmark.combine_bytes);
    }
}

/// Where `expected` is left out, the spread of rates stays as it was.
void read_nic(DataFile& file, TransferRates& rates) {
    const Section nic = file.section(file.root(), "nic");
    file.allow(nic, {"source", "date", "line_rate", "reached", "expected"});
    file.citation(nic);
    const BytesPerSecond reached = bandwidth(file, nic, "reached");
    take_nic_share(rates, reached / bandwidth(file, nic, "line_rate"));
    if (nic.has("expected")) {
        rates.relative_sigma = std::abs(std::log(bandwidth(file, nic, "expected") / reached)) / 2.0;
    }
}

void read_nic_all_to_all(DataFile& file, TransferRates& rates) {
    const Section nic = file.section(file.root(), "nic_all_to_all");
    file.allow(nic, {"source", "date", "line_rate", "reached"});
    file.citation(nic);
    rates.nic_all_to_all = bandwidth(file, nic, "reached") / bandwidth(file, nic, "line_rate");
}

/// DeepEP's kernels alone and beside compute: one cannot be had without the other.
void read_moe(DataFile& file, TransferRates& rates) {
    const Benchmark benchmark = read_benchmark(file, "deepep");
    try {
        if (file.faults().empty()) {
            rates.dispatch = derive_rates(benchmark, &Run::dispatch);
            rates.combine = derive_rates(benchmark, &Run::combine);
        }
        read_beside_compute(file, benchmark, rates);
    } catch (const std::invalid_argument& error) {
        file.fault({}, error.what()); // a run whose experts do not fit its ranks
    }
}

void read_kernel_limit(DataFile& file, std::string_view name, MoeRates& dispatch, MoeRates& combine) {
    const Section limit = file.section(file.root(), name);
    file.allow(limit, {"source", "date", "dispatch", "combine"});
    file.citation(limit);
    dispatch.within_node_most = bandwidth(file, limit, "dispatch");
    combine.within_node_most = bandwidth(file, limit, "combine");
}

/// Hybrid-EP's rates of the NIC are its own; its shares of NVLink and what it loses beside compute are not
/// published and taken as DeepEP's.
void read_hybrid(DataFile& file, TransferRates& rates) {
    const Benchmark benchmark = read_benchmark(file, "hybrid_ep");
    rates.hybrid_dispatch = rates.dispatch;
    rates.hybrid_combine = rates.combine;
    try {
        if (file.faults().empty()) {
            rates.hybrid_dispatch.nic = derive_rates(benchmark, &Run::dispatch).nic;
            rates.hybrid_combine.nic = derive_rates(benchmark, &Run::combine).nic;
        }
    } catch (const std::invalid_argument& error) {
        file.fault({}, error.what());
    }
    read_kernel_limit(file, "hybrid_ep_kernel_limit", rates.hybrid_dispatch, rates.hybrid_combine);
}

/// The user's curves come first, where find_curve() finds them.
void read_collectives(DataFile& file, TransferRates& rates) {
    std::vector<CollectiveCurve> curves = read_collective_curves(file, file.root());
    rates.collectives.insert(rates.collectives.begin(), curves.begin(), curves.end());
}

/// What is not between nothing and the port's full rate is a mistake in the file.
void check_shares(DataFile& file, const TransferRates& rates) {
    const auto check = [&](double share, std::string_view what) {
        if (share <= 0.0 || share > 1.0) {
            file.fault({},
                       fmt::format("{}: a share of {:.3f} of the port's rate; expected above 0 and at most 1",
                                   what, share));
        }
    };
    using Named = std::pair<std::string_view, const MoeRates*>;
    for (const auto& [kernel, moe] : {Named{"dispatch", &rates.dispatch}, Named{"combine", &rates.combine},
                                      Named{"Hybrid-EP's dispatch", &rates.hybrid_dispatch},
                                      Named{"Hybrid-EP's combine", &rates.hybrid_combine}}) {
        check(moe->nvlink_within_node, fmt::format("{} within a node", kernel));
        check(moe->nvlink_forwarding, fmt::format("{} between nodes, over NVLink", kernel));
        for (const MoeRates::NicShare& nic : moe->nic) {
            check(nic.share, fmt::format("{} over {} nodes", kernel, nic.nodes));
        }
        if (moe->nic.empty()) {
            file.fault({}, fmt::format("{}: no run is limited by the NIC", kernel));
        }
        if (moe->beside_compute < 1.0) {
            file.fault({},
                       fmt::format("{} beside compute takes {:.3f} of its time alone; expected at least 1",
                                   kernel, moe->beside_compute));
        }
    }
    check(rates.nic, "nic");
    check(rates.nic_all_to_all, "nic_all_to_all");
}

/// What the file holds, over what was known before.
TransferRates read_rates(const std::filesystem::path& path, TransferRates rates) {
    DataFile file(path.string(), read_text_file(path.string()));
    if (file.parsed()) {
        const Section root = file.root();
        file.allow(root, {"deepep", "beside_compute", "kernel_limit", "hybrid_ep", "hybrid_ep_kernel_limit",
                          "nic", "nic_all_to_all", "collective"});
        if (root.has("deepep") || root.has("beside_compute")) {
            read_moe(file, rates);
        }
        if (root.has("kernel_limit")) {
            read_kernel_limit(file, "kernel_limit", rates.dispatch, rates.combine);
        }
        if (root.has("hybrid_ep") || root.has("hybrid_ep_kernel_limit")) {
            read_hybrid(file, rates);
        }
        if (root.has("nic")) {
            read_nic(file, rates);
        }
        if (root.has("nic_all_to_all")) {
            read_nic_all_to_all(file, rates);
        }
        if (root.has("collective")) {
            read_collectives(file, rates);
        }
        if (file.faults().empty()) {
            check_shares(file, rates);
        }
    }
    if (!file.faults().empty()) {
        throw std::runtime_error(fmt::format("{}", fmt::join(file.faults(), "\n")));
    }
    return rates;
}

} // namespace

void take_nic_share(TransferRates& rates, double share) {
    if (rates.nic > 0.0) {
        rates.nic_all_to_all *= share / rates.nic;
    }
    rates.nic = share;
}

TransferRates load_transfer_rates(const std::filesystem::path& path) {
    return read_rates(path, load_transfer_rates());
}

TransferRates load_transfer_rates() {
    TransferRates rates =
        read_rates(data_path("measurements") / "published" / "transfers.toml", TransferRates{});
    rates.collectives = load_collective_curves();
    return rates;
}

} // namespace chokepoint::hw
