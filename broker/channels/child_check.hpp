// Runs godwit-plugin-check --quick on a plugin in a child process, so that a library whose constructors crash or hang
// takes a child down and not the broker.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace godwit::channels {

struct ChildVerdict {
  enum class Kind {
    fine,
    complains,  // it can be loaded, but the checker found a fault
    crashes,    // or hangs: it must not be loaded here
    not_run,    // the checker itself could not be started
  } kind = Kind::fine;
  std::string text;  // what the checker said last, or how it ended
};

// Blocks up to `patience`, then kills the child.
ChildVerdict check_in_child(const std::filesystem::path& checker, const std::filesystem::path& plugin,
                            std::chrono::milliseconds patience);

}  // namespace godwit::channels
