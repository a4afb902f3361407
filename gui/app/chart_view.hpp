// SPDX-License-Identifier: GPL-3.0-or-later
// Shows one chart and turns pointer and wheel into zoom, pan and a crosshair with a readout.
#pragma once

#include "charts/description.hpp"

#include <QtCharts/QChartView>

#include <functional>
#include <memory>
#include <optional>

namespace chokepoint::gui {

/// Where words of this size stand beside the pointer: to its right and below, or wherever they are not cut.
QRectF readout_box(const QSizeF& box, const QPointF& at, const QRectF& area);

class ChartView : public QChartView {
    Q_OBJECT

public:
    using Readout = std::function<QStringList(double x, double y)>;
    ChartView(Readout, QWidget* parent);

    /// No axes either: there is nothing yet that they could be about.
    void showNothing(bool dark);
    void show(const Chart&);
    /// Words in the place of a chart.
    void setHint(const QString&);
    [[nodiscard]] const QString& hint() const { return hint_; }
    void setStale(bool);
    /// A frame says that keys go to this chart.
    void setFocused(bool);
    /// A line across the plot, at a share of its width from the left.
    void setMark(std::optional<double> share);
    /// A ring that can be dragged, at shares of the plot from its lower left.
    void setGrip(std::optional<QPointF> share);
    /// One that cannot.
    void setRing(std::optional<QPointF> share);
    /// Where the data is drawn.
    [[nodiscard]] QRectF plotArea() const;

signals:
    void zoomed(double factor, double x, double y);
    void panned(double x, double y);
    void reset();
    void picked(double x, double y);
    void gripped(double x, double y, bool released);
    void legendClicked(const QString& series);

protected:
    void drawForeground(QPainter*, const QRectF&) override;
    void paintEvent(QPaintEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;

private:
    /// In shares of the plot, from its lower left.
    [[nodiscard]] QPointF share(const QPointF& position) const;
    [[nodiscard]] QPointF position(const QPointF& share) const;
    void paintRing(QPainter&, const QPointF& share) const;
    void paintReadout(QPainter&, const QPointF& at, const QStringList& lines);

    Readout readout_;
    std::optional<QPointF> pointer_, drag_, grip_, ring_;
    bool gripping_ = false;
    std::optional<double> mark_;
    QString hint_;
    bool blank_ = true;
    Chart painted_; ///< of a kind that Qt Charts does not know
    bool moved_ = false, stale_ = false, dark_ = false, focused_ = false;
};

} // namespace chokepoint::gui
