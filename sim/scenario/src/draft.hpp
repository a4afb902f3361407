// SPDX-License-Identifier: Apache-2.0
// The scenario while it is being filled in: every key of the table is bound to one field here.
#pragma once

#include "document.hpp"

#include <chokepoint/hwmodels/own_fits.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <cstdint>
#include <map>

namespace chokepoint::sim::loader {

/// A value of any key. Quantities and numbers are doubles in base units; names are texts; nothing: not set.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<std::string>>;

struct Key;
struct Condition;
/// One file of training software: see chokepoint/sim/software.hpp.
struct Software {
    struct Choice {
        const Key* key;
        Value value;
        const Condition* condition; ///< what plans it is for
    };
    std::string id, title, source;
    double host_share = 1.0;
    std::vector<Choice> choices;
};

/// What names in a scenario may refer to.
struct Library {
    hw::Catalog catalog;
    std::vector<work::ModelArch> presets;
    std::vector<Software> software;
    hw::Economics economics;
    bool remedies = true; ///< LoadOptions
};
const work::ModelArch* find_preset(const Library&, std::string_view id);

/// One [[campaign.phase]].
struct PhaseDraft {
    std::string name;
    std::optional<double> tokens, steps, gpu_hours, ramp_tokens;
    std::optional<int> ramp_from;
};

inline constexpr std::string_view kRental = "rental";

struct ReliabilityDraft {
    bool asked = false; ///< failures are on, and their keys are sound
    std::optional<std::string> record;
    std::optional<hw::Seconds> gpu_mtbf, checkpoint_time, checkpoint_interval;
    std::optional<hw::BytesPerSecond> storage_bandwidth;
    hw::Seconds restart, repair;
    std::optional<int> spares;
    double slow_hosts = 0.0, slow_host_speed = 1.0;
    int trials = 0;
    std::int64_t seed = 0;
};

struct EnergyDraft {
    double pue = 1.0;
    std::string grid;
    std::optional<hw::KilogramsPerJoule> carbon;
    std::optional<double> compute, communication, idle;
    std::optional<hw::Watts> host;
};

struct CostDraft {
    std::optional<std::string> model;
    std::optional<Day> date;
    PriceLevel level = PriceLevel::mid;
    std::optional<hw::Usd> accelerator_price, network, storage;
    std::optional<std::string> topology;
    std::optional<hw::UsdPerWatt> facility;
    std::optional<hw::Seconds> lifetime;
    std::optional<double> server_overhead, utilisation, cost_of_capital;
    std::optional<hw::UsdPerJoule> power_price;
    std::vector<std::string> premiums;
    double premium = 0.0, research = 0.0;
    hw::Usd staff;
};

struct Draft {
    std::string title, question;
    std::string gpu, fabric;
    std::optional<std::string> link, node;
    hw::Fabric network; ///< the fabric with what the scenario says in place of its own
    int nodes = 0, gpus_per_node = 0, nics_per_node = 0;
    hw::BytesPerSecond nic;
    hw::Seconds nvlink_latency;
    hw::BytesPerSecond host_link, host_memory;
    hw::Seconds host_call;
    hw::Caps caps;
    double sustained_clock = 1.0;
    double gpu_variation = 0.0;
    std::optional<std::string> fits;
    std::optional<hw::OwnFits> own_fits; ///< of that folder
    std::optional<std::string> transfers;
    std::optional<hw::TransferRates> transfer_rates; ///< of that file
    std::map<std::string, std::string> digests;      ///< of the files that keys name, by key
    std::optional<std::string> arch;
    work::ModelArch model;
    std::string software;
    work::ParallelPlan plan;
    bool enforce_memory = true; ///< false: a plan that does not fit is only warned about
    Campaign campaign;
    PhaseDraft phase; ///< the one being read
    std::vector<PhaseDraft> phases;
    ReliabilityDraft reliability;
    EnergyDraft energy;
    CostDraft cost;
    std::optional<FailureSettings> failures; ///< these three by checks, from the drafts and the catalog
    std::optional<EnergySettings> power;
    std::optional<CostSettings> money;
    Perturbation perturbation; ///< the one being read
    std::vector<Perturbation> perturbations;
    ComputeModel compute = ComputeModel::calibrated;

    [[nodiscard]] std::int64_t gpus() const { return std::int64_t{nodes} * gpus_per_node; }
};

std::string_view name(ComputeModel);
std::optional<ComputeModel> compute_model_from(std::string_view);

inline Value to_value(bool v) { return v; }
inline Value to_value(int v) { return std::int64_t{v}; }
inline Value to_value(std::int64_t v) { return v; }
inline Value to_value(double v) { return v; }
inline Value to_value(const std::string& v) { return v; }
inline Value to_value(const std::vector<int>& v) { return std::vector<std::int64_t>(v.begin(), v.end()); }
inline Value to_value(hw::FabricKind v) { return std::string(hw::name(v)); }
inline Value to_value(work::CrossEntropy v) { return std::string(work::name(v)); }
inline Value to_value(work::AttentionKind v) { return std::string(work::name(v)); }
inline Value to_value(work::Activation v) { return std::string(work::name(v)); }
inline Value to_value(work::NormKind v) { return std::string(work::name(v)); }
inline Value to_value(work::BlockForm v) { return std::string(work::name(v)); }
inline Value to_value(work::Precision v) { return std::string(work::name(v)); }
inline Value to_value(work::PipelineSend v) { return std::string(work::name(v)); }
inline Value to_value(work::ContextKind v) { return std::string(work::name(v)); }
inline Value to_value(work::AttentionKernel v) { return std::string(work::name(v)); }
inline Value to_value(work::Elementwise v) { return std::string(work::name(v)); }
inline Value to_value(work::Dispatcher v) { return std::string(work::name(v)); }
inline Value to_value(hw::DType v) { return std::string(hw::name(v)); }
inline Value to_value(ComputeModel v) { return std::string(name(v)); }
inline Value to_value(PerturbedLink v) { return std::string(name(v)); }
inline Value to_value(RoutingSkew v) { return std::string(name(v)); }
inline Value to_value(Day v) { return sim::to_text(v); }
Value to_value(const work::Recompute&);
Value to_value(const work::CudaGraphs&);
inline Value to_value(const std::vector<std::string>& v) { return v; }
inline Value to_value(PriceLevel v) { return std::string(sim::name(v)); }
template <int S, int B, int F, int U, int J, int M> Value to_value(hw::Quantity<S, B, F, U, J, M> v) {
    return v.value();
}
template <class T> Value to_value(const std::optional<T>& v) { return v ? to_value(*v) : Value{}; }

// Only values that passed their shape's checks get here, so the alternatives and names fit.
inline void assign(bool& field, const Value& v) { field = std::get<bool>(v); }
inline void assign(int& field, const Value& v) { field = static_cast<int>(std::get<std::int64_t>(v)); }
inline void assign(std::int64_t& field, const Value& v) { field = std::get<std::int64_t>(v); }
inline void assign(double& field, const Value& v) { field = std::get<double>(v); }
inline void assign(std::string& field, const Value& v) { field = std::get<std::string>(v); }
void assign(std::vector<int>& field, const Value&);
inline void assign(hw::FabricKind& field, const Value& v) {
    field = hw::fabric_kind_from(std::get<std::string>(v)).value();
}
inline void assign(work::AttentionKind& field, const Value& v) {
    field = work::attention_kind_from(std::get<std::string>(v)).value();
}
inline void assign(work::Activation& field, const Value& v) {
    field = work::activation_from(std::get<std::string>(v)).value();
}
inline void assign(work::NormKind& field, const Value& v) {
    field = work::norm_kind_from(std::get<std::string>(v)).value();
}
inline void assign(work::BlockForm& field, const Value& v) {
    field = work::block_form_from(std::get<std::string>(v)).value();
}
inline void assign(work::Precision& field, const Value& v) {
    field = work::precision_from(std::get<std::string>(v)).value();
}
inline void assign(work::PipelineSend& field, const Value& v) {
    field = work::pipeline_send_from(std::get<std::string>(v)).value();
}
inline void assign(work::ContextKind& field, const Value& v) {
    field = work::context_kind_from(std::get<std::string>(v)).value();
}
inline void assign(work::AttentionKernel& field, const Value& v) {
    field = work::attention_kernel_from(std::get<std::string>(v)).value();
}
inline void assign(work::Elementwise& field, const Value& v) {
    field = work::elementwise_from(std::get<std::string>(v)).value();
}
inline void assign(work::CrossEntropy& field, const Value& v) {
    field = work::cross_entropy_from(std::get<std::string>(v)).value();
}
inline void assign(work::Dispatcher& field, const Value& v) {
    field = work::dispatcher_from(std::get<std::string>(v)).value();
}
inline void assign(hw::DType& field, const Value& v) {
    field = hw::dtype_from(std::get<std::string>(v)).value();
}
inline void assign(ComputeModel& field, const Value& v) {
    field = compute_model_from(std::get<std::string>(v)).value();
}
inline void assign(Day& field, const Value& v) { field = day_from(std::get<std::string>(v)).value(); }
inline void assign(PerturbedLink& field, const Value& v) {
    field = perturbed_link_from(std::get<std::string>(v)).value();
}
inline void assign(RoutingSkew& field, const Value& v) {
    field = routing_skew_from(std::get<std::string>(v)).value();
}
void assign(work::Recompute& field, const Value&);
void assign(work::CudaGraphs& field, const Value&);
inline void assign(PriceLevel& field, const Value& v) {
    field = price_level_from(std::get<std::string>(v)).value();
}
inline void assign(std::vector<std::string>& field, const Value& v) {
    field = std::get<std::vector<std::string>>(v);
}
template <int S, int B, int F, int U, int J, int M>
void assign(hw::Quantity<S, B, F, U, J, M>& field, const Value& v) {
    field = hw::Quantity<S, B, F, U, J, M>(std::get<double>(v));
}
template <class T> void assign(std::optional<T>& field, const Value& v) { assign(field.emplace(), v); }

/// Names of the parts of work::Recompute, as plan.recompute lists them.
std::vector<std::string> recompute_names();
/// Likewise of work::CudaGraphs, for plan.cuda_graphs.
std::vector<std::string> cuda_graph_names();

/// How a key reads and writes its field of the draft.
struct Binding {
    Value (*get)(const Draft&) = nullptr;
    void (*set)(Draft&, const Value&) = nullptr;
};

/// The field reached by following member pointers: field<&Draft::plan, &work::ParallelPlan::pipeline>.
template <auto... Members>
inline constexpr Binding field{
    [](const Draft& draft) { return to_value((draft.*....*Members)); },
    [](Draft& draft, const Value& value) { assign((draft.*....*Members), value); }};

} // namespace chokepoint::sim::loader
