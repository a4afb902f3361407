// SPDX-License-Identifier: Apache-2.0
// The one place of this library that knows Boost.Graph.
#include <chokepoint/hwmodels/switch_graph.hpp>

#include "max_flow.hpp"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/connected_components.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

struct Cables {
    int cables = 0;
};
using Undirected =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, boost::no_property, Cables>;
using Vertex = boost::graph_traits<Undirected>::vertex_descriptor;

Wiring sound_wiring(const Cluster& cluster) {
    const std::vector<FabricFault> faults = check_fabric(cluster.fabric, cluster.node, cluster.nodes);
    if (!faults.empty()) {
        throw std::invalid_argument(to_text(faults));
    }
    std::vector<FabricFault> none;
    return wire(cluster.fabric, cluster.node, cluster.nodes, none);
}

} // namespace

struct SwitchGraph::Graph {
    explicit Graph(const Wiring& wiring)
        : first_spine(wiring.leaves()),
          first_core(first_spine + wiring.spines * wiring.pods * wiring.planes),
          switches(static_cast<std::size_t>(first_core + wiring.cores * wiring.planes)) {}

    int first_spine, first_core;
    Undirected switches;

    [[nodiscard]] int uplinks(std::size_t vertex, int first_above) const {
        int cables = 0;
        for (const auto edge : boost::make_iterator_range(boost::out_edges(vertex, switches))) {
            if (static_cast<int>(boost::target(edge, switches)) >= first_above) {
                cables += switches[edge].cables;
            }
        }
        return cables;
    }
};

SwitchGraph::SwitchGraph(const Wiring& wiring) : wiring_(wiring), graph_(std::make_unique<Graph>(wiring)) {
    const int spines = this->spines();
    const auto connect = [&](int a, int b, int cables) {
        boost::add_edge(static_cast<Vertex>(a), static_cast<Vertex>(b), Cables{cables}, graph_->switches);
    };
    for (int leaf = 0; leaf < wiring.leaves(); ++leaf) {
        const int block = wiring.plane(leaf) * wiring.pods + wiring.pod(leaf);
        for (int spine = 0; spine < wiring.spines; ++spine) {
            connect(leaf, graph_->first_spine + block * wiring.spines + spine, wiring.leaf_cables);
        }
    }
    for (int spine = 0; wiring.cores > 0 && spine < spines; ++spine) {
        const int plane = spine / (wiring.spines * wiring.pods);
        const int share = wiring.cores / wiring.spines;
        const int first = graph_->first_core + plane * wiring.cores + spine % wiring.spines * share;
        for (int core = first; core < first + share; ++core) {
            connect(graph_->first_spine + spine, core, wiring.spine_cables);
        }
    }
}

SwitchGraph::SwitchGraph(const Cluster& cluster) : SwitchGraph(sound_wiring(cluster)) {}
SwitchGraph::~SwitchGraph() = default;
SwitchGraph::SwitchGraph(SwitchGraph&&) noexcept = default;
SwitchGraph& SwitchGraph::operator=(SwitchGraph&&) noexcept = default;

int SwitchGraph::spines() const { return graph_->first_core - graph_->first_spine; }
int SwitchGraph::cores() const {
    return static_cast<int>(boost::num_vertices(graph_->switches)) - graph_->first_core;
}

std::int64_t SwitchGraph::cables() const {
    std::int64_t sum = 0;
    for (const auto edge : boost::make_iterator_range(boost::edges(graph_->switches))) {
        sum += graph_->switches[edge].cables;
    }
    return sum;
}

int SwitchGraph::uplinks_of_leaf(int leaf) const {
    return graph_->uplinks(static_cast<std::size_t>(leaf), graph_->first_spine);
}

int SwitchGraph::uplinks_of_pod(int plane, int pod) const {
    const int first = graph_->first_spine + (plane * wiring_.pods + pod) * wiring_.spines;
    int cables = 0;
    for (int spine = first; spine < first + wiring_.spines; ++spine) {
        cables += graph_->uplinks(static_cast<std::size_t>(spine), graph_->first_core);
    }
    return cables;
}

std::optional<SwitchGraph::Route> SwitchGraph::route(int leaf_from, int leaf_to) const {
    const Undirected& graph = graph_->switches;
    const auto from = static_cast<Vertex>(leaf_from);
    std::vector<int> switches(boost::num_vertices(graph), 0); // 0: not seen
    std::vector<std::int64_t> paths(switches.size(), 0);
    switches[from] = 1;
    paths[from] = 1;
    // A vertex's paths are complete when it leaves the queue: its predecessors all left before.
    struct Visitor : boost::default_bfs_visitor {
        std::vector<int>* switches = nullptr;
        std::vector<std::int64_t>* paths = nullptr;
        void examine_edge(const Undirected::edge_descriptor& edge, const Undirected& g) const {
            const Vertex near = boost::source(edge, g);
            const Vertex far = boost::target(edge, g);
            if ((*switches)[far] == 0) {
                (*switches)[far] = (*switches)[near] + 1;
            }
            if ((*switches)[far] == (*switches)[near] + 1) {
                (*paths)[far] += (*paths)[near];
            }
        }
    } visitor;
    visitor.switches = &switches;
    visitor.paths = &paths;
    boost::breadth_first_search(graph, from, boost::visitor(visitor));
    const auto to = static_cast<Vertex>(leaf_to);
    return switches[to] == 0 ? std::nullopt : std::optional(Route{switches[to], paths[to]});
}

int SwitchGraph::unreachable_leaves() const {
    std::vector<int> component(boost::num_vertices(graph_->switches));
    boost::connected_components(graph_->switches, component.data());
    int cut_off = 0;
    for (int leaf = 0; leaf < wiring_.leaves(); ++leaf) {
        const int first = wiring_.plane(leaf); // the first leaves are one of each plane
        cut_off += component[static_cast<std::size_t>(leaf)] != component[static_cast<std::size_t>(first)];
    }
    return cut_off;
}

std::int64_t SwitchGraph::max_flow(std::span<const int> from, std::span<const int> to) const {
    const auto switches = static_cast<int>(boost::num_vertices(graph_->switches));
    FlowNetwork network(switches + 2);
    for (const auto edge : boost::make_iterator_range(boost::edges(graph_->switches))) {
        network.join(static_cast<int>(boost::source(edge, graph_->switches)),
                     static_cast<int>(boost::target(edge, graph_->switches)), graph_->switches[edge].cables);
    }
    for (int leaf = 0; leaf < wiring_.leaves(); ++leaf) {
        network.add(switches, leaf, from[static_cast<std::size_t>(leaf)]);
        network.add(leaf, switches + 1, to[static_cast<std::size_t>(leaf)]);
    }
    return network.max_flow(switches, switches + 1);
}

} // namespace chokepoint::hw
