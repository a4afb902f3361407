// SPDX-License-Identifier: GPL-3.0-or-later
// Lines with uncertainty bands, and scatters around a diagonal.
#include "curves.hpp"
#include "palette.hpp"
#include "parts.hpp"

#include <QtCharts/QLegendMarker>
#include <QtCharts/QLineSeries>
#include <QtCharts/QScatterSeries>

#include <algorithm>

namespace chokepoint::gui {

namespace {

constexpr double kLineWidth = 2.0;
constexpr double kMarkerSize = 8.0;
constexpr int kBandAlpha = 50;
constexpr double kBandEntryWidth = 8.0; // in the legend

class XyChart {
public:
    explicit XyChart(const Chart& chart)
        : description_(chart),
          plane_(plane_of(chart)),
          chart_(make_chart(chart)),
          x_(make_axis(plane_.x, chart.x.label, chart.dark)),
          y_(make_axis(plane_.y, chart.y.label, chart.dark)) {
        chart_->addAxis(x_, Qt::AlignBottom);
        chart_->addAxis(y_, Qt::AlignLeft);
        curves_ = Curves::follow(*chart_, plane_);
    }

    std::unique_ptr<QChart> make() {
        if (description_.kind == ChartKind::scatter && description_.diagonal_margin) {
            add_diagonal(*description_.diagonal_margin);
        }
        for (std::size_t i = 0; i < description_.series.size(); ++i) {
            const Series& series = description_.series[i];
            if (series.hidden) {
                add_hidden(series.name);
                continue;
            }
            if (series.plain) {
                continue;
            }
            const std::size_t style = series.style.value_or(i);
            const bool points = description_.kind == ChartKind::scatter && !series.joined;
            const bool band_alone = series.points.empty() && !series.band.empty();
            add_band(series.band, series_color(style, description_.dark), band_alone ? series.name : "");
            if (!points && !band_alone) {
                add_line(positions(series.points), QPen(series_color(style, description_.dark), kLineWidth),
                         series.name);
            }
            if (points || series.markers) {
                add_points(series, style, points ? series.name : "");
            }
        }
        annotate(*chart_, description_, plane_);
        return std::move(chart_);
    }

private:
    [[nodiscard]] Point position(const Point& p) const {
        return {plane_.x.position(p.x), plane_.y.position(p.y)};
    }
    [[nodiscard]] std::vector<Point> positions(const std::vector<Point>& points) const {
        std::vector<Point> list;
        std::ranges::transform(points, std::back_inserter(list), [&](const Point& p) { return position(p); });
        return list;
    }

    /// Series without a name stay out of the legend.
    void add(QAbstractSeries* series, const std::string& name) {
        series->setName(QString::fromStdString(name));
        chart_->addSeries(series);
        series->attachAxis(x_);
        series->attachAxis(y_);
        for (QLegendMarker* marker : chart_->legend()->markers(series)) {
            marker->setVisible(!name.empty());
        }
    }

    void add_line(const std::vector<Point>& line, const QPen& pen, const std::string& name) {
        for (const auto& piece : clip_line(line, plane_.box())) {
            curves_->add(piece, pen);
        }
        add_entry(name, pen);
    }

    /// For the legend alone: Curves paints what Qt Charts would outline anew for every frame.
    void add_entry(const std::string& name, const QPen& pen) {
        if (!name.empty()) {
            auto* series = new QLineSeries;
            series->setPen(pen);
            add(series, name);
        }
    }

    /// A pale entry of the legend, which brings the series back.
    void add_hidden(const std::string& name) {
        add_entry(name, QPen(grid_color(description_.dark), kLineWidth));
    }

    void add_band(const std::vector<BandPoint>& band, QColor color, const std::string& name) {
        std::vector<BandPoint> drawn;
        for (const BandPoint& p : band) {
            drawn.push_back({plane_.x.position(p.x), plane_.y.position(p.low), plane_.y.position(p.high)});
        }
        color.setAlpha(kBandAlpha);
        curves_->add(clip_band(drawn, plane_.box()), color);
        add_entry(name, QPen(color, kBandEntryWidth));
    }

    void add_points(const Series& series, std::size_t number, const std::string& name) {
        auto* dots = new QScatterSeries;
        for (const Point& point : positions(series.points)) {
            if (contains(plane_.box(), point)) {
                dots->append(point.x, point.y);
            }
        }
        // Shape as well as colour tells series apart.
        constexpr std::array kShapes{
            QScatterSeries::MarkerShapeCircle,    QScatterSeries::MarkerShapeTriangle,
            QScatterSeries::MarkerShapeRectangle, QScatterSeries::MarkerShapeRotatedRectangle,
            QScatterSeries::MarkerShapePentagon,  QScatterSeries::MarkerShapeStar};
        dots->setMarkerShape(kShapes[number % kShapes.size()]);
        dots->setMarkerSize(kMarkerSize);
        dots->setColor(series_color(number, description_.dark));
        dots->setBorderColor(background_color(description_.dark));
        add(dots, name);
    }

    void add_diagonal(double margin) {
        // In values, both axes show the same range where they overlap.
        const auto value = [&](double at) { return description_.x.log ? std::pow(10.0, at) : at; };
        const double from = value(plane_.x.from());
        const double to = value(plane_.x.to());
        add_band({{from, from * (1.0 - margin), from * (1.0 + margin)},
                  {to, to * (1.0 - margin), to * (1.0 + margin)}},
                 Qt::gray, "");
        add_line(positions({{from, from}, {to, to}}), QPen(QColor(0x60, 0x60, 0x60), 1.0), "");
    }

    const Chart& description_;
    Plane plane_;
    std::unique_ptr<QChart> chart_;
    QCategoryAxis* x_;
    QCategoryAxis* y_;
    Curves* curves_ = nullptr; ///< the chart's
};

} // namespace

Plane plane_of(const Chart& chart) {
    std::vector<double> x;
    std::vector<double> y;
    for (const Mark& mark : chart.marks) {
        (mark.horizontal ? y : x).push_back(mark.at);
    }
    for (const Series& series : chart.series) {
        for (const Point& p : series.points) {
            x.push_back(p.x);
            y.push_back(p.y);
        }
        for (const BandPoint& p : series.band) {
            x.push_back(p.x);
            y.insert(y.end(), {p.low, p.high});
        }
    }
    if (chart.diagonal_margin) { // the same range both ways, so that the diagonal is one
        x.insert(x.end(), y.begin(), y.end());
        y = x;
    }
    return {Scale(chart.x, x), Scale(chart.y, y)};
}

std::unique_ptr<QChart> make_xy_chart(const Chart& chart) { return XyChart(chart).make(); }

} // namespace chokepoint::gui
