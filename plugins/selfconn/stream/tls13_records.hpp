// Records is what is left of a TLS 1.3 connection once its handshake is done: two keys and what is incomplete.
//
// OpenSSL keeps 14 kB for a connection that says nothing; this is 240 bytes. It opens and seals records, follows and
// begins key updates, and knows alerts: RFC 8446, 4.6.3, 5 and 6. Handshake messages other than KeyUpdate are a fault:
// a server that asked for no certificate is sent none, and nothing is negotiated anew. After a fault of either side
// nothing more is sent than its alert.
//
// Calls return like Stream's. A record that the socket took in part is kept, and its bytes count as taken when all of
// it has left: so the caller comes back with the same bytes. One thread at a time.
#pragma once

#include <sys/types.h>

#include "plugins/selfconn/stream/byte_block.hpp"
#include "plugins/selfconn/stream/tls13_key.hpp"

namespace selfconn::tls13 {

class Records {
 public:
  // `max_fragment`: the most that one record carries, in both directions. `rekey_after`: at most 2^24 records, for
  // AES-GCM is good for 2^24.5 under one key (RFC 8446, 5.5).
  Records(const TrafficKey& theirs, const TrafficKey& ours, size_t max_fragment, uint64_t rekey_after)
      : theirs_(theirs), ours_(ours), max_fragment_(static_cast<uint16_t>(max_fragment)), rekey_after_(rekey_after) {}

  ssize_t read(int fd, std::span<uint8_t> room);
  ssize_t write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body);
  // close_notify.
  void finish(int fd);

 private:
  // RFC 8446, 6
  enum class Alert : uint8_t {
    close_notify = 0,
    unexpected_message = 10,
    bad_record_mac = 20,
    record_overflow = 22,
    illegal_parameter = 47,
    decode_error = 50,
  };
  enum class Ending : uint8_t { none, closed, reset, faulty };

  ssize_t end() const;
  bool is_broken() const { return ending_ == Ending::reset || ending_ == Ending::faulty; }
  size_t take_records(int fd, std::span<uint8_t> bytes, std::span<uint8_t> room, size_t& payload);
  void take(int fd, const TrafficKey::Opened& opened, std::span<uint8_t> room, size_t& payload);
  void take_alert(int fd, std::span<const uint8_t> alert);
  void take_handshake(int fd, std::span<const uint8_t> message);
  void fault(int fd, Alert alert);
  void say(int fd, uint8_t level, Alert alert);
  bool flush(int fd);
  bool send_all(int fd, std::span<const uint8_t> bytes);

  TrafficKey theirs_, ours_;
  ByteBlock raw_;     // of records that are not complete, or not opened for want of room
  ByteBlock plain_;   // opened, for the next read
  ByteBlock unsent_;  // of a record
  const uint16_t max_fragment_;
  uint16_t taken_ = 0;  // bytes of the caller's in unsent_
  Ending ending_ = Ending::none;
  bool owes_update_ = false;  // the peer asked for a KeyUpdate: before our next data
  uint8_t idle_records_ = 0;  // in a row that carried nothing
  const uint64_t rekey_after_;
};

}  // namespace selfconn::tls13
