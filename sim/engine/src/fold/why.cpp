// SPDX-License-Identifier: Apache-2.0
// Spreads reasons from the GPUs that conditions single out to those that wait for them.
#include "why.hpp"
#include "../index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace chokepoint::sim::folding {

namespace {

class Explanation {
public:
    Explanation(Partition& partition, const work::RankLayout& layout, const Relations& relations)
        : partition_(partition),
          layout_(layout),
          relations_(relations),
          known_(partition.classes.size(), false) {}

    void give(std::size_t gpu_class, std::string why) {
        if (!known_[gpu_class]) {
            known_[gpu_class] = true;
            partition_.classes[gpu_class].why = std::move(why);
            open_.push_back(static_cast<int>(gpu_class));
        }
    }

    /// The rest of each rank, unless it has reasons of its own, needs none.
    void settle_largest() {
        std::vector<int> largest;
        for (std::size_t c = 0; c < known_.size(); ++c) {
            const auto rank = index(work::index(partition_.classes[c].rank));
            largest.resize(std::max(largest.size(), rank + 1), kNone);
            if (largest[rank] == kNone ||
                partition_.classes[c].gpus > partition_.classes[index(largest[rank])].gpus) {
                largest[rank] = static_cast<int>(c);
            }
        }
        for (const int c : largest) {
            known_[index(c)] = true;
        }
    }

    void spread() {
        while (!open_.empty()) {
            const GpuClass from = partition_.classes[index(open_.front())];
            open_.pop_front();
            for (const GroupRelation& relation : relations_.groups) {
                spread_in(relation.blocks, from.representative,
                          fmt::format("in the {} group of", group_words(relation.group)));
            }
            spread_in(relations_.rails, from.representative, "on one network card with");
            for (const work::Rank partner : relations_.partners[index(work::index(from.rank))]) {
                const Gpu other = layout_.counterpart(from.representative, partner);
                give(index(partition_.class_of[index(other)]),
                     fmt::format("exchanges activations with GPU {}", from.representative));
            }
        }
        for (std::size_t c = 0; c < known_.size(); ++c) {
            give(c, "its groups lie otherwise below the uplinks");
        }
    }

private:
    static std::string group_words(work::Group group) {
        std::string words(work::name(group));
        std::ranges::replace(words, '_', '-');
        return words;
    }

    void spread_in(const Blocks& blocks, Gpu gpu, const std::string& relation) {
        const int block = blocks.count() == 0 ? kNone : blocks.block[index(gpu)];
        if (block == kNone) {
            return;
        }
        for (const Gpu member : blocks.members(block)) {
            const std::size_t gpu_class = index(partition_.class_of[index(member)]);
            if (!known_[gpu_class]) {
                give(gpu_class, fmt::format("{} GPU {}", relation, gpu));
            }
        }
    }

    Partition& partition_;
    const work::RankLayout& layout_;
    const Relations& relations_;
    std::vector<bool> known_;
    std::deque<int> open_;
};

} // namespace

void explain(Partition& partition, const work::RankLayout& layout, const Relations& relations,
             const Uplinks& uplinks, const Conditions& conditions, const std::vector<double>& load) {
    Explanation explanation(partition, layout, relations);
    for (std::size_t c = 0; c < partition.classes.size(); ++c) {
        const Gpu gpu = partition.classes[c].representative;
        if (const auto remark = conditions.remarks.find(gpu); remark != conditions.remarks.end()) {
            explanation.give(c, remark->second);
        }
    }
    for (std::size_t c = 0; c < partition.classes.size() && !load.empty(); ++c) {
        const Gpu gpu = partition.classes[c].representative;
        explanation.give(c, fmt::format("its experts get {:.2f} times the mean of rows", load[index(gpu)]));
    }
    for (std::size_t tier = 0; tier < uplinks.binding().size(); ++tier) {
        for (std::size_t c = 0; c < partition.classes.size(); ++c) {
            const int link = uplinks.binding()[tier].block[index(partition.classes[c].representative)];
            if (link != kNone && !conditions.uplinks[tier].links[index(link)].link.profile.empty()) {
                explanation.give(
                    c, fmt::format("below {}", conditions.uplinks[tier].links[index(link)].link.name));
            }
        }
    }
    explanation.settle_largest();
    explanation.spread();
}

} // namespace chokepoint::sim::folding
