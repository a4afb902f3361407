// SPDX-License-Identifier: Apache-2.0
// Runs the built command line as a user would and keeps what it printed.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace chokepoint::test {

struct CliResult {
    int exit_code = -1; ///< -1: killed by a signal
    std::string out, err;
};

/// Runs `chokepoint ARGUMENTS…` in the source root, and kills it (SIGKILL) after `kill_after` if that is not
/// zero.
CliResult run_cli(const std::vector<std::string>& arguments, std::chrono::microseconds kill_after = {});

/// The same of a program in PATH; code 127 if it is not there.
CliResult run_program(const std::string& program, const std::vector<std::string>& arguments);

/// A fresh empty directory, removed at the end.
class ScratchDirectory {
public:
    ScratchDirectory();
    ~ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Writes a file into it and returns its path.
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path&);

} // namespace chokepoint::test
