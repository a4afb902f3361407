// SPDX-License-Identifier: GPL-3.0-or-later
// The simulated step, or a trace file, span by span.
#pragma once

#include "page.hpp"

#include <QFile>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

class QCheckBox;
class QLabel;
class QLineEdit;
class QMenu;

namespace chokepoint::gui {

class Document;
class Minimap;
class Runner;
class TimelineView;
class TraceModel;
class TraceReader;
class WorkBar;

class TimelinePage : public Page {
    Q_OBJECT

public:
    explicit TimelinePage(Document&, QWidget* parent = nullptr);
    ~TimelinePage() override;

    void activate() override;
    void demonstrate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;
    /// Puts another timeline below: of a scenario (.toml), a trace (.json), or a profile that PyTorch's
    /// profiler exported (.json or .json.gz).
    void addBelow(const QString& path);
    void removeBelow();
    /// Lets the lower timeline begin at the selected span of the upper one, or where the view does.
    void alignBelow();
    /// Files that are offered for the place below.
    void setOffers(std::function<QStringList()> offers) { offers_ = std::move(offers); }
    [[nodiscard]] TimelineView& view() { return *view_; }

private:
    void startReading(bool below);
    void take(const QByteArray& piece);
    void finish();
    void readPiece();
    void endReading();
    void placeBelow(double seconds);
    [[nodiscard]] bool aboveSelected() const;
    void show();
    void fillBelowMenu();
    void askBelow();
    void showLegend();

    Document& document_;
    std::unique_ptr<Runner> runner_;
    TimelineView* view_;
    Minimap* minimap_;
    QLineEdit* search_;
    QMenu* belowMenu_;
    QCheckBox* path_;
    std::function<QStringList()> offers_ = [] { return QStringList(); };
    QString pending_;               ///< below, once the first is read
    QString firstName_, belowName_; ///< of what is shown
    QString belowPath_;             ///< of what is below, or is being read to go there
    QFile file_;                    ///< a trace that is read
    QTimer pieces_;                 ///< of it
    QLabel* found_;
    QLabel* legend_;
    QLabel* status_;
    WorkBar* work_;
    std::shared_ptr<TraceModel> first_, below_, reading_;
    std::unique_ptr<TraceReader> reader_;
    bool readingBelow_ = false;
    double belowAt_ = 0.0; ///< seconds: where the lower timeline begins
    QString fault_;
    int revision_ = -1;
};

} // namespace chokepoint::gui
