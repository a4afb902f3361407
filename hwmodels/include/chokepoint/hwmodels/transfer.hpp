// SPDX-License-Identifier: Apache-2.0
// What a transfer asks of one GPU's ports: bytes over NVLink and NIC, achievable rates and latency, each with
// a source.
#pragma once

#include <chokepoint/hwmodels/collective.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <vector>

namespace chokepoint::hw {

enum class Port { nvlink, nic };

/// Which directions of its port a flow takes: usually both, as much coming in as going out.
enum class Way : std::uint8_t { both, out, in };

/// One direction of one port. `rate_cap` is the rate the transfer's kernel reaches alone on an otherwise idle
/// port, at most the port's own rate; contention lowers it further.
struct PortFlow {
    Port port = Port::nic;
    Bytes bytes;
    BytesPerSecond rate_cap;
    Way way = Way::both;
    /// Shared links of the fabric that the flow climbs from its sender, and comes down to its receiver.
    std::int8_t climbs = 0;
    std::int8_t descends = 0;
    friend bool operator==(const PortFlow&, const PortFlow&) = default;
};

/// Symmetric transfers (every member sends and receives as much) as seen by one member: the flows run at the
/// same time, the transfer ends when the last has, after `latency`.
struct TransferShape {
    std::vector<PortFlow> flows;
    Seconds latency;
    friend bool operator==(const TransferShape&, const TransferShape&) = default;
};

/// Latency and the slowest flow, each flow alone on its port: the bound that contention can only raise.
Seconds uncontended_time(const TransferShape&);

/// How an expert-parallel group lies on nodes, and how its router spreads a token.
struct ExpertRouting {
    int experts = 0; ///< routed experts of the layer
    int top_k = 0;
    int ranks = 1; ///< expert-parallel size
    int ranks_per_node = 8;
    int max_nodes =
        0; ///< node-limited routing: a token's experts lie on at most this many nodes; 0: no limit
    friend bool operator==(const ExpertRouting&, const ExpertRouting&) = default;
};

/// Expected distinct destinations of one token under balanced routing.
struct Spread {
    double nodes = 0.0;        ///< distinct nodes, the sender's own included when chosen
    double remote_nodes = 0.0; ///< distinct nodes other than the sender's
    double ranks = 0.0;        ///< distinct ranks
};

/// Exact expectation for independent, equally distributed affinities: the `max_nodes` nodes with the best
/// single expert are kept, then the `top_k` best experts on them. 256 experts, top 8, 64 ranks on 8 nodes, at
/// most 4: 3.98 nodes, 3.49 of them remote. DeepEP's benchmark picks nodes so; DeepSeek-V3 adds a node's best
/// two, which gives 3.96 and 3.46.
/// @throws std::invalid_argument if the experts do not divide over the ranks, the ranks over the nodes, or
/// too few experts lie on `max_nodes` nodes.
Spread expected_spread(const ExpertRouting&);

/// Whose kernels move tokens to their experts: both send as moe_transfer() says, at rates of their own.
enum class MoeLibrary : std::uint8_t { deepep, hybrid_ep };

/// How fast a library's kernels move tokens, as shares of a port's rate in one direction.
struct MoeRates {
    struct NicShare {
        int nodes = 0; ///< that the group spans
        double share = 0.0;
        friend bool operator==(const NicShare&, const NicShare&) = default;
    };
    double nvlink_within_node = 0.0; ///< groups of one node
    double nvlink_forwarding = 0.0;  ///< groups of several nodes, where NVLink hands on what the NIC brings
    std::vector<NicShare>
        nic; ///< ascending; between two entries by the logarithm of nodes, outside as the nearest
    double beside_compute = 1.0; ///< how many times longer beside compute kernels than alone
    /// What the kernels' SMs move within a node at most, however fast the link.
    BytesPerSecond within_node_most{std::numeric_limits<double>::infinity()};
    friend bool operator==(const MoeRates&, const MoeRates&) = default;
};

/// Achieved rates, derived from measurements on one cluster as shares of its ports, so that they scale to
/// others.
/// One of NCCL's protocols between nodes, as its tuner reckons with it.
struct NetworkProtocol {
    std::string name; ///< "ll", "ll128", "simple"
    Algorithm algorithm = Algorithm::ring;
    Seconds start;        ///< before the first step
    Seconds nvlink_step;  ///< of a step inside a node
    Seconds network_step; ///< of a step between nodes; never less than the fabric's latency
    double share = 1.0;   ///< of the network's rate that is left for data
    friend bool operator==(const NetworkProtocol&, const NetworkProtocol&) = default;
};
/// NVIDIA/nccl@01afd20, src/graph/tuning.cc: baseLat, hwLat, and the factors on bus bandwidth.
std::vector<NetworkProtocol> nccl_protocols();

struct TransferRates {
    MoeRates dispatch; ///< DeepEP's
    MoeRates combine;
    MoeRates hybrid_dispatch; ///< Hybrid-EP's
    MoeRates hybrid_combine;
    double nic = 0.0; ///< point to point and collectives but all-to-all
    double nic_all_to_all = 0.0;
    std::vector<CollectiveCurve> collectives; ///< inside a node
    std::vector<NetworkProtocol> between_nodes = nccl_protocols();
    /// How many times longer a collective takes beside compute kernels than alone: nobody published it, so
    /// 1, which is optimistic; the kernels beside it are slowed by the SMs that it holds.
    double collective_beside_compute = 1.0;
    double relative_sigma =
        0.0; ///< of every rate: half the distance between published figures, in logarithms
    friend bool operator==(const TransferRates&, const TransferRates&) = default;
};

/// The NIC's share for every collective; all-to-all stays as far behind the others as it was.
void take_nic_share(TransferRates&, double share);

/// A file of the user's; what it leaves out is as shipped.
/// @throws std::runtime_error with every fault of the file.
TransferRates load_transfer_rates(const std::filesystem::path&);
/// The shipped figures: measurements/published/transfers.toml and fits/collectives.toml.
TransferRates load_transfer_rates();

enum class MoeDirection { dispatch, combine };

/// A dispatch or combine, as one rank sees it: each token crosses the fabric once per remote node, to
/// the GPU of the sender's index, which hands it on over NVLink once per rank that needs it; a combine goes
/// the same way back. `per_token` is the payload (FP8 with scales, or BF16). Without a distance the group may
/// lie anywhere.
/// @throws std::invalid_argument as expected_spread().
TransferShape moe_transfer(const TransferRates&, const Cluster&, const ExpertRouting&, MoeDirection,
                           std::int64_t tokens, Bytes per_token, bool beside_compute,
                           const std::optional<Distance>& = {}, MoeLibrary = MoeLibrary::deepep);

/// Published timings of DeepEP's normal kernels, to compare with; nothing is fitted to them.
struct DeepEpTiming {
    std::string part;
    int nodes = 1; ///< of eight GPUs
    int hidden = 0;
    int tokens = 0; ///< of one rank
    int top_k = 0;
    int experts = 0;
    int sms = 0; ///< that the kernels hold
    Seconds dispatch;
    Seconds combine;
};
/// @throws std::runtime_error with every fault of the file, with its line.
std::vector<DeepEpTiming> read_deepep_table(const std::filesystem::path&);
/// The shipped table: measurements/published/deepep_normal.tsv.
std::vector<DeepEpTiming> read_deepep_table();

/// Point to point between GPUs of different nodes (`remote`) or of one node.
/// @throws std::invalid_argument if the rates hold no curve for point to point inside a node.
TransferShape point_to_point(const TransferRates&, const Cluster&, Bytes, bool remote,
                             const std::optional<Distance>& = {});

/// A collective over `ranks` GPUs, `ranks_per_node` of them in each node, of `bytes` as nccl-tests counts
/// them: the whole vector, an all-gather's output, what a rank of an all-to-all sends.
struct CollectiveCall {
    Collective op = Collective::all_reduce;
    Bytes bytes;
    int ranks = 1;
    int ranks_per_node = 8;
    bool beside_compute = false;
    std::optional<Distance> distance; ///< between its nodes; unset: they may lie anywhere
};

/// The way that takes least time, as NCCL's tuner looks for it.
struct CollectiveChoice {
    TransferShape shape;
    Algorithm algorithm = Algorithm::ring; ///< inside the node, or between nodes if it spans several
    std::string protocol;
};

/// Inside a node one curve; between nodes hierarchical: NVLink carries the exchange inside each node and
/// every NIC its GPU's share of the exchange between nodes, in chunks, so that both run at once. Between
/// nodes a ring takes a step per node and a double binary tree (all-reduce only) the logarithm of that, for
/// more bytes.
/// @throws std::invalid_argument if the ranks do not fill their nodes, or no curve is known.
CollectiveChoice choose_collective(const TransferRates&, const Cluster&, const CollectiveCall&);
/// Its shape alone.
TransferShape collective(const TransferRates&, const Cluster&, Collective, Bytes, int ranks,
                         int ranks_per_node, const std::optional<Distance>& = {});

} // namespace chokepoint::hw
