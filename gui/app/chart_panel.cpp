// SPDX-License-Identifier: GPL-3.0-or-later
#include "chart_panel.hpp"

#include "chart_view.hpp"
#include "theme.hpp"

#include "charts/parts.hpp"
#include "charts/render.hpp"

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QKeyEvent>
#include <QMenu>
#include <QMessageBox>
#include <QSaveFile>
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

/// The bars' upright axis, of which only the top moves.
double top_of_bars(const Chart& chart) {
    std::vector<double> sums(chart.categories.size(), 0.0);
    for (const Series& series : chart.series) {
        for (std::size_t i = 0; i < series.values.size(); ++i) {
            sums[i] += series.values[i];
        }
    }
    return chart.y.to.value_or(sums.empty() ? 1.0 : *std::ranges::max_element(sums));
}

QString line_of(const Series& series, double value) {
    return QString("%1: %2").arg(QString::fromStdString(series.name),
                                 QString::fromStdString(number_text(value)));
}

/// The series' value at x, between its points; nothing beyond them.
std::optional<double> value_at(const std::vector<Point>& points, double x) {
    for (std::size_t i = 1; i < points.size(); ++i) {
        const Point& a = points[i - 1];
        const Point& b = points[i];
        if ((a.x <= x && x <= b.x) && b.x > a.x) {
            return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
        }
    }
    return std::nullopt;
}

} // namespace

ChartPanel::ChartPanel(QWidget* parent)
    : QWidget(parent),
      view_(new ChartView([this](double x, double y) { return readout(x, y); }, this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(view_);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(220, 160);
    connect(view_, &ChartView::zoomed, this, &ChartPanel::zoom);
    connect(view_, &ChartView::panned, this, &ChartPanel::pan);
    connect(view_, &ChartView::reset, this, &ChartPanel::resetView);
    connect(view_, &ChartView::legendClicked, this,
            [this](const QString& series) { toggle(series.toStdString()); });
    connect(view_, &ChartView::picked, this, [this](double x, double y) {
        if (chart_.kind != ChartKind::stacked_bars) {
            const Plane plane = plane_of(shown());
            emit clicked(plane.x.value(plane.x.from() + x * (plane.x.to() - plane.x.from())),
                         plane.y.value(plane.y.from() + y * (plane.y.to() - plane.y.from())));
        }
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
    setAccessibleName(QString::fromStdString(chart_.title));
    setAccessibleDescription(
        tr("%1 against %2, %3 series")
            .arg(QString::fromStdString(chart_.y.label), QString::fromStdString(chart_.x.label))
            .arg(chart_.series.size()));
    rebuild();
}

bool ChartPanel::isEmpty() const {
    return std::ranges::all_of(chart_.series,
                               [](const Series& s) { return s.points.empty() && s.values.empty(); }) &&
           chart_.regions.empty();
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
    view_->show(shown());
    placePointer();
    emit viewChanged();
}

void ChartPanel::setPointer(std::optional<double> x) {
    pointer_ = x;
    placePointer();
}

void ChartPanel::placePointer() {
    std::optional<double> share;
    if (pointer_ && chart_.kind != ChartKind::stacked_bars) {
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

void ChartPanel::zoom(double factor, double x, double y) {
    const Chart current = shown();
    if (current.kind == ChartKind::stacked_bars) {
        y_.from = 0.0;
        y_.to = top_of_bars(current) * factor;
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
        return;
    }
    const Plane plane = plane_of(current);
    move_axis(x_, plane.x, 1.0, 0.0, x);
    move_axis(y_, plane.y, 1.0, 0.0, y);
    rebuild();
}

void ChartPanel::resetView() {
    x_ = {};
    y_ = {};
    rebuild();
}

QStringList ChartPanel::readout(double x, double y) const {
    const Chart current = shown();
    QStringList lines;
    if (current.kind == ChartKind::stacked_bars) {
        const auto n = static_cast<double>(current.categories.size());
        const auto at = static_cast<std::size_t>(std::clamp(x * n, 0.0, n - 1.0));
        if (current.categories.empty()) {
            return lines;
        }
        lines << QString::fromStdString(current.categories[at]);
        for (const Series& series : current.series) {
            if (!series.hidden && at < series.values.size()) {
                lines << line_of(series, series.values[at]);
            }
        }
        return lines;
    }
    const Plane plane = plane_of(current);
    const double across = plane.x.from() + x * (plane.x.to() - plane.x.from());
    const double up = plane.y.from() + y * (plane.y.to() - plane.y.from());
    if (current.kind == ChartKind::line) {
        lines << QString("%1: %2").arg(
            QString::fromStdString(current.x.label),
            QString::fromStdString(number_text(std::stod(fmt::format("{:.4g}", plane.x.value(across))))));
        for (const Series& series : current.series) {
            const auto value = value_at(series.points, plane.x.value(across));
            if (!series.hidden && value) {
                lines << line_of(series, std::stod(fmt::format("{:.5g}", *value)));
            }
        }
        return lines.size() > 1 ? lines : QStringList();
    }
    // Of a scatter the nearest point, if the pointer is near.
    constexpr double kNear = 0.02;
    double nearest = kNear;
    for (const Series& series : current.series) {
        for (std::size_t i = 0; i < series.points.size() && !series.hidden; ++i) {
            const Point& p = series.points[i];
            const double distance =
                std::hypot((plane.x.position(p.x) - across) / (plane.x.to() - plane.x.from()),
                           (plane.y.position(p.y) - up) / (plane.y.to() - plane.y.from()));
            if (distance < nearest) {
                nearest = distance;
                lines = {QString::fromStdString(i < series.notes.size() && !series.notes[i].empty()
                                                    ? series.notes[i]
                                                    : series.name),
                         QString("%1: %2").arg(QString::fromStdString(current.x.label),
                                               QString::fromStdString(number_text(p.x))),
                         QString("%1: %2").arg(QString::fromStdString(current.y.label),
                                               QString::fromStdString(number_text(p.y)))};
            }
        }
    }
    return lines;
}

void ChartPanel::copy() const { QApplication::clipboard()->setImage(to_image(shown(), 2.0)); }

void ChartPanel::exportTo(const QString& file) const {
    Chart chart = shown();
    chart.width = std::max(width(), 600);
    chart.height = std::max(height(), 400);
    const QString ending = file.section('.', -1).toLower();
    if (ending != "svg" && ending != "png" && ending != "csv") {
        throw std::runtime_error(tr("cannot export '%1': expected a name that ends in .png, .svg or .csv")
                                     .arg(file)
                                     .toStdString());
    }
    const QByteArray bytes = ending == "svg"   ? to_svg(chart, "")
                             : ending == "png" ? png_of(chart)
                                               : to_csv(chart_);
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit()) {
        throw std::runtime_error(tr("cannot write '%1': %2").arg(file, out.errorString()).toStdString());
    }
}

void ChartPanel::askExport() {
    const QString file = QFileDialog::getSaveFileName(this, tr("Export chart"), {},
                                                      tr("PNG (*.png);;SVG (*.svg);;CSV (*.csv)"));
    if (file.isEmpty()) {
        return;
    }
    try {
        exportTo(file);
    } catch (const std::exception& error) {
        QMessageBox::warning(this, tr("Export"), QString::fromUtf8(error.what()));
    }
}

void ChartPanel::fillMenu(QMenu& menu) {
    menu.addAction(tr("&Reset view"), QKeySequence(Qt::Key_Home), this, &ChartPanel::resetView);
    menu.addAction(tr("&Copy picture"), QKeySequence::Copy, this, &ChartPanel::copy);
    menu.addAction(tr("&Export…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &ChartPanel::askExport);
    menu.addSeparator();
    for (const Series& series : chart_.series) {
        if (series.name.empty()) {
            continue;
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

void ChartPanel::keyPressEvent(QKeyEvent* event) {
    constexpr double kStep = 0.1;
    constexpr double kIn = 0.8;
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
