// SPDX-License-Identifier: Apache-2.0
// Gathers the blocks of a rank's stages.
#include "rank_parameters.hpp"

#include <algorithm>

namespace chokepoint::work {

std::vector<RankParameters> rank_parameters(const ModelArch& model, const ParallelPlan& plan,
                                            const Schedule& schedule, const std::vector<Blocks>& stages) {
    std::vector<RankParameters> ranks(static_cast<std::size_t>(schedule.ranks));
    std::vector<Blocks> hosted(ranks.size());
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        std::vector<Rank> hosts = schedule.hosts[stage];
        std::ranges::sort(hosts);
        hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
        for (const Rank host : hosts) {
            const auto rank = static_cast<std::size_t>(index(host));
            hosted[rank].insert(hosted[rank].end(), stages[stage].begin(), stages[stage].end());
            ranks[rank].replicas = hosts;
        }
    }
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        Blocks before;
        StageParameters counted;
        for (const Block& block : hosted[rank]) {
            before.push_back(block);
            const StageParameters sum = stage_parameters(model, plan, before);
            ranks[rank].blocks.push_back(
                {block,
                 {.expert = sum.expert - counted.expert, .replicated = sum.replicated - counted.replicated}});
            counted = sum;
        }
        ranks[rank].held = counted;
    }
    return ranks;
}

} // namespace chokepoint::work
