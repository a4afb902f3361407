// SPDX-License-Identifier: Apache-2.0
// Names of collectives and algorithms, as files and the command line spell them.
#include <chokepoint/hwmodels/collective.hpp>

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

constexpr std::array kCollectives{Collective::all_reduce, Collective::all_gather, Collective::reduce_scatter,
                                  Collective::broadcast,  Collective::all_to_all, Collective::send_recv};
constexpr std::array kAlgorithms{Algorithm::ring, Algorithm::nvls, Algorithm::tree};

template <typename List>
auto find_by_name(const List& list, std::string_view text) -> std::optional<typename List::value_type> {
    const auto at = std::ranges::find(list, text, [](auto value) { return name(value); });
    return at == list.end() ? std::nullopt : std::optional(*at);
}

} // namespace

std::string_view name(Collective op) {
    switch (op) {
    case Collective::all_reduce:
        return "all_reduce";
    case Collective::reduce_scatter:
        return "reduce_scatter";
    case Collective::all_gather:
        return "all_gather";
    case Collective::broadcast:
        return "broadcast";
    case Collective::all_to_all:
        return "alltoall";
    case Collective::send_recv:
        break;
    }
    return "sendrecv";
}

std::optional<Collective> collective_from(std::string_view text) { return find_by_name(kCollectives, text); }
std::span<const Collective> all_collectives() { return kCollectives; }

double bus_factor(Collective op, int ranks) {
    switch (op) {
    case Collective::all_reduce:
        return 2.0 * (ranks - 1) / ranks;
    case Collective::reduce_scatter:
    case Collective::all_gather:
    case Collective::all_to_all:
        return 1.0 * (ranks - 1) / ranks;
    case Collective::broadcast:
    case Collective::send_recv:
        break;
    }
    return 1.0;
}

std::string_view name(Algorithm algorithm) {
    switch (algorithm) {
    case Algorithm::ring:
        return "ring";
    case Algorithm::nvls:
        return "nvls";
    case Algorithm::tree:
        break;
    }
    return "tree";
}

std::optional<Algorithm> algorithm_from(std::string_view text) { return find_by_name(kAlgorithms, text); }

} // namespace chokepoint::hw
