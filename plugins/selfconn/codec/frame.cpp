#include "plugins/selfconn/codec/frame.hpp"

namespace godwit::mqtt {
namespace {

// MQTT 2.1.3: only PUBLISH has flags of its own; these four types must carry 2, all others 0.
bool flags_fit(PacketType type, uint8_t flags) {
  switch (type) {
    case PacketType::publish:
      return true;
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
      return flags == 2;
    default:
      return flags == 0;
  }
}

}  // namespace

Scan scan_frame(Bytes input, Version version, FrameLimits limits, Frame& out, Fault& fault) {
  if (input.empty()) return Scan::need_more;
  const auto refuse = [&fault](Fault why) {
    fault = why;
    return Scan::faulty;
  };
  const auto type = static_cast<PacketType>(input[0] >> 4);
  const uint8_t flags = input[0] & 0x0F;
  if (static_cast<uint8_t>(type) == 0) return refuse(malformed("packet type 0"));
  if (type == PacketType::auth && version != Version::v5) return refuse(malformed("packet type 15 in MQTT 3.1.1"));
  if (!flags_fit(type, flags)) return refuse(malformed("wrong flags in the fixed header"));

  uint32_t length = 0;
  size_t header = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (shift == 28) return refuse(malformed("Remaining Length has five bytes"));
    if (header == input.size()) return Scan::need_more;
    const uint8_t byte = input[header++];
    length |= uint32_t{byte & 0x7Fu} << shift;
    if (!(byte & 0x80)) break;
  }
  const size_t size = header + length;
  if (size > limits.max_packet_size) return refuse({Reason::packet_too_large, "the packet is larger than allowed"});
  const bool shortest = header == 2 || input[header - 1] != 0;
  if (version == Version::v5 && type != PacketType::connect && !shortest)
    return refuse(malformed("Remaining Length is not written in the fewest bytes"));
  if (input.size() < size) return Scan::need_more;
  out = {type, flags, input.subspan(header, length), size, shortest};
  return Scan::complete;
}

}  // namespace godwit::mqtt
