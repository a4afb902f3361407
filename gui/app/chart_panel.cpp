// SPDX-License-Identifier: GPL-3.0-or-later
#include "chart_panel.hpp"

#include "chart_view.hpp"
#include "export_dialog.hpp"
#include "theme.hpp"

#include "charts/parts.hpp"
#include "charts/render.hpp"
#include "charts/save_file.hpp"

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QVBoxLayout>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

QByteArray png_of(const Chart& chart) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    to_image(chart, 2.0).save(&buffer, "PNG");
    return bytes;
}

/// Zooms an axis by a factor about a share of it, then moves it by a share.
void move_axis(Axis& axis, const Scale& scale, double factor, double about, double by) {
    const double span = scale.to() - scale.from();
    const double fixed = scale.from() + about * span;
    const double from = fixed - about * span * factor + by * span;
    axis.from = scale.value(from);
    axis.to = scale.value(from + span * factor);
    axis.ticks.clear();
    axis.tick_labels.clear();
}

/// The upright axis of bars moves as others do, but not below zero.
void move_bars(Axis& axis, const Scale& scale, double factor, double about, double by) {
    move_axis(axis, scale, factor, about, by);
    if (*axis.from < 0.0) {
        axis.to = *axis.to - (by != 0.0 ? *axis.from : 0.0);
        axis.from = 0.0;
    }
}

} // namespace

ChartPanel::ChartPanel(QWidget* parent)
    : QWidget(parent),
      view_(new ChartView([this](double x, double y) { return readout(x, y); }, this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(view_);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Chart, still empty"));
    setMinimumSize(220, 160);
    connect(view_, &ChartView::zoomed, this, &ChartPanel::zoom);
    connect(view_, &ChartView::panned, this, &ChartPanel::pan);
    connect(view_, &ChartView::reset, this, &ChartPanel::resetView);
    connect(view_, &ChartView::legendClicked, this,
            [this](const QString& series) { toggle(series.toStdString()); });
    connect(view_, &ChartView::picked, this, [this](double x, double y) {
        if (chart_.kind == ChartKind::line || chart_.kind == ChartKind::scatter) {
            const Point at = valuesAt(x, y);
            emit clicked(at.x, at.y);
        }
        const Chart current = shown();
        if (const auto near = nearest_point(current, x, y)) {
            const std::vector<std::string>& notes = current.series[near->series].notes;
            if (near->point < notes.size() && !notes[near->point].empty()) {
                emit noteClicked(QString::fromStdString(notes[near->point]));
            }
        }
    });
    connect(view_, &ChartView::gripped, this, [this](double x, double y, bool released) {
        const Point at = valuesAt(x, y);
        emit gripMoved(at.x, at.y, released);
    });
}

void ChartPanel::setChart(Chart chart) {
    if (chart.title != chart_.title || chart.x.label != chart_.x.label || chart.x.log != chart_.x.log ||
        chart.y.log != chart_.y.log) {
        x_ = {};
        y_ = {};
        hidden_.clear();
    }
    chart_ = std::move(chart);
    constexpr int kLowest = 160;
    setMinimumHeight(chart_.kind == ChartKind::waterfall ? waterfall_size(chart_).height() : kLowest);
    setAccessibleName(QString::fromStdString(chart_.title));
    setAccessibleDescription(
        tr("%1 against %2, %3 series")
            .arg(QString::fromStdString(chart_.y.label), QString::fromStdString(chart_.x.label))
            .arg(chart_.series.size()));
    rebuild();
}

void ChartPanel::setHint(const QString& hint) { view_->setHint(hint); }
const QString& ChartPanel::hint() const { return view_->hint(); }

bool ChartPanel::isEmpty() const {
    return std::ranges::all_of(chart_.series,
                               [](const Series& s) { return s.points.empty() && s.values.empty(); }) &&
           chart_.regions.empty() && chart_.panels.empty();
}

Chart ChartPanel::shown() const {
    Chart chart = chart_;
    chart.dark = is_dark(*this);
    if (x_.from) {
        chart.x.from = x_.from;
        chart.x.to = x_.to;
        chart.x.ticks = x_.ticks;
        chart.x.tick_labels = x_.tick_labels;
    }
    if (y_.to) {
        chart.y.from = y_.from;
        chart.y.to = y_.to;
        chart.y.ticks = y_.ticks;
    }
    for (Series& series : chart.series) {
        series.hidden = hidden_.contains(series.name);
    }
    return chart;
}

void ChartPanel::rebuild() {
    if (isEmpty() && chart_.marks.empty()) {
        view_->showNothing(is_dark(*this));
    } else {
        view_->show(shown());
    }
    placePointer();
    placeRings();
    emit viewChanged();
}

void ChartPanel::setPointer(std::optional<double> x) {
    pointer_ = x;
    placePointer();
}

Point ChartPanel::valuesAt(double x, double y) const {
    const Plane plane = plane_of(shown());
    return {plane.x.value(plane.x.from() + x * (plane.x.to() - plane.x.from())),
            plane.y.value(plane.y.from() + y * (plane.y.to() - plane.y.from()))};
}

void ChartPanel::setGrip(std::optional<Point> place) {
    grip_ = place;
    placeRings();
}

void ChartPanel::setRing(std::optional<Point> place) {
    ring_ = place;
    placeRings();
}

std::optional<QPointF> ChartPanel::placed(const std::optional<Point>& place) const {
    if (!place) {
        return std::nullopt;
    }
    const Plane plane = plane_of(shown());
    return QPointF((plane.x.position(place->x) - plane.x.from()) / (plane.x.to() - plane.x.from()),
                   (plane.y.position(place->y) - plane.y.from()) / (plane.y.to() - plane.y.from()));
}

void ChartPanel::placeRings() {
    view_->setGrip(placed(grip_));
    view_->setRing(placed(ring_));
}

bool ChartPanel::moveGrip(int key) {
    constexpr double kStep = 0.02; // of the plot
    const double across = key == Qt::Key_Right ? kStep : key == Qt::Key_Left ? -kStep : 0.0;
    const double up = key == Qt::Key_Up ? kStep : key == Qt::Key_Down ? -kStep : 0.0;
    if (!grip_ || (across == 0.0 && up == 0.0)) {
        return false;
    }
    const Plane plane = plane_of(shown());
    const double wide = plane.x.to() - plane.x.from();
    const double tall = plane.y.to() - plane.y.from();
    emit gripMoved(plane.x.value(plane.x.position(grip_->x) + across * wide),
                   plane.y.value(plane.y.position(grip_->y) + up * tall), true);
    return true;
}

void ChartPanel::placePointer() {
    std::optional<double> share;
    if (pointer_ && (chart_.kind == ChartKind::line || chart_.kind == ChartKind::scatter)) {
        const Scale x = plane_of(shown()).x;
        share = (x.position(*pointer_) - x.from()) / (x.to() - x.from());
    }
    view_->setMark(share);
}

void ChartPanel::toggle(const std::string& series) {
    if (hidden_.erase(series) == 0) {
        hidden_.insert(series);
    }
    rebuild();
}

void ChartPanel::moveAcross(double factor, double about, double by) {
    move_axis(x_, Scale(waterfall_axis(shown()), {}), factor, about, by);
}

void ChartPanel::zoom(double factor, double x, double y) {
    const Chart current = shown();
    if (current.kind == ChartKind::stacked_bars) {
        move_bars(y_, bar_scale(current), factor, y, 0.0);
    } else if (current.kind == ChartKind::waterfall) {
        moveAcross(factor, x, 0.0);
    } else {
        const Plane plane = plane_of(current);
        move_axis(x_, plane.x, factor, x, 0.0);
        move_axis(y_, plane.y, factor, y, 0.0);
    }
    rebuild();
}

void ChartPanel::pan(double x, double y) {
    const Chart current = shown();
    if (current.kind == ChartKind::stacked_bars) {
        move_bars(y_, bar_scale(current), 1.0, 0.0, y);
    } else if (current.kind == ChartKind::waterfall) {
        moveAcross(1.0, 0.0, x);
    } else {
        const Plane plane = plane_of(current);
        move_axis(x_, plane.x, 1.0, 0.0, x);
        move_axis(y_, plane.y, 1.0, 0.0, y);
    }
    rebuild();
}

void ChartPanel::resetView() {
    x_ = {};
    y_ = {};
    rebuild();
}

void ChartPanel::copy() const { QApplication::clipboard()->setImage(to_image(shown(), 2.0)); }

void ChartPanel::exportTo(const QString& file) const {
    Chart chart = shown();
    chart.width = std::max(width(), 600);
    chart.height = std::max(height(), 400);
    const ExportKind kind = export_kind(file);
    save_file(file, kind == ExportKind::svg   ? to_svg(chart, "")
                    : kind == ExportKind::png ? png_of(chart)
                                              : to_csv(chart_));
}

void ChartPanel::askExport() {
    ask_export(this, tr("Export chart"), QString::fromStdString(chart_.title),
               [this](const QString& file) { exportTo(file); });
}

void ChartPanel::fillMenu(QMenu& menu) {
    menu.addAction(tr("&Reset view"), QKeySequence(Qt::Key_Home), this, &ChartPanel::resetView);
    menu.addAction(tr("&Copy picture"), QKeySequence::Copy, this, &ChartPanel::copy);
    menu.addAction(tr("&Export…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &ChartPanel::askExport);
    menu.addSeparator();
    for (const Series& series : chart_.series) {
        if (series.name.empty() || series.plain) {
            continue; // as in the legend
        }
        QAction* action = menu.addAction(QString::fromStdString(series.name));
        action->setCheckable(true);
        action->setChecked(!hidden_.contains(series.name));
        connect(action, &QAction::triggered, this, [this, name = series.name] { toggle(name); });
    }
}

void ChartPanel::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu;
    fillMenu(menu);
    menu.exec(event->globalPos());
}

void ChartPanel::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    view_->setFocused(true);
}

void ChartPanel::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    view_->setFocused(false);
}

void ChartPanel::keyPressEvent(QKeyEvent* event) {
    constexpr double kStep = 0.1;
    constexpr double kIn = 0.8;
    if ((event->modifiers() & Qt::ShiftModifier) != 0 && moveGrip(event->key())) {
        return;
    }
    switch (event->key()) {
    case Qt::Key_Left:
        return pan(-kStep, 0.0);
    case Qt::Key_Right:
        return pan(kStep, 0.0);
    case Qt::Key_Up:
        return pan(0.0, kStep);
    case Qt::Key_Down:
        return pan(0.0, -kStep);
    case Qt::Key_Plus:
        return zoom(kIn, 0.5, 0.5);
    case Qt::Key_Minus:
        return zoom(1.0 / kIn, 0.5, 0.5);
    case Qt::Key_Home:
        return resetView();
    default:
        break;
    }
    if (event->matches(QKeySequence::Copy)) {
        copy();
    } else if (event->key() == Qt::Key_E && (event->modifiers() & Qt::ControlModifier) != 0) {
        askExport();
    } else {
        QWidget::keyPressEvent(event);
    }
}

void ChartPanel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) {
        rebuild();
    } else if (event->type() == QEvent::EnabledChange) {
        view_->setStale(!isEnabled());
    }
    QWidget::changeEvent(event);
}

} // namespace chokepoint::gui
