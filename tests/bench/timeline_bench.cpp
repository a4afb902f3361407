// SPDX-License-Identifier: GPL-3.0-or-later
// A timeline of a million spans: reading it, and painting it whole and near.
#include <app/chart_panel.hpp>
#include <app/timeline_view.hpp>
#include <app/trace_reader.hpp>

#include <QApplication>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace chokepoint::gui;

constexpr int kRanks = 16;
constexpr int kStreams = 5;

/// As `chokepoint trace` writes it: 16 ranks of five streams.
std::string trace_of(int spans) {
    std::string out = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
    out.reserve(static_cast<std::size_t>(spans) * 180);
    for (int i = 0; i < spans; ++i) {
        const int track = i % (kRanks * kStreams);
        fmt::format_to(
            std::back_inserter(out),
            R"event({{"ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},"name":"kernel{}(F)","cat":"compute",)event"
            R"("cname":"thread_state_running","args":{{"micro_batch":{},"layer":{}}}}},)"
            "\n",
            track / kStreams, track % kStreams, (i / (kRanks * kStreams)) * 100.0 + track, 20.0 + i % 70,
            i % 40, i % 120, i % 61);
    }
    out.erase(out.size() - 2);
    return out + "]}\n";
}

std::shared_ptr<TraceModel> read(const std::string& text) {
    auto model = std::make_shared<TraceModel>();
    TraceReader reader(*model);
    constexpr std::size_t kPiece = 64 << 10; // as a pipe hands it over
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
        reader.feed(std::string_view(text).substr(at, kPiece));
    }
    reader.end();
    model->finish();
    return model;
}

double resident_megabytes() {
    constexpr double kPagesPerMega = 4096.0 / 1e6;
    std::ifstream statm("/proc/self/statm");
    double whole = 0.0, resident = 0.0;
    statm >> whole >> resident;
    return resident * kPagesPerMega;
}

void need_application() {
    setenv("QT_QPA_PLATFORM", "offscreen", 1);
    if (QApplication::instance() == nullptr) {
        static int argc = 1;
        static char name[] = "chokepoint_gui_bench";
        static char* argv[] = {name, nullptr};
        new QApplication(argc, argv); // lives as long as the program
    }
}

void OpenTimeline(benchmark::State& state) {
    const std::string text = trace_of(static_cast<int>(state.range(0)));
    const double before = resident_megabytes();
    double after = before;
    for (auto _ : state) {
        const auto model = read(text);
        after = std::max(after, resident_megabytes());
        benchmark::DoNotOptimize(model->span_count());
    }
    state.counters["MB"] = after - before;
    state.counters["bytes_of_text"] = static_cast<double>(text.size());
}
BENCHMARK(OpenTimeline)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

/// range(1): the shown share of the step, in millionths.
void PaintTimeline(benchmark::State& state) {
    need_application();
    const auto model = read(trace_of(static_cast<int>(state.range(0))));
    TimelineView view;
    view.setModels({model});
    const double wide = model->end() * static_cast<double>(state.range(1)) * 1e-6;
    view.setRange(model->end() * 0.4, model->end() * 0.4 + wide);
    for (auto _ : state) {
        benchmark::DoNotOptimize(view.render({1600, 1000}));
    }
}
BENCHMARK(PaintTimeline)
    ->ArgsProduct({{100'000, 1'000'000}, {1'000'000, 10'000, 100}})
    ->Unit(benchmark::kMillisecond);

/// 10 curves of 200 points each, with their bands.
std::unique_ptr<ChartPanel> curves() {
    Chart chart;
    chart.title = "curves";
    for (int s = 0; s < 10; ++s) {
        Series series{.name = fmt::format("series {}", s)};
        for (int i = 1; i <= 200; ++i) {
            const double y = 10.0 + s + 100.0 / i;
            series.points.push_back({double(i), y});
            series.band.push_back({double(i), y * 0.9, y * 1.1});
        }
        chart.series.push_back(std::move(series));
    }
    auto panel = std::make_unique<ChartPanel>();
    panel->resize(1200, 700);
    panel->setChart(chart);
    panel->grab();
    return panel;
}

/// A frame while the axes move.
void PanCurves(benchmark::State& state) {
    need_application();
    const auto panel = curves();
    for (auto _ : state) {
        panel->pan(0.001, 0.0);
        benchmark::DoNotOptimize(panel->grab());
    }
}
BENCHMARK(PanCurves)->Unit(benchmark::kMillisecond);

/// A frame while the crosshair or the slider moves.
void PointAtCurves(benchmark::State& state) {
    need_application();
    const auto panel = curves();
    double x = 0.0;
    for (auto _ : state) {
        panel->setPointer(x = x < 200.0 ? x + 1.0 : 1.0);
        benchmark::DoNotOptimize(panel->grab());
    }
}
BENCHMARK(PointAtCurves)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
