// SPDX-License-Identifier: GPL-3.0-or-later
// chokepoint-plot: turns a chart's JSON into a picture, without a display. A program of its own, so that the
// command line needs neither Qt nor its licence.
#include "charts/render.hpp"
#include "charts/save_file.hpp"

#include <QApplication>
#include <QBuffer>
#include <QCommandLineParser>
#include <QFile>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace chokepoint::gui;

constexpr int kFine = 0;
constexpr int kFailed = 1;
constexpr int kWrongInput = 2;
constexpr double kMaxScale = 8.0;

int complain(int code, const std::string& text) {
    fmt::print(stderr, "chokepoint-plot: {}\n", text);
    return code;
}

struct Request {
    QString input = "-", output = "-", format, id_prefix;
    double scale = 2.0;
};

QByteArray read_all(const QString& name) {
    QFile file(name);
    const bool open = name == "-" ? file.open(stdin, QIODevice::ReadOnly) : file.open(QIODevice::ReadOnly);
    if (!open) {
        throw std::runtime_error(
            fmt::format("cannot read '{}': {}", name.toStdString(), file.errorString().toStdString()));
    }
    return file.readAll();
}

/// The whole picture or nothing.
void write_all(const QString& name, const QByteArray& bytes) {
    if (name == "-") {
        if (std::fwrite(bytes.data(), 1, static_cast<std::size_t>(bytes.size()), stdout) !=
                static_cast<std::size_t>(bytes.size()) ||
            std::fflush(stdout) != 0) {
            throw std::runtime_error("cannot write standard output");
        }
        return;
    }
    save_file(name, bytes);
}

QByteArray png(const Chart& chart, double scale) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    to_image(chart, scale).save(&buffer, "PNG");
    return bytes;
}

int plot(const Request& request) {
    const Chart chart = parse_chart(read_all(request.input).toStdString());
    for (const std::string& warning : warnings_of(chart)) {
        fmt::print(stderr, "chokepoint-plot: warning: {}\n", warning);
    }
    write_all(request.output,
              request.format == "svg" ? to_svg(chart, request.id_prefix) : png(chart, request.scale));
    return kFine;
}

} // namespace

int main(int argc, char** argv) {
    setenv("QT_QPA_PLATFORM", "offscreen", 1);
    // Qt's own remarks (a runtime directory it does not need) are no part of our output.
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
        if (type == QtCriticalMsg || type == QtFatalMsg) {
            fmt::print(stderr, "chokepoint-plot: {}\n", text.toStdString());
        }
    });
    QHashSeed::setDeterministicGlobalSeed(); // the same bytes on every run
    QApplication application(argc, argv);
    QApplication::setApplicationName("chokepoint-plot");

    QCommandLineParser parser;
    parser.setApplicationDescription("Draws a chart from its description (docs/schema/chart.schema.json).");
    parser.addPositionalArgument("FILE", "The description; - or nothing is standard input", "[FILE]");
    const QCommandLineOption help = parser.addHelpOption();
    const QCommandLineOption output({"o", "output"}, "Write the picture here; - is standard output", "FILE",
                                    "-");
    const QCommandLineOption format("format", "svg or png; else by the file's ending", "FORMAT");
    const QCommandLineOption prefix("id-prefix", "Goes before each id of an SVG", "TEXT");
    const QCommandLineOption scale("scale", "Pixels of a PNG per pixel of the chart", "NUMBER", "2");
    parser.addOptions({output, format, prefix, scale});
    if (!parser.parse(QApplication::arguments()) || parser.positionalArguments().size() > 1) {
        return complain(kWrongInput, parser.errorText().isEmpty() ? "expected one FILE"
                                                                  : parser.errorText().toStdString());
    }
    if (parser.isSet(help)) {
        fmt::print("{}", parser.helpText().toStdString());
        return kFine;
    }
    Request request;
    if (!parser.positionalArguments().isEmpty()) {
        request.input = parser.positionalArguments().front();
    }
    request.output = parser.value(output);
    request.id_prefix = parser.value(prefix);
    request.format = parser.isSet(format) ? parser.value(format) : request.output.section('.', -1);
    request.scale = parser.value(scale).toDouble();
    if (request.format != "svg" && request.format != "png") {
        return complain(kWrongInput, fmt::format("--format: found '{}'; expected svg or png",
                                                 parser.value(format).toStdString()));
    }
    if (!(request.scale > 0.0 && request.scale <= kMaxScale)) {
        return complain(kWrongInput,
                        fmt::format("--scale: found '{}'; expected a number above 0 and at most {}",
                                    parser.value(scale).toStdString(), kMaxScale));
    }
    try {
        return plot(request);
    } catch (const ChartError& error) {
        return complain(kWrongInput, fmt::format("{}\n{}", request.input.toStdString(), error.what()));
    } catch (const std::exception& error) {
        return complain(kFailed, error.what());
    }
}
