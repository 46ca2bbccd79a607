// Whatever the bytes are, reading a tape ends in fates or in a fault that is named, and what was read can be played.
#include <cstddef>
#include <cstdint>
#include <sstream>

#include "sim/engine.hpp"
#include "sim/strict_json.hpp"
#include "sim/tape.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 14) return 0;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  try {
    godwit::sim::Tape tape(godwit::sim::read_tape(in, "fuzz.tape"));
    const auto policy = godwit::sim::make_policy("godwit", tape.setting(), 1);
    godwit::sim::run(tape, *policy, godwit::sim::Play::cascade, {});
  } catch (const godwit::sim::BadInput&) {
  }
  return 0;
}
