// SPDX-License-Identifier: Apache-2.0
// Every command's JSON is what its published schema says.
#include "run_cli.hpp"
#include "support/json_schema.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using chokepoint::test::published_schema_violations;
using chokepoint::test::run_cli;

namespace {

struct Case {
    std::string schema;
    std::vector<std::string> arguments;
};

class Schema : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(Schema, IsWhatTheCommandPrints) {
    const auto result = run_cli(GetParam().arguments);
    EXPECT_EQ(published_schema_violations(GetParam().schema, result.out), "");
}

INSTANTIATE_TEST_SUITE_P(
    Commands, Schema,
    testing::Values(
        Case{"run", {"run", "scenarios/small-16-gpus.toml", "--json", "-"}},
        Case{"run", {"run", "scenarios/deepseek-v3-h800.toml", "--json", "-"}},
        Case{"run", {"run", "scenarios/small-16-gpus.toml", "--json", "-", "--monte-carlo", "3"}},
        Case{"chart", {"run", "scenarios/small-16-gpus.toml", "--chart", "-"}},
        Case{"run",
             {"run", "scenarios/deepseek-v3-campaign.toml", "--json", "-", "--set", "cost.model=bottom-up",
              "--set", "reliability.record=llama3-h100", "--set", "reliability.checkpoint_time=10 s", "--set",
              "campaign.start=2024-09-01"}},
        Case{"list", {"list", "costs", "--json", "-"}}, Case{"list", {"list", "premiums", "--json", "-"}},
        Case{"list", {"list", "grids", "--json", "-"}}, Case{"list", {"list", "failures", "--json", "-"}},
        Case{
            "compare",
            {"compare", "scenarios/deepseek-v3-h800.toml", "scenarios/deepseek-v3-h100.toml", "--json", "-"}},
        Case{"compare",
             {"compare", "scenarios/small-16-gpus.toml", "tests/data/small-16-h20.toml",
              "scenarios/small-16-gpus.toml", "--match", "days", "--json", "-"}},
        Case{"chart",
             {"compare", "scenarios/small-16-gpus.toml", "tests/data/small-16-h20.toml", "--chart", "-"}},
        Case{"check", {"check", "scenarios/deepseek-v3-h800.toml", "--json", "-"}},
        Case{"check", {"check", "no-such-file.toml", "--json", "-"}},
        Case{"list", {"list", "gpus", "--json", "-"}}, Case{"list", {"list", "models", "--json", "-"}},
        Case{"list", {"list", "schedules", "--json", "-"}}, Case{"list", {"list", "fabrics", "--json", "-"}},
        Case{"list", {"list", "nodes", "--json", "-"}}, Case{"list", {"list", "links", "--json", "-"}},
        Case{"show", {"show", "gpu", "h800-sxm", "--json", "-"}},
        Case{"show", {"show", "gpu", "l20", "--json", "-"}},
        Case{"show", {"show", "node", "nvl576-576x800g", "--json", "-"}},
        Case{"show", {"show", "link", "roce", "--json", "-"}},
        Case{"show", {"show", "fabric", "multi-plane", "--gpus", "2048", "--json", "-"}},
        Case{"show", {"show", "model", "deepseek-v3", "--json", "-"}},
        Case{"show", {"show", "model", "nemotron-4-15b", "--sequence", "8192", "--json", "-"}},
        Case{"show", {"show", "gpu", "gb300", "--json", "-"}},
        Case{"calibrate",
             {"calibrate", "hwmodels/measurements/published/gemm_bf16.json", "--points", "--json", "-"}},
        Case{"collective", {"collective", "--gpu", "h100-sxm", "--json", "-"}},
        Case{"collective",
             {"collective", "--gpu", "gb200", "--op", "alltoall", "--from", "1MiB", "--to", "1GiB", "--nodes",
              "2", "--json", "-"}},
        Case{"collective", {"collective", "--gpu", "h800-sxm", "--op", "combine", "--json", "-"}},
        Case{"import", {"import", "nccl-tests", "tests/data/nccl_tests/all_reduce.txt", "--json", "-"}},
        Case{"import-kineto", {"import", "kineto", "tests/data/kineto/small.json", "--json", "-"}},
        Case{"import-kineto",
             {"import", "kineto", "tests/data/kineto/small.json", "--against", "scenarios/small-16-gpus.toml",
              "--json", "-"}},
        Case{"rules", {"rules", "--json", "-"}},
        Case{"rules", {"rules", "--design", "h100-sxm", "--under", "us-2022-10", "--json", "-"}},
        Case{"trace", {"import", "kineto", "tests/data/kineto/small.json", "--trace", "-"}},
        Case{"trace", {"trace", "scenarios/small-16-gpus.toml", "-o", "-"}}));

INSTANTIATE_TEST_SUITE_P(
    Schedules, Schema,
    testing::Values(
        Case{"schedule", {"schedule", "dualpipe", "--pp", "4", "--micro-batches", "6", "--json", "-"}},
        Case{"chart", {"schedule", "zb-v", "--pp", "4", "--micro-batches", "8", "--chart", "-"}}));

INSTANTIATE_TEST_SUITE_P(
    Validation, Schema,
    testing::Values(Case{"validate", {"validate", "--filter", "dsv3-isca-mpft", "--json", "-"}},
                    Case{"chart", {"validate", "--filter", "dsv3-isca", "--chart", "-"}},
                    Case{"validate", {"validate", "--filter", "score=hold", "--json", "-"}},
                    Case{"validate", {"validate", "--filter", "dsv3-isca", "--overhead", "--json", "-"}},
                    Case{"validate", {"validate", "--campaigns", "--filter", "nemotron4", "--json", "-"}}));

TEST(SchemaItself, RejectsAResultThatLacksAField) {
    auto document =
        nlohmann::json::parse(run_cli({"run", "scenarios/small-16-gpus.toml", "--json", "-"}).out);
    document["step"].erase("seconds");
    EXPECT_NE(published_schema_violations("run", document.dump()), "");
}
