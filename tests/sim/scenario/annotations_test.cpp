// SPDX-License-Identifier: Apache-2.0
// Comments of a scenario find the values that they speak of.
#include <chokepoint/sim/annotations.hpp>

#include <gmock/gmock.h>

using namespace chokepoint;
using testing::ElementsAre;
using testing::Pair;

TEST(Annotations, StandBehindTheirValueOrAboveIt) {
    const sim::Annotations found = sim::read_annotations("# [1] A report\n"
                                                         "# [2] Another\n"
                                                         "title = \"# is no comment\"\n"
                                                         "nodes = 256   # 2,048 GPUs [1, 3.1],\n"
                                                         "              # as published\n"
                                                         "# A judgement\n"
                                                         "# of two lines.\n"
                                                         "tensor = 1\n"
                                                         "\n"
                                                         "# Of nothing, since a blank line follows.\n"
                                                         "\n"
                                                         "zero = 1\n");
    EXPECT_THAT(found.references, ElementsAre("[1] A report", "[2] Another"));
    EXPECT_THAT(found.beside, ElementsAre(Pair(4, "2,048 GPUs [1, 3.1], as published"),
                                          Pair(8, "A judgement of two lines.")));
}

TEST(Annotations, OfATableHoldForItsValues) {
    const sim::Annotations found =
        sim::read_annotations("# ASSUMED\n[[campaign.phase]]\nsteps = 1000\n"
                              "plan.context = 8 # of 8 GPUs\n[energy]\npue = 1.1\n");
    EXPECT_THAT(found.beside, ElementsAre(Pair(3, "ASSUMED"), Pair(4, "of 8 GPUs")));
}

TEST(Annotations, OfLinesWithQuotesAndEscapes) {
    const sim::Annotations found = sim::read_annotations("a = 'C:#' # one\nb = \"\\\"#\" # two\r\nc = 1");
    EXPECT_THAT(found.beside, ElementsAre(Pair(1, "one"), Pair(2, "two")));
}

TEST(Annotations, AreFoundByTheLineOfAPlace) {
    EXPECT_EQ(sim::line_of("v3.toml:7:12"), 7);
    EXPECT_EQ(sim::line_of("C:/v3.toml:117:1"), 117);
    for (const char* none : {"--set", "", "hgx: PCIe 5.0", "a:b:c", "a:1", ":", "x:0:1"}) {
        EXPECT_EQ(sim::line_of(none), 0) << none;
    }
}
