// SPDX-License-Identifier: GPL-3.0-or-later
// One shipped scenario: its title, its question, and its step as a small bar of phases.
#pragma once

#include "contract.hpp"

#include <QAbstractButton>

namespace chokepoint::gui {

class ScenarioCard : public QAbstractButton {
    Q_OBJECT

public:
    ScenarioCard(QString title, QString question, QString path, QWidget* parent = nullptr);
    [[nodiscard]] const QString& path() const { return path_; }
    void show(const RunResult&);
    [[nodiscard]] bool hasGlance() const { return run_.has_value(); }
    [[nodiscard]] QSize sizeHint() const override { return {330, 190}; }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    void paintGlance(QPainter&, const QRect&) const;

    QString title_, question_, path_;
    std::optional<RunResult> run_;
};

} // namespace chokepoint::gui
