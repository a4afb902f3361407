// SPDX-License-Identifier: GPL-3.0-or-later
// Stacked bars: one per category, a layer per series.
#include "palette.hpp"
#include "parts.hpp"

#include <QtCharts/QBarCategoryAxis>
#include <QtCharts/QBarSet>
#include <QtCharts/QLegend>
#include <QtCharts/QStackedBarSeries>

namespace chokepoint::gui {

std::unique_ptr<QChart> make_bar_chart(const Chart& description) {
    std::vector<double> sums(description.categories.size(), 0.0);
    auto* bars = new QStackedBarSeries;
    bars->setBarWidth(0.6);
    for (std::size_t i = 0; i < description.series.size(); ++i) {
        const Series& series = description.series[i];
        auto* set = new QBarSet(QString::fromStdString(series.name));
        for (std::size_t c = 0; c < series.values.size(); ++c) {
            const double value = series.hidden ? 0.0 : series.values[c];
            *set << value;
            sums[c] += value;
        }
        set->setColor(series.hidden ? grid_color(description.dark)
                                    : series_color(series.style.value_or(i), description.dark));
        set->setBorderColor(background_color(description.dark));
        bars->append(set);
    }
    Axis upright = description.y;
    upright.log = false; // stacked lengths add up only on a linear axis
    upright.from = 0.0;
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
    std::vector<double> heights = sums;
    heights.push_back(0.0); // so that the margin above is a share of the whole bar
    for (const Mark& mark : description.marks) {
        heights.push_back(mark.at);
    }
    const Scale scale(upright, heights);
    QCategoryAxis* values = make_axis(scale, description.y.label, description.dark);
    chart->addSeries(bars);
    chart->addAxis(categories, Qt::AlignBottom);
    chart->addAxis(values, Qt::AlignLeft);
    bars->attachAxis(categories);
    bars->attachAxis(values);
    annotate(*chart, description, {Scale(Axis{}, std::vector<double>{}), scale});
    return chart;
}

} // namespace chokepoint::gui
