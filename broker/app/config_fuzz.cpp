// Whatever the bytes are, reading a configuration ends in values or faults.
#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/app/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("${file:") != std::string::npos) return 0;  // would read the fuzzing machine's files
  godwit::parse_config(text, "fuzz.yaml");
  return 0;
}
