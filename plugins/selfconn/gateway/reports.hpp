// Reports carries to the host what devices did: who came and went, and what they said about messages.
//
// Presence needs no queue: the connection's record is the queue's entry, and only its latest state is told, so any
// number of comings and goings while the host has no room costs nothing. Device events are kept one by one, bounded;
// when the bound is reached the devices that send them are not read any more. A device's PUBLISH is acknowledged when
// the host took the event. One shard's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "plugins/selfconn/gateway/connection.hpp"

namespace selfconn {

struct Shard;

struct DeviceEvent {
  uint32_t connection = kNone, generation = 0;  // to whom the PUBACK goes
  uint16_t packet_id = 0;
  uint8_t qos = 0;       // 0 = no acknowledgement
  uint32_t subkind = 0;  // GW_RECEIPT_*
  uint64_t at_wall_ms = 0;
  std::string address, message_id;
};

class Reports {
 public:
  explicit Reports(Shard& shard);
  ~Reports();

  void presence_changed(Connection& c);
  void device_event(DeviceEvent event) { events_.push_back(std::move(event)); }
  bool is_full() const;
  bool is_empty() const { return events_.empty() && presence_.empty(); }

  // Tells the host all that it takes. A host that was busy is asked again only after room().
  void flush();
  void room() { is_busy_ = false; }

 private:
  struct Ref {
    uint32_t index, generation;
  };
  struct Scratch;  // what a batch of events points into
  bool flush_presence();
  bool flush_events();
  void acknowledge(const DeviceEvent& event, bool was_taken);

  Shard& shard_;
  std::vector<Ref> presence_;
  std::deque<DeviceEvent> events_;
  const std::unique_ptr<Scratch> scratch_;
  bool is_busy_ = false;
};

}  // namespace selfconn
