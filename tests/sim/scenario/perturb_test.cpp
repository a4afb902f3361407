// SPDX-License-Identifier: Apache-2.0
// Arrays of tables read like everything else: values with places, overrides by number, shares that add up.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace chokepoint;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string with(std::string_view items) { return std::string(test::kValid) + std::string(items); }

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST(Perturb, ItemsKeepTheirOrderAndValues) {
    const auto scenario =
        test::load({}, with("[[perturb]]\ngpu = 17\nspeed = 0.9\n"
                            "[[perturb]]\nlink = \"nic\"\ngpu = 3\nfactor = 0.5\nfrom = \"1 s\"\n"));
    ASSERT_EQ(scenario.perturbations().size(), 2U);
    EXPECT_EQ(scenario.perturbations()[0].gpu, 17);
    EXPECT_EQ(scenario.perturbations()[0].speed, 0.9);
    EXPECT_EQ(scenario.perturbations()[1].link, sim::PerturbedLink::nic);
    EXPECT_EQ(scenario.perturbations()[1].from, hw::Seconds(1.0));
    EXPECT_EQ(scenario.perturbations()[1].to, std::nullopt);
}

TEST(Perturb, InlineTablesAreTheSame) {
    const auto scenario = test::load({}, "perturb = [{gpu = 17, speed = 0.9}]\n" + std::string(test::kValid));
    ASSERT_EQ(scenario.perturbations().size(), 1U);
    EXPECT_EQ(scenario.perturbations()[0].gpu, 17);
}

TEST(Perturb, OverridesReachItemsByNumber) {
    const auto scenario = test::load({"perturb[1].speed=0.5"}, with("[[perturb]]\ngpu = 3\nspeed = 0.8\n"
                                                                    "[[perturb]]\ngpu = 17\nspeed = 0.9\n"));
    ASSERT_EQ(scenario.perturbations().size(), 2U);
    EXPECT_EQ(scenario.perturbations()[0].speed, 0.8);
    EXPECT_EQ(scenario.perturbations()[1].gpu, 17);
    EXPECT_EQ(scenario.perturbations()[1].speed, 0.5);
}

TEST(Perturb, EveryGivenValueIsResolvedWithItsPlace) {
    const auto scenario = test::load({}, with("[[perturb]]\ngpu = 17\nspeed = 0.9\n"));
    const auto found = std::ranges::find(scenario.resolved(), "perturb[0].speed", &sim::ResolvedValue::key);
    ASSERT_NE(found, scenario.resolved().end());
    EXPECT_EQ(found->base, 0.9);
    EXPECT_EQ(found->origin, sim::Origin::file);
}

TEST(Perturb, TheLastNetworkCardOfANodeDoesNotFail) {
    EXPECT_THAT(test::faults_of(with("[[perturb]]\nnode = 3\nnic = 0\n[[perturb]]\nnode = 3\nnic = 1\n"),
                                {"cluster.nics_per_node=2"}),
                ElementsAre(HasSubstr("network card 1 is the last of node 3")));
}

TEST(RoutingSkew, ZipfSharesAddUpAndDealPopularExpertsInTurn) {
    const auto scenario = test::load({}, with("[[perturb]]\nrouting = \"zipf\"\ns = 0.8\n"));
    const std::vector<double>& shares = scenario.perturbations().front().expert_share;
    ASSERT_EQ(shares.size(), 256U);
    EXPECT_NEAR(sum(shares), 1.0, 1e-12);
    EXPECT_NEAR(shares[4] / shares[0], std::pow(2.0, -0.8), 1e-12); // 64 ranks hold four experts each
}

TEST(RoutingSkew, ZipfWithExponentZeroIsBalanced) {
    const auto scenario = test::load({}, with("[[perturb]]\nrouting = \"zipf\"\ns = 0\n"));
    for (const double share : scenario.perturbations().front().expert_share) {
        EXPECT_DOUBLE_EQ(share, 1.0 / 256.0);
    }
}

const std::string kHistogram = with("[[perturb]]\nrouting = \"histogram\"\nfile = \"-\"\n");

class HistogramFile : public testing::Test {
protected:
    void write(std::string_view content) { std::ofstream(file_) << content; }
    void TearDown() override { std::filesystem::remove(file_); }
    [[nodiscard]] std::vector<std::string> overrides() const {
        return {"model.arch=moe-tiny",
                "cluster.nodes=2",
                "plan.pipeline=2",
                "plan.expert=8",
                "plan.schedule=1f1b",
                "plan.global_batch=32",
                "plan.precision=bf16",
                "plan.recompute=[]",

                "perturb[0].file=" + file_.string()};
    }
    std::filesystem::path file_ =
        std::filesystem::temp_directory_path() /
        ("chokepoint_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

std::string counts(int experts, std::string_view before, std::string_view after) {
    std::string text(before);
    for (int expert = 0; expert < experts; ++expert) {
        text += (expert == 0 ? "" : std::string(after)) + std::to_string(expert + 1);
    }
    return text;
}

TEST_F(HistogramFile, CsvAndJsonCountsBecomeTheSameShares) {
    write("[1]");
    const auto fault = test::faults_of(kHistogram, overrides());
    ASSERT_EQ(fault.size(), 1U);
    EXPECT_THAT(fault.front(), HasSubstr("has 1 counts; the model has "));
    const std::size_t at = fault.front().find("model has ") + 10;
    const int experts = std::stoi(fault.front().substr(at));
    write(counts(experts, "[", ", ") + "]");
    const auto from_json = test::load(overrides(), kHistogram).perturbations().front().expert_share;
    write(counts(experts, "rows\n", "\n") + "\n");
    EXPECT_EQ(test::load(overrides(), kHistogram).perturbations().front().expert_share, from_json);
    EXPECT_NEAR(sum(from_json), 1.0, 1e-12);
    EXPECT_NEAR(from_json[1], 2.0 * from_json[0], 1e-12);
}

TEST_F(HistogramFile, NamesWhatIsNoCount) {
    write("rows\n3\nmany\n");
    EXPECT_THAT(test::faults_of(kHistogram, overrides()),
                ElementsAre(HasSubstr("line 3 ends in \"many\"; expected a count")));
}

} // namespace
