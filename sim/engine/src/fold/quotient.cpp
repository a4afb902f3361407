// SPDX-License-Identifier: Apache-2.0
// Finds equal blocks by the classes they hold, and counts what each class puts on a link.
#include "quotient.hpp"
#include "../index.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

namespace chokepoint::sim::folding {

namespace {

std::vector<BlockClass::Part> parts_of(std::span<const Gpu> members, const Partition& partition) {
    std::map<int, int> counts;
    for (const Gpu gpu : members) {
        ++counts[partition.class_of[index(gpu)]];
    }
    std::vector<BlockClass::Part> parts;
    for (const auto& [gpu_class, gpus] : counts) {
        parts.push_back({gpu_class, gpus});
    }
    return parts;
}

/// Blocks of one class hold the same classes, so the classes of their members tell blocks apart.
std::uint64_t key_of(const Blocks& blocks, int block, const Partition& partition) {
    std::uint64_t sum = blocks.colour[index(block)];
    for (const Gpu gpu : blocks.members(block)) {
        sum += mix(static_cast<std::uint64_t>(partition.class_of[index(gpu)]));
    }
    return sum;
}

int common_weight(const BlockClass& block) {
    int common = 0;
    for (const BlockClass::Part& part : block.parts) {
        common = std::gcd(common, part.gpus);
    }
    return common;
}

class NetworkBuilder {
public:
    explicit NetworkBuilder(const Partition& partition) : partition_(partition) {
        network_.ranks.resize(partition.classes.size());
    }

    /// One crossing for each class, in the list that `list` picks.
    template <class List>
    void add(const Blocks& blocks, const std::vector<Conditions::Shared>& shared, bool everywhere,
             List list) {
        const Quotient links = quotient(blocks, partition_);
        const int first = static_cast<int>(network_.links.size());
        for (const BlockClass& link : links.blocks) {
            SharedLink reduced = shared[index(link.block)].link;
            reduced.capacity *= 1.0 / common_weight(link);
            network_.links.push_back(std::move(reduced));
        }
        for (std::size_t c = 0; c < partition_.classes.size(); ++c) {
            const int link = links.of[c];
            if (link == kNone) {
                if (everywhere) {
                    list(network_.ranks[c]).push_back({.link = kNone});
                }
                continue;
            }
            const BlockClass& block = links.blocks[index(link)];
            list(network_.ranks[c])
                .push_back({first + link, block.gpus_of(static_cast<int>(c)) / common_weight(block)});
        }
    }

    Network take() { return std::move(network_); }
    RankPorts& ports(std::size_t gpu_class) { return network_.ranks[gpu_class]; }

private:
    const Partition& partition_;
    Network network_;
};

CapacityProfile profile_at(const std::map<int, CapacityProfile>& profiles, Gpu gpu) {
    const auto found = profiles.find(gpu);
    return found == profiles.end() ? CapacityProfile{} : found->second;
}

} // namespace

int BlockClass::gpus_of(int gpu_class) const {
    const auto found = std::ranges::find(parts, gpu_class, &Part::gpu_class);
    return found == parts.end() ? 0 : found->gpus;
}

Quotient quotient(const Blocks& blocks, const Partition& partition) {
    Quotient result;
    std::unordered_map<std::uint64_t, int> number;
    std::vector<int> known(index(blocks.count()), kNone);
    for (const GpuClass& gpu_class : partition.classes) {
        const int block = blocks.block[index(gpu_class.representative)];
        if (block == kNone) {
            result.of.push_back(kNone);
            continue;
        }
        if (known[index(block)] == kNone) {
            const auto [entry, is_new] =
                number.try_emplace(key_of(blocks, block, partition), static_cast<int>(result.blocks.size()));
            if (is_new) {
                result.blocks.push_back({block, parts_of(blocks.members(block), partition)});
            }
            known[index(block)] = entry->second;
        }
        result.of.push_back(known[index(block)]);
    }
    return result;
}

Network quotient_network(const Relations& relations, const Uplinks& uplinks, const Conditions& conditions,
                         const Partition& partition) {
    NetworkBuilder builder(partition);
    for (std::size_t c = 0; c < partition.classes.size(); ++c) {
        const Gpu gpu = partition.classes[c].representative;
        builder.ports(c).nvlink = profile_at(conditions.nvlink, gpu);
        builder.ports(c).nic = profile_at(conditions.nic, gpu);
    }
    if (relations.rails.count() > 0) {
        builder.add(relations.rails, conditions.rails, false,
                    [](RankPorts& ports) -> auto& { return ports.rail; });
    }
    for (std::size_t tier = 0; uplinks.any() && tier < uplinks.binding().size(); ++tier) {
        builder.add(uplinks.binding()[tier], conditions.uplinks[tier].links, true,
                    [](RankPorts& ports) -> auto& { return ports.climb; });
    }
    return builder.take();
}

} // namespace chokepoint::sim::folding
