// SPDX-License-Identifier: Apache-2.0
// A result file that is either complete or absent: opened before the work starts, put in place when it is
// done.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace chokepoint::cli {

class OutputFile {
public:
    /// Opens an unnamed file beside `target`, or stdout for "-".
    /// @throws std::runtime_error naming the path and the reason if it cannot be written.
    explicit OutputFile(std::string target);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// Writes everything, then replaces the target in one step.
    void commit(std::string_view text);
    [[nodiscard]] bool is_stdout() const { return target_ == "-"; }

private:
    std::filesystem::path target_;
    std::filesystem::path temporary_; ///< set only where the file system has no unnamed files
    int descriptor_ = -1;
};

} // namespace chokepoint::cli
