// SPDX-License-Identifier: Apache-2.0
// The work of one optimizer step as an acyclic graph of compute and transfer tasks: what exists, never how
// long it takes.
#pragma once

#include <chokepoint/workloads/layer.hpp>
#include <chokepoint/workloads/rank_layout.hpp>

#include <chokepoint/hwmodels/cost_model.hpp>

#include <boost/graph/compressed_sparse_row_graph.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace chokepoint::work {

using TaskId = std::uint32_t;

/// In-order queues of one GPU. Compute kernels run one after another; each kind of communication has its own
/// stream.
enum class Stream : std::uint8_t {
    compute,
    expert_comm,
    pipeline_send,
    data_comm,
    tensor_comm,
    context_comm,
    host_out, ///< to the CPU's memory, and what the CPU does there
    host_in,
};
constexpr int kStreams = 8;
std::string_view name(Stream);

enum class TaskKind : std::uint8_t { compute, transfer, marker };

/// Kernels that run back to back, shared by all tasks that repeat them.
struct ComputeWork {
    std::string name; ///< "attn(F)", "mlp(W)": the trace's names
    hw::KernelClass representative = hw::KernelClass::gemm;
    std::vector<hw::Operator> operators;
    hw::Occupancy occupancy;
    double host_calls = 0.0; ///< of the framework, to start the kernels: hw::host_calls
    friend bool operator==(const ComputeWork&, const ComputeWork&) = default;
};

/// A transfer by what it moves; hwmodels turns it into port flows.
struct TransferWork {
    std::string name; ///< "dispatch(F)", "send(B)"
    TransferKind kind = TransferKind::dispatch;
    std::int64_t tokens = 0; ///< dispatch, combine
    hw::Bytes per_token;     ///< dispatch, combine
    hw::Bytes bytes;         ///< reductions and gathers: the full vector per GPU; else what each GPU sends
    int ranks = 1;           ///< members of the group
    int ranks_per_node = 8;  ///< members within one node
    Group group = Group::expert; ///< whose members take part; a pipeline transfer has a peer instead
    std::vector<Rank> hosts; ///< pipeline ranks whose groups take part together; empty: the task's own alone
    bool beside_compute = false;
    /// Whether the host reads a result of the GPU's to start it, and starts nothing more until it has it: the
    /// rows of each expert, which sizes of buffers and products follow from.
    bool host_waits = false;
    /// Routed compute that the members have run since they last waited for each other, as indices into
    /// TaskGraph::computes. The kernels of one inner list follow one draw of the router and are long or short
    /// together, those of different lists independently; the transfer starts when the slowest member is
    /// ready.
    std::vector<std::vector<std::int32_t>> uneven;
    friend bool operator==(const TransferWork&, const TransferWork&) = default;
};

/// Of a marker that no rank runs: whatever follows waits for all GPUs of the ranks it joins, not only for
/// counterparts.
constexpr int kNoRank = -1;

struct Task {
    TaskKind kind = TaskKind::marker;
    Stream stream = Stream::compute;
    std::int32_t rank = 0;  ///< whose class of GPUs runs it (the sender of a pipeline transfer)
    std::int32_t peer = -1; ///< receiving rank of a pipeline transfer
    std::int16_t layer = -1;
    std::int32_t micro_batch = -1;
    std::int32_t work = -1;   ///< index into computes or transfers
    std::int32_t action = -1; ///< index into actions; -1: after the last (gradient reduction, optimizer)
};

/// One action of a rank with its tasks: `entry` starts when the rank is free and the inputs have arrived;
/// `exit` is done when the rank may go on.
struct ActionSpan {
    Rank rank{0};
    Action action;
    TaskId entry = 0;
    TaskId exit = 0;
};

using Dag = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                               boost::no_property, TaskId, std::uint32_t>;

struct StepGraph; // builder's output, below

/// Acyclic by construction: built once, checked by a topological sort, then read-only.
class TaskGraph {
public:
    /// @throws std::logic_error naming the tasks of a cycle.
    explicit TaskGraph(StepGraph&&);
    TaskGraph(TaskGraph&&) noexcept = default;
    TaskGraph(const TaskGraph&) = default;

    [[nodiscard]] std::span<const Task> tasks() const { return tasks_; }
    [[nodiscard]] std::span<const ComputeWork> computes() const { return computes_; }
    [[nodiscard]] std::span<const TransferWork> transfers() const { return transfers_; }
    [[nodiscard]] std::span<const ActionSpan> actions() const { return actions_; }
    [[nodiscard]] int ranks() const { return ranks_; }
    [[nodiscard]] const Dag& dag() const { return dag_; }
    /// A topological order of all tasks.
    [[nodiscard]] std::span<const TaskId> order() const { return order_; }
    /// "rank 3 mb 17 layer 2 dispatch(F)": names a task in errors and timelines.
    [[nodiscard]] std::string describe(TaskId) const;

private:
    std::vector<Task> tasks_;
    std::vector<ComputeWork> computes_;
    std::vector<TransferWork> transfers_;
    std::vector<ActionSpan> actions_;
    std::vector<TaskId> order_;
    int ranks_ = 0;
    Dag dag_;
};

/// The parts a TaskGraph is made of.
struct StepGraph {
    std::vector<Task> tasks;
    std::vector<std::pair<TaskId, TaskId>> edges;
    std::vector<ComputeWork> computes;
    std::vector<TransferWork> transfers;
    std::vector<ActionSpan> actions;
    int ranks = 0;
};

/// Builds the graph of one optimizer step of one class of GPUs per pipeline rank. Tasks are numbered as
/// they are issued; docs/model.md says what waits for what.
/// @throws std::invalid_argument if a stage is left without blocks or `check` finds faults in the schedule.
TaskGraph build_step(const ModelArch&, const ParallelPlan&, const Schedule&, int gpus_per_node);

/// One overlapped forward and backward of `layers` MoE layers without pipeline traffic: the published trace's
/// pair.
/// @throws std::invalid_argument if `layers` is not positive or the model has no experts.
TaskGraph build_pair(const ModelArch&, const ParallelPlan&, int layers, int gpus_per_node);

} // namespace chokepoint::work
