// SPDX-License-Identifier: Apache-2.0
// Laws of the network in a whole step: what crosses a thin fabric, how far groups lie apart, and who suffers
// when links are capped.
#include <chokepoint/sim/run.hpp>

#include <gtest/gtest.h>

#include <filesystem>

using namespace chokepoint;
using hw::Seconds;

namespace {

/// Leaves of one node each: whatever goes from node to node climbs an uplink.
constexpr std::string_view kThin = R"(
title = "Two stages of 64 GPUs"
[cluster]
gpu = "h800-sxm"
nodes = 16
[cluster.fabric]
name = "fat-tree-2"
radix = 16
[model]
arch = "deepseek-v3"
layers = 4
dense_layers = 1
[plan]
pipeline = 2
expert = 64
schedule = "1f1b"
micro_batch = 1
global_batch = 512
precision = "fp8-block"
zero = 1
recompute = ["norm", "attention_up_projection", "activation"]
)";

sim::Scenario thin(std::vector<std::string> overrides, std::string_view more = "") {
    return sim::parse_scenario(std::string(kThin) + std::string(more), "thin.toml",
                               {std::move(overrides), {}});
}

sim::StepRun simulated(const sim::Scenario& s, sim::Fold fold = sim::Fold::automatic) {
    return sim::run_step(s, s.plan(), {.progress = {}, .cache = nullptr, .fold = fold});
}

Seconds step(const sim::Scenario& s) { return simulated(s).timeline.makespan; }

sim::Scenario shipped(const std::string& file, std::vector<std::string> overrides) {
    return sim::load_scenario(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios" / file,
                              {std::move(overrides), {}});
}

/// How much longer the step takes than on the whole H100.
double slowdown(const std::string& file, int nvlink) {
    const auto at = [&](int cap) {
        return step(
            shipped(file, {"cluster.gpu=h100-sxm", "cluster.caps.nvlink=" + std::to_string(cap) + " GB/s"}));
    };
    return at(nvlink) / at(900) - 1.0;
}

/// What a GPU of pipeline rank 0 sends over its NIC in a step, and how long that takes where nothing else
/// does.
struct Sent {
    hw::Bytes bytes;
    Seconds time;
};
Sent sent_by_first_rank(const sim::StepRun& step) {
    Sent sum;
    for (const work::Task& task : step.graph.tasks()) {
        if (task.kind == work::TaskKind::transfer && task.rank == 0) {
            for (const hw::PortFlow& flow : step.costs.transfer[static_cast<std::size_t>(task.work)].flows) {
                if (flow.port == hw::Port::nic) {
                    sum.bytes += flow.bytes;
                    sum.time += flow.bytes / flow.rate_cap;
                }
            }
        }
    }
    return sum;
}

} // namespace

TEST(Oversubscription, StretchesTheStepByWhatClimbsTheUplinks) {
    const sim::StepRun broad = simulated(thin({}));
    ASSERT_TRUE(broad.network.links.empty()) << "a non-blocking fabric shares nothing";
    // 16 ports at 7:1: two lead up, so that eight NICs of 50 GB/s share 100 GB/s.
    const sim::StepRun narrow = simulated(thin({"cluster.fabric.oversubscription=7"}));
    ASSERT_FALSE(narrow.network.links.empty());
    const Sent sent = sent_by_first_rank(broad);
    const Seconds climb = sent.bytes / hw::BytesPerSecond(100e9 / 8.0);
    EXPECT_GT(narrow.timeline.makespan, climb);
    EXPECT_LT(narrow.timeline.makespan, broad.timeline.makespan + climb);
    // 1F1B hides next to nothing of it: what is missing is what the ports took of the broad step.
    EXPECT_GT(narrow.timeline.makespan, 0.95 * (broad.timeline.makespan + climb - sent.time));
}

TEST(Oversubscription, SparesGroupsThatDoNotLeaveTheirLeaf) {
    // What more micro-batches lose: gradients cross once a step in either order, tokens with each of them.
    const auto lost = [](const std::string& order) {
        const auto at = [&](const char* ratio, const char* batch) {
            return step(thin({"plan.expert=8", "plan.rank_order=" + order,
                              std::string("cluster.fabric.oversubscription=") + ratio,
                              std::string("plan.global_batch=") + batch}));
        };
        return at("7", "2048") - at("7", "1024") - (at("1", "2048") - at("1", "1024"));
    };
    const Seconds in_nodes = lost("tp-cp-ep-dp-pp");
    const Seconds across = lost("tp-cp-dp-ep-pp");
    EXPECT_GT(across, 5.0 * in_nodes);
    EXPECT_GT(across, Seconds(0.1));
}

TEST(Oversubscription, FoldsAsItIsUnfolded) {
    const sim::Scenario s = thin({"cluster.fabric.oversubscription=7", "plan.global_batch=128"},
                                 "[[perturb]]\nlink = \"uplink\"\nleaf = 3\nfactor = 0.5\n");
    const sim::StepRun folded = simulated(s);
    const sim::StepRun full = simulated(s, sim::Fold::none);
    EXPECT_LT(folded.classes.size(), full.classes.size());
    EXPECT_NEAR(folded.timeline.makespan / full.timeline.makespan, 1.0, 1e-9);
    EXPECT_GT(full.timeline.makespan,
              step(thin({"cluster.fabric.oversubscription=7", "plan.global_batch=128"})));
}

TEST(Perturb, OfABroadUplinkSlowsThoseBelowIt) {
    const Seconds sound = step(thin({}));
    const auto degraded = [](const char* factor) {
        return step(thin({}, std::string("[[perturb]]\nlink = \"uplink\"\nleaf = 0\nfactor = ") + factor));
    };
    EXPECT_EQ(degraded("1.0"), sound);
    EXPECT_GT(degraded("0.1"), 1.2 * sound);
}

TEST(GroupDistance, IsThatOfTheGroupNotOfTheFabric) {
    // 32 NICs a leaf: an expert group of 8 nodes fills two leaves of a fat tree, and a fraction of a plane's.
    const auto dispatch_latency = [](std::vector<std::string> overrides) {
        overrides.emplace_back("cluster.fabric.radix=64");
        overrides.emplace_back("plan.dispatcher=deepep");
        const sim::Scenario s = thin(std::move(overrides));
        const sim::StepRun step = simulated(s);
        for (std::size_t i = 0; i < step.graph.transfers().size(); ++i) {
            if (step.graph.transfers()[i].kind == work::TransferKind::dispatch) {
                return step.costs.transfer[i].latency - s.cluster().node.nvlink_latency;
            }
        }
        return Seconds();
    };
    EXPECT_NEAR(dispatch_latency({}).value(), 3.7e-6, 1e-12);
    EXPECT_NEAR(dispatch_latency({"cluster.fabric.name=multi-plane"}).value(), 2.8e-6, 1e-12);
    EXPECT_NEAR(dispatch_latency({"plan.expert=32"}).value(), 2.8e-6, 1e-12);
}

TEST(CappedNvlink, CostsATensorParallelPlanAMultipleOfWhatItCostsDeepSeeks) {
    const double deepseek = slowdown("deepseek-v3-h800.toml", 100);
    const double naive = slowdown("deepseek-v3-tp8.toml", 100);
    EXPECT_GT(deepseek, 0.3);
    EXPECT_GT(naive, 2.5 * deepseek);
}

TEST(CappedNvlink, AtTheH800sRateCostsDeepSeekNextToNothingAndATensorParallelPlanAQuarter) {
    EXPECT_LT(slowdown("deepseek-v3-h800.toml", 400), 0.01);
    EXPECT_GT(slowdown("deepseek-v3-tp8.toml", 400), 0.25);
}
