// SPDX-License-Identifier: GPL-3.0-or-later
// What is clipped lies in the box and on what it was cut from.
#include <charts/clip.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace chokepoint::gui {

using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr Box kBox{0.0, 10.0, 0.0, 10.0};

bool nearly_in(const Box& box, double x, double y) {
    constexpr double kSlack = 1e-9;
    return x >= box.left - kSlack && x <= box.right + kSlack && y >= box.bottom - kSlack &&
           y <= box.top + kSlack;
}

double any() { return static_cast<double>(*rc::gen::inRange(-300, 400)) / 10.0; }

} // namespace

TEST(ClipLine, CutsALineThatLeavesAndComesBackIntoPieces) {
    const auto pieces = clip_line({{1, 1}, {1, 12}, {3, 12}, {3, 2}}, kBox);
    EXPECT_THAT(pieces,
                ElementsAre(ElementsAre(Point{1, 1}, Point{1, 10}), ElementsAre(Point{3, 10}, Point{3, 2})));
    EXPECT_THAT(clip_line({{-1, 5}, {11, 5}}, kBox), ElementsAre(ElementsAre(Point{0, 5}, Point{10, 5})));
    EXPECT_THAT(clip_line({{-1, 11}, {11, 11}}, kBox), IsEmpty());
}

TEST(ClipLine, LeavesALineWithinTheBoxAsItIs) {
    const std::vector<Point> line{{1, 1}, {2, 8}, {9, 9}};
    EXPECT_THAT(clip_line(line, kBox), ElementsAre(line));
    EXPECT_THAT(clip_line({{5, 5}}, kBox), ElementsAre(ElementsAre(Point{5, 5})));
}

RC_GTEST_PROP(ClipLine, EveryPieceLiesInTheBox, ()) {
    std::vector<Point> line;
    for (int i = *rc::gen::inRange(0, 8); i > 0; --i) {
        line.push_back({any(), any()});
    }
    for (const auto& piece : clip_line(line, kBox)) {
        for (const Point& p : piece) {
            RC_ASSERT(nearly_in(kBox, p.x, p.y));
        }
    }
}

TEST(ClipBand, CutsAtTheSidesAndFollowsTheEdgeWhereItLeaves) {
    const auto band = clip_band({{-10, 0, 0}, {10, 20, 20}}, kBox); // both edges run through (0, 10)
    ASSERT_FALSE(band.empty());
    EXPECT_EQ(band.front().x, 0.0);
    EXPECT_EQ(band.front().low, 10.0);
    EXPECT_EQ(band.back().x, 10.0);
}

RC_GTEST_PROP(ClipBand, LiesInTheBoxAndInTheBand, ()) {
    std::vector<BandPoint> band;
    double x = -15.0;
    for (int i = *rc::gen::inRange(2, 8); i > 0; --i) {
        const double low = any();
        band.push_back({x, low, low + static_cast<double>(*rc::gen::inRange(0, 100)) / 10.0});
        x += static_cast<double>(*rc::gen::inRange(1, 100)) / 10.0;
    }
    for (const BandPoint& p : clip_band(band, kBox)) {
        RC_ASSERT(nearly_in(kBox, p.x, p.low) && nearly_in(kBox, p.x, p.high));
        RC_ASSERT(p.low <= p.high);
    }
}

} // namespace chokepoint::gui
