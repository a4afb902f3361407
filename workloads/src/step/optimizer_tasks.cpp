// SPDX-License-Identifier: Apache-2.0
// The end of a step: reductions start when every holder of a parameter is done, updates when the global norm
// is known.
#include "optimizer_tasks.hpp"

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

    TaskId compute(int rank, std::string name, hw::Bytes read, hw::Bytes written) {
        const hw::Operator op = hw::streaming(std::move(name), hw::KernelClass::optimizer, read, written);
        const WorkIndex work = works_.intern(ComputeWork{op.name, op.kernel, {op}, {}});
        return add({.kind = TaskKind::compute, .rank = static_cast<std::int16_t>(rank), .work = work});
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

} // namespace

void append_optimizer(StepGraph& step, WorkTable& works, const ParallelPlan& plan, DataTransfers& data) {
    OptimizerTasks tasks(step, works);
    const hw::Bytes gradient = hw::element_bytes(plan.gradient_dtype);
    std::vector<double> owned;
    std::vector<TaskId> norms;
    const auto ranks = static_cast<int>(data.ranks().size());
    for (int r = 0; r < ranks; ++r) {
        const RankParameters& rank = data.ranks()[static_cast<std::size_t>(r)];
        // A reduction needs every member: under dualpipe the mirror rank holds the same stages, and both must
        // be done.
        const TaskId ready = tasks.marker(r);
        for (const Rank replica : rank.replicas) {
            if (const auto last = data.ranks()[static_cast<std::size_t>(index(replica))].last) {
                tasks.edge(*last, ready);
            }
        }
        const std::vector<TaskId> reduced = data.reduce(Rank{r}, ready);
        double parameters = 0.0;
        for (const Bucket& bucket : data.buckets(Rank{r}, rank.held)) {
            parameters += bucket.shard(plan.zero);
        }
        owned.push_back(parameters);
        norms.push_back(tasks.compute(r, "gradient norm", parameters * gradient, hw::Bytes{}));
        for (const TaskId end : reduced) {
            tasks.edge(end, norms.back());
        }
    }
    // Clipping needs the norm over all parameters (DeepSeek-V3 report, 4.2: clipped at 1.0), so no rank
    // updates before every rank's gradients are reduced; the exchange of one number per rank is not counted.
    const TaskId clipped = tasks.marker(kNoRank);
    for (const TaskId norm : norms) {
        tasks.edge(norm, clipped);
    }
    const hw::Bytes state = kMaster + 2.0 * hw::element_bytes(plan.moment_dtype());
    for (int r = 0; r < ranks; ++r) {
        const double parameters = owned[static_cast<std::size_t>(r)];
        const TaskId update =
            tasks.compute(r, "optimizer", parameters * (gradient + state), parameters * (state + kParameter));
        tasks.edge(clipped, update);
        data.gather_updated(Rank{r}, update);
    }
}

} // namespace chokepoint::work
