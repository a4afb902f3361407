// SPDX-License-Identifier: Apache-2.0
// Every bad scenario gets one clear message per fault, with its place, and nothing else happens.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

using namespace chokepoint;
using test::faults_of;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// The "# expect: line:column: message" lines at a bad file's end. "…" stands for text that depends on the
/// catalog.
std::vector<std::string> expectations(const std::string& text) {
    constexpr std::string_view kMark = "# expect: ";
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(kMark)) {
            lines.push_back(line.substr(kMark.size()));
        }
    }
    return lines;
}

bool fits(const std::string& expected, const std::string& found) {
    const std::size_t cut = expected.find("…");
    return cut == std::string::npos ? expected == found : found.starts_with(expected.substr(0, cut));
}

std::vector<std::string> faults_of_file(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    try {
        sim::load_scenario(file);
    } catch (const sim::ScenarioError& error) {
        for (const sim::Diagnostic& fault : error.faults()) {
            lines.push_back(sim::to_text(fault));
        }
    }
    return lines;
}

/// A path under the system's temporary folder, gone at the end.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content)
        : path_(std::filesystem::temp_directory_path() /
                ("chokepoint_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
                 ".toml")) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~TemporaryFile() { std::filesystem::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace

TEST(BadScenario, GetsTheFaultsItsFileLists) {
    for (const auto& file : test::toml_files(test::kSource / "tests/data/bad")) {
        SCOPED_TRACE(file.filename());
        const std::vector<std::string> expected = expectations(test::read_text(file));
        const std::vector<std::string> found = faults_of_file(file);
        ASSERT_FALSE(expected.empty());
        ASSERT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
        for (std::size_t i = 0; i < found.size(); ++i) {
            const std::size_t colon = expected[i].find(": ");
            const std::string line =
                file.string() + ":" + expected[i].substr(0, colon) + ": error" + expected[i].substr(colon);
            EXPECT_TRUE(fits(line, found[i])) << "expected " << line << "\nfound    " << found[i];
        }
    }
}

TEST(BadScenario, WhatHoldsAllFaults) {
    try {
        sim::load_scenario(test::kSource / "tests/data/bad/unknown-keys.toml");
        FAIL() << "loaded";
    } catch (const sim::ScenarioError& error) {
        const std::string what = error.what();
        for (const sim::Diagnostic& fault : error.faults()) {
            EXPECT_THAT(what, HasSubstr(sim::to_text(fault)));
        }
    }
}

TEST(BadScenario, MissingFileNamesItAndTheReason) {
    EXPECT_THAT(faults_of_file("no/such.toml"),
                ElementsAre("no/such.toml: error: cannot be read: No such file or directory"));
}

TEST(BadScenario, DirectoryIsNotRead) {
    EXPECT_THAT(faults_of_file("/"),
                ElementsAre("/: error: cannot be read: it is a directory; expected a scenario file"));
}

TEST(BadScenario, EmptyTextIsOneFault) {
    for (const std::string_view text : {"", "\n \t\r\n"}) {
        EXPECT_THAT(faults_of(text),
                    ElementsAre("v3.toml:1:1: error: the file is empty; expected a scenario with "
                                "[cluster], [model] and [plan]"));
    }
    const TemporaryFile empty("");
    EXPECT_EQ(faults_of_file(empty.path()).size(), 1U);
}

TEST(BadScenario, BinaryIsOneFaultAtItsFirstByte) {
    using namespace std::string_literals;
    EXPECT_THAT(
        faults_of("title = \"x\"\nq\0uestion"s),
        ElementsAre(
            "v3.toml:2:2: error: byte 0x00 is no text; expected a scenario in TOML, encoded as UTF-8"));
    EXPECT_THAT(faults_of("\x7f"
                          "ELF\x02\xff"s),
                ElementsAre(HasSubstr("v3.toml:1:6: error: byte 0xff is no text")));
    EXPECT_EQ(faults_of("title = \"\xC0\xAF\"").size(), 1U);     // overlong
    EXPECT_EQ(faults_of("title = \"\xED\xA0\x80\"").size(), 1U); // a surrogate
}

TEST(BadScenario, TenMegabytesOfBracketsAreOneFault) {
    constexpr std::size_t kBytes = 10'000'000;
    for (const char bracket : {'[', '{'}) {
        EXPECT_THAT(faults_of("a = " + std::string(kBytes, bracket)),
                    ElementsAre(HasSubstr("v3.toml:1:37: error: brackets nested more than 32 deep")));
    }
    std::string dotted = "a";
    while (dotted.size() < kBytes) {
        dotted += ".a";
    }
    EXPECT_THAT(faults_of(dotted + " = 1"), ElementsAre(HasSubstr("a dotted key nested more than 32 deep")));
    EXPECT_THAT(faults_of("[" + dotted + "]"),
                ElementsAre(HasSubstr("a dotted key nested more than 32 deep")));
}

TEST(BadScenario, BracketsInStringsAndCommentsAreNotNesting) {
    const std::string brackets(100, '[');
    std::string text = "# " + brackets + "\nquestion = '" + brackets + "'\n" + std::string(test::kValid);
    EXPECT_TRUE(faults_of(text).empty());
    text = "question = \"\"\"\n" + brackets + "\n\\\"\"\"\"\n" + std::string(test::kValid);
    EXPECT_TRUE(faults_of(text).empty()) << testing::PrintToString(faults_of(text));
}

TEST(BadScenario, EndlessFileIsRefused) {
    EXPECT_THAT(faults_of_file("/dev/zero"),
                ElementsAre(HasSubstr("/dev/zero:1:1: error: longer than 16 MiB")));
}

TEST(BadScenario, HostileNamesAreQuotedShort) {
    const std::string name(100'000, 'x');
    const auto found =
        faults_of("\"" + name + "\\u001b[31m\" = 1\n" + std::string(test::kValid), {"plan.a\x1b=1"});
    ASSERT_EQ(found.size(), 2U);
    for (const std::string& line : found) {
        EXPECT_LT(line.size(), 1000U); // most of it our own list of keys
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
    }
}

TEST(BadScenario, EmptyAndDottedNamesAreUnknownKeys) {
    EXPECT_THAT(
        faults_of("\"\" = 1\n\"plan.expert\" = 2\n" + std::string(test::kValid)),
        ElementsAre(
            HasSubstr("v3.toml:1:1: error: unknown key '' at the top"),
            "v3.toml:2:1: error: unknown key 'plan.expert' at the top; write plan.expert without quotes"));
}

TEST(BadScenario, MillionMicroBatchesAreRefusedBeforeTheyAreOrdered) {
    EXPECT_THAT(
        faults_of(test::kValid, {"plan.global_batch=99999744"}), // 781,248 x 128
        ElementsAre(HasSubstr("global_batch (99999744) gives a replica 781248 micro-batches on 61 layers; "
                              "expected at most 1000000 in all")));
}

TEST(BadScenario, RampMustSplitOverTheSameReplicas) {
    const std::vector<std::string> campaign = {"campaign.tokens=1e12", "campaign.ramp_tokens=1e11"};
    const auto with = [&](const std::string& from) {
        std::vector<std::string> overrides = campaign;
        overrides.push_back("campaign.ramp_from=" + from);
        return faults_of(test::kValid, overrides);
    };
    EXPECT_TRUE(with("3072").empty()) << testing::PrintToString(with("3072"));
    EXPECT_THAT(with("3000"),
                ElementsAre(HasSubstr("ramp_from (3000) is not a multiple of data x micro_batch (128 x 1)")));
    EXPECT_THAT(with("15488"), ElementsAre(HasSubstr("ramp_from (15488) exceeds plan.global_batch (15360)")));
}

TEST(BadScenario, MemoryFaultStandsAtThePlanWithTheTableAndTwoRemedies) {
    try {
        test::load({"plan.micro_batch=2"});
        FAIL() << "expected a refusal";
    } catch (const sim::ScenarioError& error) {
        ASSERT_EQ(error.faults().size(), 1U) << error.what();
        const sim::Diagnostic& fault = error.faults().front();
        EXPECT_THAT(to_text(fault), HasSubstr("v3.toml:7:1: error: the plan needs "));
        EXPECT_THAT(fault.message, HasSubstr("more than the 85.9 GB of h800-sxm; would fit with "));
        EXPECT_THAT(fault.message, HasSubstr(", or with "));
        EXPECT_EQ(std::ranges::count(fault.table, '\n'), 3); // a head, the plan, two remedies
        for (const char* kind : {"parameters", "gradients", "optimizer", "activations", "buffers"}) {
            EXPECT_THAT(fault.table, HasSubstr(kind));
        }
    }
}

// Who does not say in which format gradients are kept is not refused for our guess at it; who says so, or
// searches, is.
TEST(BadScenario, MemoryIsNoFaultWhereWhatNobodySaidDecides) {
    constexpr std::string_view kTight = R"(title = "Llama 3 8B on two boards"
[cluster]
gpu = "h100-sxm"
nodes = 2
[model]
arch = "llama-3-8b"
[plan]
pipeline = 1
schedule = "1f1b"
micro_batch = 1
global_batch = 32
sequence = 8192
)";
    const auto open = test::load({}, kTight);
    ASSERT_EQ(open.warnings().size(), 1U);
    EXPECT_THAT(open.warnings()[0].message,
                testing::AllOf(HasSubstr("more than the 85.9 GB of h100-sxm"), HasSubstr("leaves open"),
                               HasSubstr("with gradient_dtype bf16")));
    EXPECT_THAT(test::faults_of(kTight, {"plan.gradient_dtype=fp32"}),
                ElementsAre(HasSubstr("error: the plan needs")));
    EXPECT_TRUE(test::load({"plan.gradient_dtype=bf16"}, kTight).warnings().empty());
    EXPECT_THROW((void)sim::parse_scenario(kTight, "tight.toml", {{}, {}, /*remedies=*/false}),
                 sim::ScenarioError);
    EXPECT_THAT(test::faults_of(kTight, {"plan.micro_batch=2"}), ElementsAre(HasSubstr("would fit with")));
}

TEST(BadScenario, NodeLimitMustLeaveRoomForTopK) {
    EXPECT_THAT(
        faults_of(test::kValid, {"model.moe.max_nodes=1", "model.moe.top_k=40"}),
        ElementsAre(HasSubstr("moe.max_nodes (1) nodes hold 32 experts each, fewer than the top_k (40)")));
    // GPUs that share an expert count as one: a node of eight holds one expert of 64, not eight.
    EXPECT_THAT(
        faults_of(test::kValid,
                  {"plan.tensor=8", "plan.expert=64", "plan.pipeline=1", "plan.schedule=1f1b",
                   "model.moe.experts=64", "model.moe.max_nodes=4", "model.moe.top_k=8", "plan.split=[]"}),
        ElementsAre(HasSubstr("moe.max_nodes (4) nodes hold 1 experts each, fewer than the top_k (8)")));
}
