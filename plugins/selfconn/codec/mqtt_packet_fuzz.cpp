// Any bytes, as a client's or a server's stream of either version: never out of bounds, and what parses must survive
// being written and parsed again without a change.
#include <cstdlib>

#include "plugins/selfconn/codec/testing/any_packet.hpp"

using namespace godwit::mqtt;

// The first byte chooses version and sender, the rest is the stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Version version = data[0] & 1 ? Version::v5 : Version::v3_1_1;
  const Sender sender = data[0] & 2 ? Sender::server : Sender::client;
  Bytes rest(data + 1, size - 1);
  Frame frame;
  Fault fault;
  while (scan_frame(rest, version, {4096}, frame, fault) == Scan::complete) {
    rest = rest.subspan(frame.size);
    version = testing::version_after(frame, version);
    const testing::Rewritten once = testing::rewrite(frame, version, sender);
    if (once.fault) return 0;
    Frame again;
    if (scan_frame(once.bytes, version, {4096}, again, fault) != Scan::complete) std::abort();
    const testing::Rewritten twice = testing::rewrite(again, version, sender);
    if (twice.fault || twice.bytes != once.bytes) std::abort();
  }
  return 0;
}
