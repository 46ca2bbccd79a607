#include "plugins/selfconn/gateway/reports.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

constexpr size_t kBatch = 64;

std::string_view decimal(uint64_t value, std::array<char, 24>& room) {
  const auto end = std::to_chars(room.data(), room.data() + room.size(), value).ptr;
  return {room.data(), static_cast<size_t>(end - room.data())};
}

std::string_view name_of(uint32_t subkind) {
  switch (subkind) {
    case GW_RECEIPT_DELIVERED:
      return "delivered";
    case GW_RECEIPT_DISPLAYED:
      return "displayed";
    case GW_RECEIPT_OPENED:
      return "opened";
    default:
      return "dismissed";
  }
}

}  // namespace

struct Reports::Scratch {
  std::array<gw_event, kBatch> events;
  std::array<const gw_event*, kBatch> list;
  std::array<std::array<char, 24>, kBatch> connection_ids;
  std::array<std::string, kBatch> event_ids;
  uint32_t count = 0;

  gw_event& add(uint32_t kind) {
    gw_event& event = events[count];
    event = {};
    event.size = sizeof event;
    event.kind = kind;
    list[count++] = &event;
    return event;
  }
};

Reports::Reports(Shard& shard) : shard_(shard), scratch_(std::make_unique<Scratch>()) {}
Reports::~Reports() = default;

bool Reports::is_full() const {
  return events_.size() >= kMaxWaitingReports;
}

void Reports::presence_changed(Connection& c) {
  if (c.is_presence_due) return;
  c.is_presence_due = true;
  presence_.push_back({c.self, c.generation});
}

void Reports::flush() {
  if (is_busy_) return;
  is_busy_ = !flush_presence() || !flush_events();
}

bool Reports::flush_presence() {
  size_t done = 0;
  while (done < presence_.size()) {
    Scratch& scratch = *scratch_;
    scratch.count = 0;
    const size_t end = std::min(done + kBatch, presence_.size());
    for (size_t i = done; i < end; ++i) {
      Connection* c = shard_.connections.find(presence_[i].index, presence_[i].generation);
      if (!c || !c->is_presence_due) continue;  // superseded by a newer connection
      const uint32_t n = scratch.count;
      const bool is_online = c->phase == Phase::live;
      gw_event& event = scratch.add(GW_EVENT_PRESENCE);
      event.subkind = is_online ? GW_PRESENCE_ONLINE : GW_PRESENCE_OFFLINE;
      event.seq = is_online ? c->id : shard_.fleet.next_seq();
      event.address = godwit::str(c->address.view());
      event.connection_id = godwit::str(decimal(c->id, scratch.connection_ids[n]));
    }
    const gw_host& host = shard_.fleet.host.raw();
    if (scratch.count > 0 && host.event(host.ctx, scratch.list.data(), scratch.count) == GW_E_BUSY) break;
    for (size_t i = done; i < end; ++i) {
      Connection* c = shard_.connections.find(presence_[i].index, presence_[i].generation);
      if (!c || !c->is_presence_due) continue;
      c->is_presence_due = false;
      release_departed(shard_, *c);
    }
    done = end;
  }
  presence_.erase(presence_.begin(), presence_.begin() + static_cast<long>(done));
  return presence_.empty();
}

bool Reports::flush_events() {
  const gw_host& host = shard_.fleet.host.raw();
  while (!events_.empty()) {
    Scratch& scratch = *scratch_;
    scratch.count = 0;
    const size_t count = std::min(kBatch, events_.size());
    for (size_t i = 0; i < count; ++i) {
      const DeviceEvent& e = events_[i];
      std::string& id = scratch.event_ids[i];
      id.assign(e.message_id).append("/").append(name_of(e.subkind)).append("/").append(e.address);
      gw_event& event = scratch.add(GW_EVENT_RECEIPT);
      event.subkind = e.subkind;
      event.flags = GW_EVENT_BY_DEVICE;
      event.seq = shard_.fleet.next_seq();
      event.at_wall_ms = e.at_wall_ms;
      event.event_id = godwit::str(id);
      event.address = godwit::str(e.address);
      event.message_id = godwit::str(e.message_id);
    }
    const int32_t status = host.event(host.ctx, scratch.list.data(), scratch.count);
    if (status == GW_E_BUSY) return false;
    for (size_t i = 0; i < count; ++i) acknowledge(events_[i], status == GW_OK);
    events_.erase(events_.begin(), events_.begin() + static_cast<long>(count));
  }
  return true;
}

// The host has the event (or refused it for good: then 5.0 is told, and nobody sends it again).
void Reports::acknowledge(const DeviceEvent& event, bool was_taken) {
  if (was_taken) shard_.counters.events.add();
  Connection* c = event.connection == kNone ? nullptr : shard_.connections.find(event.connection, event.generation);
  if (!c || c->phase != Phase::live || event.qos == 0) return;
  const auto reason = was_taken ? mqtt::Reason::success : mqtt::Reason::implementation_specific_error;
  if (event.qos == 1) --c->up_pending;
  answer_ack(shard_, *c, event.qos == 1 ? mqtt::PacketType::puback : mqtt::PacketType::pubrec, event.packet_id, reason);
  selfconn::flush(shard_, *c);
}

}  // namespace selfconn
