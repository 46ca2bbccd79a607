// Connection is everything that one socket costs us: a record of fixed size in a slab, heap only while something is
// incomplete. An idle device with its session is this record, its address, and a slot in the index.
//
// Owned by one shard; only that shard's thread touches it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "plugins/selfconn/codec/types.hpp"
#include "plugins/selfconn/gateway/session_book.hpp"
#include "plugins/selfconn/gateway/slab.hpp"
#include "plugins/selfconn/stream/byte_block.hpp"
#include "plugins/selfconn/stream/stream.hpp"

namespace selfconn {

enum class Phase : uint8_t {
  free,
  greeting,   // accepted, CONNECT has not come
  live,       // a device that was let in; in the index
  lingering,  // told why and half closed: read and discard until the peer closes
  departed,   // no socket any more; stays in the index until the host knows that the device is gone
  doomed,     // released at the end of the loop's round
};

struct Connection {
  uint32_t generation = 0, next_free = kNone;                           // Slab
  uint32_t alarm_tick = kNone, alarm_prev = kNone, alarm_next = kNone;  // TimerWheel

  uint32_t self = kNone;  // its number
  int32_t fd = -1;

  Phase phase = Phase::free;
  godwit::mqtt::Version version = godwit::mqtt::Version::v3_1_1;
  bool is_subscribed : 1 = false;    // said SUBSCRIBE for the inbox; it gets its messages anyway
  bool wants_alias : 1 = false;      // 5.0, Topic Alias Maximum above 0
  bool knows_alias : 1 = false;      // the alias was sent on this connection
  bool is_paused : 1 = false;        // we do not read: too many events from it, or nobody takes them
  bool is_presence_due : 1 = false;  // in the list of presence to report
  bool is_pump_due : 1 = false;      // in the list of connections with something new to send
  bool cannot_send : 1 = false;      // the socket is lost for writing; what was received is still being read
  bool has_hung_up : 1 = false;      // its last byte has arrived: read on until the end
  bool had_no_expiry : 1 = true;     // Session Expiry Interval 0 in CONNECT: DISCONNECT may not raise it
  uint8_t window = 0;                // unacknowledged messages that the device takes
  uint8_t in_flight = 0;             // of the list of flights
  uint16_t waiting = 0;              // of the list of flights
  uint8_t up_pending = 0;            // its QoS 1 and 2 PUBLISH that the host has not taken
  uint8_t up_tokens = 0;             // PUBLISH that it may send now
  uint8_t takeovers = 0;             // of this device, since takeovers_tick

  uint16_t keep_alive_s = 0;
  uint16_t last_packet_id = 0;
  uint32_t tag = 0;         // half of the address's hash, for the index
  uint32_t since_tick = 0;  // when the phase began
  uint32_t heard_tick = 0;  // last byte from the peer
  uint32_t network = 0;     // that it came from; see HeldSilence
  uint32_t up_tick = 0;     // when up_tokens were last filled
  uint32_t takeovers_tick = 0;
  uint32_t tx_sent = 0;         // bytes that the kernel took, modulo 2^32
  uint32_t max_packet = 0;      // the client's Maximum Packet Size; 0 = no limit
  uint32_t expires_wall_s = 0;  // of the credential; 0 = never
  uint32_t credential_generation = 0;
  uint32_t session_expiry_s = 0;  // 0: the session ends with the connection
  uint32_t first_flight = kNone, last_flight = kNone;
  uint64_t id = 0;  // connection_id and presence seq towards the host

  SmallText address;
  ByteBlock partial;                      // of a packet; mark = when its first byte came
  ByteBlock unsent;                       // mark = when the socket last took something
  std::unique_ptr<Stream> stream;         // TLS, WebSocket; null on plain TCP
  std::unique_ptr<SessionState> session;  // null while there is nothing in it

  // For a new use of the record; frees what it held. Closing the socket is not its business.
  void reset() {
    const uint32_t kept_generation = generation;
    *this = Connection();
    generation = kept_generation;
  }
};

}  // namespace selfconn
