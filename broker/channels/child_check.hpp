// Runs godwit-plugin-check --quick on a plugin in a child process, so that a library whose constructors crash or hang
// takes a child down and not the broker.
#pragma once

#include <chrono>
#include <filesystem>

#include "broker/base/result.hpp"

namespace godwit::channels {

// Blocks up to `patience`, then kills the child. The error holds the last lines of what the checker said.
Result<void> check_in_child(const std::filesystem::path& checker, const std::filesystem::path& plugin,
                            std::chrono::milliseconds patience);

}  // namespace godwit::channels
