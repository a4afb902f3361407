// SPDX-License-Identifier: Apache-2.0
// One writer for each store, on whatever machine's local disk it lies.
#pragma once

#include <filesystem>

namespace chokepoint::sim {

/// Holds STORE.lock while it lives; a process that is killed lets go of it.
class StoreLock {
public:
    /// Waits a moment for a process that is just ending.
    /// @throws std::runtime_error naming the process that holds it, or why the file cannot be made
    explicit StoreLock(const std::filesystem::path& store);
    ~StoreLock();
    StoreLock(const StoreLock&) = delete;
    StoreLock& operator=(const StoreLock&) = delete;

private:
    std::filesystem::path file_;
    int descriptor_ = -1;
};

} // namespace chokepoint::sim
