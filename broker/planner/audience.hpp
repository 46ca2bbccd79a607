// Audience: from the names in a message to device numbers. Pure look-ups in the registry; owner's thread.
#pragma once

#include <vector>

#include "broker/message/message.hpp"
#include "broker/registry/registry.hpp"

namespace godwit::planner {

// The devices of a message that names its recipients.
struct Recipients {
  std::vector<DeviceNo> devices;  // ascending, none twice
  std::vector<uint32_t> nobody;   // places in `names` that no device answers to
  void clear() {
    devices.clear();
    nobody.clear();
  }
};
// REQUIRES: !is_fanout(message). A `token` that no device registered is in `nobody`: it can still be sent to as it is.
void expand(const Message& message, const Registry& registry, Recipients& out);

// Fan-outs do not name devices: they are walked in the order of device numbers, which survives a restart.
bool is_fanout(const Message& message);
// The first device >= `from` of the fan-out, or kNoDevice.
DeviceNo next_of_fanout(const Message& message, const Registry& registry, DeviceNo from);
uint64_t size_of_fanout(const Message& message, const Registry& registry);

}  // namespace godwit::planner
