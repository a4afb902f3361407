// SPDX-License-Identifier: GPL-3.0-or-later
// A strip that says which published runs are shown.
#pragma once

#include "validated_runs.hpp"

#include <QWidget>

#include <array>

class QComboBox;
class QLineEdit;
class QPushButton;

namespace chokepoint::gui {

class FlowLayout;

class RunFilterBar : public QWidget {
    Q_OBJECT

public:
    explicit RunFilterBar(QWidget* parent = nullptr);

    /// Offers what these runs have, each with how many have it. What is chosen stays chosen.
    void setRuns(const std::vector<ValidatedRun>&);
    [[nodiscard]] RunFilter filter() const;
    void clear();

signals:
    void changed();

private:
    struct Choice {
        QString RunFilter::* field;
        QComboBox* box;
    };
    QComboBox* addBox(FlowLayout&, const QString& name, const QString& any);

    QLineEdit* words_;
    std::array<Choice, 5> choices_;
    QComboBox* band_;
    QPushButton* clear_;
};

} // namespace chokepoint::gui
