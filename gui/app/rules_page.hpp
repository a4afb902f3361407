// SPDX-License-Identifier: GPL-3.0-or-later
// Parts in the planes that export rules are written in, and what the rules of a day say of them.
#pragma once

#include "page.hpp"

#include <QJsonObject>
#include <QStringList>

#include <memory>

class QComboBox;
class QLabel;
class QSlider;
class QTableWidget;

namespace chokepoint::gui {

class CapPanel;
class ChartPanel;
class Document;
class Runner;
class WorkBar;

class RulesPage : public Page {
    Q_OBJECT

public:
    explicit RulesPage(Document&, QWidget* parent = nullptr);
    ~RulesPage() override;

    void activate() override;
    void demonstrate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override { return answer_.isEmpty(); }
    [[nodiscard]] QString problem() const override;

private:
    void ask();
    void take(const QByteArray& json);
    void takeDesign(const QByteArray& json);
    void takeCapped(const QByteArray& json);
    void refresh();
    void showVerdicts(const QJsonValue& part);
    void addVerdict(const QJsonValue& verdict, const QJsonValue& rule);
    /// Caps the part at these figures, TPP and GB/s; `released`: for good, and to be judged.
    void capAt(double tpp, double nvlink, bool released);
    void askCapped();
    void choose(double tpp, double value, const QString& figure, double scale);
    void askDesign();

    std::unique_ptr<Runner> runner_, design_, capped_;
    QJsonObject answer_;
    QStringList days_;
    QSlider* day_;
    QLabel* dayLabel_;
    QComboBox* part_;
    ChartPanel* bandwidth_;
    ChartPanel* density_;
    QTableWidget* verdicts_;
    QLabel* caps_;
    CapPanel* cost_;
    QStringList cap_; ///< on the part: "nvlink=400 GB/s"
    WorkBar* work_;
};

} // namespace chokepoint::gui
