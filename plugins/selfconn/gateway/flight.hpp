// Flight is one message on its way to one device: waiting for the device's window, or sent and not yet acknowledged.
//
// The host's bytes stay valid until the message is settled, so nothing is copied. A message that had to be settled
// before its PUBACK came (its deadline passed) stays here as an orphan with its id alone: the late PUBACK becomes a
// receipt.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <godwit/batch.hpp>

#include "plugins/selfconn/gateway/slab.hpp"

namespace selfconn {

struct Flight {
  uint32_t generation = 0, next_free = kNone;

  uint32_t next = kNone;         // of the same device: sent ones first, then waiting ones
  uint32_t sent_tick = 0;        // of sent ones
  uint32_t tx_begin = 0;         // where in the connection's stream its first byte stands
  uint16_t packet_id = 0;        // 0 = waiting
  uint8_t priority = 0;          // higher goes first among the waiting
  uint64_t expires_mono_ns = 0;  // end of its time-to-live
  std::optional<godwit::Pending> pending;
  std::unique_ptr<std::string> orphan_id;

  bool is_sent() const { return packet_id != 0; }
  void reset() {
    next = kNone;
    sent_tick = tx_begin = 0;
    packet_id = 0;
    priority = 0;
    expires_mono_ns = 0;
    pending.reset();
    orphan_id.reset();
  }
};

}  // namespace selfconn
