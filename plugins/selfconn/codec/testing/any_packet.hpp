// Parses whatever a frame holds and writes it again: for round-trip tests and the fuzz target.
#pragma once

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/codec/testing/bytes.hpp"

namespace godwit::mqtt::testing {

struct Rewritten {
  Fault fault;
  Buffer bytes;  // when there is no fault
};

Rewritten rewrite(const Frame& frame, Version version, Sender sender);

// The version that the packets behind this one speak: CONNECT decides.
Version version_after(const Frame& frame, Version before);

}  // namespace godwit::mqtt::testing
