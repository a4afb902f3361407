// SPDX-License-Identifier: GPL-3.0-or-later
// Okabe and Ito's colours, which people with any colour vision tell apart (jfly.uni-koeln.de/color), and then
// two of Paul Tol's (personal.sron.nl/~pault), dark enough for lines on white.
#include "palette.hpp"

#include <array>
#include <cmath>

namespace chokepoint::gui {

namespace {

struct OfLook {
    QRgb light, dark;
};
constexpr std::array<OfLook, 10> kSeries{{{0xFF0072B2, 0xFF0072B2},
                                          {0xFFD55E00, 0xFFD55E00},
                                          {0xFF009E73, 0xFF009E73},
                                          {0xFFCC79A7, 0xFFCC79A7},
                                          {0xFFE69F00, 0xFFE69F00},
                                          {0xFF56B4E9, 0xFF56B4E9},
                                          {0xFF000000, 0xFFF0F0F0},
                                          {0xFF8C8C8C, 0xFF8C8C8C},
                                          {0xFF882255, 0xFFB84A7A},
                                          {0xFF999933, 0xFF999933}}};

QRgb base(SpanKind kind) {
    switch (kind) {
    case SpanKind::forward:
        return 0xFF6FC3A0; // bluish green, light enough for black text
    case SpanKind::backward:
        return 0xFF4C9BD6; // blue
    case SpanKind::input_backward:
        return 0xFF8FC4EA; // sky blue
    case SpanKind::weight_backward:
        return 0xFFE98F4E; // vermilion
    case SpanKind::other:
        return 0xFFBDBDBD;
    }
    return 0xFFBDBDBD;
}

} // namespace

QColor series_color(std::size_t number, bool dark) {
    const OfLook& color = kSeries[number % kSeries.size()];
    return QColor::fromRgb(dark ? color.dark : color.light);
}

QColor span_color(SpanKind kind, int shade) {
    const QColor full = QColor::fromRgb(base(kind));
    const double keep = std::pow(0.62, shade);
    const auto pale = [keep](int channel) { return static_cast<int>(255.0 - keep * (255 - channel)); };
    return QColor(pale(full.red()), pale(full.green()), pale(full.blue()));
}

std::string_view span_name(SpanKind kind) {
    switch (kind) {
    case SpanKind::forward:
        return "forward";
    case SpanKind::backward:
        return "backward";
    case SpanKind::input_backward:
        return "backward for input";
    case SpanKind::weight_backward:
        return "backward for weights";
    case SpanKind::other:
        return "other";
    }
    return "other";
}

QColor bar_color(BarKind kind) {
    switch (kind) {
    case BarKind::more:
        return QColor::fromRgb(0xFFD55E00); // vermilion
    case BarKind::less:
        return QColor::fromRgb(0xFF009E73); // bluish green
    case BarKind::range:
        return QColor::fromRgb(0xFF0072B2); // blue
    case BarKind::total:
        break;
    }
    return QColor::fromRgb(0xFF8C8C8C);
}

QColor text_color(bool dark) { return dark ? QColor(0xE4, 0xE4, 0xE4) : QColor(0x20, 0x20, 0x20); }
QColor grid_color(bool dark) { return dark ? QColor(0x45, 0x48, 0x4D) : QColor(0xDD, 0xDD, 0xDD); }
QColor background_color(bool dark) { return dark ? QColor(0x1E, 0x20, 0x23) : QColor(Qt::white); }

QFont chart_font(int pixels) {
    QFont font("DejaVu Sans");
    font.setPixelSize(pixels);
    return font;
}

} // namespace chokepoint::gui
