// SPDX-License-Identifier: Apache-2.0
// Leaves out everything that can only lengthen a step: waits, latencies, contention, kernels slowed by
// transfers beside them, reductions and the optimizer. docs/sweeps.md says why nothing else can shorten it.
#include <chokepoint/sim/step_bound.hpp>

#include <chokepoint/sim/run.hpp>

#include <chokepoint/hwmodels/host_launch.hpp>

#include <chokepoint/workloads/layer.hpp>
#include <chokepoint/workloads/memory.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace chokepoint::sim {
namespace {

using hw::Seconds;

constexpr double kUnknown = -1.0;

/// Walks every rank's actions as far as their inputs are there.
class ActionWalk {
public:
    ActionWalk(const work::Schedule& schedule, std::span<const StageSeconds> stages)
        : schedule_(schedule),
          stages_(stages),
          free_(schedule.order.size(), 0.0),
          next_(schedule.order.size(), 0),
          forward_(table(schedule)),
          backward_(table(schedule)) {}

    Seconds run() {
        std::size_t left = 0;
        for (const auto& actions : schedule_.order) {
            left += actions.size();
        }
        while (left > 0) {
            std::size_t done = 0;
            for (std::size_t rank = 0; rank < next_.size(); ++rank) {
                while (next_[rank] < schedule_.order[rank].size() &&
                       play(rank, schedule_.order[rank][next_[rank]])) {
                    ++next_[rank];
                    ++done;
                }
            }
            if (done == 0) {
                throw std::logic_error("a schedule that the loader let pass deadlocks");
            }
            left -= done;
        }
        return Seconds(*std::ranges::max_element(free_));
    }

private:
    using Table = std::vector<double>;
    static Table table(const work::Schedule& schedule) {
        return Table(static_cast<std::size_t>(schedule.stages) *
                         static_cast<std::size_t>(schedule.micro_batches),
                     kUnknown);
    }
    [[nodiscard]] std::size_t at(int stage, int micro_batch) const {
        return static_cast<std::size_t>(stage) * static_cast<std::size_t>(schedule_.micro_batches) +
               static_cast<std::size_t>(micro_batch);
    }
    /// When a forward's input is there; kUnknown: not yet played.
    [[nodiscard]] double input_of_forward(work::Stage stage, int micro_batch) const {
        const int s = index(stage);
        return s == 0 ? 0.0 : forward_[at(s - 1, micro_batch)];
    }
    [[nodiscard]] double input_of_backward(work::Stage stage, int micro_batch) const {
        const int s = index(stage);
        return s + 1 == schedule_.stages ? forward_[at(s, micro_batch)] : backward_[at(s + 1, micro_batch)];
    }
    [[nodiscard]] const StageSeconds& seconds(work::Stage stage) const {
        return stages_[static_cast<std::size_t>(index(stage))];
    }

    bool play(std::size_t rank, const work::Action& action) {
        using work::ActionKind;
        const bool goes_forward = action.kind == ActionKind::forward || action.kind == ActionKind::overlapped;
        const bool goes_back = action.kind == ActionKind::backward ||
                               action.kind == ActionKind::input_backward ||
                               action.kind == ActionKind::overlapped;
        const double ahead =
            goes_forward ? input_of_forward(action.forward_stage, action.forward_micro_batch) : 0.0;
        const double behind =
            goes_back ? input_of_backward(action.backward_stage, action.backward_micro_batch) : 0.0;
        if (ahead == kUnknown || behind == kUnknown) {
            return false;
        }
        double busy = 0.0;
        double end = free_[rank];
        if (goes_forward) {
            const double time = seconds(action.forward_stage).forward.value();
            double& output = forward_[at(index(action.forward_stage), action.forward_micro_batch)];
            output = std::max(free_[rank], ahead) + time;
            end = std::max(end, output);
            busy += time;
        }
        if (goes_back) {
            const double time = seconds(action.backward_stage).input_gradient.value();
            double& output = backward_[at(index(action.backward_stage), action.backward_micro_batch)];
            output = std::max(free_[rank], behind) + time;
            end = std::max(end, output);
            busy += time + seconds(action.backward_stage).head_gradient.value();
        }
        if (action.kind == ActionKind::backward || action.kind == ActionKind::overlapped ||
            action.kind == ActionKind::weight_backward) {
            busy += seconds(action.backward_stage).weight_gradient.value();
        }
        free_[rank] = std::max(end, free_[rank] + busy);
        return true;
    }

    const work::Schedule& schedule_;
    std::span<const StageSeconds> stages_;
    std::vector<double> free_;
    std::vector<std::size_t> next_;
    Table forward_, backward_;
};

/// What one micro-batch needs of a block.
struct BlockNeeds {
    StageSeconds seconds;
    double host_calls = 0.0; ///< to start all kernels
};

/// Of one scenario's blocks; layers of a kind need the same.
class BlockTable {
public:
    BlockTable(const Scenario& scenario, const hw::CostModel& model) : scenario_(scenario), model_(model) {}

    const BlockNeeds& of(const work::Block& block) {
        const auto found = known_.find(block.kind);
        return found != known_.end() ? found->second : known_.emplace(block.kind, make(block)).first->second;
    }

private:
    [[nodiscard]] BlockNeeds make(const work::Block& block) const {
        const work::BlockKernels kernels = work::block_kernels(scenario_.model(), scenario_.plan(), block);
        BlockNeeds needs;
        StageSeconds& seconds = needs.seconds;
        seconds.forward = sum(kernels.attention_forward) + sum(kernels.ffn_forward);
        seconds.input_gradient =
            sum(kernels.ffn_backward) + sum(kernels.attention_backward) + sum(kernels.input_norm_backward);
        seconds.weight_gradient = sum(kernels.ffn_weight_gradient) + sum(kernels.attention_weight_gradient);
        if (block.kind == work::BlockKind::head) {
            std::swap(seconds.input_gradient, seconds.head_gradient);
        }
        for (const work::KernelSequence* part :
             {&kernels.attention_forward, &kernels.ffn_forward, &kernels.ffn_backward,
              &kernels.ffn_weight_gradient, &kernels.attention_backward, &kernels.attention_weight_gradient,
              &kernels.input_norm_backward}) {
            const hw::Operator* previous = nullptr;
            for (const hw::Operator& op : *part) {
                needs.host_calls += hw::host_calls(op, previous);
                previous = &op;
            }
        }
        return needs;
    }

    [[nodiscard]] Seconds sum(const work::KernelSequence& kernels) const {
        Seconds total;
        for (const hw::Operator& op : kernels) {
            total += model_.estimate(op, {}).time;
        }
        return total;
    }

    const Scenario& scenario_;
    const hw::CostModel& model_;
    std::map<work::BlockKind, BlockNeeds> known_;
};

/// Bytes over rate of what one routed layer sends and receives for one micro-batch, forward and backward, on
/// each port of a GPU.
struct PortSeconds {
    double nvlink = 0.0, nic = 0.0;
};

PortSeconds routed_layer(const Scenario& scenario, const hw::TransferRates& rates) {
    const work::ParallelPlan& plan = scenario.plan();
    const bool plain = plan.tensor == 1 && plan.context == 1 && plan.expert_tensor == 1 && plan.expert > 1 &&
                       plan.dispatcher == work::Dispatcher::deepep && plan.rank_order == "tp-cp-ep-dp-pp";
    if (!plain) {
        return {}; // groups that lie otherwise are not bounded
    }
    const hw::Cluster& cluster = scenario.cluster();
    const hw::ExpertRouting routing{.experts = scenario.model().moe.experts,
                                    .top_k = scenario.model().moe.top_k,
                                    .ranks = plan.expert,
                                    .ranks_per_node = std::min(plan.expert, cluster.node.gpus),
                                    .max_nodes = scenario.model().moe.max_nodes};
    const double nvlink = hw::peer_link(cluster.node.gpu).rate.value() / 2.0;
    const double nic = hw::nic_per_gpu(cluster.node).value();
    PortSeconds total;
    const auto add = [&](hw::MoeDirection direction, hw::Bytes per_token) {
        const hw::TransferShape shape =
            hw::moe_transfer(rates, cluster, routing, direction, plan.local_tokens(), per_token, true);
        for (const hw::PortFlow& flow : shape.flows) {
            if (flow.way == hw::Way::in) {
                continue; // one direction is a bound; out and both have it
            }
            (flow.port == hw::Port::nvlink ? total.nvlink : total.nic) +=
                flow.bytes.value() / (flow.port == hw::Port::nvlink ? nvlink : nic);
        }
    };
    constexpr int kForwardAndBackward = 2;
    for (int i = 0; i < kForwardAndBackward; ++i) {
        add(hw::MoeDirection::dispatch, work::dispatch_bytes_per_token(scenario.model(), plan));
        add(hw::MoeDirection::combine, work::combine_bytes_per_token(scenario.model(), plan));
    }
    return total;
}

/// Of the rank with most: the sum of what its stages have, counted once for each micro-batch.
double most_of_a_rank(const work::Schedule& schedule, const std::vector<double>& of_stage) {
    double most = 0.0;
    for (const auto& actions : schedule.order) {
        double sum = 0.0;
        for (const work::Action& action : actions) {
            if (action.kind == work::ActionKind::forward || action.kind == work::ActionKind::overlapped) {
                sum += of_stage[static_cast<std::size_t>(index(action.forward_stage))];
            }
        }
        most = std::max(most, sum);
    }
    return most;
}

std::vector<double> routed_layers(const std::vector<std::vector<work::Block>>& stages) {
    std::vector<double> layers;
    for (const std::vector<work::Block>& blocks : stages) {
        layers.push_back(
            static_cast<double>(std::ranges::count(blocks, work::BlockKind::moe_layer, &work::Block::kind)));
    }
    return layers;
}

/// Whether the host starts every kernel by a call of its own.
bool starts_each_kernel(const work::ParallelPlan& plan) {
    return plan.cuda_graphs == work::CudaGraphs{} && !plan.overlap_tensor;
}

} // namespace

Seconds scheduled_seconds(const work::Schedule& schedule, std::span<const StageSeconds> stages) {
    return ActionWalk(schedule, stages).run();
}

struct StepBounder::Models {
    std::optional<hw::GpuSpec> gpu;
    ComputeModel kind = ComputeModel::calibrated;
    double clock = 0.0;
    std::optional<hw::OwnFits> fits;
    std::unique_ptr<hw::CostModel> model;
    hw::TransferRates shipped = hw::load_transfer_rates();

    const hw::CostModel& of(const Scenario& scenario) {
        const hw::GpuSpec& wanted = scenario.cluster().node.gpu;
        if (!model || gpu != wanted || kind != scenario.compute_model() ||
            clock != scenario.sustained_clock() || fits != scenario.own_fits()) {
            gpu = wanted;
            kind = scenario.compute_model();
            clock = scenario.sustained_clock();
            fits = scenario.own_fits();
            model = full_clock_cost_model(scenario); // the plans share it, and their clocks differ
        }
        return *model;
    }
};

StepBounder::StepBounder() : models_(std::make_unique<Models>()) {}
StepBounder::~StepBounder() = default;

StepBound StepBounder::bound(const Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    const work::Schedule schedule = work::make_schedule(plan);
    StepBound bound;
    for (const work::MemoryUse& use : work::memory_per_rank(scenario.model(), plan, schedule)) {
        bound.memory = std::max(bound.memory, use.total());
    }
    if (!scenario.perturbations().empty()) {
        return bound; // a perturbation may speed something up
    }
    const std::vector<std::vector<work::Block>> stages =
        work::split_stages(scenario.model(), plan, schedule.stages);
    BlockTable table(scenario, models_->of(scenario));
    std::vector<StageSeconds> seconds;
    std::vector<double> host_calls;
    for (const std::vector<work::Block>& blocks : stages) {
        StageSeconds& stage = seconds.emplace_back();
        double& calls = host_calls.emplace_back(0.0);
        for (const work::Block& block : blocks) {
            const BlockNeeds& one = table.of(block);
            stage.forward += one.seconds.forward;
            stage.weight_gradient += one.seconds.weight_gradient;
            stage.input_gradient += one.seconds.input_gradient;
            stage.head_gradient += one.seconds.head_gradient;
            calls += one.host_calls;
        }
    }
    bound.work = scheduled_seconds(schedule, seconds);
    const PortSeconds ports = routed_layer(scenario, scenario.transfer_rates().value_or(models_->shipped));
    bound.bandwidth =
        Seconds(most_of_a_rank(schedule, routed_layers(stages)) * std::max(ports.nvlink, ports.nic));
    if (scenario.compute_model() != ComputeModel::roofline && starts_each_kernel(plan)) {
        bound.work =
            std::max(bound.work, most_of_a_rank(schedule, host_calls) * scenario.cluster().node.host_call);
    }
    return bound;
}

} // namespace chokepoint::sim
