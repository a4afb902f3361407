// SPDX-License-Identifier: GPL-3.0-or-later
// Stacked bars: one per category, a layer per series.
#include "palette.hpp"
#include "parts.hpp"

#include <QtCharts/QBarCategoryAxis>
#include <QtCharts/QBarSet>
#include <QtCharts/QLegend>
#include <QtCharts/QStackedBarSeries>

#include <algorithm>

namespace chokepoint::gui {

namespace {

/// What stands above `below`, as if it were zero: bars begin at zero to Qt Charts, and are not clipped in
/// SVG.
Scale lowered(const Scale& scale, double below) {
    Axis axis;
    axis.from = 0.0;
    axis.to = scale.to() - below;
    for (const Tick& tick : scale.ticks()) {
        axis.ticks.push_back(tick.at - below);
        axis.tick_labels.push_back(tick.label);
    }
    return {axis, {}};
}

} // namespace

Scale bar_scale(const Chart& description) {
    std::vector<double> heights{0.0}; // so that the margin above is a share of the whole bar
    heights.resize(1 + description.categories.size(), 0.0);
    for (const Series& series : description.series) {
        for (std::size_t c = 0; c < series.values.size() && !series.hidden; ++c) {
            heights[1 + c] += series.values[c];
        }
    }
    for (const Mark& mark : description.marks) {
        heights.push_back(mark.at);
    }
    Axis upright = description.y;
    upright.log = false;
    upright.from = std::max(0.0, description.y.from.value_or(0.0));
    return {upright, heights};
}

std::unique_ptr<QChart> make_bar_chart(const Chart& description) {
    const Scale whole = bar_scale(description);
    const double below = whole.from();
    const Scale scale = lowered(whole, below);
    std::vector<double> sums(description.categories.size(), 0.0);
    auto* bars = new QStackedBarSeries;
    bars->setBarWidth(0.6);
    for (std::size_t i = 0; i < description.series.size(); ++i) {
        const Series& series = description.series[i];
        auto* set = new QBarSet(QString::fromStdString(series.name));
        for (std::size_t c = 0; c < series.values.size(); ++c) {
            const double value = series.hidden ? 0.0 : series.values[c];
            const double seen = std::min(sums[c] + value, whole.to()) - std::max(sums[c], below);
            *set << std::max(0.0, seen);
            sums[c] += value;
        }
        set->setColor(series.hidden ? grid_color(description.dark)
                                    : series_color(series.style.value_or(i), description.dark));
        set->setBorderColor(background_color(description.dark));
        bars->append(set);
    }
    std::unique_ptr<QChart> chart = make_chart(description);
    chart->legend()->setMarkerShape(QLegend::MarkerShapeRectangle); // that of the series is hollow
    auto* categories = new QBarCategoryAxis;
    for (const std::string& name : description.categories) {
        categories->append(QString::fromStdString(name));
    }
    categories->setLabelsFont(chart_font(12));
    categories->setLabelsColor(text_color(description.dark));
    categories->setGridLineVisible(false);
    categories->setTitleText(QString::fromStdString(description.x.label));
    categories->setTitleFont(chart_font(13));
    categories->setTitleBrush(text_color(description.dark));
    QCategoryAxis* values = make_axis(scale, description.y.label, description.dark);
    chart->addSeries(bars);
    chart->addAxis(categories, Qt::AlignBottom);
    chart->addAxis(values, Qt::AlignLeft);
    bars->attachAxis(categories);
    bars->attachAxis(values);
    Chart marked = description;
    for (Mark& mark : marked.marks) {
        mark.at -= below;
    }
    annotate(*chart, marked, {Scale(Axis{}, std::vector<double>{}), scale});
    return chart;
}

} // namespace chokepoint::gui
