// SPDX-License-Identifier: Apache-2.0
// Every value of a scenario with its origin, so that nothing that changes the answer stays silent.
#include "reading.hpp"

#include "text.hpp"

#include <chokepoint/workloads/layer.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

double base_of(const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value)) {
        return *flag ? 1.0 : 0.0;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return static_cast<double>(*integer);
    }
    const auto* number = std::get_if<double>(&value);
    return number != nullptr ? *number : 0.0;
}

bool is_text(const Value& value) {
    return !std::holds_alternative<bool>(value) && !std::holds_alternative<std::int64_t>(value) &&
           !std::holds_alternative<double>(value);
}

/// A number bound to a plain field looks set even if nobody set it; the slot knows better.
bool unset(const Slot& slot) {
    const bool without_effect = slot.key->need == Need::fabric && slot.origin == Origin::default_;
    return (slot.key->need == Need::unset || without_effect) && !slot.given;
}

ResolvedValue resolve(const Slot& slot, const Draft& draft) {
    const Value value = unset(slot) ? Value{} : slot.key->field.get(draft);
    ResolvedValue out;
    out.key = slot.key->path;
    out.text = slot.text.empty() ? to_text(value, slot.key->shape) : slot.text;
    out.base = base_of(value);
    out.is_text = is_text(value);
    out.origin = slot.origin;
    out.where = slot.where;
    return out;
}

/// "campaign.phase[0].tokens"; of other sections' keys, only what the file says.
void append_records(const Reading& reading, std::vector<ResolvedValue>& out) {
    Draft draft = reading.draft;
    for (const RecordReading& record : reading.records()) {
        record.section->repeat.select(draft, record.index);
        const std::string prefix = fmt::format("{}[{}].", record.section->path, record.index);
        for (const Slot& slot : record.slots) {
            out.push_back(resolve(slot, draft));
            out.back().key = prefix + out.back().key.substr(record.section->path.size() + 1);
        }
        for (const Entry& entry : record.overrides) {
            const std::string path = join_path(entry.path);
            const Key& key = *find_key(path);
            const ReadResult read = read_value(*entry.raw, key.shape, reading.library);
            out.push_back({prefix + path, read.text, base_of(read.value), is_text(read.value),
                           entry.value.is_override ? Origin::override_ : Origin::file, to_text(entry.value)});
        }
    }
}

ResolvedValue count(std::string key, std::int64_t value, Origin origin, std::string where) {
    return {std::move(key), fmt::format("{}", value), static_cast<double>(value), false,
            origin,         std::move(where)};
}

template <class Quantity>
ResolvedValue quantity(std::string key, Quantity value, Origin origin, std::string where) {
    return {std::move(key), to_text(value), value.value(), false, origin, std::move(where)};
}

/// What the catalog says about the part, and which figures a cap lowered.
class PartFigures {
public:
    PartFigures(const hw::GpuSpec& own, const hw::GpuSpec& capped) : own_(own), capped_(capped) {}

    template <class Quantity>
    [[nodiscard]] ResolvedValue figure(std::string_view field, Quantity own, Quantity capped) const {
        const bool lowered = own != capped;
        return quantity(fmt::format("part.{}", field), capped, lowered ? Origin::derived : Origin::catalog,
                        lowered ? fmt::format("cluster.caps; {} without: {}", to_text(own), source(field))
                                : source(field));
    }
    [[nodiscard]] std::string source(std::string_view field) const {
        return cite(own_.id, own_.citations, std::string(field));
    }
    void append_to(std::vector<ResolvedValue>& out) const {
        out.push_back(
            {"part.name", own_.name, 0.0, true, Origin::catalog, fmt::format("{} of the catalog", own_.id)});
        out.push_back(count("part.sm_count", own_.sm_count, Origin::catalog, source("sm_count")));
        for (const auto& [dtype, peak] : own_.dense_peak) {
            const std::string field = fmt::format("dense_peak.{}", hw::name(dtype));
            out.push_back(figure(field, peak, capped_.dense_peak.at(dtype)));
        }
        out.push_back(figure("memory", own_.memory, capped_.memory));
        out.push_back(figure("memory_bandwidth", own_.memory_bandwidth, capped_.memory_bandwidth));
        if (own_.nvlink.value() > 0.0) {
            out.push_back(figure("nvlink", own_.nvlink, capped_.nvlink));
            out.push_back(figure("nvlink_achievable", own_.nvlink_achievable, capped_.nvlink_achievable));
        } else {
            out.push_back(figure("pcie", own_.pcie, capped_.pcie));
            out.push_back(figure("pcie_achievable", own_.pcie_achievable, capped_.pcie_achievable));
        }
    }

private:
    const hw::GpuSpec& own_;
    const hw::GpuSpec& capped_;
};

/// "[8, 8, 7, 4]".
std::string layers_of_stages(const Draft& draft) {
    const work::ParallelPlan& plan = draft.plan;
    // How many stages a rank has does not depend on how many micro-batches there are.
    const int stages = plan.own_schedule ? plan.own_schedule->stages
                                         : work::find_schedule(plan.schedule)
                                               ->make({plan.pipeline, 2 * plan.pipeline, plan.virtual_stages})
                                               .stages;
    std::vector<std::int64_t> layers;
    for (const std::vector<work::Block>& blocks : work::split_stages(draft.model, plan, stages)) {
        layers.push_back(std::ranges::count_if(blocks, [](const work::Block& b) { return b.layer >= 0; }));
    }
    return fmt::format("[{}]", fmt::join(layers, ", "));
}

void append_derived(const Draft& draft, const hw::Cluster& cluster, std::vector<ResolvedValue>& out) {
    const work::ParallelPlan& plan = draft.plan;
    out.push_back(count("derived.gpus", draft.gpus(), Origin::derived, "nodes x gpus_per_node"));
    out.push_back(count("derived.data", plan.data, Origin::derived, "GPUs / (pipeline x tensor)"));
    out.push_back(count("derived.micro_batches", plan.micro_batches(), Origin::derived,
                        "of one replica: global_batch / (data x micro_batch)"));
    if (plan.pipeline > 1) {
        out.push_back({"derived.layers", layers_of_stages(draft), 0.0, true, Origin::derived,
                       "of each stage, front to back, MTP's too; plan.split says otherwise"});
    }
    out.push_back(count("derived.step_tokens", plan.global_batch * plan.sequence, Origin::derived,
                        "global_batch x sequence"));
    out.push_back(count("derived.fabric_nics", hw::max_endpoints(cluster.fabric), Origin::derived,
                        "the most that such switches join"));
    if (const auto& fits = draft.own_fits) {
        out.push_back(
            {"derived.fits", fits->digest, 0.0, true, Origin::derived,
             fmt::format("of the files in cluster.fits ({}): {} curves of own runs{}",
                         fmt::join(fits->architectures, ", "), fits->curves,
                         fits->curves > 0 ? fmt::format(" on {}", fmt::join(fits->measured_on, ", "))
                                          : std::string())});
    }
    for (const auto& [key, digest] : draft.digests) {
        out.push_back({fmt::format("derived.{}", key), digest, 0.0, true, Origin::derived,
                       fmt::format("of what the file that {} names says", key)});
    }
    out.push_back(
        quantity("derived.nic", cluster.node.nic, Origin::derived, "lower of cluster.nic and caps.nic"));
}

} // namespace

std::vector<ResolvedValue> resolve_all(const Reading& reading) {
    std::vector<ResolvedValue> out;
    for (const Slot& slot : reading.slots()) {
        out.push_back(resolve(slot, reading.draft));
    }
    append_records(reading, out);
    const hw::Cluster cluster = make_cluster(reading.draft, reading.library);
    append_derived(reading.draft, cluster, out);
    PartFigures(*reading.library.catalog.find_gpu(reading.draft.gpu), cluster.node.gpu).append_to(out);
    return out;
}

std::string cite(std::string_view entry, const std::map<std::string, hw::Citation>& citations,
                 const std::string& field) {
    const auto found = citations.find(field);
    if (found == citations.end()) {
        return fmt::format("{} of the catalog", entry);
    }
    return fmt::format("{}: {}{}", entry, found->second.source, found->second.estimate ? " (estimate)" : "");
}

} // namespace chokepoint::sim::loader
