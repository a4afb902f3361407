// SPDX-License-Identifier: GPL-3.0-or-later
// Parts in the planes that export rules are written in, and what the rules of a day say of them.
#pragma once

#include "page.hpp"

#include "charts/description.hpp"

#include <QJsonObject>

#include <memory>

class QComboBox;
class QLabel;
class QSlider;
class QTableWidget;

namespace chokepoint::gui {

class ChartPanel;
class Runner;
class WorkBar;

/// TPP against another figure, with the regions that the rules' thresholds on these two alone cut out. The
/// other figure's values times `scale` are drawn.
Chart rules_chart(const QJsonObject& rules, const QString& figure, const std::string& title,
                  const std::string& label, double scale, const QString& chosen);
/// Every day on which a rule begins or ends.
QStringList days_of(const QJsonObject& rules);

class RulesPage : public Page {
    Q_OBJECT

public:
    explicit RulesPage(QWidget* parent = nullptr);
    ~RulesPage() override;

    void activate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override { return answer_.isEmpty(); }
    [[nodiscard]] QString problem() const override;

private:
    void ask();
    void take(const QByteArray& json);
    void takeDesign(const QByteArray& json);
    void refresh();
    void choose(double tpp, double value, const QString& figure, double scale);
    void askDesign();

    std::unique_ptr<Runner> runner_, design_;
    QJsonObject answer_;
    QStringList days_;
    QSlider* day_;
    QLabel* dayLabel_;
    QComboBox* part_;
    ChartPanel* bandwidth_;
    ChartPanel* density_;
    QTableWidget* verdicts_;
    QLabel* caps_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
