// SPDX-License-Identifier: Apache-2.0
// Runs chokepoint-plot as a child: description in, picture out.
#include "chart_output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace chokepoint::cli {

namespace {

constexpr const char* kPlotter = "chokepoint-plot";

bool is_program(const std::filesystem::path& path) {
    return std::filesystem::is_regular_file(path) && ::access(path.c_str(), X_OK) == 0;
}

/// Beside this program, or else in PATH.
std::string find_plotter() {
    std::error_code ignored;
    const auto beside = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / kPlotter;
    if (is_program(beside)) {
        return beside.string();
    }
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "";
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const auto found = std::filesystem::path(rest.substr(0, end)) / kPlotter;
        if (end > 0 && is_program(found)) {
            return found.string();
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    throw std::runtime_error(fmt::format(
        "--svg and --png need {}, which is neither beside chokepoint nor in PATH: it is built where Qt 6 "
        "(Widgets, Charts, Svg) is found",
        kPlotter));
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using TemporaryFile = std::unique_ptr<std::FILE, CloseFile>;

TemporaryFile temporary_file() {
    TemporaryFile file(std::tmpfile());
    if (!file) {
        throw std::runtime_error(fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
    }
    return file;
}

std::string read_all(std::FILE* file) {
    std::string text;
    std::rewind(file);
    char block[1 << 16];
    for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, file)) > 0;) {
        text.append(block, got);
    }
    return text;
}

/// What the program writes to stdout. Files rather than pipes, so that neither side can wait for the other.
std::string run(std::string program, std::string format, const std::string& input, std::string prefix = {}) {
    const TemporaryFile in = temporary_file();
    const TemporaryFile out = temporary_file();
    if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() || std::fflush(in.get()) != 0) {
        throw std::runtime_error(fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
    }
    std::rewind(in.get());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
    std::string option = "--format";
    std::string ids = "--id-prefix";
    char* const arguments[] = {program.data(), option.data(), format.data(),
                               ids.data(),     prefix.data(), nullptr};
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::runtime_error(fmt::format("cannot start '{}': {}", program, std::strerror(failed)));
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(
            WIFEXITED(status) ? fmt::format("'{}' failed with exit code {}", program, WEXITSTATUS(status))
                              : fmt::format("'{}' was killed by signal {}", program, WTERMSIG(status)));
    }
    return read_all(out.get());
}

} // namespace

void require_plotter() { find_plotter(); }

std::string draw_svg(const nlohmann::ordered_json& chart, const std::string& prefix) {
    return run(find_plotter(), "svg", chart.dump(1) + "\n", prefix);
}

ChartOutput::ChartOutput(const ChartFiles& files) {
    if (!files.svg.empty() || !files.png.empty()) {
        plotter_ = find_plotter();
    }
    if (!files.svg.empty()) {
        pictures_.push_back({"svg", std::make_unique<OutputFile>(files.svg)});
    }
    if (!files.png.empty()) {
        pictures_.push_back({"png", std::make_unique<OutputFile>(files.png)});
    }
    if (!files.description.empty()) {
        description_ = std::make_unique<OutputFile>(files.description);
    }
}

void ChartOutput::write(const nlohmann::ordered_json& chart) {
    const std::string text = chart.dump(1) + "\n";
    std::vector<std::string> drawn;
    for (const Picture& picture : pictures_) {
        drawn.push_back(run(plotter_, picture.format, text));
    }
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
        pictures_[i].file->commit(drawn[i]);
    }
    if (description_) {
        description_->commit(text);
    }
}

} // namespace chokepoint::cli
