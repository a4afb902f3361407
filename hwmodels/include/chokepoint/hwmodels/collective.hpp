// SPDX-License-Identifier: Apache-2.0
// What NCCL's collectives cost inside a node: curves by algorithm and protocol, where they come from, and how
// they are fitted.
#pragma once

#include <chokepoint/hwmodels/cluster.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

enum class Collective { all_reduce, reduce_scatter, all_gather, broadcast, all_to_all, send_recv };
std::string_view name(Collective);
std::optional<Collective> collective_from(std::string_view);
std::span<const Collective> all_collectives();

/// nccl-tests' busbw over algbw: 2(n-1)/n for all-reduce, (n-1)/n for all-gather, reduce-scatter and
/// all-to-all, 1 for broadcast and point to point (nccl-tests, doc/PERFORMANCE.md).
double bus_factor(Collective, int ranks);

enum class Algorithm { ring, nvls, tree };
std::string_view name(Algorithm);
std::optional<Algorithm> algorithm_from(std::string_view);

/// What one rank does in an algorithm inside one node: steps one after another, and bytes of each kind as
/// multiples of the size that nccl-tests prints.
struct CollectiveTraffic {
    double hops = 0.0;  ///< neighbours that a byte passes one after another
    double wire = 0.0;  ///< through each direction of the port
    double own = 0.0;   ///< a rank's own part, which it copies or reduces in its memory
    double piece = 1.0; ///< the part that one rank handles at a time: what NCCL's protocols are chosen by
};
CollectiveTraffic traffic(Collective, Algorithm, int ranks);

/// One protocol of one algorithm: time = start + hops x per_hop x NVLink latency + wire bytes / (share x
/// port) + own bytes / (own x port) + own bytes / (memory x memory bandwidth). Shares move to other ports;
/// start and hops do not depend on them. A rank's own part counts against the port while a protocol's
/// overhead decides, and against memory once transfers stream (the last protocol): so neither more bytes nor
/// a slower port can take less time.
struct CollectiveRegime {
    std::string protocol;
    std::optional<Seconds> until; ///< port time of a piece up to which NCCL takes this protocol
    Seconds start;
    double per_hop = 0.0;
    double share = 1.0;
    double own = 0.0;    ///< 0: costs nothing
    double memory = 0.0; ///< 0: costs nothing
    friend bool operator==(const CollectiveRegime&, const CollectiveRegime&) = default;
};

struct CollectiveCurve {
    std::string architecture; ///< "any" fits every part
    Collective op = Collective::all_reduce;
    Algorithm algorithm = Algorithm::ring;
    std::vector<CollectiveRegime> regimes; ///< by rising `until`; the last has none
    friend bool operator==(const CollectiveCurve&, const CollectiveCurve&) = default;
};

/// The curve for a part, or nullptr: an own one ("any"), else the architecture's, else Hopper's. Broadcast
/// moves data as all-gather does, and point to point as all-to-all does.
const CollectiveCurve* find_curve(std::span<const CollectiveCurve>, std::string_view architecture, Collective,
                                  Algorithm);

/// One curve at one size: the protocol, and the two parts of the time.
struct CollectivePoint {
    std::string protocol;
    Seconds latency;
    Seconds moving; ///< goes with the bytes
};
/// What `op` costs on a curve (its own, or the one that find_curve() gives it). More bytes never take less
/// time: where NCCL changes to a protocol that is faster at that size, the change is drawn flat.
/// @throws std::invalid_argument for fewer than two ranks.
CollectivePoint evaluate(const CollectiveCurve&, Collective op, const Node&, Bytes, int ranks);

/// Timings of one operation on one cluster at one number of GPUs.
struct CollectiveSeries {
    struct Point {
        Bytes bytes; ///< as nccl-tests counts: an all-gather's is the whole output
        Seconds time;
        friend bool operator==(const Point&, const Point&) = default;
    };
    std::string part;
    std::string software;
    Node node;
    Collective op = Collective::all_reduce;
    int ranks = 0;
    int nodes = 1;
    std::vector<Point> points;
    friend bool operator==(const CollectiveSeries&, const CollectiveSeries&) = default;
};

class Catalog;
/// The shipped table: measurements/published/nccl_intranode.tsv.
/// @throws std::runtime_error with every fault of the file, with its line.
std::vector<CollectiveSeries> read_collective_table(const std::filesystem::path&, const Catalog&);
std::vector<CollectiveSeries> read_collective_table(const Catalog&);

/// Which points a fit sees: every second size, powers of four times 512 B. The others judge it.
bool fitted(const CollectiveSeries&, const CollectiveSeries::Point&);
using FitFilter = std::function<bool(const CollectiveSeries&, const CollectiveSeries::Point&)>;

/// Curves for every architecture and operation measured inside one node, or one set for "any" part where
/// `prior` is given: what the data do not tell apart (one number of GPUs cannot tell start from hops) then
/// stays as close to the prior as the data allow.
std::vector<CollectiveCurve> fit_collectives(std::span<const CollectiveSeries>, const FitFilter&,
                                             std::span<const CollectiveCurve> prior = {});

/// Shares of the NIC's rate; nothing where no series shows one.
struct NicShares {
    std::optional<double> others; ///< every operation but all-to-all
    std::optional<double> all_to_all;
};
/// What series of several nodes reach from 64 MiB up, each NVLink exchange being faster.
NicShares fit_nic_shares(std::span<const CollectiveSeries>, std::span<const CollectiveCurve>);

/// The fit file's text, TOML with six significant digits.
std::string to_toml(std::span<const CollectiveCurve>);
/// hwmodels/fits/collectives.toml.
/// @throws std::runtime_error with every fault.
std::vector<CollectiveCurve> load_collective_curves();

} // namespace chokepoint::hw
