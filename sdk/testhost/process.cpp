// What the kernel says about this process.
#include <filesystem>

#include "sdk/testhost/test_host.hpp"

namespace godwit::testhost {
namespace {

size_t count_entries(const char* folder) {
  size_t n = 0;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder, error); !error && it != std::filesystem::end(it);
       it.increment(error))
    ++n;
  return n;
}

}  // namespace

size_t count_threads() {
  return count_entries("/proc/self/task");
}
size_t count_descriptors() {
  return count_entries("/proc/self/fd") - 1;
}  // without the one that lists

}  // namespace godwit::testhost
