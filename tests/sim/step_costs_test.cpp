// SPDX-License-Identifier: Apache-2.0
// That work is priced as the hardware models say, and that the slowest member of a group is expected, not
// assumed.
#include <chokepoint/sim/step_costs.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>
#include <random>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::KernelClass;
using hw::Seconds;

/// One millisecond a launch, twice that beside a transfer.
class LaunchCounter final : public hw::CostModel {
public:
    [[nodiscard]] hw::Estimate estimate(const hw::Operator& op,
                                        const hw::Occupancy& occupancy) const override {
        return {Seconds(1e-3 * op.launches * (occupancy.beside_transfer ? 2.0 : 1.0)), 0.1 * op.launches,
                false};
    }
};

hw::Operator kernel(KernelClass kernel_class, int launches) {
    return hw::streaming("kernel", kernel_class, 1_MB, 1_MB, launches);
}

hw::Cluster h800_like() {
    hw::Cluster cluster;
    cluster.node.gpu.nvlink = 400_GBps;
    cluster.node.gpu.nvlink_achievable = 160_GBps;
    cluster.node.gpu.memory_bandwidth = 3350_GBps;
    cluster.node.nic = 400_Gbps;
    cluster.node.gpus = 8;
    cluster.node.nics = 8;
    cluster.nodes = 8;
    return cluster;
}

work::ModelArch sparse_model() {
    work::ModelArch arch;
    arch.moe.experts = 256;
    arch.moe.top_k = 8;
    arch.moe.max_nodes = 4;
    return arch;
}

hw::TransferRates rates() {
    const hw::MoeRates dispatch{
        .nvlink_within_node = 0.75, .nvlink_forwarding = 0.6, .nic = {{8, 0.9}}, .beside_compute = 1.5};
    hw::MoeRates combine = dispatch;
    combine.nic = {{8, 0.8}};
    hw::TransferRates rates{.dispatch = dispatch, .combine = combine, .nic = 0.9, .collectives = {}};
    for (const auto op : hw::all_collectives()) {
        rates.collectives.push_back({"any",
                                     op,
                                     hw::Algorithm::ring,
                                     {{"simple", std::nullopt, hw::Seconds(1e-5), 0.5, 0.7, 0.2, 0.0}}});
    }
    return rates;
}

/// Routed and other kernels in one task; the dispatch behind it waits for the slowest of its 64 members.
work::StepGraph routed_step() {
    work::StepGraph step;
    step.ranks = 2;
    work::ComputeWork compute;
    compute.name = "mlp(F)";
    compute.operators = {kernel(KernelClass::permute, 1), kernel(KernelClass::grouped_gemm, 2),
                         kernel(KernelClass::gemm, 4), kernel(KernelClass::swiglu_fwd, 1)};
    compute.occupancy.beside_transfer = true;
    step.computes.push_back(compute);
    work::TransferWork dispatch;
    dispatch.name = "dispatch(F)";
    dispatch.kind = work::TransferKind::dispatch;
    dispatch.tokens = 4096;
    dispatch.per_token = hw::Bytes(7392.0);
    dispatch.ranks = 64;
    work::TransferWork combine = dispatch;
    combine.name = "combine(F)";
    combine.kind = work::TransferKind::combine;
    combine.uneven = {{0}};
    step.transfers = {dispatch, combine};
    return step;
}

sim::StepCosts cost(work::StepGraph step, double imbalance) {
    work::ParallelPlan plan;
    plan.routing_imbalance = imbalance;
    return sim::cost_step(work::TaskGraph(std::move(step)), sparse_model(), plan, h800_like(),
                          LaunchCounter{}, rates());
}

TEST(StepCosts, ComputeIsTheSumOfItsKernelsBesideWhatElseRuns) {
    const sim::StepCosts costs = cost(routed_step(), 0.0);
    ASSERT_EQ(costs.compute.size(), 1U);
    EXPECT_NEAR(costs.compute[0].value(), 16e-3, 1e-12);
    EXPECT_EQ(costs.operator_seconds[0],
              (std::vector<Seconds>{Seconds(2e-3), Seconds(4e-3), Seconds(8e-3), Seconds(2e-3)}));
    EXPECT_THAT(costs.operator_sigma[0], testing::ElementsAre(0.1, 0.2, 0.4, 0.1));
}

/// Every kernel in as long as the SMs that are left take.
class SharedAmongSms final : public hw::CostModel {
public:
    [[nodiscard]] hw::Estimate estimate(const hw::Operator&, const hw::Occupancy& occupancy) const override {
        EXPECT_LT(occupancy.sms_held, 132);
        return {Seconds(1.0 / (132 - occupancy.sms_held)), 0.0, false};
    }
};

TEST(StepCosts, ACollectiveHoldsSmsAndNeverAll) {
    hw::Cluster cluster = h800_like();
    cluster.node.gpu.sm_count = 132;
    const auto beside = [&](int held) {
        work::StepGraph step = routed_step();
        step.computes[0].occupancy.sms_held = held;
        return sim::cost_step(work::TaskGraph(std::move(step)), sparse_model(), {}, cluster, SharedAmongSms{},
                              rates())
            .beside.at(0);
    };
    EXPECT_DOUBLE_EQ(beside(0), 132.0 / 116.0);
    EXPECT_DOUBLE_EQ(beside(20), 112.0 / 96.0);
    EXPECT_DOUBLE_EQ(beside(120), 12.0 / 1.0);
    EXPECT_DOUBLE_EQ(beside(131), 1.0);
}

TEST(StepCosts, TheSlowestGpuSetsThePaceOfArithmeticAlone) {
    work::StepGraph step = routed_step();
    step.computes[0].operators.push_back(
        hw::streaming("stream", hw::KernelClass::add, hw::Bytes(1.0), hw::Bytes(1.0)));
    const work::TaskGraph graph(std::move(step));
    const sim::StepCosts before =
        sim::cost_step(graph, sparse_model(), {}, h800_like(), LaunchCounter{}, rates());
    const auto paced = [&](int gpus) {
        sim::StepCosts costs = before;
        sim::pace_by_slowest(costs, graph, 0.02, gpus);
        return costs;
    };
    EXPECT_EQ(paced(1).operator_seconds, before.operator_seconds);
    const sim::StepCosts of_64 = paced(64);
    Seconds total;
    for (std::size_t i = 0; i < graph.computes()[0].operators.size(); ++i) {
        const bool streams = hw::is_memory_bound(graph.computes()[0].operators[i].kernel);
        const double expected = streams ? 1.0 : 1.0 + 0.02 * sim::expected_maximum(64);
        EXPECT_NEAR(of_64.operator_seconds[0][i] / before.operator_seconds[0][i], expected, 1e-12);
        total += of_64.operator_seconds[0][i];
    }
    EXPECT_NEAR(of_64.compute[0] / total, 1.0, 1e-12);
    EXPECT_GT(paced(2048).compute[0], of_64.compute[0]);
}

TEST(StepCosts, PortsAreOneDirectionOfOneGpusShare) {
    const sim::StepCosts costs = cost(routed_step(), 0.0);
    EXPECT_EQ(costs.nvlink, 200_GBps);
    EXPECT_EQ(costs.nic, 50_GBps);
    hw::Cluster half = h800_like();
    half.node.nics = 4;
    const work::TaskGraph graph(routed_step());
    EXPECT_EQ(sim::cost_step(graph, sparse_model(), {}, half, LaunchCounter{}, rates()).nic, 25_GBps);
}

TEST(StepCosts, EachTransferIsPricedAsItsKind) {
    const sim::StepCosts costs = cost(routed_step(), 0.0);
    const hw::ExpertRouting routing{
        .experts = 256, .top_k = 8, .ranks = 64, .ranks_per_node = 8, .max_nodes = 4};
    const auto moe = [&](hw::MoeDirection direction) {
        return hw::moe_transfer(rates(), h800_like(), routing, direction, 4096, hw::Bytes(7392.0), false);
    };
    EXPECT_EQ(costs.transfer[0], moe(hw::MoeDirection::dispatch));
    EXPECT_EQ(costs.transfer[1], moe(hw::MoeDirection::combine));
    EXPECT_NE(costs.transfer[0], costs.transfer[1]);
}

TEST(StepCosts, CollectivesAndSendsArePricedAsTheirKind) {
    work::StepGraph step;
    step.ranks = 2;
    work::TransferWork work;
    work.bytes = 100_MB;
    work.ranks = 16;
    for (const auto kind : {work::TransferKind::reduce_scatter, work::TransferKind::all_gather,
                            work::TransferKind::all_reduce, work::TransferKind::pipeline}) {
        work.kind = kind;
        step.transfers.push_back(work);
    }
    work.ranks_per_node = 1;
    step.transfers.push_back(work); // a send between nodes
    const sim::StepCosts costs = cost(std::move(step), 0.0);
    const auto collective = [](hw::Collective kind) {
        return hw::collective(rates(), h800_like(), kind, 100_MB, 16, 8);
    };
    EXPECT_EQ(costs.transfer[0], collective(hw::Collective::reduce_scatter));
    EXPECT_EQ(costs.transfer[1], collective(hw::Collective::all_gather));
    EXPECT_EQ(costs.transfer[2], collective(hw::Collective::all_reduce));
    EXPECT_EQ(costs.transfer[3], hw::point_to_point(rates(), h800_like(), 100_MB, false));
    EXPECT_EQ(costs.transfer[4], hw::point_to_point(rates(), h800_like(), 100_MB, true));
}

TEST(StragglerWait, GrowsWithRoutedKernelsOnly) {
    const sim::StepCosts costs = cost(routed_step(), 0.08);
    EXPECT_EQ(costs.straggler_wait[0], Seconds(0.0)); // waits for nothing imbalanced
    // Permutation and grouped GEMM take 6 ms of the 16.
    EXPECT_NEAR(costs.straggler_wait[1].value(), 6e-3 * 0.08 * sim::expected_maximum(64), 1e-12);
    EXPECT_EQ(cost(routed_step(), 0.0).straggler_wait[1], Seconds(0.0));
}

TEST(ExpectedMaximum, MatchesTheClosedForms) {
    // H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed., 2003: 1/sqrt(pi) of two, 3/(2 sqrt(pi)) of
    // three.
    EXPECT_EQ(sim::expected_maximum(1), 0.0);
    EXPECT_NEAR(sim::expected_maximum(2), std::numbers::inv_sqrtpi, 1e-12);
    EXPECT_NEAR(sim::expected_maximum(3), 1.5 * std::numbers::inv_sqrtpi, 1e-12);
    EXPECT_THROW(sim::expected_maximum(0), std::invalid_argument);
}

TEST(ExpectedMaximum, MatchesSampling) {
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    constexpr int kTrials = 20000;
    double sum = 0.0;
    for (int trial = 0; trial < kTrials; ++trial) {
        double largest = normal(random);
        for (int member = 1; member < 64; ++member) {
            largest = std::max(largest, normal(random));
        }
        sum += largest;
    }
    EXPECT_NEAR(sim::expected_maximum(64), sum / kTrials, 0.015); // the mean scatters by 0.003
}

TEST(ExpectedMaximum, GrowsWithMembersEvenForMany) {
    for (int members = 1; members < 2000000; members *= 2) {
        EXPECT_LT(sim::expected_maximum(members), sim::expected_maximum(2 * members));
    }
}

} // namespace
} // namespace chokepoint::test
