// SPDX-License-Identifier: Apache-2.0
// flock() on a file beside the store: SQLite's own locks are POSIX ones, which any close() of the file would
// drop.
#include "store_lock.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chokepoint::sim {
namespace {

constexpr mode_t kMode = 0644;
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kBetween{50};

std::string holder(int descriptor) {
    std::array<char, 32> text{};
    const ssize_t got = ::pread(descriptor, text.data(), text.size() - 1, 0);
    return got > 0 ? fmt::format("process {}", text.data()) : std::string("another process");
}

/// Whether the path still names the open file: its last holder may have removed it since.
bool is_named(int descriptor, const std::filesystem::path& file) {
    struct stat open{};
    struct stat named{};
    return ::fstat(descriptor, &open) == 0 && ::stat(file.c_str(), &named) == 0 &&
           open.st_ino == named.st_ino;
}

} // namespace

StoreLock::StoreLock(const std::filesystem::path& store) : file_(store.string() + ".lock") {
    for (int tries = 0;;) {
        descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
        if (descriptor_ < 0) {
            throw std::runtime_error(
                fmt::format("cannot write '{}': {}", store.string(), std::strerror(errno)));
        }
        const bool held = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
        if (held && is_named(descriptor_, file_)) {
            break;
        }
        const std::string other = holder(descriptor_);
        ::close(descriptor_);
        descriptor_ = -1;
        if (!held && ++tries == kTries) {
            throw std::runtime_error(
                fmt::format("'{}' is in use: {} runs a sweep into it; wait for it, or give another --store",
                            store.string(), other));
        }
        std::this_thread::sleep_for(held ? std::chrono::milliseconds(0) : kBetween);
    }
    const std::string process = fmt::format("{}", ::getpid());
    // The number only serves the message above.
    [[maybe_unused]] const bool written =
        ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, process.data(), process.size(), 0) > 0;
}

StoreLock::~StoreLock() {
    ::unlink(file_.c_str());
    ::close(descriptor_);
}

} // namespace chokepoint::sim
