// SPDX-License-Identifier: GPL-3.0-or-later
// Where one begins: recent files, and the shipped scenarios with their questions and a glance at their
// answers.
#pragma once

#include "page.hpp"

#include <QStringList>

#include <memory>
#include <vector>

class QGridLayout;
class QListWidget;

namespace chokepoint::gui {

class FaultLabel;
class Runner;
class ScenarioCard;

class StartPage : public Page {
    Q_OBJECT

public:
    explicit StartPage(QWidget* parent = nullptr);
    ~StartPage() override;

    void setRecent(const QStringList& paths);
    void activate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

signals:
    void chosen(const QString& path);
    void openAsked();
    void guideAsked();

private:
    void computeNext();
    /// No card has its glance.
    [[nodiscard]] bool unanswered() const;

    QListWidget* recent_;
    FaultLabel* fault_; ///< why cards have no glance, if none has
    std::vector<ScenarioCard*> cards_;
    std::size_t next_ = 0;
    std::unique_ptr<Runner> runner_;
};

/// The scenarios that come with the program, with what their first lines say.
struct Shipped {
    QString path, title, question;
};
std::vector<Shipped> shipped_scenarios();
/// One of the files that come with the program: an example to copy, not to write to.
bool is_shipped(const QString& path);

} // namespace chokepoint::gui
