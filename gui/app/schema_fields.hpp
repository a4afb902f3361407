// SPDX-License-Identifier: GPL-3.0-or-later
// The fields of the scenario form, read from the schema that the command line publishes.
#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <optional>
#include <vector>

namespace chokepoint::gui {

enum class FieldKind { text, integer, number, quantity, boolean, choice, list };

struct Field {
    QString key;     ///< "cluster.caps.nvlink"
    QString section; ///< "cluster"; empty for keys above all tables
    FieldKind kind = FieldKind::text;
    QStringList choices; ///< of choice, and of a list's members
    bool open = false;   ///< other texts than the choices are allowed
    QString catalog;     ///< what `chokepoint list` calls the entries that it names: "gpus"
    std::optional<double> minimum, maximum;
    QString description;
};
struct Section {
    QString name, description;
};
struct FormSchema {
    std::vector<Section> sections;
    std::vector<Field> fields;
    /// What stands in the text once for each [[name]]; its fields are those of "name[0]".
    struct Tables {
        Section section;
        std::vector<Field> fields;
    };
    std::vector<Tables> tables;
};

/// The field of "perturb[0].speed" for "perturb[2].speed".
Field field_of_table(const FormSchema::Tables&, const Field&, int index);
/// "perturb[2]"
QString table_name(const FormSchema::Tables&, int index);

/// @throws std::runtime_error if the text is no JSON schema of an object.
FormSchema read_form_schema(const QByteArray& json);

/// What a person typed as a TOML literal: 16, true, "400 GB/s". Empty for an empty text.
QString literal_of(const Field&, const QString& typed);

} // namespace chokepoint::gui
