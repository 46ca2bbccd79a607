// SessionBook remembers the sessions of devices that are away, for as long as they asked (and the gateway grants).
//
// Messages are not in it: they wait in the broker. What a session is to MQTT beyond them is small: that it exists
// (Session Present), which packet ids of ours the device has not acknowledged (the broker sends those messages again;
// they must go out under their old id, with DUP), and which QoS 2 ids of its own the device has not released. Most
// sessions have neither and cost one slot of 24 bytes.
//
// One shard's. When it is full, a session more is not kept: the device is told Session Present 0, which is always
// legal.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace selfconn {

struct Unacknowledged {
  uint64_t message;  // hash of its id
  uint16_t packet_id;
};

struct SessionState {
  std::vector<Unacknowledged> sent;  // by us
  std::vector<uint16_t> qos2_ids;    // by the device, sorted

  bool is_empty() const { return sent.empty() && qos2_ids.empty(); }
};

class SessionBook {
 public:
  explicit SessionBook(size_t limit) : limit_(limit) {}

  // `device`: hash of its address. `state` may be null.
  void keep(uint64_t device, uint32_t until_tick, std::unique_ptr<SessionState> state);

  // Takes the session out of the book. False when there is none (any more).
  bool take(uint64_t device, uint32_t now_tick, std::unique_ptr<SessionState>& state);

  // Forgets what has ended, a part of the book each time.
  void sweep(uint32_t now_tick);

  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t device = 0;  // 0: free
    uint32_t until_tick = 0;
    std::unique_ptr<SessionState> state;
  };
  static bool is_over(uint32_t until_tick, uint32_t now_tick) {
    return static_cast<int32_t>(until_tick - now_tick) <= 0;
  }
  size_t mask() const { return slots_.size() - 1; }
  size_t find(uint64_t device) const;  // its slot, or the free one where it would be
  void erase(size_t slot);
  void grow();

  const size_t limit_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most 3/4 full
  size_t size_ = 0;
  size_t swept_ = 0;
};

}  // namespace selfconn
