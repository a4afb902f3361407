// SPDX-License-Identifier: GPL-3.0-or-later
// Timelines: read in any pieces, drawn by pixels without losing a span.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/timeline_view.hpp>
#include <app/trace_model.hpp>
#include <app/trace_reader.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::gui {

namespace {

const std::string kTrace = R"trace({"displayTimeUnit":"ms","traceEvents":[
{"ph":"M","pid":0,"name":"process_name","args":{"name":"pipeline rank 0"}},
{"ph":"M","pid":0,"tid":1,"name":"thread_name","args":{"name":"compute"}},
{"ph":"X","pid":0,"tid":1,"ts":1000.000,"dur":500.000,"name":"attn(F)","cat":"compute","cname":"thread_state_running","args":{"micro_batch":1,"layer":37,"critical":true}},
{"ph":"X","pid":0,"tid":1,"ts":0,"dur":250,"name":"odd \"}]{[ name","args":{}},
{"ph":"X","pid":1,"tid":2,"ts":1500,"dur":1e3,"name":"combine","cname":"thread_state_iowait","args":{"nic_bytes":5}}
]})trace";

TraceModel read_in_pieces(const std::string& text, std::size_t piece) {
    TraceModel model;
    TraceReader reader(model);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        reader.feed(std::string_view(text).substr(at, piece));
    }
    reader.end();
    model.finish();
    return model;
}

TraceTrack random_track(TraceModel& model, std::size_t spans, std::uint64_t seed) {
    double at = 0.0;
    for (std::size_t i = 0; i < spans; ++i) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        const double gap = static_cast<double>(seed >> 40U) / (1U << 24U) * 1e-4;
        const double wide = static_cast<double>((seed >> 16U) & 0xFFFFU) / 65536.0 * 1e-3;
        model.track(0, 0).spans.push_back({at + gap, at + gap + wide, model.intern_name("x"),
                                           model.intern_color(seed % 2 == 0 ? "a" : "b"), -1, -1,
                                           (seed >> 60U) == 0});
        at += gap + wide;
    }
    model.finish();
    return model.tracks().front();
}

} // namespace

TEST(TraceReader, TellsWhatAStepEndsWithFromBackwardWork) {
    const std::string ending = R"trace([
{"ph":"X","tid":1,"ts":0,"dur":1,"name":"mlp(B)","cname":"rail_response"},
{"ph":"X","tid":1,"ts":1,"dur":1,"name":"gradient norm","cname":"rail_response"},
{"ph":"X","tid":1,"ts":2,"dur":1,"name":"optimizer","cname":"rail_response"}])trace";
    const TraceModel model = read_in_pieces(ending, ending.size());
    const auto& spans = model.tracks().front().spans;
    ASSERT_EQ(spans.size(), 3U);
    const auto color = [&](std::size_t i) { return trace_color(model.color(spans[i].color)); };
    EXPECT_NE(color(0), color(1));
    EXPECT_EQ(color(1), color(2));
}

TEST(TraceReader, ReadsTheSameInAnyPieces) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, kTrace.size()}) {
        const TraceModel model = read_in_pieces(kTrace, piece);
        ASSERT_EQ(model.tracks().size(), 2U) << piece;
        const TraceTrack& compute = model.tracks()[0];
        EXPECT_EQ(compute.process_name, "pipeline rank 0");
        EXPECT_EQ(compute.thread_name, "compute");
        ASSERT_EQ(compute.spans.size(), 2U);
        EXPECT_EQ(compute.spans[0].start, 0.0) << "sorted by start";
        EXPECT_EQ(model.name(compute.spans[1].name), "attn(F)");
        EXPECT_NEAR(compute.spans[1].end, 1.5e-3, 1e-12);
        EXPECT_EQ(compute.spans[1].micro_batch, 1);
        EXPECT_EQ(compute.spans[1].layer, 37);
        EXPECT_TRUE(compute.spans[1].critical);
        EXPECT_FALSE(compute.spans[0].critical);
        EXPECT_TRUE(model.has_critical_path());
        EXPECT_NEAR(model.end(), 2.5e-3, 1e-12);
    }
}

TEST(TraceReader, SaysWhereATraceIsBroken) {
    EXPECT_THROW(read_in_pieces(R"({"traceEvents":[{"ph":"X",)", 8), std::runtime_error);
    EXPECT_THROW(read_in_pieces("no JSON at all", 5), std::runtime_error);
    EXPECT_THROW(read_in_pieces(R"({"traceEvents":[{ph:1}]})", 100), std::runtime_error);
}

RC_GTEST_PROP(TraceModel, PixelsHoldAllOfTheirSpansTime, (std::uint64_t seed)) {
    TraceModel model;
    const TraceTrack track = random_track(model, *rc::gen::inRange<std::size_t>(1, 3000), seed);
    const double from = model.end() * *rc::gen::inRange(0, 50) / 100.0;
    const double to = from + model.end() * *rc::gen::inRange(1, 50) / 100.0;
    std::vector<TracePixel> pixels(static_cast<std::size_t>(*rc::gen::inRange(10, 1500)));
    TraceModel::sample(track, from, to, pixels);
    double shown = 0.0;
    double shown_critical = 0.0;
    for (const TracePixel& pixel : pixels) {
        shown += static_cast<double>(pixel.filled) * (to - from) / static_cast<double>(pixels.size());
        shown_critical +=
            static_cast<double>(pixel.critical) * (to - from) / static_cast<double>(pixels.size());
    }
    double there = 0.0;
    double critical = 0.0;
    for (const TraceSpan& span : track.spans) {
        const double inside = std::max(0.0, std::min(to, span.end) - std::max(from, span.start));
        there += inside;
        critical += span.critical ? inside : 0.0;
    }
    // A block narrower than a pixel is spread evenly over it: off by a pixel at either end.
    const double pixel = (to - from) / static_cast<double>(pixels.size());
    RC_ASSERT(std::abs(shown - there) <= 2.5 * pixel + 0.01 * there);
    RC_ASSERT(std::abs(shown_critical - critical) <= 2.5 * pixel + 0.01 * there);
}

RC_GTEST_PROP(TraceModel, NoSpanIsInvisible, (std::uint64_t seed)) {
    TraceModel model;
    const TraceTrack track = random_track(model, *rc::gen::inRange<std::size_t>(1, 3000), seed);
    std::vector<TracePixel> pixels(700);
    TraceModel::sample(track, 0.0, model.end(), pixels);
    for (const TraceSpan& span : track.spans) {
        const double middle =
            (span.start + span.end) / 2.0 / model.end() * static_cast<double>(pixels.size());
        RC_ASSERT(pixels[std::min<std::size_t>(static_cast<std::size_t>(middle), pixels.size() - 1)].color >=
                  0);
    }
}

TEST(TimelineView, FindsSelectsAndZooms) {
    test::need_application();
    TimelineView view;
    view.resize(900, 400);
    view.setModels({std::make_shared<TraceModel>(read_in_pieces(kTrace, 50))});
    EXPECT_EQ(view.search("COMB"), 1U);
    view.nextMatch(1);
    ASSERT_TRUE(view.selected());
    EXPECT_NEAR(view.span(*view.selected()).start, 1.5e-3, 1e-12);
    EXPECT_EQ(view.search("nothing like it"), 0U);
    const double whole = view.to() - view.from();
    view.zoom(0.5, 1e-3);
    EXPECT_NEAR(view.to() - view.from(), whole / 2, 1e-12);
    view.setRange(-5.0, 100.0);
    EXPECT_EQ(view.from(), 0.0) << "kept within the timeline";
    EXPECT_NEAR(view.to(), 2.5e-3, 1e-12);
}

TEST(TimelineView, PutsTheSameRankOfTwoTimelinesBelowEachOther) {
    test::need_application();
    TimelineView view;
    const auto model = std::make_shared<TraceModel>(read_in_pieces(kTrace, 50));
    view.setModels({model, model});
    // Down the gutter: the heading and the one track of process 0 of A, then of B, then process 1.
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (const SpanPlace& place : view.rows()) {
        order.emplace_back(place.model, place.track);
    }
    EXPECT_THAT(order, testing::ElementsAre(testing::Pair(0, 0), testing::Pair(1, 0), testing::Pair(0, 1),
                                            testing::Pair(1, 1)));
}

TEST(TimelineView, PalesWhatIsNotOnTheCriticalPath) {
    test::need_application();
    TimelineView view;
    view.setModels({std::make_shared<TraceModel>(read_in_pieces(kTrace, 50))});
    ASSERT_TRUE(view.hasPath());
    const QImage with = view.render({800, 300});
    view.setPathShown(false);
    EXPECT_NE(with, view.render({800, 300}));
    std::string plain = kTrace;
    plain.replace(plain.find(",\"critical\":true"), 16, "");
    view.setModels({std::make_shared<TraceModel>(read_in_pieces(plain, 50))});
    EXPECT_FALSE(view.hasPath());
    const QImage without = view.render({800, 300});
    view.setPathShown(true);
    EXPECT_EQ(without, view.render({800, 300})) << "without a path nothing is pale";
}

} // namespace chokepoint::gui
