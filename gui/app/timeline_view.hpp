// SPDX-License-Identifier: GPL-3.0-or-later
// Draws timelines below each other on one time axis. Keys and wheel as ui.perfetto.dev has them: W and S
// zoom, A and D move, Ctrl and wheel zoom about the pointer.
#pragma once

#include "trace_model.hpp"

#include <QAbstractScrollArea>
#include <QImage>

#include <memory>
#include <optional>
#include <vector>

namespace chokepoint::gui {

/// A span of one of the shown timelines.
struct SpanPlace {
    std::size_t model = 0, track = 0, span = 0;
    friend bool operator==(const SpanPlace&, const SpanPlace&) = default;
};

class TimelineView : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TimelineView(QWidget* parent = nullptr);

    void setModels(std::vector<std::shared_ptr<const TraceModel>>);
    [[nodiscard]] const std::vector<std::shared_ptr<const TraceModel>>& models() const { return models_; }
    /// What stands in the place of timelines that are not there yet.
    void setHint(const QString&);

    /// Moves a timeline along the axis, so that its beginning stands at `seconds`.
    void setOffset(std::size_t model, double seconds);
    [[nodiscard]] double offset(std::size_t model) const { return offsets_[model]; }
    /// The end of the last timeline.
    [[nodiscard]] double end() const;

    [[nodiscard]] double from() const { return from_; }
    [[nodiscard]] double to() const { return to_; }
    /// Shows a stretch of time; kept within the timelines and no narrower than a nanosecond.
    void setRange(double from, double to);
    void zoom(double factor, double about);
    void resetView();

    /// Pales all but the critical path, where a timeline tells it.
    void setPathShown(bool);
    [[nodiscard]] bool hasPath() const;

    /// Marks spans whose name holds the words; how many there are.
    std::size_t search(const QString& words);
    /// Goes to the next (or previous) match and selects it.
    void nextMatch(int step);
    void select(std::optional<SpanPlace>);
    [[nodiscard]] std::optional<SpanPlace> selected() const { return selected_; }
    [[nodiscard]] const TraceSpan& span(const SpanPlace& place) const;
    /// On the axis, with the timeline's offset.
    [[nodiscard]] double startOf(const SpanPlace& place) const;
    [[nodiscard]] double endOf(const SpanPlace& place) const;

    /// The shown tracks from the top, each by its first span.
    [[nodiscard]] std::vector<SpanPlace> rows() const;
    /// The whole picture, as it is painted, with so many pixels for each.
    QImage render(const QSize&, int fine = 1);
    void copy();
    /// Writes the shown stretch: a picture as .png or .svg, its spans as .csv. @throws std::runtime_error
    /// saying why it could not.
    void exportTo(const QString& file);
    /// Zooms to the selected span.
    void showSelected();

signals:
    void rangeChanged();
    void selectionChanged();
    /// What is under the pointer; empty over nothing.
    void hovered(const QString& words);

protected:
    void paintEvent(QPaintEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void focusInEvent(QFocusEvent*) override;
    void focusOutEvent(QFocusEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override;

private:
    [[nodiscard]] QByteArray png();
    [[nodiscard]] QByteArray svg();
    [[nodiscard]] QByteArray csv() const;
    void askExport();
    struct Row {
        std::size_t model = 0;
        std::optional<std::size_t> track; ///< none: the heading of a process
        int top = 0;
    };
    void layOut();
    void addRows(std::size_t model, std::size_t first, std::size_t last);
    void paintAll(QPainter&, const QSize&);
    void paintAxis(QPainter&, const QRect&);
    void paintRow(QPainter&, const Row&, int top, int width);
    void paintHeading(QPainter&, const Row&, int top, int width);
    /// Into strip_, in pixels of the device.
    void paintSpans(const Row&);
    void paintNames(QPainter&, const Row&, int top, int width, double per_second);
    void paintMark(QPainter&, const SpanPlace&, int width, const QPen&);
    /// What the search found: a frame around spans wide enough for one, a strip along the others.
    void paintMatches(QPainter&, int width);
    [[nodiscard]] double timeAt(double x) const;
    [[nodiscard]] std::optional<SpanPlace> placeAt(const QPointF&) const;
    [[nodiscard]] int rowTop(const SpanPlace&) const;
    [[nodiscard]] QString words(const SpanPlace&) const;

    std::vector<std::shared_ptr<const TraceModel>> models_;
    std::vector<double> offsets_;           ///< by model, seconds
    std::vector<std::vector<QRgb>> colors_; ///< by model and color id
    std::vector<Row> rows_;
    std::vector<std::vector<std::size_t>> rowOf_; ///< by model and track
    int height_ = 0;
    double from_ = 0.0, to_ = 1.0;
    std::vector<SpanPlace> matches_;
    std::size_t match_ = 0;
    std::optional<SpanPlace> selected_;
    std::optional<QPointF> drag_, band_;
    QPointF pointer_;
    bool moved_ = false, path_ = true;
    QString hint_;
    std::vector<TracePixel> pixels_;
    QImage strip_;
};

/// The whole of the timelines in small, with the shown stretch framed; a click or a drag moves it.
class Minimap : public QWidget {
    Q_OBJECT

public:
    explicit Minimap(TimelineView&, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override { return {400, 34}; }
    void refresh();

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;

private:
    void centre(double x);
    void drawPicture(const QSize& pixels, double end);
    TimelineView& view_;
    QImage picture_; ///< in pixels of the device
    bool dark_ = false;
};

} // namespace chokepoint::gui
