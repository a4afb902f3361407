// SPDX-License-Identifier: Apache-2.0
// Takes groups of resources from one scenario and the rest from another.
#include <chokepoint/sim/resource_group.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

namespace chokepoint::sim {
namespace {

using enum ResourceGroup;

struct GroupName {
    std::string_view name, label;
};
constexpr std::array<GroupName, kResourceGroups> kNames{{{"compute", "tensor cores and SMs"},
                                                         {"memory", "memory bandwidth"},
                                                         {"nvlink", "NVLink"},
                                                         {"nic", "NIC and fabric"},
                                                         {"size", "number of GPUs"},
                                                         {"plan", "plan and model"},
                                                         {"failures", "failures"},
                                                         {"price", "price and power"}}};

constexpr std::size_t index(ResourceGroup group) { return static_cast<std::size_t>(group); }

hw::DType format_of(work::Precision precision) {
    switch (precision) {
    case work::Precision::bf16:
    case work::Precision::fp16:
        return hw::DType::bf16;
    case work::Precision::nvfp4:
        return hw::DType::fp4;
    default:
        return hw::DType::fp8;
    }
}

bool lacks(const Scenario& part, const Scenario& plan) {
    return !part.cluster().node.gpu.dense_peak.contains(format_of(plan.plan().precision));
}

/// The plan without what belongs to other groups.
work::ParallelPlan plan_alone(work::ParallelPlan plan, bool with_precision) {
    plan.data = 0;
    plan.gpus_per_node = 0;
    plan.communication_sms = 0;
    plan.framework_overhead = 0.0;
    if (!with_precision) {
        plan.precision = work::Precision::bf16;
    }
    return plan;
}

/// The scenario of a phase; nullptr where its GPU-hours are given, or where there is no such phase.
const Scenario* phase_of(const Scenario& scenario, std::size_t i) {
    return i < scenario.phases().size() ? scenario.phases()[i].scenario.get() : nullptr;
}

/// What must agree for the plan of one to run on as many GPUs as the other has.
bool same_layout(const Scenario& a, const Scenario& b) {
    const auto layout = [](const Scenario& s) {
        const work::ParallelPlan& p = s.plan();
        return std::tuple(p.pipeline, p.tensor, p.context, p.expert, p.expert_tensor, p.micro_batch,
                          p.global_batch, p.schedule, p.virtual_stages, p.rank_order, p.shard_group,
                          s.cluster().node.gpus, s.campaign().ramp_from, s.phases().size());
    };
    if (layout(a) != layout(b) || !a.perturbations().empty() || !b.perturbations().empty()) {
        return false;
    }
    for (std::size_t i = 0; i < a.phases().size(); ++i) {
        const Scenario* left = phase_of(a, i);
        const Scenario* right = phase_of(b, i);
        if ((left == nullptr) != (right == nullptr) || (left != nullptr && !same_layout(*left, *right))) {
            return false;
        }
    }
    return true;
}

bool joins(const Scenario& fabric, const Scenario& nodes) {
    return hw::check_fabric(fabric.cluster().fabric, fabric.cluster().node, nodes.cluster().nodes).empty();
}

/// For each group the one that it follows: itself, or one that it cannot be told from.
struct Ties {
    std::array<ResourceGroup, kResourceGroups> leader{compute, memory, nvlink,   nic,
                                                      size,    plan,   failures, price};
    bool precision_with_compute = false;

    Ties(const Scenario& a, const Scenario& b) : precision_with_compute(lacks(a, b) || lacks(b, a)) {
        if (!same_layout(a, b)) {
            leader[index(size)] = plan;
        }
        if (!joins(a, b) || !joins(b, a)) {
            leader[index(nic)] = leader[index(size)];
        }
    }
};

std::string fits_digest(const Scenario& s) { return s.own_fits() ? s.own_fits()->digest : ""; }

bool same_compute(const Scenario& a, const Scenario& b, bool precision) {
    const auto of = [](const Scenario& s) {
        hw::GpuSpec gpu = s.cluster().node.gpu;
        gpu.memory = {};
        gpu.memory_bandwidth = gpu.nvlink = gpu.nvlink_achievable = gpu.pcie = gpu.pcie_achievable = {};
        gpu.name.clear();
        gpu.prices.clear();
        gpu.citations.clear();
        return gpu;
    };
    return of(a) == of(b) && a.sustained_clock() == b.sustained_clock() &&
           a.gpu_variation() == b.gpu_variation() && fits_digest(a) == fits_digest(b) &&
           a.plan().communication_sms == b.plan().communication_sms &&
           a.plan().framework_overhead == b.plan().framework_overhead &&
           (!precision || a.plan().precision == b.plan().precision);
}

bool same_memory(const Scenario& a, const Scenario& b) {
    const hw::GpuSpec& left = a.cluster().node.gpu;
    const hw::GpuSpec& right = b.cluster().node.gpu;
    return left.memory == right.memory && left.memory_bandwidth == right.memory_bandwidth;
}

bool same_nvlink(const Scenario& a, const Scenario& b) {
    const auto of = [](const hw::Node& node) {
        return std::tuple(node.gpu.nvlink, node.gpu.nvlink_achievable, node.gpu.pcie,
                          node.gpu.pcie_achievable, node.nvlink_latency, node.nvls, node.host_link,
                          node.host_memory, node.host_call);
    };
    return of(a.cluster().node) == of(b.cluster().node);
}

bool same_nic(const Scenario& a, const Scenario& b) {
    const hw::Cluster& left = a.cluster();
    const hw::Cluster& right = b.cluster();
    return left.node.nics == right.node.nics && left.node.nic == right.node.nic &&
           left.fabric == right.fabric;
}

bool same_plan(const Scenario& a, const Scenario& b, const Ties& ties);

bool same_phase(const Phase& a, const Phase& b, const Ties& ties) {
    return a.name == b.name && a.tokens == b.tokens && a.gpu_time == b.gpu_time &&
           (a.scenario == nullptr) == (b.scenario == nullptr) &&
           (a.scenario == nullptr || same_plan(*a.scenario, *b.scenario, ties));
}

bool same_plan(const Scenario& a, const Scenario& b, const Ties& ties) {
    const auto campaign = [](const Scenario& s) {
        const Campaign& c = s.campaign();
        return std::tuple(c.tokens, c.ramp_from, c.ramp_tokens);
    };
    return plan_alone(a.plan(), !ties.precision_with_compute) ==
               plan_alone(b.plan(), !ties.precision_with_compute) &&
           a.model() == b.model() && campaign(a) == campaign(b) && a.compute_model() == b.compute_model() &&
           a.transfer_rates() == b.transfer_rates() && a.perturbations() == b.perturbations() &&
           a.cluster().node.gpus == b.cluster().node.gpus &&
           std::ranges::equal(a.phases(), b.phases(), [&](const Phase& left, const Phase& right) {
               return same_phase(left, right, ties);
           });
}

bool same_price(const Scenario& a, const Scenario& b) {
    return a.campaign().price == b.campaign().price && a.cost() == b.cost() && a.energy() == b.energy();
}

bool same(ResourceGroup group, const Scenario& a, const Scenario& b, const Ties& ties) {
    switch (group) {
    case compute:
        return same_compute(a, b, ties.precision_with_compute);
    case memory:
        return same_memory(a, b);
    case nvlink:
        return same_nvlink(a, b);
    case nic:
        return same_nic(a, b);
    case size:
        return a.cluster().nodes == b.cluster().nodes;
    case plan:
        return same_plan(a, b, ties);
    case failures:
        return a.failures() == b.failures();
    case price:
        return same_price(a, b);
    }
    throw std::logic_error("a resource group that nothing compares");
}

std::string all_values(const Scenario& scenario) {
    std::string text;
    for (const ResolvedValue& value : scenario.resolved()) {
        fmt::format_to(std::back_inserter(text), "{}={}|{};", value.key, value.is_text ? value.text : "",
                       value.base);
    }
    return text;
}

} // namespace

std::string_view name(ResourceGroup group) { return kNames[index(group)].name; }
std::string_view label(ResourceGroup group) { return kNames[index(group)].label; }

std::vector<ResourceGroup> differing(const Scenario& a, const Scenario& b) {
    const Ties ties(a, b);
    GroupSet found;
    for (std::size_t i = 0; i < kResourceGroups; ++i) {
        if (!same(static_cast<ResourceGroup>(i), a, b, ties)) {
            found.set(index(ties.leader[i]));
        }
    }
    std::vector<ResourceGroup> groups;
    for (std::size_t i = 0; i < kResourceGroups; ++i) {
        if (found[i]) {
            groups.push_back(static_cast<ResourceGroup>(i));
        }
    }
    return groups;
}

/// Knows a Scenario's fields, which are checked together and open to nobody else.
class HybridBuilder {
public:
    HybridBuilder(const Scenario& a, const Scenario& b, const GroupSet& of_b, const Ties& ties)
        : a_(a),
          b_(b),
          of_b_(of_b),
          ties_(ties) {}

    [[nodiscard]] Scenario build() const {
        Scenario made = from(plan);
        made.title_ = a_.title();
        made.file_ = a_.file();
        take_cluster(made);
        take_plan(made);
        take_money(made);
        take_phases(made);
        name_steps(made);
        return made;
    }

private:
    [[nodiscard]] const Scenario& from(ResourceGroup group) const {
        return of_b_[index(ties_.leader[index(group)])] ? b_ : a_;
    }

    void take_cluster(Scenario& made) const {
        hw::Node& node = made.cluster_.node;
        node.gpu = from(compute).cluster().node.gpu;
        const hw::GpuSpec& stack = from(memory).cluster().node.gpu;
        node.gpu.memory = stack.memory;
        node.gpu.memory_bandwidth = stack.memory_bandwidth;
        const hw::Node& linked = from(nvlink).cluster().node;
        node.gpu.nvlink = linked.gpu.nvlink;
        node.gpu.nvlink_achievable = linked.gpu.nvlink_achievable;
        node.gpu.pcie = linked.gpu.pcie;
        node.gpu.pcie_achievable = linked.gpu.pcie_achievable;
        node.nvlink_latency = linked.nvlink_latency;
        node.nvls = linked.nvls;
        node.host_link = linked.host_link;
        node.host_memory = linked.host_memory;
        node.host_call = linked.host_call;
        const hw::Cluster& joined = from(nic).cluster();
        node.nics = joined.node.nics;
        node.nic = joined.node.nic;
        made.cluster_.fabric = joined.fabric;
        made.cluster_.nodes = from(size).cluster().nodes;
    }

    void take_plan(Scenario& made) const {
        const Scenario& part = from(compute);
        made.sustained_clock_ = part.sustained_clock();
        made.gpu_variation_ = part.gpu_variation();
        made.own_fits_ = part.own_fits();
        work::ParallelPlan& own = made.plan_;
        own.communication_sms = part.plan().communication_sms;
        own.framework_overhead = part.plan().framework_overhead;
        if (ties_.precision_with_compute) {
            own.precision = part.plan().precision;
        }
        own.data = made.cluster_.gpus() / (own.pipeline * own.tensor * own.context);
    }

    void take_money(Scenario& made) const {
        made.failures_ = from(failures).failures();
        const Scenario& priced = from(price);
        made.campaign_.price = priced.campaign().price;
        made.cost_ = priced.cost();
        made.energy_ = priced.energy();
    }

    void take_phases(Scenario& made) const {
        for (std::size_t i = 0; i < made.phases_.size(); ++i) {
            if (phase_of(made, i) == nullptr) {
                continue;
            }
            const Scenario* left = phase_of(a_, i);
            const Scenario* right = phase_of(b_, i);
            const HybridBuilder phase(left != nullptr ? *left : a_, right != nullptr ? *right : b_, of_b_,
                                      ties_);
            made.phases_[i].scenario = std::make_shared<const Scenario>(phase.build());
        }
    }

    /// A step is known by the values that it was resolved from: those of one scenario where all groups that a
    /// step depends on are its own, or else those of both and which come from whom.
    void name_steps(Scenario& made) const {
        GroupSet steps;
        GroupSet of_b;
        for (const ResourceGroup group : differing(a_, b_)) {
            const bool matters = group != failures && group != price;
            steps[index(group)] = matters;
            of_b[index(group)] = matters && of_b_[index(group)];
        }
        made.resolved_ = of_b.any() && of_b == steps ? b_.resolved() : a_.resolved();
        if (of_b.any() && of_b != steps) {
            made.resolved_.push_back({"hybrid", of_b.to_string() + " of " + all_values(b_), 0.0, true,
                                      Origin::derived, "two scenarios"});
        }
    }

    const Scenario& a_;
    const Scenario& b_;
    const GroupSet of_b_;
    const Ties& ties_;
};

Scenario hybrid(const Scenario& a, const Scenario& b, const GroupSet& of_b) {
    const Ties ties(a, b);
    return HybridBuilder(a, b, of_b, ties).build();
}

} // namespace chokepoint::sim
