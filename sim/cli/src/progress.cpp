// SPDX-License-Identifier: Apache-2.0
// Progress on stderr.
#include "progress.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace chokepoint::cli {

namespace {
constexpr std::chrono::milliseconds kQuiet{1000};  ///< a command shorter than this draws nothing
constexpr std::chrono::milliseconds kBetween{100}; ///< at most ten lines a second

/// "[#######-------------] "
std::string bar(double share) {
    constexpr int kWidth = 20;
    const int full = static_cast<int>(kWidth * share);
    return fmt::format("[{:#<{}}{:-<{}}] ", "", full, "", kWidth - full);
}

} // namespace

Progress::Progress(ProgressStyle style) : style_(style), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (drawn_) {
        fmt::print(stderr, "\r\033[K");
    }
}

void Progress::tell(std::string_view phase, double share, const Detail& detail) {
    const auto now = Clock::now();
    const bool new_phase = phase != last_phase_;
    if (style_ == ProgressStyle::none || (!new_phase && now - last_ < kBetween)) {
        return;
    }
    last_ = now;
    last_phase_ = phase;
    if (style_ == ProgressStyle::json) {
        fmt::print(stderr, "{{\"progress\":{{\"phase\":\"{}\",\"share\":{:.3f}{}{}}}}}\n", phase, share,
                   detail.json.empty() ? "" : ",", detail.json);
        std::fflush(stderr);
    } else if (terminal_ && now - started_ > kQuiet) {
        constexpr double kPercent = 100.0;
        fmt::print(stderr, "\r\033[K{} {}{:.0f}%{}{}", phase, detail.text.empty() ? "" : bar(share),
                   kPercent * share, detail.text.empty() ? "" : "  ", detail.text);
        std::fflush(stderr);
        drawn_ = true;
    }
}

} // namespace chokepoint::cli
