// Runs a test where it can do no harm: in a child process of its own, killed with its whole process group when time is
// up.
//
// A signal, an exit of its own and a time-out all become verdicts. May be used inside a child again. The caller must
// have one thread only (fork).
#pragma once

#include <chrono>
#include <functional>

#include "sdk/check/verdict.hpp"

namespace godwit::check {

Verdict run_in_child(const std::function<void()>& test, std::chrono::milliseconds limit);

// The same without a child, for a debugger: a crash is then a crash.
Verdict run_here(const std::function<void()>& test);

// For a signal handler in the child: writes the verdict `fail` with a text and ends the process. Async-signal-safe.
[[noreturn]] void fail_from_signal(const char* text);

}  // namespace godwit::check
