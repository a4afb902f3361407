// SPDX-License-Identifier: GPL-3.0-or-later
// Rewrites what QSvgGenerator of Qt 6 writes; it never nests groups but in the outermost one.
#include "compact_svg.hpp"

#include <QRegularExpression>

namespace chokepoint::gui {

namespace {

/// Groups name a font, and so does each text in them.
void drop_fonts_of_groups(QString& svg) {
    static const QRegularExpression fonts(R"x(\s*font-family="[^"]*" font-size="[^"]*" )x"
                                          R"x(font-weight="[^"]*" font-style="[^"]*"\s*>\n)x");
    svg.replace(fonts, ">\n");
}

void drop_empty_groups(QString& svg) {
    static const QRegularExpression empty(R"(<g [^>]*>\s*</g>\s*)");
    svg.remove(empty);
}

/// What SVG takes an attribute to be where it is absent.
void drop_defaults(QString& svg) {
    static const QRegularExpression defaults(
        R"x( (?:stroke-opacity="1"|fill-opacity="1"|stroke-dashoffset="0"|vector-effect="none")x"
        R"x(|transform="matrix\(1,0,0,1,0,0\)"|font-weight="400"|font-style="normal")(?=[ />\n]))x");
    svg.remove(defaults);
}

/// "</g>" and a "<g …>" as the one that was open before, with nothing between them.
void join_equal_groups(QString& svg) {
    static const QRegularExpression opening("<g [^>]*>");
    static const QRegularExpression closed(R"(</g>\s*$)");
    QString joined;
    QStringView open;
    qsizetype from = 0;
    auto found = opening.globalMatch(svg);
    while (found.hasNext()) {
        const QRegularExpressionMatch match = found.next();
        joined += QStringView(svg).mid(from, match.capturedStart() - from);
        from = match.capturedEnd();
        const QRegularExpressionMatch end = closed.match(joined, std::max<qsizetype>(0, joined.size() - 8));
        if (end.hasMatch() && match.capturedView() == open) {
            joined.truncate(end.capturedStart());
        } else {
            joined += match.capturedView();
        }
        open = match.capturedView();
    }
    joined += QStringView(svg).mid(from);
    svg = joined;
}

} // namespace

QString compact_svg(QString svg) {
    drop_fonts_of_groups(svg);
    drop_defaults(svg);
    drop_empty_groups(svg);
    join_equal_groups(svg);
    static const QRegularExpression empty_lines(R"(\n\s*\n)");
    return svg.replace(empty_lines, "\n");
}

} // namespace chokepoint::gui
