// SPDX-License-Identifier: Apache-2.0
// Lets a long command end cleanly on Ctrl-C.
#pragma once

namespace chokepoint::cli {

/// While it lives, the first SIGINT or SIGTERM is only noted; a second one ends the process as ever.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;
    [[nodiscard]] static bool interrupted();
};

} // namespace chokepoint::cli
