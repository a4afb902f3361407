// SPDX-License-Identifier: Apache-2.0
// The end of a step: reductions start when every holder of a parameter is done, updates when the global norm
// is known.
#include "optimizer_tasks.hpp"

#include <array>

namespace chokepoint::work {

namespace {

// FP32 gradients and master weights in both recipes: DeepSeek-V3 report (arXiv 2412.19437), 3.3.3;
// Megatron-LM's default. Updated parameters are written, and gathered, in BF16.
constexpr hw::Bytes kGradient{4.0};
constexpr hw::Bytes kMaster{4.0};
constexpr hw::Bytes kParameter{2.0};

/// Two AdamW moments: BF16 in DeepSeek's recipe (same place), FP32 in usual mixed precision (ZeRO, arXiv
/// 1910.02054, 3.1).
hw::Bytes moments(Precision precision) {
    return 2.0 * hw::Bytes(precision == Precision::fp8_block ? 2.0 : 4.0);
}

/// Parameters of one kind with the GPUs that hold copies of them.
struct Bucket {
    double parameters = 0.0;
    Group group = Group::data;
    std::vector<Rank> hosts;
    RankLayout::Shape shape;
    [[nodiscard]] double shard(int zero) const { return zero == 0 ? parameters : parameters / shape.ranks; }
};

class OptimizerTasks {
public:
    OptimizerTasks(StepGraph& step, WorkTable& works, const ParallelPlan& plan)
        : step_(step),
          works_(works),
          plan_(plan) {}

    TaskId marker(int rank) { return add({.rank = static_cast<std::int16_t>(rank)}); }

    TaskId compute(int rank, std::string name, hw::Bytes read, hw::Bytes written) {
        const hw::Operator op = hw::streaming(std::move(name), hw::KernelClass::optimizer, read, written);
        const WorkIndex work = works_.intern(ComputeWork{op.name, op.kernel, {op}, {}});
        return add({.kind = TaskKind::compute, .rank = static_cast<std::int16_t>(rank), .work = work});
    }

    TaskId collective(int rank, TransferKind kind, std::string_view name, const Bucket& bucket,
                      hw::Bytes element) {
        TransferWork work;
        work.name = name;
        work.kind = kind;
        work.bytes = bucket.parameters * element;
        work.ranks = bucket.shape.ranks;
        work.ranks_per_node = bucket.shape.ranks_per_node;
        work.group = bucket.group;
        work.hosts = bucket.hosts;
        return add({.kind = TaskKind::transfer,
                    .stream = Stream::data_comm,
                    .rank = static_cast<std::int16_t>(rank),
                    .work = works_.intern(std::move(work))});
    }

    void edge(TaskId from, TaskId to) { step_.edges.emplace_back(from, to); }

    /// Reduces both buckets after `ready`; the last task, or `ready` if there is nothing to reduce.
    TaskId reduce(int rank, std::span<const Bucket> buckets, TaskId ready) {
        const bool sharded = plan_.zero > 0;
        return each_bucket(rank, buckets, ready,
                           sharded ? TransferKind::reduce_scatter : TransferKind::all_reduce,
                           "gradient reduction", kGradient);
    }
    TaskId gather(int rank, std::span<const Bucket> buckets, TaskId ready) {
        return each_bucket(rank, buckets, ready, TransferKind::all_gather, "parameter gathering", kParameter);
    }

private:
    TaskId add(const Task& task) {
        step_.tasks.push_back(task);
        return static_cast<TaskId>(step_.tasks.size() - 1);
    }
    TaskId each_bucket(int rank, std::span<const Bucket> buckets, TaskId after, TransferKind kind,
                       std::string_view name, hw::Bytes element) {
        for (const Bucket& bucket : buckets) {
            if (bucket.shape.ranks > 1 && bucket.parameters > 0.0) {
                const TaskId task = collective(rank, kind, name, bucket, element);
                edge(after, task);
                after = task;
            }
        }
        return after;
    }

    StepGraph& step_;
    WorkTable& works_;
    const ParallelPlan& plan_;
};

} // namespace

void append_optimizer(StepGraph& step, WorkTable& works, const ParallelPlan& plan, const RankLayout& layout,
                      std::span<const RankParameters> ranks) {
    OptimizerTasks tasks(step, works, plan);
    std::vector<std::array<Bucket, 2>> buckets;
    std::vector<TaskId> norms;
    for (int r = 0; r < static_cast<int>(ranks.size()); ++r) {
        const RankParameters& rank = ranks[static_cast<std::size_t>(r)];
        const auto bucket = [&](std::int64_t parameters, Group group) {
            return Bucket{static_cast<double>(parameters), group, rank.replicas,
                          layout.shape(group, Rank{r}, rank.replicas)};
        };
        buckets.push_back(
            {bucket(rank.held.expert, Group::expert_data), bucket(rank.held.replicated, Group::data)});
        // A reduction needs every member: under dualpipe the mirror rank holds the same stages, and both must
        // be done.
        const TaskId ready = tasks.marker(r);
        for (const Rank replica : rank.replicas) {
            if (const auto last = ranks[static_cast<std::size_t>(index(replica))].last) {
                tasks.edge(*last, ready);
            }
        }
        const TaskId reduced = tasks.reduce(r, buckets.back(), ready);
        const double owned = buckets.back()[0].shard(plan.zero) + buckets.back()[1].shard(plan.zero);
        norms.push_back(tasks.compute(r, "gradient norm", owned * kGradient, hw::Bytes{}));
        tasks.edge(reduced, norms.back());
    }
    // Clipping needs the norm over all parameters (DeepSeek-V3 report, 4.2: clipped at 1.0), so no rank
    // updates before every rank's gradients are reduced; the exchange of one number per rank is not counted.
    const TaskId clipped = tasks.marker(0);
    for (const TaskId norm : norms) {
        tasks.edge(norm, clipped);
    }
    for (int r = 0; r < static_cast<int>(ranks.size()); ++r) {
        const auto& bucket = buckets[static_cast<std::size_t>(r)];
        const double owned = bucket[0].shard(plan.zero) + bucket[1].shard(plan.zero);
        const hw::Bytes state = kMaster + moments(plan.precision);
        const TaskId update =
            tasks.compute(r, "optimizer", owned * (kGradient + state), owned * (state + kParameter));
        tasks.edge(clipped, update);
        if (plan.zero > 0) {
            tasks.gather(r, bucket, update);
        }
    }
}

} // namespace chokepoint::work
