// Any bytes as what a server sends: never out of bounds, and a whole device survives them, wherever they are cut.
#include "clients/device/core.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit::device;
  Memory memory;
  Core core({"app", "device", "credential"}, memory, {[&](const std::string& id, std::string_view) { (void)id; }, {}},
            1);
  core.report("m", "opened", 1);
  int64_t now = 1'000'000;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t piece = size > 0 ? data[0] % 13 + 1 : 1;
  core.opening(now);
  core.opened(now);
  core.output();
  for (size_t at = 0; at < size; at += piece) {
    core.received(all.substr(at, piece), now);
    core.output();
    if (core.wants_close()) {
      core.lost("", now);
      now += 400'000;
      core.set_credential("other", now);
      if (!core.wants_line(now)) __builtin_trap();
      core.opening(now);
      core.opened(now);
    }
    core.tick(now += 1000);
  }
  return 0;
}
