// SPDX-License-Identifier: Apache-2.0
// Atomic result files on POSIX: O_TMPFILE leaves nothing behind when the process is killed.
#include "output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace chokepoint::cli {

namespace {

constexpr mode_t kMode = 0644;

std::runtime_error cannot_write(const std::filesystem::path& target, int error) {
    return std::runtime_error(fmt::format("cannot write '{}': {}", target.string(), std::strerror(error)));
}

std::filesystem::path directory_of(const std::filesystem::path& target) {
    return target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
}

void write_all(int descriptor, std::string_view text, const std::filesystem::path& target) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            throw cannot_write(target, errno);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace

OutputFile::OutputFile(std::string target) : target_(std::move(target)) {
    if (is_stdout()) {
        return;
    }
    if (std::filesystem::is_directory(target_)) {
        throw cannot_write(target_, EISDIR);
    }
    descriptor_ = ::open(directory_of(target_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
    if (descriptor_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        std::string pattern = target_.string() + ".XXXXXX";
        descriptor_ = ::mkostemp(pattern.data(), O_CLOEXEC);
        temporary_ = pattern;
    }
    if (descriptor_ < 0) {
        throw cannot_write(target_, errno);
    }
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

void OutputFile::commit(std::string_view text) {
    if (is_stdout()) {
        std::fflush(stdout);
        write_all(STDOUT_FILENO, text, "standard output");
        return;
    }
    write_all(descriptor_, text, target_);
    if (::fsync(descriptor_) != 0) {
        throw cannot_write(target_, errno);
    }
    if (temporary_.empty()) {
        // A link cannot replace a file, so give the data a name of its own first.
        temporary_ = fmt::format("{}.{}.tmp", target_.string(), ::getpid());
        const std::string unnamed = fmt::format("/proc/self/fd/{}", descriptor_);
        if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
            throw cannot_write(target_, errno);
        }
    }
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        throw cannot_write(target_, errno);
    }
    temporary_.clear();
}

} // namespace chokepoint::cli
