// SPDX-License-Identifier: GPL-3.0-or-later
// Parts and export rules in the planes that the rules are written in.
#pragma once

#include "charts/description.hpp"

#include <QJsonObject>
#include <QString>
#include <QStringList>

namespace chokepoint::gui {

/// TPP against another figure, with the regions that the rules' thresholds on these two alone cut out. The
/// other figure's values times `scale` are drawn.
Chart rules_chart(const QJsonObject& rules, const QString& figure, const std::string& title,
                  const std::string& label, double scale, const QString& chosen);
/// Every day on which a rule begins or ends.
QStringList days_of(const QJsonObject& rules);
/// Of a part of the rules' answer: "tpp"; NaN if it is not known.
double part_figure(const QJsonValue& part, const QString& figure);

} // namespace chokepoint::gui
