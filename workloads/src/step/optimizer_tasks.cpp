// SPDX-License-Identifier: Apache-2.0
// The end of a step: reductions start when every holder of a parameter is done, updates when the global norm
// is known.
#include "optimizer_tasks.hpp"

#include "../layer_eager.hpp"
#include "embedding_exchange.hpp"

namespace chokepoint::work {

namespace {

// FP32 master weights in both recipes: DeepSeek-V3 report (arXiv 2412.19437), 3.3.3; Megatron-LM's default.
// Updated parameters are written in BF16.
constexpr hw::Bytes kMaster{4.0};
constexpr hw::Bytes kParameter{2.0};

class OptimizerTasks {
public:
    OptimizerTasks(StepGraph& step, WorkTable& works) : step_(step), works_(works) {}

    TaskId marker(int rank) { return add({.rank = static_cast<std::int16_t>(rank)}); }

    TaskId compute(int rank, const hw::Operator& op) {
        const WorkIndex work = works_.intern(ComputeWork{op.name, op.kernel, {op}, {}});
        return add({.kind = TaskKind::compute, .rank = static_cast<std::int16_t>(rank), .work = work});
    }

    TaskId host(int rank, TransferKind kind, Stream stream, std::string_view name, hw::Bytes bytes) {
        const WorkIndex work = works_.host_transfer(kind, name, bytes);
        return add({.kind = TaskKind::transfer,
                    .stream = stream,
                    .rank = static_cast<std::int16_t>(rank),
                    .work = work});
    }

    void edge(TaskId from, TaskId to) { step_.edges.emplace_back(from, to); }

private:
    TaskId add(const Task& task) {
        step_.tasks.push_back(task);
        return static_cast<TaskId>(step_.tasks.size() - 1);
    }

    StepGraph& step_;
    WorkTable& works_;
};

/// Waits for every holder of a rank's parameters: under dualpipe the mirror rank holds the same stages.
TaskId all_holders_done(OptimizerTasks& tasks, const DataTransfers& data, int r) {
    const TaskId ready = tasks.marker(r);
    for (const Rank replica : data.ranks()[static_cast<std::size_t>(r)].replicas) {
        if (const auto last = data.ranks()[static_cast<std::size_t>(index(replica))].last) {
            tasks.edge(*last, ready);
        }
    }
    return ready;
}

/// Of the parameters whose states a GPU holds, those that it updates itself.
TaskId update_on_gpu(OptimizerTasks& tasks, const ParallelPlan& plan, int r, double parameters) {
    const hw::Bytes gradient = hw::element_bytes(plan.gradient_dtype);
    const hw::Bytes state = kMaster + 2.0 * hw::element_bytes(plan.moment_dtype());
    return tasks.compute(r, plan.elementwise == Elementwise::eager
                                ? eager_update("optimizer", parameters)
                                : hw::streaming("optimizer", hw::KernelClass::optimizer,
                                                parameters * (gradient + state),
                                                parameters * (state + kParameter)));
}

/// The others: gradients go to the host, the CPU updates, parameters come back, one after another
/// (Megatron-LM's optimizer_cpu_offload without overlap_cpu_optimizer_d2h_h2d). The CPU reads gradient and
/// states and writes states and the new parameter.
TaskId update_on_host(OptimizerTasks& tasks, const ParallelPlan& plan, int r, double parameters,
                      TaskId clipped) {
    const hw::Bytes gradient = hw::element_bytes(plan.gradient_dtype);
    const hw::Bytes state = kMaster + 2.0 * hw::element_bytes(plan.moment_dtype());
    TaskId last = clipped;
    const auto then = [&](TransferKind kind, Stream stream, std::string_view name, hw::Bytes bytes) {
        const TaskId task = tasks.host(r, kind, stream, name, bytes);
        tasks.edge(last, task);
        last = task;
    };
    then(TransferKind::host_copy, Stream::host_out, "gradients to the host", parameters * gradient);
    then(TransferKind::host_update, Stream::host_out, "optimizer on the host",
         parameters * (gradient + 2.0 * state + kParameter));
    then(TransferKind::host_copy, Stream::host_in, "parameters from the host", parameters * kParameter);
    return last;
}

} // namespace

void append_optimizer(StepGraph& step, WorkTable& works, const ParallelPlan& plan, const RankLayout& layout,
                      DataTransfers& data) {
    OptimizerTasks tasks(step, works);
    const hw::Bytes gradient = hw::element_bytes(plan.gradient_dtype);
    const auto ranks = static_cast<int>(data.ranks().size());
    std::vector<double> owned;
    std::vector<std::vector<TaskId>> reduced;
    for (int r = 0; r < ranks; ++r) {
        reduced.push_back(data.reduce(Rank{r}, all_holders_done(tasks, data, r)));
        double parameters = 0.0;
        for (const Bucket& bucket : data.buckets(Rank{r}, data.ranks()[static_cast<std::size_t>(r)].held)) {
            parameters += bucket.shard(plan.zero);
        }
        owned.push_back(parameters);
    }
    append_embedding_exchange(step, works, plan, layout, data, reduced);
    // Clipping needs the norm over all parameters (DeepSeek-V3 report, 4.2: clipped at 1.0), so no rank
    // updates before every rank's gradients are reduced; the exchange of one number per rank is not counted.
    std::vector<TaskId> norms;
    for (int r = 0; r < ranks; ++r) {
        const auto rank = static_cast<std::size_t>(r);
        norms.push_back(tasks.compute(r, hw::streaming("gradient norm", hw::KernelClass::optimizer,
                                                       owned[rank] * gradient, hw::Bytes{})));
        for (const TaskId end : reduced[rank]) {
            tasks.edge(end, norms.back());
        }
    }
    const TaskId clipped = tasks.marker(kNoRank);
    for (const TaskId norm : norms) {
        tasks.edge(norm, clipped);
    }
    for (int r = 0; r < ranks; ++r) {
        const double parameters = owned[static_cast<std::size_t>(r)];
        const double on_host = parameters * plan.offload_optimizer;
        TaskId updated = clipped;
        if (on_host < parameters || parameters == 0.0) {
            updated = update_on_gpu(tasks, plan, r, parameters - on_host);
            tasks.edge(clipped, updated);
        }
        if (on_host > 0.0) {
            const TaskId both = tasks.marker(r);
            tasks.edge(updated, both);
            tasks.edge(update_on_host(tasks, plan, r, on_host, clipped), both);
            updated = both;
        }
        data.gather_updated(Rank{r}, updated);
    }
}

} // namespace chokepoint::work
