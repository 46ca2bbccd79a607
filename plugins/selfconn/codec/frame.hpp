// Cuts a stream of bytes into packets, without state: it is asked again from the packet's first byte when more came.
//
// Everything that the first two to five bytes tell is decided there, before the body is waited for: type, flags,
// length. So a peer cannot make us buffer what we would refuse.
#pragma once

#include "plugins/selfconn/codec/types.hpp"

namespace godwit::mqtt {

struct Frame {
  PacketType type{};
  uint8_t flags = 0;
  Bytes body;
  size_t size = 0;              // with the fixed header
  bool shortest_length = true;  // Remaining Length was written in the fewest bytes, as 5.0 wants it
};

enum class Scan : uint8_t { complete, need_more, faulty };

struct FrameLimits {
  size_t max_packet_size = 65'536;  // with the fixed header
};

// `complete`: `out` is filled. `need_more`: nothing is wrong so far. `faulty`: `fault` says why.
// Before CONNECT the version is not known; pass v5 and refuse every other type.
Scan scan_frame(Bytes input, Version version, FrameLimits limits, Frame& out, Fault& fault);

}  // namespace godwit::mqtt
