// EventQueue carries events to the host when the host has no room at once.
//
// E_BUSY is the host's back-pressure: what it does not take is copied and kept, in order, until on_event_room. The
// queue is bounded: when it is full, waiting presence is dropped first (the next picture heals it), then the new event;
// drops are counted, never silent. Lane only.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

class EventQueue {
 public:
  explicit EventQueue(Host host, size_t limit = 10000) : host_(host), limit_(limit) {}

  // False if the event was dropped.
  bool send(const Event& event) {
    if (waiting_.empty()) {
      int32_t status = host_.event(event);
      if (status != GW_E_BUSY) return status == GW_OK;
    }
    if (waiting_.size() >= limit_ && !drop_presence()) return ++dropped_, false;
    waiting_.emplace_back(event);
    return true;
  }

  // Call it from Channel::on_event_room.
  void flush() {
    while (!waiting_.empty() && host_.event(waiting_.front().event()) != GW_E_BUSY) waiting_.pop_front();
  }

  size_t size() const { return waiting_.size(); }
  uint64_t dropped() const { return dropped_; }

 private:
  // An event with its own bytes.
  struct Owned {
    explicit Owned(const Event& e)
        : base(e),
          event_id(e.event_id),
          address(e.address),
          vendor_id(e.vendor_id),
          message_id(e.message_id),
          connection_id(e.connection_id),
          payload(e.payload) {}
    Event event() const {
      Event e = base;
      e.event_id = event_id;
      e.address = address;
      e.vendor_id = vendor_id;
      e.message_id = message_id;
      e.connection_id = connection_id;
      e.payload = payload;
      return e;
    }
    Event base;  // numbers only; its views are stale
    std::string event_id, address, vendor_id, message_id, connection_id, payload;
  };

  bool drop_presence() {
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
      if (it->base.kind != GW_EVENT_PRESENCE) continue;
      waiting_.erase(it);
      ++dropped_;
      return true;
    }
    return false;
  }

  Host host_;
  size_t limit_;
  uint64_t dropped_ = 0;
  std::deque<Owned> waiting_;
};

}  // namespace sdk
}  // namespace godwit
