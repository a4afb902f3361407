// SPDX-License-Identifier: Apache-2.0
// Notes signals. A handler can reach nothing but a static flag.
#include "interrupt.hpp"

#include <csignal>

namespace chokepoint::cli {
namespace {

volatile std::sig_atomic_t noted = 0;

void set(void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND); // and no SA_RESTART, so that waits end
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

} // namespace

InterruptGuard::InterruptGuard() {
    noted = 0;
    set([](int) { noted = 1; });
}
InterruptGuard::~InterruptGuard() { set(SIG_DFL); }
bool InterruptGuard::interrupted() { return noted != 0; }

} // namespace chokepoint::cli
