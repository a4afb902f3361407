// SPDX-License-Identifier: GPL-3.0-or-later
// Cost against a cap, a price or a size: the curve fills in as `chokepoint sweep` computes its points.
#pragma once

#include "page.hpp"
#include "sweep_curves.hpp"

#include <QTemporaryDir>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

class QLabel;
class QSlider;

namespace chokepoint::gui {

class CardStrip;
class CatalogLists;
class ChartPanel;
class CurveControls;
class Document;
class HeadlineCard;
class Runner;
class WorkBar;

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
    void cancel();
    /// Shows the latest sweep of a store, and what is still added to it. What is wrong with it stands on the
    /// page.
    void openStore(const QString& file);
    [[nodiscard]] CurveControls& controls() { return *controls_; }
    [[nodiscard]] ChartPanel& chart() { return *panel_; }
    [[nodiscard]] const SweepCurves& curves() const { return curves_; }

private:
    void layOut();
    /// Takes the store's new points. @return whether there were any
    bool read();
    void readAll();
    void begin(std::optional<qint64> sweep);
    /// Work on a store, whose faults stand on the page.
    void attempt(const std::function<void()>&);
    void refresh();
    void tellRefusals();
    void showPointed();
    void pointAt(double x);
    void askOpen();

    Document& document_;
    std::unique_ptr<CatalogLists> lists_;
    std::unique_ptr<Runner> sweep_, rules_;
    QTemporaryDir scratch_; ///< its store keeps every point of this session
    QTimer timer_;
    QString file_;       ///< of the store on show
    QString acrossKey_;  ///< empty: chosen by the store's axes
    bool begun_ = false; ///< curves_ are of the sweep under way
    std::unique_ptr<SweepStore> store_;
    SweepCurves curves_;
    QJsonObject rulesAnswer_;
    CurveControls* controls_;
    ChartPanel* panel_;
    QSlider* slider_;
    QLabel* pointed_;
    CardStrip* cards_;
    std::vector<HeadlineCard*> headlines_;
    WorkBar* work_;
    int revision_ = -1;
    bool sliding_ = false;
};

} // namespace chokepoint::gui
