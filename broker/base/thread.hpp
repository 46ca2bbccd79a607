// start_thread: every thread of the broker has a name that ps and gdb show (15 characters at most), all signals blocked
// (only the main thread handles them), and an owner that joins it.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace godwit {

std::thread start_thread(std::string name, std::function<void()> body);

}  // namespace godwit
