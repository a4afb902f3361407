// SPDX-License-Identifier: GPL-3.0-or-later
#include "toml_highlighter.hpp"

#include "charts/palette.hpp"

#include <QRegularExpression>

namespace chokepoint::gui {

void TomlHighlighter::setDark(bool dark) {
    dark_ = dark;
    rehighlight();
}

void TomlHighlighter::highlightBlock(const QString& text) {
    constexpr std::size_t kBlue = 0, kVermilion = 1, kGreen = 2;
    const auto ink = [this](std::size_t number) {
        return dark_ ? series_color(number).lighter(150) : series_color(number).darker(115);
    };
    static const QRegularExpression table(R"(^\s*\[\[?[^\]]*\]\]?)"), key(R"(^\s*[\w."'-]+(?=\s*=))"),
        string(R"("(?:[^"\\]|\\.)*"|'[^']*')");
    QTextCharFormat format;
    format.setFontWeight(QFont::Bold);
    format.setForeground(ink(kVermilion));
    if (const auto match = table.match(text); match.hasMatch()) {
        setFormat(int(match.capturedStart()), int(match.capturedLength()), format);
    }
    format.setFontWeight(QFont::Normal);
    format.setForeground(ink(kBlue));
    if (const auto match = key.match(text); match.hasMatch()) {
        setFormat(int(match.capturedStart()), int(match.capturedLength()), format);
    }
    format.setForeground(ink(kGreen));
    qsizetype comment = text.indexOf('#');
    for (auto it = string.globalMatch(text); it.hasNext();) {
        const auto match = it.next();
        if (comment >= 0 && comment < match.capturedStart()) {
            break;
        }
        setFormat(int(match.capturedStart()), int(match.capturedLength()), format);
        if (comment >= 0 && comment < match.capturedEnd()) {
            comment = text.indexOf('#', match.capturedEnd());
        }
    }
    if (comment >= 0) {
        format.setForeground(QColor(0x85, 0x89, 0x8E));
        format.setFontItalic(true);
        setFormat(int(comment), int(text.size() - comment), format);
    }
}

} // namespace chokepoint::gui
