// SPDX-License-Identifier: GPL-3.0-or-later
// A chart one can work with: legend that toggles, crosshair, zoom, pan, copy and export. Every chart of the
// program is one of these.
#pragma once

#include "charts/description.hpp"

#include <QImage>
#include <QWidget>

#include <optional>
#include <set>

class QMenu;

namespace chokepoint::gui {

class ChartView;

class ChartPanel : public QWidget {
    Q_OBJECT

public:
    explicit ChartPanel(QWidget* parent = nullptr);

    /// Shows a chart. The view (zoom, hidden series) stays while the title does.
    void setChart(Chart);
    /// What stands in the place of a chart that has nothing to show.
    void setHint(const QString&);
    [[nodiscard]] const QString& hint() const;
    /// As given: all series, unzoomed.
    [[nodiscard]] const Chart& chart() const { return chart_; }
    /// As it stands on the screen.
    [[nodiscard]] Chart shown() const;
    [[nodiscard]] bool isEmpty() const;

    void toggle(const std::string& series);
    /// Zooms by a factor (below 1: in) about a point of the plot, in shares of its width and height from the
    /// lower left.
    void zoom(double factor, double x, double y);
    /// Moves the view by shares of the plot's size.
    void pan(double x, double y);
    void resetView();

    /// A line across the plot at a place of the x axis, without building the chart anew.
    void setPointer(std::optional<double> x);

    /// A point that can be dragged, or moved by Shift and the arrow keys.
    void setGrip(std::optional<Point>);
    /// A point with a ring around it.
    void setRing(std::optional<Point>);

    void copy() const;
    /// Writes .png, .svg or .csv by the name's ending. @throws std::runtime_error saying why it could not.
    void exportTo(const QString& file) const;

    /// What stands beside the pointer at a place of the plot (shares, as zoom has them).
    [[nodiscard]] QStringList readout(double x, double y) const;

signals:
    /// A click on the plot, on the value axes.
    void clicked(double x, double y);
    /// A click near a point of a scatter that has a note.
    void noteClicked(const QString& note);
    /// The grip is dragged to a place, on the value axes; `released`: for good.
    void gripMoved(double x, double y, bool released);
    /// The view moved.
    void viewChanged();

protected:
    void changeEvent(QEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override;
    void focusInEvent(QFocusEvent*) override;
    void focusOutEvent(QFocusEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    void rebuild();
    void placePointer();
    void placeRings();
    /// In shares of the plot.
    [[nodiscard]] std::optional<QPointF> placed(const std::optional<Point>&) const;
    bool moveGrip(int key);
    [[nodiscard]] Point valuesAt(double x, double y) const;
    void moveAcross(double factor, double about, double by);
    void askExport();
    void fillMenu(QMenu&);

    Chart chart_;
    Axis x_, y_; ///< of the view
    std::set<std::string> hidden_;
    std::optional<double> pointer_;
    std::optional<Point> grip_, ring_;
    ChartView* view_;
};

struct PointPlace {
    std::size_t series = 0, point = 0;
};
/// Of a scatter the point that is nearest to a place of the plot (in shares), if one is near and shown.
std::optional<PointPlace> nearest_point(const Chart&, double x, double y);

/// The chart's data as CSV: of lines and scatters one row per point, of bars one per category and series.
QByteArray to_csv(const Chart&);

} // namespace chokepoint::gui
