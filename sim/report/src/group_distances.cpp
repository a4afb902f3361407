// SPDX-License-Identifier: Apache-2.0
// Asks of every group that a step communicates in how far apart its members lie on the fabric.
#include <chokepoint/sim/step_costs.hpp>

#include <chokepoint/hwmodels/topology.hpp>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace chokepoint::sim {

namespace {

using Distance = std::optional<hw::Distance>;

void widen(Distance& known, const Distance& found) {
    if (known && found) {
        known = {std::max(known->farthest, found->farthest), std::max(known->hop, found->hop)};
    } else if (found) {
        known = found;
    }
}

class Surveyor {
public:
    Surveyor(const work::TaskGraph& graph, const work::RankLayout& layout, const hw::Cluster& cluster)
        : graph_(graph),
          layout_(layout),
          topology_(hw::make_topology(cluster)),
          distances_(graph.transfers().size()),
          last_peer_(distances_.size() * static_cast<std::size_t>(graph.ranks()), kUnseen),
          gpus_of_(static_cast<std::size_t>(graph.ranks())) {
        for (int gpu = 0; gpu < layout.gpus(); ++gpu) {
            gpus_of_[static_cast<std::size_t>(layout.pipeline_rank(gpu))].push_back(gpu);
        }
    }

    GroupDistances survey() {
        for (const work::Task& task : graph_.tasks()) {
            if (task.kind == work::TaskKind::transfer) {
                look_at(task);
            }
        }
        return std::move(distances_);
    }

private:
    static constexpr int kUnseen = -2;
    using GroupKey = std::tuple<int, work::Group, std::vector<work::Rank>>;

    void look_at(const work::Task& task) {
        const auto index = static_cast<std::size_t>(task.work);
        const work::TransferWork& transfer = graph_.transfers()[index];
        const bool to_peer = transfer.kind == work::TransferKind::pipeline;
        const int peer = to_peer ? task.peer : -1;
        int& seen = last_peer_[index * gpus_of_.size() + static_cast<std::size_t>(task.rank)];
        if (std::exchange(seen, peer) == peer) {
            return;
        }
        if (to_peer) {
            widen(distances_[index], to_counterparts(task.rank, peer));
        } else if (transfer.ranks > transfer.ranks_per_node) {
            widen(distances_[index], within_groups(task.rank, transfer));
        }
    }

    /// Of a rank's GPUs from those with the same other coordinates on another rank.
    const Distance& to_counterparts(int rank, int peer) {
        const auto [entry, is_new] = counterparts_.try_emplace({rank, peer});
        if (is_new) {
            hw::Tier worst = hw::Tier::node;
            for (const int gpu : gpus_of_[static_cast<std::size_t>(rank)]) {
                worst = std::max(worst, topology_.tier(gpu, layout_.counterpart(gpu, work::Rank{peer})));
            }
            if (worst != hw::Tier::node) {
                entry->second = {topology_.latency(worst), topology_.latency(worst)};
            }
        }
        return entry->second;
    }

    const Distance& within_groups(int rank, const work::TransferWork& transfer) {
        const auto [entry, is_new] = groups_.try_emplace({rank, transfer.group, transfer.hosts});
        if (is_new) {
            std::vector<bool> done(static_cast<std::size_t>(layout_.gpus()), false);
            for (const int gpu : gpus_of_[static_cast<std::size_t>(rank)]) {
                if (done[static_cast<std::size_t>(gpu)]) {
                    continue;
                }
                const std::vector<int> members = layout_.members(transfer.group, gpu, transfer.hosts);
                for (const int member : members) {
                    done[static_cast<std::size_t>(member)] = true;
                }
                const hw::GroupExtent extent = topology_.extent(members);
                if (extent.worst != hw::Tier::node) {
                    widen(entry->second, extent.distance());
                }
            }
        }
        return entry->second;
    }

    const work::TaskGraph& graph_;
    const work::RankLayout& layout_;
    hw::Topology topology_;
    GroupDistances distances_;
    std::vector<int> last_peer_; ///< by transfer and rank: what was last looked at
    std::vector<std::vector<int>> gpus_of_;
    std::map<std::pair<int, int>, Distance> counterparts_; ///< by rank and peer
    std::map<GroupKey, Distance> groups_;
};

} // namespace

GroupDistances group_distances(const work::TaskGraph& graph, const work::RankLayout& layout,
                               const hw::Cluster& cluster) {
    return Surveyor(graph, layout, cluster).survey();
}

} // namespace chokepoint::sim
