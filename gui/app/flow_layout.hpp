// SPDX-License-Identifier: GPL-3.0-or-later
// Controls in a line, and in further ones where the window is too narrow for it.
#pragma once

#include <QLayout>

#include <memory>
#include <vector>

namespace chokepoint::gui {

class FlowLayout : public QLayout {
    Q_OBJECT

public:
    explicit FlowLayout(QWidget* parent = nullptr);
    ~FlowLayout() override;

    void addItem(QLayoutItem*) override;
    [[nodiscard]] int count() const override { return static_cast<int>(items_.size()); }
    [[nodiscard]] QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    [[nodiscard]] Qt::Orientations expandingDirections() const override { return Qt::Horizontal; }
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;
    [[nodiscard]] QSize sizeHint() const override { return minimumSize(); }
    /// The widest control's.
    [[nodiscard]] QSize minimumSize() const override;
    void setGeometry(const QRect&) override;

private:
    using Line = std::vector<QLayoutItem*>;
    [[nodiscard]] std::vector<Line> lines(int width) const;
    [[nodiscard]] int widthOf(const Line&) const;
    /// Its wide ones take what the line leaves.
    void place(const Line&, const QRect&) const;

    std::vector<std::unique_ptr<QLayoutItem>> items_;
};

} // namespace chokepoint::gui
