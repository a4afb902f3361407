// SPDX-License-Identifier: Apache-2.0
// Tells a person or a program on stderr how far a long command is.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace chokepoint::cli {

enum class ProgressStyle { automatic, json, none };

/// `automatic` draws a line on a terminal once a command has taken a second; `json` prints a line per step:
/// {"progress":{"phase":"simulate","share":0.42}}.
class Progress {
public:
    explicit Progress(ProgressStyle);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// What there is to say beside the share: for people, and members of the JSON object.
    struct Detail {
        std::string text, json;
    };
    void tell(std::string_view phase, double share, const Detail& = {});

private:
    using Clock = std::chrono::steady_clock;
    ProgressStyle style_;
    bool terminal_;
    bool drawn_ = false;
    Clock::time_point started_ = Clock::now();
    Clock::time_point last_{};
    std::string last_phase_;
};

} // namespace chokepoint::cli
