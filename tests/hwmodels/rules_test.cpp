// SPDX-License-Identifier: Apache-2.0
// The shipped rules catch the parts they are known to have caught; caps are as large as a rule lets them be;
// every fault of a rule file is found at once and located.
#include "shipped.hpp"

#include <chokepoint/hwmodels/rules.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace chokepoint::hw {
namespace {

using test::catalog;
using test::part;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<Rule>& rules() {
    static const std::vector<Rule> loaded = load_rules();
    return loaded;
}

const Rule& rule(std::string_view id) {
    const auto found = std::ranges::find(rules(), id, &Rule::id);
    if (found == rules().end()) {
        throw std::runtime_error("no such rule: " + std::string(id));
    }
    return *found;
}

Ruling ruling(std::string_view rule_id, const GpuSpec& gpu) { return classify(rule(rule_id), gpu).ruling; }
Ruling ruling(std::string_view rule_id, std::string_view part_id) { return ruling(rule_id, part(part_id)); }

/// Twice an H200 in all that rules look at but the die.
GpuSpec larger_than_any_rule_admits() {
    GpuSpec gpu = part("h200-sxm");
    for (auto& [dtype, rate] : gpu.dense_peak) {
        rate *= 2.0;
    }
    gpu.memory_bandwidth *= 2.0;
    return gpu;
}

TEST(ExportRules, AreListedOldestFirst) {
    std::vector<std::string> ids;
    std::ranges::transform(rules(), std::back_inserter(ids), &Rule::id);
    EXPECT_THAT(ids, ElementsAre("us-2022-10", "us-2023-10a", "us-2023-10b", "us-2024-12-hbm", "us-2026-01"));
}

TEST(ExportRules, HoldFromTheirFirstDayUntilTheyAreReplaced) {
    EXPECT_FALSE(in_force(rule("us-2022-10"), "2022-10-06"));
    EXPECT_TRUE(in_force(rule("us-2022-10"), "2022-10-07"));
    EXPECT_TRUE(in_force(rule("us-2022-10"), "2023-11-16"));
    EXPECT_FALSE(in_force(rule("us-2022-10"), "2023-11-17"));
    EXPECT_TRUE(in_force(rule("us-2023-10a"), "2023-11-17"));
    EXPECT_TRUE(in_force(rule("us-2023-10a"), "2030-01-01"));
}

TEST(ExportRules, Of2022CatchTheA100AndTheH100AndNotWhatWasCutFromThem) {
    EXPECT_EQ(ruling("us-2022-10", "a100-sxm"), Ruling::licence);
    EXPECT_EQ(ruling("us-2022-10", "h100-sxm"), Ruling::licence);
    EXPECT_EQ(ruling("us-2022-10", "a800-sxm"), Ruling::free);
    EXPECT_EQ(ruling("us-2022-10", "h800-sxm"), Ruling::free);
}

TEST(ExportRules, Of2023CatchTheA800AndTheH800AndNotTheH20) {
    EXPECT_EQ(ruling("us-2023-10a", "a800-sxm"), Ruling::licence);
    EXPECT_EQ(ruling("us-2023-10a", "h800-sxm"), Ruling::licence);
    EXPECT_EQ(ruling("us-2023-10a", "h20-sxm"), Ruling::free);
    EXPECT_EQ(ruling("us-2023-10b", "h20-sxm"), Ruling::free);
}

TEST(ExportRules, Of2023CatchInParagraphBWhatLiesJustUnderParagraphA) {
    const GpuSpec under = apply(Caps{.tpp = 4799.0}, part("h800-sxm")); // density 5.896
    EXPECT_EQ(ruling("us-2023-10a", under), Ruling::free);
    EXPECT_EQ(ruling("us-2023-10b", under), Ruling::licence);
}

TEST(ExportRules, Of2024SpeakOfMemoryAndNotOfAccelerators) {
    for (const GpuSpec& gpu : catalog().gpus()) {
        EXPECT_EQ(ruling("us-2024-12-hbm", gpu), Ruling::not_applicable) << gpu.id;
    }
}

TEST(ExportRules, Of2026AdmitTheH200ToReviewAndNothingMuchLarger) {
    const Verdict verdict = classify(rule("us-2026-01"), part("h200-sxm"));
    EXPECT_EQ(verdict.ruling, Ruling::case_by_case);
    ASSERT_GE(verdict.margins.size(), 2U);
    EXPECT_EQ(verdict.margins[0].threshold, (Threshold{Figure::memory_bandwidth, Bound::below, 6.5e12}));
    EXPECT_DOUBLE_EQ(verdict.margins[0].value.value(), 4.8e12);
    EXPECT_DOUBLE_EQ(verdict.margins[0].ratio.value(), 4.8 / 6.5);
    EXPECT_EQ(verdict.margins[1].threshold, (Threshold{Figure::tpp, Bound::below, 21000.0}));
    EXPECT_NEAR(verdict.margins[1].value.value(), 15832.0, 1.0);

    EXPECT_EQ(ruling("us-2026-01", "b200-sxm"), Ruling::presumption_of_denial);
    EXPECT_EQ(ruling("us-2026-01", larger_than_any_rule_admits()), Ruling::presumption_of_denial);
    EXPECT_EQ(ruling("us-2026-01", "h20-sxm"), Ruling::not_applicable); // needs no licence to be reviewed
}

TEST(ExportRules, EaseIn2026WhatParagraphAOf2023Catches) {
    EXPECT_EQ(rule("us-2026-01").scope, rule("us-2023-10a").alternatives);
}

TEST(ExportRules, NameTheFigureForWantOfWhichTheyAreUndecided) {
    GpuSpec unmeasured = part("h20-sxm");
    unmeasured.die_area_mm2.reset();
    const Verdict verdict = classify(rule("us-2023-10a"), unmeasured);
    EXPECT_EQ(verdict.ruling, Ruling::undetermined);
    EXPECT_THAT(verdict.missing, ElementsAre("die_area_mm2"));

    GpuSpec guessed = part("h20-sxm");
    guessed.citations["die_area_mm2"].estimate = true;
    EXPECT_EQ(ruling("us-2023-10a", guessed), Ruling::undetermined);
}

TEST(ExportRules, DoNotAskForAFigureThatCouldChangeNothing) {
    GpuSpec unmeasured = part("h800-sxm");
    unmeasured.die_area_mm2.reset();
    const Verdict verdict = classify(rule("us-2023-10a"), unmeasured);
    EXPECT_EQ(verdict.ruling, Ruling::licence);
    EXPECT_THAT(verdict.missing, IsEmpty());
}

TEST(MinimalCaps, CapEitherOfTheTwoThresholdsThat2022Joins) {
    const std::vector<Caps> sets = minimal_caps(rule("us-2022-10"), part("h100-sxm"));
    ASSERT_EQ(sets.size(), 2U);
    EXPECT_EQ(sets[0], Caps{.nvlink = BytesPerSecond(600e9 * (1.0 - kCapClearance))});
    EXPECT_EQ(sets[1], Caps{.tpp = 4800.0 * (1.0 - kCapClearance)});
}

TEST(MinimalCaps, CapBothFiguresThat2026Limits) {
    const std::vector<Caps> sets = minimal_caps(rule("us-2026-01"), larger_than_any_rule_admits());
    const Caps both{.memory_bandwidth = BytesPerSecond(6.5e12 * (1.0 - kCapClearance)),
                    .tpp = 21000.0 * (1.0 - kCapClearance)};
    // Or so little performance that no licence is needed, whatever the memory.
    const Caps out_of_scope{.tpp = 4800.0 * (1.0 - kCapClearance)};
    EXPECT_THAT(sets, ElementsAre(both, out_of_scope));
}

TEST(MinimalCaps, AreNoneForAPartThatIsAdmittedAsItIs) {
    EXPECT_THAT(minimal_caps(rule("us-2022-10"), part("h800-sxm")), ElementsAre(Caps{}));
    EXPECT_THAT(minimal_caps(rule("us-2026-01"), part("h200-sxm")), ElementsAre(Caps{}));
    EXPECT_THAT(minimal_caps(rule("us-2024-12-hbm"), part("h200-sxm")), ElementsAre(Caps{}));
}

TEST(MinimalCaps, CapDensityByPerformanceWhereDensityBinds) {
    GpuSpec small = part("h100-sxm");
    small.die_area_mm2 = 500.0;
    EXPECT_THAT(minimal_caps(rule("us-2023-10a"), small),
                ElementsAre(Caps{.tpp = 5.92 * (1.0 - kCapClearance) * 500.0}));
    small.die_area_mm2.reset(); // then only what no die area could spoil is known to be enough
    EXPECT_THAT(minimal_caps(rule("us-2023-10a"), small),
                ElementsAre(Caps{.tpp = 1600.0 * (1.0 - kCapClearance)}));
}

/// `caps` with one of them 0.1% larger; nothing for a cap that is not set.
std::vector<Caps> relaxed(const Caps& caps) {
    std::vector<Caps> found;
    const auto relax = [&](auto Caps::* cap) {
        if (caps.*cap) {
            found.push_back(caps);
            *(found.back().*cap) *= 1.001;
        }
    };
    relax(&Caps::tpp);
    relax(&Caps::nvlink);
    relax(&Caps::memory_bandwidth);
    return found;
}

TEST(MinimalCaps, AreAdmittedAndAreNotWhenAnyIsATenthOfAPercentLarger) {
    std::vector<GpuSpec> parts = catalog().gpus();
    parts.push_back(larger_than_any_rule_admits());
    parts.push_back(apply(Caps{.tpp = 4799.0}, part("h800-sxm"))); // in the band of paragraph b
    for (const Rule& tried : rules()) {
        for (const GpuSpec& gpu : parts) {
            const std::vector<Caps> sets = minimal_caps(tried, gpu);
            EXPECT_THAT(sets, testing::Not(IsEmpty())) << tried.id << ' ' << gpu.id;
            for (const Caps& caps : sets) {
                EXPECT_TRUE(admits(tried, classify(tried, apply(caps, gpu)))) << tried.id << ' ' << gpu.id;
                for (const Caps& larger : relaxed(caps)) {
                    EXPECT_FALSE(admits(tried, classify(tried, apply(larger, gpu))))
                        << tried.id << ' ' << gpu.id;
                }
            }
        }
    }
}

/// A catalog directory of its own, gone with the test.
class UserRules {
public:
    UserRules() {
        std::string pattern = (std::filesystem::temp_directory_path() / "rules_test_XXXXXX").string();
        root_ = mkdtemp(pattern.data());
        std::filesystem::create_directories(root_ / "rule");
    }
    ~UserRules() { std::filesystem::remove_all(root_); }
    UserRules(const UserRules&) = delete;
    UserRules& operator=(const UserRules&) = delete;

    std::filesystem::path write(const std::string& id, std::string_view content) const {
        const auto path = root_ / "rule" / (id + ".toml");
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    [[nodiscard]] const std::filesystem::path& root() const { return root_; }

private:
    std::filesystem::path root_;
};

constexpr std::string_view kHead = R"(id = "mine"
title = "A cap on memory"
instrument = "none"
source = "hypothetical"
effective = 2027-01-01
applies_to = "accelerator"
consequence = "licence"
otherwise = "free"
)";

/// The message of the CatalogError that a rule of this content raises; empty if it raises none.
std::string faults(std::string_view content) {
    const UserRules user;
    const auto path = user.write("mine", content);
    try {
        (void)load_rule(path);
        return {};
    } catch (const CatalogError& error) {
        return error.what();
    }
}

std::string with_head(std::string_view alternatives) {
    return std::string(kHead) + std::string(alternatives);
}

TEST(RuleFile, MayBeTheUsersOwn) {
    const UserRules user;
    user.write("mine", with_head("[[alternative]]\nmemory_bandwidth = { above = \"4 TB/s\" }\n"));
    const std::vector<Rule> all = load_rules({user.root()});
    ASSERT_EQ(all.size(), rules().size() + 1);
    EXPECT_EQ(all.back().id, "mine");
    EXPECT_EQ(classify(all.back(), part("h200-sxm")).ruling, Ruling::licence);
    EXPECT_EQ(classify(all.back(), part("h100-sxm")).ruling, Ruling::free);
    EXPECT_THAT(minimal_caps(all.back(), part("h200-sxm")),
                ElementsAre(Caps{.memory_bandwidth = BytesPerSecond(4e12 * (1.0 - kCapClearance))}));
}

TEST(RuleFile, OfTheUserReplacesTheShippedOneOfItsId) {
    const UserRules user;
    std::string content = with_head("[[alternative]]\ntpp = { at_least = 1 }\n");
    user.write("us-2022-10", content.replace(0, content.find('\n'), "id = \"us-2022-10\""));
    const std::vector<Rule> all = load_rules({user.root()});
    EXPECT_EQ(all.size(), rules().size());
    EXPECT_EQ(std::ranges::find(all, "us-2022-10", &Rule::id)->title, "A cap on memory");
}

TEST(RuleFile, MayNotContradictItself) {
    EXPECT_THAT(
        faults(with_head("[[alternative]]\ntpp = { at_least = 4800, below = 1600 }\n")),
        HasSubstr("mine.toml:10:20: error: alternative[0].tpp: no value is at least 4,800 and below 1,600"));
    EXPECT_THAT(faults(with_head("[[alternative]]\ntpp = { at_least = 4800, below = 4800 }\n")),
                HasSubstr("no value is at least 4,800 and below 4,800"));
    EXPECT_EQ(faults(with_head("[[alternative]]\ntpp = { at_least = 4800, at_most = 4800 }\n")), "");
    EXPECT_THAT(faults(with_head("[[alternative]]\ntpp = { at_least = 4800, above = 4800 }\n")),
                HasSubstr("both at_least and above; give one"));
}

TEST(RuleFile, MustDecideSomething) {
    EXPECT_THAT(faults(with_head("alternative = []\n")),
                HasSubstr("mine.toml:9:15: error: alternative: an empty list"));
    EXPECT_THAT(faults(with_head("[[alternative]]\n")),
                HasSubstr("mine.toml:9:1: error: alternative[0]: no conditions"));
    EXPECT_THAT(faults(with_head("[[alternative]]\ntpp = {}\n")), HasSubstr("alternative[0].tpp: no bound"));
    std::string same = with_head("[[alternative]]\ntpp = { at_least = 1 }\n");
    same.replace(same.find("\"free\""), 6, "\"licence\"");
    EXPECT_THAT(faults(same), HasSubstr("mine.toml:8:13: error: otherwise: licence, as consequence is"));
}

TEST(RuleFile, NamesEveryFaultAndItsPlace) {
    const std::string found = faults(R"(id = "yours"
title = "A rule of many faults"
instrument = "none"
source = "hypothetical"
until = "2027-02-30"
applies_to = "toaster"
consequence = "scorn"
otherwise = "free"
[[alternative]]
tops = { at_least = 4800 }
aggregate_io = { at_least = 600, atmost = "1 GB/s" }
)");
    EXPECT_THAT(found, HasSubstr("mine.toml:1:1: error: missing key 'effective'"));
    EXPECT_THAT(found, HasSubstr("mine.toml:1:6: error: id: \"yours\" in a file called \"mine.toml\""));
    EXPECT_THAT(found, HasSubstr("mine.toml:5:9: error: until: \"2027-02-30\" is no day"));
    EXPECT_THAT(found, HasSubstr("mine.toml:6:14: error: applies_to: \"toaster\""));
    EXPECT_THAT(found, HasSubstr("mine.toml:7:15: error: consequence: no ruling is called \"scorn\""));
    EXPECT_THAT(
        found,
        HasSubstr("mine.toml:10:1: error: alternative[0].tops: no figure of that name; expected one of "
                  "tpp, performance_density"));
    EXPECT_THAT(found, HasSubstr("mine.toml:11:29: error: alternative[0].aggregate_io.at_least: 600"));
    EXPECT_THAT(found, HasSubstr("mine.toml:11:34: error: unknown key 'alternative[0].aggregate_io.atmost'"));
}

TEST(RuleFile, ThatEndsBeforeItBeginsIsRefused) {
    EXPECT_THAT(faults(with_head("until = 2026-12-31\n[[alternative]]\ntpp = { at_least = 1 }\n")),
                HasSubstr("mine.toml:9:9: error: until: 2026-12-31 is not after effective, 2027-01-01"));
}

TEST(RuleFile, OfADirectoryThatIsNotThereIsReported) {
    EXPECT_THROW((void)load_rules({"no/such/directory"}), CatalogError);
}

} // namespace
} // namespace chokepoint::hw
