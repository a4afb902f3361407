// SPDX-License-Identifier: GPL-3.0-or-later
// The shown stretch of timelines as a picture, and its spans as a table.
#include "export_dialog.hpp"
#include "timeline_view.hpp"

#include "charts/save_file.hpp"

#include <chokepoint/sim/wording.hpp>

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QMenu>
#include <QPainter>
#include <QSvgGenerator>

#include <fmt/format.h>

namespace chokepoint::gui {

using sim::csv_cell;

namespace {

constexpr int kFine = 2; ///< pixels of a picture per pixel of the screen

} // namespace

QByteArray TimelineView::png() {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    render(viewport()->size(), kFine).save(&buffer, "PNG");
    return bytes;
}

QByteArray TimelineView::svg() {
    QBuffer buffer;
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(viewport()->size());
    generator.setViewBox(QRect(QPoint(), viewport()->size()));
    generator.setTitle(tr("Timeline"));
    QPainter painter(&generator);
    paintAll(painter, viewport()->size());
    painter.end();
    return buffer.data();
}

QByteArray TimelineView::csv() const {
    std::string out = "timeline,process,track,span,start (s),end (s),detail\n";
    for (std::size_t m = 0; m < models_.size(); ++m) {
        const TraceModel& model = *models_[m];
        for (const TraceTrack& track : model.tracks()) {
            for (std::size_t i = TraceModel::first_behind(track, from_ - offsets_[m]); i < track.spans.size();
                 ++i) {
                const TraceSpan& span = track.spans[i];
                const double start = span.start + offsets_[m];
                if (start >= to_) {
                    break;
                }
                const bool detailed = span.detail != TraceSpan::kNoDetail;
                out += fmt::format(
                    "{},{},{},{},{:.12g},{:.12g},{}\n", static_cast<char>('A' + m),
                    csv_cell(track.process_name.toStdString()), csv_cell(track.thread_name.toStdString()),
                    csv_cell(model.name(span.name).toStdString()), start, span.end + offsets_[m],
                    csv_cell(detailed ? model.name(span.detail).toStdString() : ""));
            }
        }
    }
    return QByteArray::fromStdString(out);
}

void TimelineView::exportTo(const QString& file) {
    const ExportKind kind = export_kind(file);
    save_file(file, kind == ExportKind::png ? png() : kind == ExportKind::svg ? svg() : csv());
}

void TimelineView::copy() { QApplication::clipboard()->setImage(render(viewport()->size(), kFine)); }

void TimelineView::askExport() {
    ask_export(this, tr("Export the shown stretch"), tr("timeline"),
               [this](const QString& file) { exportTo(file); });
}

void TimelineView::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu;
    menu.addAction(tr("&Whole step"), QKeySequence(Qt::Key_Home), this, &TimelineView::resetView);
    QAction* near = menu.addAction(tr("Zoom to the &selected span"), QKeySequence(Qt::Key_F), this,
                                   &TimelineView::showSelected);
    near->setEnabled(selected_.has_value());
    menu.addSeparator();
    menu.addAction(tr("&Copy picture"), QKeySequence::Copy, this, &TimelineView::copy);
    menu.addAction(tr("&Export…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &TimelineView::askExport);
    menu.exec(event->globalPos());
}

} // namespace chokepoint::gui
