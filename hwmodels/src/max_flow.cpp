// SPDX-License-Identifier: Apache-2.0
// Boost.Graph's push-relabel algorithm behind a plain interface.
#include "max_flow.hpp"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>

namespace chokepoint::hw {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
struct Arc {
    std::int64_t capacity = 0;
    std::int64_t residual = 0;
    Traits::edge_descriptor reverse;
};
using Directed = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Arc>;

} // namespace

struct FlowNetwork::Graph {
    explicit Graph(std::size_t vertices) : arcs(vertices) {}
    Directed arcs;
};

FlowNetwork::FlowNetwork(int vertices)
    : graph_(std::make_unique<Graph>(static_cast<std::size_t>(vertices))) {}
FlowNetwork::~FlowNetwork() = default;

void FlowNetwork::add(int from, int to, std::int64_t capacity) {
    Directed& arcs = graph_->arcs;
    const auto a = static_cast<std::size_t>(from);
    const auto b = static_cast<std::size_t>(to);
    const auto forth = boost::add_edge(a, b, Arc{capacity, 0, {}}, arcs).first;
    const auto back = boost::add_edge(b, a, Arc{0, 0, {}}, arcs).first;
    arcs[forth].reverse = back;
    arcs[back].reverse = forth;
}

void FlowNetwork::join(int a, int b, std::int64_t capacity) {
    add(a, b, capacity);
    add(b, a, capacity);
}

std::int64_t FlowNetwork::max_flow(int source, int sink) {
    Directed& arcs = graph_->arcs;
    return boost::push_relabel_max_flow(arcs, static_cast<std::size_t>(source),
                                        static_cast<std::size_t>(sink), boost::get(&Arc::capacity, arcs),
                                        boost::get(&Arc::residual, arcs), boost::get(&Arc::reverse, arcs),
                                        boost::get(boost::vertex_index, arcs));
}

} // namespace chokepoint::hw
