// SPDX-License-Identifier: GPL-3.0-or-later
#include "flow_layout.hpp"

#include <algorithm>

namespace chokepoint::gui {

namespace {

constexpr int kSpacing = 6; // pixels: as the style has it between controls

int height_of(const std::vector<QLayoutItem*>& line) {
    int most = 0;
    for (const QLayoutItem* item : line) {
        most = std::max(most, item->sizeHint().height());
    }
    return most;
}

} // namespace

FlowLayout::FlowLayout(QWidget* parent) : QLayout(parent) { setSpacing(kSpacing); }

FlowLayout::~FlowLayout() = default;

void FlowLayout::addItem(QLayoutItem* item) { items_.emplace_back(item); }

QLayoutItem* FlowLayout::itemAt(int index) const {
    return index >= 0 && index < count() ? items_[static_cast<std::size_t>(index)].get() : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index) {
    if (index < 0 || index >= count()) {
        return nullptr;
    }
    QLayoutItem* item = items_[static_cast<std::size_t>(index)].release();
    items_.erase(items_.begin() + index);
    return item;
}

int FlowLayout::widthOf(const Line& line) const {
    int width = 0;
    for (QLayoutItem* item : line) {
        width += item->sizeHint().width() + (width > 0 ? spacing() : 0);
    }
    return width;
}

std::vector<FlowLayout::Line> FlowLayout::lines(int width) const {
    std::vector<Line> all;
    for (const auto& item : items_) {
        if (item->isEmpty()) {
            continue; // hidden
        }
        if (!all.empty()) {
            all.back().push_back(item.get());
            if (widthOf(all.back()) <= width) {
                continue;
            }
            all.back().pop_back();
        }
        all.push_back({item.get()});
    }
    return all;
}

int FlowLayout::heightForWidth(int width) const {
    const std::vector<Line> all = lines(width);
    int height = std::max(0, static_cast<int>(all.size()) - 1) * spacing();
    for (const Line& line : all) {
        height += height_of(line);
    }
    return height;
}

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const auto& item : items_) {
        size = size.expandedTo(item->minimumSize());
    }
    return size;
}

void FlowLayout::place(const Line& line, const QRect& area) const {
    const auto wide = [](const QLayoutItem* item) {
        return (item->expandingDirections() & Qt::Horizontal) != 0;
    };
    int takers = static_cast<int>(std::ranges::count_if(line, wide));
    int left = std::max(0, area.width() - widthOf(line));
    int x = area.left();
    for (QLayoutItem* item : line) {
        int width = std::min(item->sizeHint().width(), area.width());
        if (wide(item)) {
            const int more = left / takers--;
            left -= more;
            width += more;
        }
        item->setGeometry(QRect(x, area.top(), width, area.height()));
        x += width + spacing();
    }
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    int y = rect.top();
    for (const Line& line : lines(rect.width())) {
        const int height = height_of(line);
        place(line, QRect(rect.left(), y, rect.width(), height));
        y += height + spacing();
    }
}

} // namespace chokepoint::gui
