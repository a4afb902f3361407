// SPDX-License-Identifier: GPL-3.0-or-later
// Colours of TOML text: tables, keys, strings and comments.
#pragma once

#include <QSyntaxHighlighter>

namespace chokepoint::gui {

class TomlHighlighter : public QSyntaxHighlighter {
    Q_OBJECT

public:
    using QSyntaxHighlighter::QSyntaxHighlighter;
    void setDark(bool);

protected:
    void highlightBlock(const QString&) override;

private:
    bool dark_ = false;
};

} // namespace chokepoint::gui
