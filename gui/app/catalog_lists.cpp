// SPDX-License-Identifier: GPL-3.0-or-later
#include "catalog_lists.hpp"

#include "contract.hpp"
#include "runner.hpp"

#include <QJsonArray>

namespace chokepoint::gui {

namespace {

/// `chokepoint show` takes one of what `chokepoint list` lists.
QString singular(const QString& kind) { return kind.endsWith('s') ? kind.chopped(1) : kind; }

QString rich_text(const QJsonObject& show) {
    constexpr int kShown = 24;
    QString out = "<b>" + show.value("id").toString().toHtmlEscaped() + "</b><table cellspacing='4'>";
    const QJsonObject values = show.value("values").toObject();
    int row = 0;
    for (auto it = values.begin(); it != values.end() && row < kShown; ++it, ++row) {
        const QJsonObject value = it->toObject();
        out += QString("<tr><td>%1</td><td><b>%2</b></td><td><small>%3</small></td></tr>")
                   .arg(it.key().toHtmlEscaped(), value.value("text").toString().toHtmlEscaped(),
                        value.value("source").toString().toHtmlEscaped());
    }
    return out + "</table>";
}

} // namespace

CatalogLists::CatalogLists(QObject* parent) : QObject(parent), runner_(std::make_unique<Runner>()) {
    connect(runner_.get(), &Runner::finished, this, &CatalogLists::take);
    connect(runner_.get(), &Runner::ended, this, [this] {
        queue_.removeFirst();
        next();
    });
}

CatalogLists::~CatalogLists() = default;

void CatalogLists::request(const QString& kind) {
    queue_.append({kind, {}});
    if (queue_.size() == 1) {
        next();
    }
}

void CatalogLists::describe(const QString& kind, const QString& id) {
    const QString known = descriptions_.value(kind + "/" + id);
    if (!known.isEmpty()) {
        emit described(kind, id, known);
        return;
    }
    queue_.append({kind, id});
    if (queue_.size() == 1) {
        next();
    }
}

const std::vector<CatalogEntry>& CatalogLists::entries(const QString& kind) const {
    static const std::vector<CatalogEntry> kNone;
    const auto found = lists_.constFind(kind);
    return found == lists_.constEnd() ? kNone : *found;
}

void CatalogLists::next() {
    if (queue_.isEmpty()) {
        return;
    }
    const Question& asked = queue_.first();
    runner_->start({asked.id.isEmpty() ? QStringList{"list", asked.kind, "--json", "-"}
                                       : QStringList{"show", singular(asked.kind), asked.id, "--json", "-"},
                    {},
                    {}});
}

void CatalogLists::take(const QByteArray& json) {
    const Question asked = queue_.first();
    try {
        if (asked.id.isEmpty()) {
            std::vector<CatalogEntry> list;
            for (const QJsonValue& entry :
                 parse_answer(json, "chokepoint/list/1").value("entries").toArray()) {
                list.push_back({entry["id"].toString(), entry["summary"].toString()});
            }
            lists_[asked.kind] = std::move(list);
            emit listed(asked.kind);
        } else {
            const QString text = rich_text(parse_answer(json, "chokepoint/show/1"));
            descriptions_[asked.kind + "/" + asked.id] = text;
            emit described(asked.kind, asked.id, text);
        }
    } catch (const ContractError&) {
        // Without suggestions a picker is a text field, and `check` judges what is typed.
    }
}

} // namespace chokepoint::gui
