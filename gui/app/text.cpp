// SPDX-License-Identifier: GPL-3.0-or-later
#include "text.hpp"

#include <chokepoint/hwmodels/units.hpp>
#include <chokepoint/sim/wording.hpp>

#include <QDir>
#include <QFileInfo>

#include <fmt/format.h>

namespace chokepoint::gui {

QString seconds_text(double seconds) { return QString::fromStdString(hw::to_text(hw::Seconds(seconds))); }
QString bytes_text(double bytes) { return QString::fromStdString(hw::to_text(hw::Bytes(bytes))); }
QString usd_text(double usd) { return QString::fromStdString(sim::money_text(hw::Usd(usd))); }
QString count_text(double count) { return QString::fromStdString(sim::count_text(count)); }
QString whole_text(double count) { return QString::fromStdString(hw::group_digits(count)); }
QString percent_text(double share) { return QString::fromStdString(fmt::format("{:.1f}%", 100.0 * share)); }

QString folder_text(const QString& path) {
    const QString folder = QFileInfo(path).absolutePath();
    const QString home = QDir::homePath();
    const bool inside = folder == home || folder.startsWith(home + "/");
    return QDir::toNativeSeparators(inside ? "~" + folder.mid(home.size()) : folder);
}

QString figure_text(double value, Unit unit) {
    switch (unit) {
    case Unit::seconds:
        return seconds_text(value);
    case Unit::gpu_hours:
        return whole_text(value);
    case Unit::usd:
        return usd_text(value);
    }
    return {};
}

QString interval_text(const Figure& figure, Unit unit) {
    return figure.interval ? QString("%1 to %2")
                                 .arg(figure_text(figure.interval->first, unit),
                                      figure_text(figure.interval->second, unit))
                           : QString();
}

} // namespace chokepoint::gui
