// SPDX-License-Identifier: Apache-2.0
// Laws of a whole step: nothing lost, nothing doubled, nothing sent to nobody.
#include "step_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace chokepoint::work {

using test::make_schedule;
using test::small_dense;
using test::small_moe;
using test::small_plan;
using testing::Each;
using testing::ElementsAre;

namespace {

TaskGraph step(int layers, std::string_view schedule, int ranks, int micro_batches,
               const ParallelPlan& plan) {
    return build_step(small_moe(layers), plan, make_schedule(schedule, ranks, micro_batches), 8);
}
TaskGraph step(std::string_view schedule, int ranks, int micro_batches, const ParallelPlan& plan) {
    return step(ranks + 2, schedule, ranks, micro_batches, plan);
}
TaskGraph step(std::string_view schedule, int ranks, int micro_batches) {
    return step(schedule, ranks, micro_batches, small_plan(ranks, micro_batches));
}

/// With layers for two stages on each of four ranks.
TaskGraph deep_step(std::string_view schedule, int ranks, int micro_batches, const ParallelPlan& plan) {
    return step(10, schedule, ranks, micro_batches, plan);
}
TaskGraph deep_step(std::string_view schedule, int ranks, int micro_batches) {
    return deep_step(schedule, ranks, micro_batches, small_plan(ranks, micro_batches));
}

const TransferWork& transfer(const TaskGraph& graph, TaskId id) {
    return graph.transfers()[static_cast<std::size_t>(graph.tasks()[id].work)];
}

/// How often each named work runs for each layer and micro-batch.
std::map<std::tuple<std::string_view, int, int>, int> runs(const TaskGraph& graph) {
    std::map<std::tuple<std::string_view, int, int>, int> count;
    for (const Task& task : graph.tasks()) {
        if (task.layer >= 0) {
            ++count[{test::work_name(graph, task), task.layer, task.micro_batch}];
        }
    }
    return count;
}

class EveryScheduleStep : public testing::TestWithParam<ScheduleKind> {};

} // namespace

TEST_P(EveryScheduleStep, RunsEveryPartOfEveryLayerOnceForEachMicroBatch) {
    const TaskGraph graph = deep_step(GetParam().id, 4, 12);
    const auto count = runs(graph);
    const std::set<std::string_view> of_all = {"attn(F)", "mlp(F)", "attn(B)", "mlp(B)", "attn(W)", "mlp(W)"};
    const std::set<std::string_view> of_moe = {"dispatch(F)", "combine(F)", "dispatch(B)", "combine(B)"};
    EXPECT_EQ(count.size(), 12 * (of_all.size() * 10 + of_moe.size() * 9));
    for (const auto& [key, times] : count) {
        const auto& [name, layer, micro_batch] = key;
        EXPECT_EQ(times, 1) << name << " layer " << layer << " mb " << micro_batch;
        EXPECT_TRUE(of_all.contains(name) || (of_moe.contains(name) && layer > 0))
            << name << " layer " << layer;
    }
}

TEST_P(EveryScheduleStep, NumbersTasksInATopologicalOrder) {
    const TaskGraph graph = deep_step(GetParam().id, 4, 12);
    for (TaskId id = 0; id < graph.tasks().size(); ++id) {
        for (const TaskId next : test::successors(graph, id)) {
            EXPECT_LT(id, next) << graph.describe(id) << " -> " << graph.describe(next);
        }
    }
}

TEST_P(EveryScheduleStep, DeliversEverySendToOneActionOfTheReceiver) {
    const TaskGraph graph = deep_step(GetParam().id, 4, 12);
    int sends = 0;
    hw::Bytes sent;
    std::map<TaskId, hw::Bytes> received;
    for (TaskId id = 0; id < graph.tasks().size(); ++id) {
        const Task& task = graph.tasks()[id];
        if (task.kind != TaskKind::transfer || transfer(graph, id).kind != TransferKind::pipeline) {
            continue;
        }
        ++sends;
        sent += transfer(graph, id).bytes;
        int receivers = 0;
        for (const TaskId next : test::successors(graph, id)) {
            const Task& after = graph.tasks()[next];
            if (after.rank == task.peer) {
                ++receivers;
                received[next] += transfer(graph, id).bytes;
                EXPECT_EQ(graph.actions()[static_cast<std::size_t>(after.action)].entry, next);
            }
        }
        EXPECT_EQ(receivers, 1) << graph.describe(id);
        EXPECT_NE(task.rank, task.peer);
    }
    const Schedule schedule = make_schedule(GetParam().id, 4, 12);
    int crossed = 0; // boundaries between stages that lie on different ranks
    for (int stage = 1; stage < schedule.stages; ++stage) {
        for (int mb = 0; mb < schedule.micro_batches; ++mb) {
            crossed += schedule.host(Stage{stage - 1}, mb) != schedule.host(Stage{stage}, mb) ? 1 : 0;
        }
    }
    EXPECT_EQ(sends, 2 * crossed); // there and back
    hw::Bytes total;
    for (const auto& [entry, bytes] : received) {
        total += bytes;
    }
    EXPECT_EQ(total, sent);
    EXPECT_EQ(sent, 2.0 * crossed * boundary_bytes(small_moe(10), small_plan(4, 12)));
}

TEST_P(EveryScheduleStep, SendsOneHiddenStateHoweverManyGpusShareIt) {
    const auto sent_by_all = [&](int tensor, int context) {
        ParallelPlan plan = small_plan(4, 12);
        plan.tensor = tensor;
        plan.context = context;
        const TaskGraph graph = deep_step(GetParam().id, 4, 12, plan);
        hw::Bytes one;
        for (TaskId id = 0; id < graph.tasks().size(); ++id) {
            if (graph.tasks()[id].kind == TaskKind::transfer &&
                transfer(graph, id).kind == TransferKind::pipeline) {
                one += transfer(graph, id).bytes;
            }
        }
        return one * static_cast<double>(tensor * context);
    };
    const hw::Bytes whole = sent_by_all(1, 1);
    EXPECT_EQ(sent_by_all(8, 1), whole);
    EXPECT_EQ(sent_by_all(4, 2), whole);
}

TEST_P(EveryScheduleStep, RunsEachStreamOfARankOneTaskAtATime) {
    ParallelPlan plan = small_plan(4, 8);
    for (const PipelineSend mode : {PipelineSend::blocking, PipelineSend::overlapped}) {
        plan.pipeline_send = mode;
        const TaskGraph graph = deep_step(GetParam().id, 4, 8, plan);
        std::map<std::pair<int, Stream>, TaskId> last;
        for (TaskId id = 0; id < graph.tasks().size(); ++id) {
            const Task& task = graph.tasks()[id];
            if (task.kind == TaskKind::marker) {
                continue;
            }
            const auto [entry, first] = last.try_emplace({task.rank, task.stream}, id);
            if (!first) {
                EXPECT_TRUE(test::reached_from(graph, entry->second)[id])
                    << graph.describe(id) << " does not wait for " << graph.describe(entry->second);
                entry->second = id;
            }
        }
    }
}

TEST_P(EveryScheduleStep, FinishesEveryActionBeforeTheRanksNextOneStarts) {
    const TaskGraph graph = deep_step(GetParam().id, 4, 12);
    std::map<Rank, TaskId> exit;
    for (const ActionSpan& span : graph.actions()) {
        EXPECT_LT(span.entry, span.exit);
        if (const auto before = exit.find(span.rank); before != exit.end()) {
            EXPECT_THAT(test::successors(graph, before->second), testing::Contains(span.entry));
        }
        exit[span.rank] = span.exit;
    }
    EXPECT_EQ(exit.size(), 4u);
}

TEST_P(EveryScheduleStep, GrowsLinearlyWithMicroBatches) {
    const auto tasks = [&](int micro_batches) {
        return deep_step(GetParam().id, 4, micro_batches).tasks().size();
    };
    const std::size_t base = tasks(16);
    const std::size_t more = tasks(24);
    EXPECT_EQ(tasks(32) - more, more - base);
}

TEST_P(EveryScheduleStep, StaysTheSameSizeWhateverTheDataParallelWidth) {
    ParallelPlan wide = small_plan(4, 8);
    wide.data *= 64;
    const TaskGraph narrow_graph = deep_step(GetParam().id, 4, 8);
    const TaskGraph wide_graph = deep_step(GetParam().id, 4, 8, wide);
    // Only the reductions of expert gradients come in, where there was nobody to share them with.
    EXPECT_LE(wide_graph.tasks().size(), narrow_graph.tasks().size() + 2 * 4);
}

TEST_P(EveryScheduleStep, EndsWithEveryRanksOptimizerAfterEveryAction) {
    const TaskGraph graph = deep_step(GetParam().id, 4, 8);
    const auto updates = test::tasks_named(graph, "optimizer");
    ASSERT_EQ(updates.size(), 4u);
    for (const ActionSpan& span : graph.actions()) {
        const auto reached = test::reached_from(graph, span.exit);
        for (const TaskId update : updates) {
            EXPECT_TRUE(reached[update]);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryScheduleStep,
                         testing::ValuesIn(schedule_kinds().begin(), schedule_kinds().end()),
                         [](const auto& instance) {
                             std::string id(instance.param.id);
                             id.insert(id.begin(), '_');
                             std::ranges::replace(id, '-', '_');
                             return id;
                         });

RC_GTEST_PROP(Step, IsBuiltForEveryPlanThatFits, ()) {
    const int ranks = 2 * *rc::gen::inRange(1, 5);
    const int micro_batches = 2 * *rc::gen::inRange(1, 12);
    const auto kind =
        *rc::gen::elementOf(std::vector<ScheduleKind>(schedule_kinds().begin(), schedule_kinds().end()));
    ParallelPlan plan = small_plan(ranks, micro_batches);
    plan.precision = *rc::gen::element(Precision::bf16, Precision::fp8_block);
    plan.overlap = *rc::gen::arbitrary<bool>();
    plan.zero = *rc::gen::inRange(0, 2);
    plan.expert = *rc::gen::element(1, 2, 8);
    plan.pipeline_send = *rc::gen::element(PipelineSend::blocking, PipelineSend::overlapped);
    const ScheduleSize size{ranks, micro_batches};
    RC_PRE(kind.fault(size).empty());
    const Schedule schedule = kind.make(size);
    const ModelArch model = small_moe(schedule.stages + *rc::gen::inRange(0, 6), *rc::gen::inRange(0, 2));
    const TaskGraph graph = build_step(model, plan, schedule, 8);
    RC_ASSERT(graph.order().size() == graph.tasks().size());
    // Every layer, MTP's included: forward, backward and weight gradient of attention and FFN.
    const auto layers = static_cast<std::size_t>(model.layers + model.mtp_modules);
    const auto count = runs(graph);
    const std::size_t compute = static_cast<std::size_t>(std::ranges::count_if(count, [](const auto& entry) {
        const std::string_view name = std::get<0>(entry.first);
        return name.starts_with("attn") || name.starts_with("mlp");
    }));
    RC_ASSERT(compute == 6 * layers * static_cast<std::size_t>(micro_batches));
}

TEST(Step, BlockingSendHoldsTheRankAndAnOverlappedOneDoesNot) {
    ParallelPlan plan = small_plan(2, 4);
    for (const PipelineSend mode : {PipelineSend::blocking, PipelineSend::overlapped}) {
        plan.pipeline_send = mode;
        const TaskGraph graph = step("1f1b", 2, 4, plan);
        const TaskId first_send = test::tasks_named(graph, "send(F)").front();
        const ActionSpan& span = graph.actions()[static_cast<std::size_t>(graph.tasks()[first_send].action)];
        EXPECT_EQ(test::reached_from(graph, first_send)[span.exit], mode == PipelineSend::blocking);
    }
}

// dualpipe.py commits its sends at the start of the next chunk, behind all kernels of this one.
TEST(Step, BlockingSendStartsBehindThePairsLastKernel) {
    ParallelPlan plan = small_plan(4, 8);
    plan.split = {2, 2, 2, 2}; // every layer of a pair has a partner
    for (const PipelineSend mode : {PipelineSend::blocking, PipelineSend::overlapped}) {
        plan.pipeline_send = mode;
        const TaskGraph graph = build_step(small_moe(8), plan, make_schedule("dualpipe", 4, 8), 8);
        const auto action = [&](TaskId id) { return graph.tasks()[id].action; };
        const auto sends = test::tasks_named(graph, "send(B)");
        const auto send = std::ranges::find_if(sends, [&](TaskId id) {
            return graph.actions()[static_cast<std::size_t>(action(id))].action.kind ==
                   ActionKind::overlapped;
        });
        ASSERT_NE(send, sends.end());
        const auto weights = test::tasks_named(graph, "attn(W)");
        const auto last = std::ranges::find(weights.rbegin(), weights.rend(), action(*send), action);
        ASSERT_NE(last, weights.rend());
        EXPECT_EQ(test::reached_from(graph, *last)[*send], mode == PipelineSend::blocking);
    }
}

TEST(Step, SendsWithinANodeWhereNeighboursShareOne) {
    ParallelPlan plan = small_plan(4, 8);
    plan.data = 4;
    plan.expert = 4; // ranks 0 and 1 on the first node of 8 GPUs, 2 and 3 on the second
    const TaskGraph graph = step("1f1b", 4, 8, plan);
    for (const TaskId id : test::tasks_named(graph, "send(F)")) {
        const bool crosses = graph.tasks()[id].rank == 1;
        EXPECT_EQ(transfer(graph, id).ranks_per_node, crosses ? 1 : 2) << graph.describe(id);
    }
    const TaskGraph wide = step("1f1b", 4, 8);
    for (const TaskId id : test::tasks_named(wide, "send(B)")) {
        EXPECT_EQ(transfer(wide, id).ranks_per_node, 1);
    }
}

TEST(Step, ReducesGradientsOverAllCopiesOfAParameter) {
    ParallelPlan plan = small_plan(4, 8);
    plan.data = 32; // four nodes and four expert groups of 8 on every pipeline rank
    for (const auto& [schedule, copies] : {std::pair{"1f1b", 1}, std::pair{"dualpipe", 2}}) {
        const TaskGraph graph = step(schedule, 4, 8, plan);
        std::set<std::pair<int, int>> groups;
        for (const TaskId id : test::tasks_named(graph, "gradient reduction")) {
            EXPECT_EQ(transfer(graph, id).kind, TransferKind::reduce_scatter);
            groups.insert({transfer(graph, id).ranks, transfer(graph, id).ranks_per_node});
        }
        EXPECT_THAT(groups, ElementsAre(std::pair{4 * copies, 1}, std::pair{32 * copies, 8})) << schedule;
    }
}

TEST(Step, ReducesInFp32AndGathersInBf16) {
    const TaskGraph graph = step("1f1b", 4, 8);
    const auto reductions = test::tasks_named(graph, "gradient reduction");
    const auto gatherings = test::tasks_named(graph, "parameter gathering");
    ASSERT_EQ(reductions.size(), 4u); // replicated parameters; no second expert group
    ASSERT_EQ(gatherings.size(), 4u);
    hw::Bytes reduced;
    hw::Bytes gathered;
    for (std::size_t i = 0; i < 4; ++i) {
        reduced += transfer(graph, reductions[i]).bytes;
        gathered += transfer(graph, gatherings[i]).bytes;
        EXPECT_EQ(transfer(graph, gatherings[i]).kind, TransferKind::all_gather);
    }
    EXPECT_EQ(reduced, 2.0 * gathered);
    std::int64_t replicated = 0;
    for (const auto& blocks : split_stages(small_moe(6), small_plan(4, 8), 4)) {
        replicated += stage_parameters(small_moe(6), small_plan(4, 8), blocks).replicated;
    }
    EXPECT_EQ(reduced, hw::Bytes(4.0 * static_cast<double>(replicated)));
}

TEST(Step, ShardsTheOptimizerOnlyUnderZero) {
    ParallelPlan plan = small_plan(2, 4);
    const auto read = [&](int zero) {
        plan.zero = zero;
        const TaskGraph graph = step("1f1b", 2, 4, plan);
        const bool gathers = !test::tasks_named(graph, "parameter gathering").empty();
        const TransferKind kind =
            transfer(graph, test::tasks_named(graph, "gradient reduction").front()).kind;
        EXPECT_EQ(gathers, zero == 1);
        EXPECT_EQ(kind, zero == 1 ? TransferKind::reduce_scatter : TransferKind::all_reduce);
        const Task& update = graph.tasks()[test::tasks_named(graph, "optimizer").front()];
        return graph.computes()[static_cast<std::size_t>(update.work)].operators.front().read;
    };
    // Experts are held once in this plan, so only the replicated part shrinks.
    const Schedule schedule = make_schedule("1f1b", 2, 4);
    const auto held = stage_parameters(small_moe(4), plan, split_stages(small_moe(4), plan, 2).front());
    const double per_parameter = 4.0 + 4.0 + 8.0; // gradient, master, two FP32 moments
    EXPECT_EQ(read(0), hw::Bytes(per_parameter * static_cast<double>(held.expert + held.replicated)));
    EXPECT_EQ(read(1), hw::Bytes(per_parameter * (static_cast<double>(held.expert) +
                                                  static_cast<double>(held.replicated) / 8)));
}

TEST(Step, GivesTheWholeDeviceToWhatRunsAlone) {
    const TaskGraph graph = step("1f1b", 4, 8); // no pairs
    for (const TransferWork& work : graph.transfers()) {
        EXPECT_FALSE(work.beside_compute) << work.name;
    }
    for (const ComputeWork& work : graph.computes()) {
        EXPECT_EQ(work.occupancy, (hw::Occupancy{0, false})) << work.name;
    }
}

TEST(Step, HasNoExpertTrafficInADenseModel) {
    const TaskGraph graph = build_step(small_dense(6), small_plan(4, 8), make_schedule("dualpipe", 4, 8), 8);
    for (const Task& task : graph.tasks()) {
        EXPECT_NE(task.stream, Stream::expert_comm);
    }
    for (const ComputeWork& work : graph.computes()) {
        EXPECT_EQ(work.occupancy, (hw::Occupancy{0, false})) << work.name;
    }
}

TEST(Step, SkipsThePartnerThatAShorterStageLacks) {
    ParallelPlan plan = small_plan(2, 4);
    plan.split = {3, 1};
    const TaskGraph graph = step("dualpipe", 2, 4, plan);
    for (const auto& [key, times] : runs(graph)) {
        EXPECT_EQ(times, 1) << std::get<0>(key) << " layer " << std::get<1>(key);
    }
    // A pair of stage 1's one layer and stage 0's three: only the first that runs backward has a partner.
    std::map<int, bool> beside;
    for (const TaskId id : test::tasks_named(graph, "dispatch(B)")) {
        const Task& task = graph.tasks()[id];
        const Action& action = graph.actions()[static_cast<std::size_t>(task.action)].action;
        if (action.kind == ActionKind::overlapped && action.backward_stage == Stage{0}) {
            beside[task.layer] = transfer(graph, id).beside_compute;
        }
    }
    EXPECT_THAT(beside, ElementsAre(std::pair{1, false}, std::pair{2, true}));
}

TEST(Step, SharesOneWorkAmongAllTasksThatRepeatIt) {
    const TaskGraph few = step("dualpipe", 4, 8);
    const TaskGraph many = step("dualpipe", 4, 40);
    EXPECT_EQ(few.computes().size(), many.computes().size());
    EXPECT_EQ(few.transfers().size(), many.transfers().size());
    for (std::size_t i = 0; i < many.computes().size(); ++i) {
        EXPECT_EQ(std::ranges::count(many.computes(), many.computes()[i]), 1) << many.computes()[i].name;
    }
}

TEST(Step, RefusesAScheduleThatCannotRun) {
    Schedule schedule = make_schedule("1f1b", 2, 4);
    schedule.order[1].pop_back();
    try {
        build_step(small_moe(4), small_plan(2, 4), schedule, 8);
        FAIL() << "accepted";
    } catch (const std::invalid_argument& error) {
        EXPECT_THAT(error.what(),
                    testing::HasSubstr("schedule '1f1b' cannot run: input gradient of stage 1 for "
                                       "micro-batch 3 is missing"));
    }
}

} // namespace chokepoint::work
