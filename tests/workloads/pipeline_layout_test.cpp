// SPDX-License-Identifier: Apache-2.0
// Megatron-LM's layouts must place every block once, and what is no layout must be refused before it is
// built.
#include "step_fixture.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::work {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<int> sizes(const std::vector<std::vector<Block>>& stages) {
    std::vector<int> blocks;
    for (const auto& stage : stages) {
        blocks.push_back(static_cast<int>(stage.size()));
    }
    return blocks;
}

TEST(Layout, RepeatsWhatStarsSay) {
    EXPECT_EQ(parse_layout(test::small_moe(6), "Ett|(t|)*3tL"),
              parse_layout(test::small_moe(6), "Et*2|t|t|t|tL"));
    EXPECT_THAT(sizes(parse_layout(test::small_moe(6), "E|(t*2|)*3,L")), ElementsAre(1, 2, 2, 2, 1));
}

TEST(Layout, OfDeepSeekV3IsMegatronCoresExample) {
    // Megatron-Core's MoE README: "Et*3|(tt|)*29m|L" for 61 layers and one MTP module over 32 stages.
    const ModelArch model = test::small_moe(61, 1);
    const auto stages = parse_layout(model, "Et*3|(tt|)*29m|L");
    ASSERT_EQ(stages.size(), 32U);
    EXPECT_EQ(stages[0].front().kind, BlockKind::embedding);
    EXPECT_EQ(stages[1], (std::vector<Block>{{BlockKind::moe_layer, 3}, {BlockKind::moe_layer, 4}}));
    EXPECT_EQ(stages[30], (std::vector<Block>{{BlockKind::mtp_projection, -1}, {BlockKind::moe_layer, 61}}));
    EXPECT_EQ(stages[31], (std::vector<Block>{{BlockKind::head, -1}, {BlockKind::head, -1}}));
}

TEST(Layout, HoldsTheBlocksOfASplit) {
    ParallelPlan split;
    split.split = {1, 0, 3};
    ParallelPlan laid_out;
    laid_out.layout = "Et||tttL";
    EXPECT_EQ(split_stages(test::small_moe(4), split, 3), split_stages(test::small_moe(4), laid_out, 3));
}

TEST(Layout, RefusesWhatIsNone) {
    const auto refusal = [](const std::string& layout, const std::string& why) {
        EXPECT_THAT([&] { parse_layout(test::small_moe(4), layout); },
                    ThrowsMessage<std::invalid_argument>(HasSubstr(why)))
            << layout;
    };
    refusal("Ettt|L", "3 layers ('t'); expected 4");
    refusal("tttt|L", "0 embeddings ('E'); expected 1");
    refusal("tE|tttL", "expected E first and L last");
    refusal("EttttLm", "1 MTP modules ('m'); expected 0");
    refusal("E(tt|*2L", "'(' without ')'");
    refusal("Ett)tt|L", "')' without '(', at character 4");
    refusal("Et*|L", "'*' without a number");
    refusal("Ettxt|L", "'x'; expected E, t, m, L");
    refusal("", "0 embeddings");
    refusal("E((((t*9999)*9999)*9999)*9999)*9999L", "more than 65536 symbols");
    refusal("Et*99999999999999999999999999L", "more than 65536 symbols");
    refusal(std::string(100000, '('), "'(' in one another");
}

RC_GTEST_PROP(Layout, NeverEndsOtherwiseThanWithStagesOrARefusal, ()) {
    const auto symbol =
        rc::gen::element('E', 't', 't', 't', 'm', 'L', '|', '|', '(', ')', '*', '2', '9', ',', '?');
    const std::string layout = *rc::gen::container<std::string>(symbol);
    try {
        int layers = 0;
        for (const auto& stage : parse_layout(test::small_moe(4), layout)) {
            layers += static_cast<int>(std::ranges::count(stage, BlockKind::moe_layer, &Block::kind));
            layers += static_cast<int>(std::ranges::count(stage, BlockKind::dense_layer, &Block::kind));
        }
        RC_ASSERT(layers == 4);
    } catch (const std::invalid_argument&) {
        RC_SUCCEED("refused");
    }
}

} // namespace
} // namespace chokepoint::work
