// SPDX-License-Identifier: GPL-3.0-or-later
// Cost against a cap, a price or a size: the curve fills in as its points are computed.
#pragma once

#include "cost_curve.hpp"
#include "page.hpp"

#include <memory>
#include <vector>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSlider;
class QSpinBox;

namespace chokepoint::gui {

class ChartPanel;
class Document;
class HeadlineCard;
class PointSweep;
class Runner;
class WorkBar;

struct CurveSeries;

class CurvesPage : public Page {
    Q_OBJECT

public:
    explicit CurvesPage(Document&, QWidget* parent = nullptr);
    ~CurvesPage() override;

    void activate() override;
    void demonstrate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

    /// Starts the sweep that the controls describe.
    void run();
    /// The computed points as CSV. @throws std::runtime_error if the file cannot be written.
    void exportCsv(const QString& file) const;
    [[nodiscard]] ChartPanel& chart() { return *panel_; }

private:
    void makeControls(QHBoxLayout&);
    void chooseAxis();
    void refresh();
    void showPointed();
    [[nodiscard]] CurveAxis axis() const;
    [[nodiscard]] std::vector<CurveSeries> chosenSeries() const;
    void addPartsToMenu(const QByteArray& json);

    Document& document_;
    std::unique_ptr<PointSweep> sweep_;
    std::unique_ptr<Runner> rules_, parts_;
    QJsonObject rulesAnswer_;
    QComboBox* axis_;
    QComboBox* metric_;
    QComboBox* part_;
    QDoubleSpinBox* from_;
    QDoubleSpinBox* to_;
    QSpinBox* count_;
    QCheckBox* logX_;
    QCheckBox* logY_;
    QPushButton* run_;
    ChartPanel* panel_;
    QSlider* slider_;
    QLabel* pointed_;
    QHBoxLayout* cards_;
    std::vector<HeadlineCard*> headlines_;
    WorkBar* work_;
    std::vector<QString> names_;
    std::vector<Curve> curves_;
    CurveAxis swept_;
    QStringList refusals_;
    int revision_ = -1;
    bool sliding_ = false;
};

} // namespace chokepoint::gui
