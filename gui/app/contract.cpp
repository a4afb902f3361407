// SPDX-License-Identifier: GPL-3.0-or-later
#include "contract.hpp"

#include <chokepoint/sim/wording.hpp>

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>

#include <array>

namespace chokepoint::gui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Contract", text); }

/// The report's own name of a resource of the critical path.
QString resource_label(const QString& id) {
    for (int i = 0; i <= static_cast<int>(sim::Resource::launch); ++i) {
        const auto resource = static_cast<sim::Resource>(i);
        const std::string_view name = sim::name(resource);
        if (id == QLatin1String(name.data(), static_cast<qsizetype>(name.size()))) {
            const std::string_view words = sim::label(resource);
            return QString::fromUtf8(words.data(), static_cast<qsizetype>(words.size()));
        }
    }
    return id;
}

std::optional<std::pair<double, double>> interval_of(const QJsonValue& json) {
    const QJsonArray ends = json.toArray();
    if (ends.size() != 2) {
        return std::nullopt;
    }
    return std::pair{ends[0].toDouble(), ends[1].toDouble()};
}

std::optional<Figure> figure_of(const QJsonValue& value, const QJsonValue& interval) {
    return value.isDouble() ? std::optional(Figure{value.toDouble(), interval_of(interval)}) : std::nullopt;
}

std::vector<Share> phases_of(const QJsonObject& phases) {
    // In the order and words of the command line's report.
    constexpr std::array<std::pair<const char*, const char*>, 6> kPhases{
        {{"fb", "forward and backward, overlapped"},
         {"f", "forward alone"},
         {"b", "backward alone"},
         {"w", "weight gradient"},
         {"optimizer", "optimizer"},
         {"bubble", "bubble"}}};
    std::vector<Share> list;
    for (const auto& [field, words] : kPhases) {
        list.push_back({tr(words), phases.value(QLatin1String(field)).toDouble()});
    }
    return list;
}

std::vector<Share> memory_of(const QJsonObject& kinds) {
    std::vector<Share> list;
    for (const char* kind : {"parameters", "gradients", "optimizer", "activations", "buffers", "overhead"}) {
        list.push_back({tr(kind), kinds.value(QLatin1String(kind)).toDouble()});
    }
    return list;
}

double value_of(const QJsonObject& values, const char* key) {
    return values.value(QLatin1String(key)).toObject().value("value").toDouble();
}

} // namespace

QJsonObject parse_answer(const QByteArray& json, const QString& schema) {
    QJsonParseError fault;
    const QJsonObject answer = QJsonDocument::fromJson(json, &fault).object();
    if (fault.error != QJsonParseError::NoError) {
        throw ContractError(tr("the command line's answer is no JSON: %1 at byte %2")
                                .arg(fault.errorString())
                                .arg(fault.offset)
                                .toStdString());
    }
    const QString found = answer.value("schema").toString();
    if (found != schema) {
        throw ContractError(
            tr("the command line answered with \"%1\"; expected \"%2\". Is it another version "
               "of Chokepoint?")
                .arg(found, schema)
                .toStdString());
    }
    return answer;
}

RunResult run_of(const QJsonObject& run) {
    RunResult result;
    const QJsonObject scenario = run.value("scenario").toObject();
    const QJsonObject values = scenario.value("values").toObject();
    const QJsonObject step = run.value("step").toObject();
    const QJsonObject uncertainty = run.value("uncertainty").toObject();
    result.title = scenario.value("title").toString();
    result.gpu = values.value("cluster.gpu").toObject().value("value").toString();
    result.gpus = value_of(values, "cluster.nodes") * value_of(values, "cluster.gpus_per_node");
    result.step_seconds = {step.value("seconds").toDouble(), interval_of(uncertainty.value("step_seconds"))};
    result.tokens_per_second_per_gpu = step.value("tokens_per_second_per_gpu").toDouble();
    result.mfu = step.value("mfu_causal").toDouble();
    const QJsonObject phases = step.value("phases").toObject();
    result.phases = phases_of(phases);
    result.exposed_communication = phases.value("exposed_communication").toDouble();
    for (const QJsonValue& wait : run.value("critical_path").toArray()) {
        result.waits.push_back({resource_label(wait["resource"].toString()), wait["seconds"].toDouble()});
    }
    const QJsonObject memory = run.value("memory").toObject();
    result.memory = memory_of(memory.value("by_kind").toObject());
    result.memory_peak = memory.value("peak_bytes").toDouble();
    result.memory_capacity = memory.value("capacity_bytes").toDouble();
    const QJsonObject campaign = run.value("campaign").toObject();
    result.gpu_hours = figure_of(campaign.value("gpu_hours"), uncertainty.value("gpu_hours"));
    result.days = campaign.value("days").toDouble();
    const QJsonObject cost = run.value("cost").toObject();
    result.usd = figure_of(cost.value("usd"), uncertainty.value("usd"));
    result.campaign_kwh = cost.value("energy_kwh").toDouble();
    for (const QJsonValue& driver : uncertainty.value("drivers").toArray()) {
        result.drivers.push_back({driver["input"].toString(), driver["step_seconds"].toDouble()});
    }
    for (const QJsonValue& warning : run.value("warnings").toArray()) {
        result.warnings.push_back(warning.toString());
    }
    return result;
}

RunResult parse_run(const QByteArray& json, const QString& name) {
    RunResult run = run_of(parse_answer(json, "chokepoint/run/1"));
    if (!name.isEmpty()) {
        run.warnings.replaceInStrings("<stdin>", name);
    }
    return run;
}

} // namespace chokepoint::gui
