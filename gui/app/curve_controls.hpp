// SPDX-License-Identifier: GPL-3.0-or-later
// Where a user says which curves to compute and how to look at them.
#pragma once

#include "cost_curve.hpp"

#include <QJsonObject>
#include <QStringList>
#include <QWidget>

#include <optional>
#include <utility>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QHBoxLayout;
class QLineEdit;
class QMenu;
class QPushButton;
class QSpinBox;

namespace chokepoint::gui {

class CatalogLists;
class Document;
class FlowLayout;

/// What to sweep: the axis across, and --axis for each axis.
struct CurveRequest {
    CurveAxis axis;
    QStringList axes;
};

class CurveControls : public QWidget {
    Q_OBJECT

public:
    CurveControls(Document&, CatalogLists&, QWidget* parent = nullptr);

    /// @throws std::invalid_argument saying what is wrong with the range or the values
    [[nodiscard]] CurveRequest request() const;
    [[nodiscard]] Metric metric() const;
    [[nodiscard]] bool logX() const;
    [[nodiscard]] bool logY() const;
    /// A curve for each of these values of a key: "cluster.gpu", "h800-sxm, h20-sxm".
    void splitBy(const QString& key, const QString& values);
    void setRunning(bool);
    /// What parts have of the figures that axes cap, as `rules --json` tells them: a range that nobody has
    /// touched ends there.
    void setParts(const QJsonObject& rules);

signals:
    void viewChanged();
    void runAsked();
    void openAsked();

private:
    void addAxisControls(FlowLayout&);
    void addCurveControls(FlowLayout&);
    /// A label and its control, which stay side by side. @return their line, for more beside them
    QHBoxLayout& addLabelled(FlowLayout&, const QString& name, QWidget*);
    void chooseAxis();
    void chooseSplit();
    void fillChoices();
    [[nodiscard]] CurveAxis axis() const;
    [[nodiscard]] QString ownValue(const QString& key) const;
    /// The most that any of the parts to draw has of what the axis caps; nothing if that is not known.
    [[nodiscard]] std::optional<double> mostOfParts(const CurveAxis&) const;
    void endAtParts();

    Document& document_;
    CatalogLists& lists_;
    QJsonObject rules_;
    std::pair<double, double> range_; ///< as it was chosen here
    QComboBox* axis_;
    QDoubleSpinBox* from_;
    QDoubleSpinBox* to_;
    QSpinBox* count_;
    QCheckBox* logX_;
    QComboBox* split_;
    QLineEdit* values_;
    QPushButton* choose_;
    QMenu* choices_;
    QComboBox* metric_;
    QCheckBox* logY_;
    QPushButton* run_;
};

} // namespace chokepoint::gui
