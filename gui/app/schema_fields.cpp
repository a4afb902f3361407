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
    add_choices(field, chosen);
    field.minimum = number_of(chosen.value("minimum"));
    field.maximum = number_of(chosen.value("maximum"));
    field.description = schema.value("description").toString();
    field.catalog = catalog_of(field.description + chosen.value("description").toString());
    if (chosen.contains("description") && field.catalog.isEmpty()) {
        field.description = chosen.value("description").toString();
    }
    return field;
}

void collect(const QJsonObject& schema, const QString& prefix, FormSchema& form) {
    const QJsonObject properties = schema.value("properties").toObject();
    for (auto it = properties.begin(); it != properties.end(); ++it) {
        const QJsonObject inner = it->toObject();
        const QString key = prefix + it.key();
        if (inner.value("type") == "object") {
            if (prefix.isEmpty()) {
                form.sections.push_back({key, inner.value("description").toString()});
            }
            collect(inner, key + ".", form);
        } else if (inner.value("items").toObject().value("type") != "object") { // tables in arrays: as text
            form.fields.push_back(field_of(key, inner));
        }
    }
}

} // namespace

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
