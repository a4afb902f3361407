// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme.hpp"

#include "charts/palette.hpp"

#include <QApplication>
#include <QEvent>
#include <QPainter>
#include <QStyle>
#include <QStyleFactory>
#include <QWidget>

namespace chokepoint::gui {

namespace {

QPalette dark_palette() {
    // Far enough from the fields' ground that boxes to tick and the slider's marks are seen.
    const QColor ground(0x35, 0x39, 0x3E);
    const QColor faint(0x94, 0x99, 0xA0);
    QPalette palette(QColor(0x46, 0x4B, 0x52), ground);
    palette.setColor(QPalette::Base, background_color(true));
    palette.setColor(QPalette::AlternateBase, QColor(0x25, 0x28, 0x2C));
    palette.setColor(QPalette::Text, text_color(true));
    palette.setColor(QPalette::WindowText, text_color(true));
    palette.setColor(QPalette::ButtonText, text_color(true));
    palette.setColor(QPalette::ToolTipBase, ground);
    palette.setColor(QPalette::ToolTipText, text_color(true));
    palette.setColor(QPalette::Highlight, series_color(5));
    palette.setColor(QPalette::HighlightedText, Qt::black);
    palette.setColor(QPalette::PlaceholderText, faint);
    for (const auto role :
         {QPalette::Text, QPalette::WindowText, QPalette::ButtonText, QPalette::PlaceholderText}) {
        palette.setColor(QPalette::Disabled, role, faint);
    }
    palette.setColor(QPalette::Disabled, QPalette::Base, ground);
    return palette;
}

QPalette light_palette() {
    QPalette palette(QColor(0xFB, 0xFB, 0xFC), QColor(0xF3, 0xF4, 0xF6));
    palette.setColor(QPalette::Base, Qt::white);
    palette.setColor(QPalette::AlternateBase, QColor(0xF7, 0xF8, 0xFA));
    palette.setColor(QPalette::Midlight, QColor(0xD5, 0xD8, 0xDD));
    palette.setColor(QPalette::Highlight, series_color(0));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::PlaceholderText, QColor(0x6C, 0x70, 0x76));
    for (const auto role :
         {QPalette::Text, QPalette::WindowText, QPalette::ButtonText, QPalette::PlaceholderText}) {
        palette.setColor(QPalette::Disabled, role, QColor(0x9A, 0x9E, 0xA4));
    }
    palette.setColor(QPalette::Disabled, QPalette::Base, QColor(0xEC, 0xED, 0xF0));
    return palette;
}

} // namespace

void apply_look(Look look) {
    QApplication::setStyle(QStyleFactory::create("Fusion"));
    switch (look) {
    case Look::system:
        QApplication::setPalette(QApplication::style()->standardPalette());
        break;
    case Look::light:
        QApplication::setPalette(light_palette());
        break;
    case Look::dark:
        QApplication::setPalette(dark_palette());
        break;
    }
}

bool is_dark(const QWidget& widget) {
    constexpr int kMiddle = 128;
    return widget.palette().color(QPalette::Window).lightness() < kMiddle;
}

QColor fault_color(bool dark) { return dark ? QColor(0xFF, 0x8A, 0x80) : QColor(0xB3, 0x2A, 0x22); }

void set_type(QWidget& widget, int pixels, bool bold) {
    QFont font = widget.font();
    font.setPixelSize(pixels);
    font.setBold(bold);
    widget.setFont(font);
}

void set_bold(QWidget& widget) {
    QFont font = widget.font();
    font.setBold(true);
    widget.setFont(font);
}

void paint_focus(QPainter& painter, const QWidget& widget) {
    painter.setPen(QPen(widget.palette().color(QPalette::Highlight), 2.0));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(widget.rect().adjusted(1, 1, -1, -1));
}

void Card::paintEvent(QPaintEvent*) {
    constexpr double kRadius = 6.0;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(palette().color(QPalette::Midlight));
    painter.setBrush(palette().color(QPalette::Base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), kRadius, kRadius);
}

FaultLabel::FaultLabel(QWidget* parent) : QLabel(parent) { takeColor(); }

void FaultLabel::takeColor() {
    const QColor ink = fault_color(is_dark(*this));
    QPalette own = palette();
    if (own.color(QPalette::WindowText) != ink) {
        own.setColor(QPalette::WindowText, ink);
        setPalette(own);
    }
}

void FaultLabel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) {
        takeColor();
    }
    QLabel::changeEvent(event);
}

} // namespace chokepoint::gui
