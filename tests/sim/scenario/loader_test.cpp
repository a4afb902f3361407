// SPDX-License-Identifier: Apache-2.0
// What a sound scenario becomes: fields, defaults, overrides, and the origin of each value.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace chokepoint;
using namespace chokepoint::hw::literals;
using test::load;
using test::value;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// The job of the H800 scenario as DeepSeek describes it.
void expect_published_job(const sim::Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    EXPECT_EQ(scenario.cluster().gpus(), 2048);
    EXPECT_EQ(plan.data, 128);
    EXPECT_EQ(plan.micro_batches(), 120);
    EXPECT_EQ(plan.precision, work::Precision::fp8_block);
    EXPECT_EQ(plan.recompute, (work::Recompute{true, true, true}));
    EXPECT_DOUBLE_EQ(scenario.campaign().tokens, 14.8e12);
    EXPECT_DOUBLE_EQ(scenario.campaign().ramp_tokens, 469e9);
    EXPECT_EQ(scenario.campaign().ramp_from, 3072);
    EXPECT_NEAR(scenario.campaign().price.value() * hw::kHour / hw::Usd(1.0), 2.0, 1e-12);
    EXPECT_TRUE(scenario.warnings().empty());
}

} // namespace

TEST(ShippedScenarios, LoadWithoutWarnings) {
    for (const auto& file : test::toml_files(test::kSource / "scenarios")) {
        SCOPED_TRACE(file);
        EXPECT_TRUE(sim::load_scenario(file).warnings().empty());
    }
}

TEST(ShippedScenarios, AreThePublishedJobOnBothParts) {
    const auto h800 = sim::load_scenario(test::kSource / "scenarios/deepseek-v3-h800.toml");
    const auto h100 = sim::load_scenario(test::kSource / "scenarios/deepseek-v3-h100.toml");
    expect_published_job(h800);
    expect_published_job(h100);
    EXPECT_EQ(h800.plan(), h100.plan());
    EXPECT_EQ(h800.model(), h100.model());
    EXPECT_EQ(h800.campaign(), h100.campaign());
    EXPECT_EQ(h800.cluster().node.gpu.id, "h800-sxm");
    EXPECT_EQ(h100.cluster().node.gpu.id, "h100-sxm");
}

// The header of scenarios/small-16-gpus.toml counts by hand.
TEST(ShippedScenarios, SmallOneCountsAsItsHeaderSays) {
    const auto small = sim::load_scenario(test::kSource / "scenarios/small-16-gpus.toml");
    EXPECT_EQ(small.cluster().gpus(), 16);
    EXPECT_EQ(small.plan().data, 8);
    EXPECT_EQ(small.plan().micro_batches(), 4);
    EXPECT_EQ(small.model().moe.experts / small.plan().expert, 2);
    EXPECT_NEAR(work::training_flops_per_token(small.model(), 4096, true).value(), 3.715e9, 0.001e9);
}

TEST(ScenarioLoader, RecomputationHasTheWordsOfTheField) {
    const auto recompute = [](const std::string& value) {
        return load({"plan.recompute=" + value, "plan.enforce_memory=false"}).plan().recompute;
    };
    EXPECT_EQ(recompute("full"), recompute("[\"layer\"]"));
    EXPECT_EQ(recompute("selective"), recompute("[\"core_attention\"]"));
    EXPECT_EQ(recompute("[\"selective\", \"norm\"]"), recompute("[\"norm\", \"core_attention\"]"));
    EXPECT_EQ(recompute("moe"), recompute("[\"moe\"]"));
    EXPECT_EQ(recompute("none"), recompute("[]"));
    EXPECT_THAT(test::faults_of(test::kValid, {"plan.recompute=half"}),
                ElementsAre(HasSubstr("called \"half\"")));
    EXPECT_THAT(test::faults_of(test::kValid, {"plan.recompute=3"}),
                ElementsAre(HasSubstr("found 3; expected \"none\", or one or a list of \"norm\"")));
}

TEST(ScenarioLoader, TakesTheModelFromThePresetAndReplacesSingleKeys) {
    const auto plain = load();
    const auto shallow = load({"model.layers=32", "model.moe.top_k=4"});
    EXPECT_EQ(plain.model().layers, 61);
    EXPECT_EQ(shallow.model().layers, 32);
    EXPECT_EQ(shallow.model().moe.top_k, 4);
    EXPECT_EQ(shallow.model().hidden, plain.model().hidden);
    EXPECT_EQ(shallow.model().attention, plain.model().attention);
}

TEST(ScenarioLoader, DottedKeysAndSectionsMeanTheSame) {
    std::string dotted(test::kValid);
    dotted.insert(dotted.find("[model]"), "caps.nic = \"200 Gb/s\"\n");
    const std::string section = std::string(test::kValid) + "[cluster.caps]\nnic = \"25 GB/s\"\n";
    EXPECT_EQ(load({}, dotted).cluster(), load({}, section).cluster());
    EXPECT_EQ(load({}, section).cluster().node.nic, hw::BytesPerSecond(25e9));
}

TEST(ScenarioLoader, CapsLowerThePartAndKeepTheRest) {
    const auto free = load();
    const auto capped = load({"cluster.caps.nvlink=200 GB/s", "cluster.caps.nic=200 Gb/s"});
    EXPECT_EQ(capped.cluster().node.gpu.nvlink, hw::BytesPerSecond(200e9));
    EXPECT_EQ(capped.cluster().node.nic, free.cluster().node.nic / 2.0);
    EXPECT_EQ(capped.cluster().node.gpu.dense_peak, free.cluster().node.gpu.dense_peak);
}

TEST(ScenarioLoader, CapAboveThePartWarnsAndChangesNothing) {
    const auto capped =
        load({"cluster.caps.nvlink=900 GB/s", "cluster.caps.nic=800 Gb/s", "cluster.caps.tpp=1e6",
              "cluster.caps.memory_bandwidth=9 TB/s", "cluster.caps.fp64=99 TFLOPS"});
    EXPECT_EQ(capped.warnings().size(), 5U);
    EXPECT_THAT(capped.warnings().front().message, HasSubstr("changes nothing"));
    EXPECT_EQ(capped.cluster(), load().cluster());
}

TEST(ScenarioLoader, ALongerWayTakesNoLessThanTheShorterOneThatIsGiven) {
    const auto slow = load({"cluster.fabric.latency_same_leaf=60 us"}).cluster().fabric;
    EXPECT_EQ(slow.latency_cross_leaf, slow.latency_same_leaf);
    EXPECT_EQ(slow.latency_cross_pod, slow.latency_same_leaf);
    EXPECT_THAT(test::faults_of(test::kValid, {"cluster.fabric.latency_same_leaf=60 us",
                                               "cluster.fabric.latency_cross_leaf=50 us"}),
                testing::ElementsAre(HasSubstr("is shorter than")));
}

TEST(ScenarioLoader, MXFP8IsBlackwells) {
    EXPECT_THAT(test::faults_of(test::kValid, {"plan.precision=mxfp8"}),
                testing::ElementsAre(HasSubstr("Blackwell's; h800-sxm has none; expected fp8-block")));
}

TEST(ScenarioLoader, MoreGpusThanTwoTiersJoinTakeAThirdAndAWarning) {
    EXPECT_TRUE(load({"cluster.nodes=2048", "plan.global_batch=122880"}).warnings().empty()); // 16,384 GPUs
    const auto large = load({"cluster.nodes=4096", "plan.global_batch=245760"});
    ASSERT_EQ(large.warnings().size(), 1U);
    EXPECT_EQ(sim::to_text(large.warnings().front(), "warning"),
              "--set cluster.nodes=4096: warning: 32768 NICs (4096 x 8) exceed the 16384 that two tiers of "
              "multi-plane "
              "join; simulated on three tiers");
    EXPECT_EQ(large.cluster().fabric.tiers, 3);
    EXPECT_THROW(load({"cluster.nodes=4096", "cluster.fabric.tiers=2", "plan.global_batch=245760"}),
                 sim::ScenarioError)
        << "asked for two";
}

TEST(ScenarioFabric, ItsNameIsShortForTheSection) {
    std::string table(test::kValid), shorthand(test::kValid);
    table.insert(table.find("[model]"), "[cluster.fabric]\nname = \"fat-tree\"\n");
    shorthand.insert(shorthand.find("[model]"), "fabric = \"fat-tree\"\n");
    EXPECT_EQ(load({}, table).cluster(), load({}, shorthand).cluster());
    EXPECT_EQ(load({"cluster.fabric=fat-tree"}).cluster(), load({}, shorthand).cluster());
    EXPECT_EQ(load({"cluster.fabric.name=multi-plane"}, shorthand).cluster(), load().cluster());
    EXPECT_EQ(load({"cluster.fabric=multi-plane"}, table).cluster(), load().cluster());
}

TEST(ScenarioFabric, AnyParameterReplacesTheNamedFabricsOwn) {
    const auto fabric = [](std::vector<std::string> overrides) {
        return load(std::move(overrides)).cluster().fabric;
    };
    EXPECT_EQ(fabric({"cluster.fabric.oversubscription=3:1"}).oversubscription, 3.0);
    EXPECT_EQ(fabric({"cluster.fabric.oversubscription=3"}).oversubscription, 3.0);
    EXPECT_EQ(fabric({"cluster.fabric.oversubscription=3"}).radix, 64);
    EXPECT_EQ(fabric({"cluster.fabric.planes=4"}).planes, 4);
    EXPECT_EQ(fabric({"cluster.fabric.link=roce"}).latency_cross_leaf, 5.6_us); // arXiv 2505.09343
    EXPECT_EQ(
        fabric({"cluster.fabric.link=roce", "cluster.fabric.latency_cross_leaf=5 us"}).latency_cross_leaf,
        5_us);
    EXPECT_EQ(fabric({"cluster.fabric.kind=rail-optimised"}).kind, hw::FabricKind::rail_optimised);
}

TEST(ScenarioFabric, ANodeWithFewNicsUsesFewPlanes) {
    const auto cluster = load({"cluster.nics_per_node=4"}).cluster();
    EXPECT_EQ(cluster.fabric.planes, 4);
    EXPECT_EQ(load({"cluster.nics_per_node=24"}).cluster().fabric.planes, 8);
    const auto half_rack = [](std::vector<std::string> more) {
        more.insert(more.end(), {"cluster.gpu=gb300", "cluster.node=nvl36-36x800g", "cluster.nodes=64",
                                 "plan.expert=36", "plan.global_batch=17280"});
        return test::faults_of(test::kValid, std::move(more));
    };
    EXPECT_THAT(half_rack({}), testing::Not(testing::Contains(HasSubstr("planes"))))
        << "nobody asked for eight";
    EXPECT_THAT(half_rack({"cluster.fabric=multi-plane"}),
                testing::Contains(HasSubstr("8 planes do not divide the 36 NICs")));
    EXPECT_THAT(test::faults_of(test::kValid, {"cluster.nics_per_node=4", "cluster.fabric.planes=8"}),
                testing::ElementsAre(HasSubstr("8 planes do not divide the 4 NICs")));
}

TEST(ScenarioFabric, ANamedNodeReplacesTheUsualOne) {
    const auto cluster = load({"cluster.gpu=gb300", "cluster.node=nvl576-576x800g", "cluster.nodes=8",
                               "plan.expert=32", "plan.global_batch=17280"})
                             .cluster();
    EXPECT_EQ(cluster.node.gpus, 576);
    EXPECT_EQ(cluster.gpus(), 4608);
}

TEST(ScenarioEstimates, NamesTheFiguresThatARunRestsOn) {
    EXPECT_THAT(load({"cluster.gpu=h100-sxm"}).estimates(),
                testing::Not(testing::Contains(HasSubstr("fp64"))));
    const auto l20 =
        sim::load_scenario(test::kSource / "scenarios/small-16-gpus.toml", {{"cluster.gpu=l20"}, {}})
            .estimates();
    EXPECT_THAT(l20, testing::Contains(HasSubstr("l20: sm_count, pcie_achievable")));
    EXPECT_THAT(l20, testing::Contains(HasSubstr("pcie-8x200g: gpus, nics, nic, nvlink_latency")));
}

TEST(Loader, WhatASoftwareDoesByItselfFollowsFromWhatTellsIt) {
    const auto plan = [](const std::vector<std::string>& overrides) { return load(overrides).plan(); };
    EXPECT_EQ(plan({"plan.schedule=dualpipe"}).dispatcher, work::Dispatcher::deepep);
    EXPECT_EQ(plan({"plan.schedule=1f1b"}).dispatcher, work::Dispatcher::all_to_all);
    EXPECT_EQ(plan({"plan.schedule=1f1b", "plan.dispatcher=deepep"}).dispatcher, work::Dispatcher::deepep);
    const auto wide = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"cluster.gpu=gb300", "cluster.node=nvl576-576x800g", "cluster.nodes=8",
                                 "plan.expert=32", "plan.global_batch=17280"});
        return plan(more);
    };
    EXPECT_EQ(wide({"plan.schedule=1f1b"}).dispatcher, work::Dispatcher::hybrid_ep);
    EXPECT_EQ(wide({"plan.schedule=dualpipe"}).dispatcher, work::Dispatcher::deepep);
    EXPECT_EQ(wide({}).cuda_graphs, (work::CudaGraphs{.attention = true, .router = true}));
    EXPECT_EQ(wide({"plan.cuda_graphs=[]"}).cuda_graphs, work::CudaGraphs{});
    EXPECT_EQ(plan({}).cuda_graphs, work::CudaGraphs{});
    EXPECT_EQ(plan({"plan.schedule=1f1b"}).pipeline_send, work::PipelineSend::blocking);
    EXPECT_EQ(plan({"plan.schedule=interleaved-1f1b", "plan.virtual_stages=2", "plan.global_batch=16384"})
                  .pipeline_send,
              work::PipelineSend::overlapped);
    const auto loss = [&](std::vector<std::string> overrides) {
        overrides.insert(overrides.end(), {"plan.precision=bf16", "plan.enforce_memory=false"});
        return plan(overrides).cross_entropy;
    };
    EXPECT_EQ(loss({}), work::CrossEntropy::fused);
    EXPECT_EQ(loss({"plan.elementwise=eager"}), work::CrossEntropy::eager);
    EXPECT_EQ(loss({"plan.elementwise=eager", "plan.cross_entropy=in-place"}), work::CrossEntropy::in_place);
}

TEST(ScenarioLoader, CommunicationSmsFollowThePart) {
    EXPECT_EQ(load().plan().communication_sms, 20);                        // of 132
    EXPECT_EQ(load({"cluster.gpu=h20-sxm"}).plan().communication_sms, 12); // of 78
    EXPECT_EQ(load({"cluster.gpu=h20-sxm", "plan.communication_sms=16"}).plan().communication_sms, 16);
}

TEST(ScenarioOverride, ReadsTomlValuesAndBareText) {
    const auto scenario = load({"plan.expert=32", "plan.schedule=1f1b", "plan.routing_imbalance = 0.1",
                                "plan.recompute=[\"norm\", \"activation\"]", "plan.zero=1", "title=2048",
                                "campaign.tokens=14.8e12", "cluster.nic=200 Gb/s", "plan.sequence=2048"});
    EXPECT_EQ(scenario.plan().expert, 32);
    EXPECT_EQ(scenario.plan().schedule, "1f1b");
    EXPECT_DOUBLE_EQ(scenario.plan().routing_imbalance, 0.1);
    EXPECT_EQ(scenario.plan().recompute, (work::Recompute{true, false, true}));
    EXPECT_EQ(scenario.title(), "2048");
    EXPECT_DOUBLE_EQ(scenario.campaign().tokens, 14.8e12);
    EXPECT_EQ(scenario.cluster().node.nic, hw::BytesPerSecond(25e9));
}

TEST(ScenarioOverride, LastOneWinsAndReplacesAFaultyValue) {
    std::string text(test::kValid);
    text.replace(text.find("expert = 64"), 11, "expert = 'a'");
    EXPECT_EQ(load({"plan.expert=16", "plan.expert=32"}, text).plan().expert, 32);
}

TEST(ScenarioOverride, FaultsNameTheOverride) {
    EXPECT_THAT(
        test::faults_of(test::kValid, {"plan.expert=48", "plan.expart=1", "plan.expert", "=3"}),
        testing::UnorderedElementsAre(
            "--set plan.expert=48: error: expert (48) does not divide the 128 ranks of a pipeline stage "
            "(2048 / 16)",
            "--set plan.expert=48: error: expert (48) does not divide the 256 routed experts",
            "--set plan.expart=1: error: unknown key 'expart' in [plan]; did you mean 'expert'?",
            "--set plan.expert: error: expected KEY=VALUE, such as plan.expert=32",
            "--set =3: error: expected KEY=VALUE, such as plan.expert=32"));
}

TEST(ScenarioOverride, CannotSmuggleInASecondKey) {
    EXPECT_THAT(
        test::faults_of(test::kValid, {"plan.expert=64\nzero = 0"}),
        ElementsAre(
            "--set plan.expert=64\\nzero = 0: error: expert: found \"64\\nzero = 0\"; expected a whole "
            "number from 1 to 65536"));
}

TEST(ResolvedScenario, SaysWhereEachValueComesFrom) {
    const auto scenario = load({"plan.expert=32"});
    const auto expect = [&](std::string_view key, std::string_view text, sim::Origin origin,
                            std::string_view where) {
        const sim::ResolvedValue& resolved = value(scenario, key);
        EXPECT_EQ(resolved.text, text) << key;
        EXPECT_EQ(resolved.origin, origin) << key;
        EXPECT_THAT(resolved.where, HasSubstr(std::string(where))) << key;
    };
    expect("cluster.nodes", "256", sim::Origin::file, "v3.toml:4:9");
    expect("plan.expert", "32", sim::Origin::override_, "--set");
    expect("model.hidden", "7168", sim::Origin::preset, "arXiv 2412.19437");
    expect("plan.sequence", "4096", sim::Origin::default_, "DeepSeek-V3");
    expect("plan.communication_sms", "20", sim::Origin::derived, "20 of 132");
    expect("cluster.nvlink_latency", "3.330 us", sim::Origin::catalog, "2505.09343");
    expect("part.nvlink", "400 GB/s", sim::Origin::catalog, "h800-sxm");
    expect("cluster.caps.nic", "none", sim::Origin::default_, "no cap");
    expect("campaign.tokens", "none", sim::Origin::default_, "no campaign");
    expect("derived.micro_batches", "120", sim::Origin::derived, "global_batch / (data x micro_batch)");
}

TEST(ResolvedScenario, CarriesBaseUnits) {
    const auto scenario = load({"cluster.caps.nvlink=200 GB/s", "campaign.price=2.00 USD/GPU-h"});
    EXPECT_DOUBLE_EQ(value(scenario, "cluster.caps.nvlink").base, 200e9);
    EXPECT_DOUBLE_EQ(value(scenario, "campaign.price").base, 2.0 / 3600.0);
    EXPECT_DOUBLE_EQ(value(scenario, "cluster.nvlink_latency").base, 3.33e-6);
    EXPECT_DOUBLE_EQ(value(scenario, "plan.overlap").base, 1.0);
    EXPECT_FALSE(value(scenario, "plan.overlap").is_text);
    EXPECT_TRUE(value(scenario, "plan.schedule").is_text);
}

TEST(Loader, LeavesStagesToEmbeddingAndHeadAlone) {
    constexpr std::string_view kPlan = R"(title = "128 stages of 126 layers"
[cluster]
gpu = "gb300"
nodes = 4
gpus_per_node = 64
nics_per_node = 64
[model]
arch = "llama-3.1-405b"
[plan]
pipeline = 16
tensor = 4
expert = 1
schedule = "interleaved-1f1b"
micro_batch = 1
global_batch = 64
sequence = 8192
)";
    const std::string eight = std::string(kPlan) + "virtual_stages = 8\n";
    std::string split = "plan.split=[0";
    for (int stage = 1; stage < 127; ++stage) {
        split += ", 1";
    }
    EXPECT_EQ(load({split + ", 0]"}, eight).plan().split.size(), 128U);
    EXPECT_TRUE(load({}, eight).plan().split.empty()); // 128 stages are what the program fills by itself
    EXPECT_THAT(test::faults_of(std::string(kPlan) + "virtual_stages = 9\n"),
                testing::Contains(HasSubstr("more than the 126 layers")));
}

TEST(ResolvedScenario, MarksWhatACapChanged) {
    const auto scenario = load({"cluster.caps.nvlink=200 GB/s"});
    EXPECT_EQ(value(scenario, "part.nvlink").text, "200 GB/s");
    EXPECT_EQ(value(scenario, "part.nvlink").origin, sim::Origin::derived);
    EXPECT_THAT(value(scenario, "part.nvlink").where, HasSubstr("400 GB/s without"));
    EXPECT_EQ(value(scenario, "part.memory_bandwidth").origin, sim::Origin::catalog);
}

// So that programs can nest the keys by their dots.
TEST(ResolvedScenario, NoKeyIsTwiceOrInsideAnother) {
    const auto scenario = load();
    std::set<std::string> keys;
    for (const auto& resolved : scenario.resolved()) {
        EXPECT_TRUE(keys.insert(resolved.key).second) << resolved.key;
        EXPECT_FALSE(resolved.text.empty()) << resolved.key;
        EXPECT_FALSE(resolved.where.empty()) << resolved.key;
    }
    for (const std::string& key : keys) {
        for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
            EXPECT_FALSE(keys.contains(key.substr(0, dot))) << key;
        }
    }
}
