// SPDX-License-Identifier: GPL-3.0-or-later
#include "schema_fields.hpp"

#include "toml_edit.hpp"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

std::optional<double> number_of(const QJsonValue& json) {
    return json.isDouble() ? std::optional(json.toDouble()) : std::nullopt;
}

/// "a part that 'chokepoint list gpus' prints"
QString catalog_of(const QString& description) {
    static const QRegularExpression names("'chokepoint list (\\w+)' prints");
    return names.match(description).captured(1);
}

void add_choices(Field& field, const QJsonObject& schema) {
    for (const QJsonValue& choice : schema.value("enum").toArray()) {
        field.choices << choice.toString();
    }
}

/// The kind of a schema without alternatives.
FieldKind kind_of(const QJsonObject& schema) {
    const QString type = schema.value("type").toString();
    if (type == "integer") {
        return FieldKind::integer;
    }
    if (type == "number") {
        return FieldKind::number;
    }
    if (type == "boolean") {
        return FieldKind::boolean;
    }
    if (type == "array") {
        return FieldKind::list;
    }
    if (schema.contains("enum")) {
        return FieldKind::choice;
    }
    // A number and its unit.
    return schema.value("pattern").toString().startsWith("^[-+]?[0-9") ? FieldKind::quantity
                                                                       : FieldKind::text;
}

Field field_of(const QString& key, const QJsonObject& schema) {
    Field field{.key = key, .section = key.contains('.') ? key.section('.', 0, 0) : QString()};
    // Of alternatives the first that is one value; a text beside it leaves it open.
    QJsonObject chosen = schema;
    const QJsonArray any = schema.value("anyOf").toArray();
    for (qsizetype i = any.size() - 1; i >= 0; --i) {
        if (any[i].toObject().value("type") != "object") {
            chosen = any[i].toObject();
        }
    }
    field.open = any.size() > 1;
    field.kind = kind_of(chosen);
    const QJsonObject member = chosen.value("items").toObject();
    add_choices(field, field.kind == FieldKind::list ? member : chosen);
    field.minimum = number_of(chosen.value("minimum"));
    field.maximum = number_of(chosen.value("maximum"));
    field.description = schema.value("description").toString();
    field.catalog = catalog_of(field.description + chosen.value("description").toString());
    if (chosen.contains("description") && field.catalog.isEmpty()) {
        field.description = chosen.value("description").toString();
    }
    return field;
}

/// Of alternatives the table, less the key that the shorter form stands for.
QJsonObject alternative_table(const QJsonObject& schema) {
    for (const QJsonValue& one : schema.value("anyOf").toArray()) {
        QJsonObject properties = one["properties"].toObject();
        properties.remove("name");
        if (!properties.isEmpty()) {
            return {{"properties", properties}};
        }
    }
    return {};
}

void collect_tables(const QJsonObject& member, const QString& key, FormSchema& form) {
    FormSchema::Tables tables{{key, member.value("description").toString()}, {}};
    const QString first = key + "[0]";
    const QJsonObject properties = member.value("properties").toObject();
    for (auto it = properties.begin(); it != properties.end(); ++it) {
        if (it->toObject().value("type") != "object") { // of keys of other tables: as text
            Field field = field_of(first + "." + it.key(), it->toObject());
            field.section = first;
            tables.fields.push_back(std::move(field));
        }
    }
    // Where any key goes, the known ones say little.
    if (member.value("additionalProperties") == QJsonValue(false)) {
        form.tables.push_back(std::move(tables));
    }
}

void collect(const QJsonObject& schema, const QString& prefix, FormSchema& form) {
    const QJsonObject properties = schema.value("properties").toObject();
    for (auto it = properties.begin(); it != properties.end(); ++it) {
        const QJsonObject inner = it->toObject();
        const QString key = prefix + it.key();
        const QJsonObject member = inner.value("items").toObject();
        if (inner.value("type") == "object") {
            if (prefix.isEmpty()) {
                form.sections.push_back({key, inner.value("description").toString()});
            }
            collect(inner, key + ".", form);
        } else if (member.value("type") == "object") {
            collect_tables(member, key, form);
        } else {
            form.fields.push_back(field_of(key, inner));
            collect(alternative_table(inner), key + ".", form);
        }
    }
}

} // namespace

QString table_name(const FormSchema::Tables& tables, int index) {
    return QString("%1[%2]").arg(tables.section.name).arg(index);
}

Field field_of_table(const FormSchema::Tables& tables, const Field& first, int index) {
    Field field = first;
    field.section = table_name(tables, index);
    field.key = field.section + first.key.mid(first.section.size());
    return field;
}

FormSchema read_form_schema(const QByteArray& json) {
    const QJsonObject schema = QJsonDocument::fromJson(json).object();
    FormSchema form;
    collect(schema, "", form);
    if (form.fields.empty()) {
        throw std::runtime_error("the scenario's schema names no keys");
    }
    return form;
}

QString literal_of(const Field& field, const QString& typed) {
    const QString text = typed.trimmed();
    if (text.isEmpty()) {
        return {};
    }
    bool number = false;
    text.toDouble(&number);
    switch (field.kind) {
    case FieldKind::integer:
    case FieldKind::number:
        return number ? text : QString::fromStdString(toml_string(text.toStdString()));
    case FieldKind::boolean:
        return text;
    case FieldKind::list:
        return text.startsWith('[') ? text : "[" + text + "]";
    case FieldKind::text:
    case FieldKind::quantity:
    case FieldKind::choice:
        break;
    }
    return QString::fromStdString(toml_string(text.toStdString()));
}

} // namespace chokepoint::gui
