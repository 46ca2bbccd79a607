// The body of an answer comes from the other side of the network.
#include <cstddef>

#include "answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto status = static_cast<uint32_t>(data[0]) << 8 | data[1];
  const apns::Answer answer = apns::read_answer(status, {reinterpret_cast<const char*>(data) + 2, size - 2});
  apns::remedy(answer.reason);
  return 0;
}
