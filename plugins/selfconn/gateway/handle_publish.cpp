#include <algorithm>

#include "plugins/selfconn/gateway/device_event.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::PacketType;
using mqtt::Property;
using mqtt::Reason;

// A PUBLISH that we do nothing with. 3.1.1 has no word for "no": it is acknowledged and forgotten.
void decline(Shard& shard, Connection& c, const mqtt::Publish& publish, Reason reason) {
  shard.counters.bad_events.add();
  if (publish.qos == 0) return;
  const PacketType type = publish.qos == 1 ? PacketType::puback : PacketType::pubrec;
  answer_ack(shard, c, type, publish.packet_id, reason);
  // A PUBREC that refuses ends the exchange; one that 3.1.1 takes for success is followed by PUBREL, which is answered.
}

bool is_known_qos2(const Connection& c, uint16_t id) {
  return c.session && std::binary_search(c.session->qos2_ids.begin(), c.session->qos2_ids.end(), id);
}

void remember_qos2(Connection& c, uint16_t id) {
  if (!c.session) c.session = std::make_unique<SessionState>();
  auto& ids = c.session->qos2_ids;
  ids.insert(std::upper_bound(ids.begin(), ids.end(), id), id);
}

size_t unacknowledged(const Connection& c) {
  return c.up_pending + (c.session ? c.session->qos2_ids.size() : 0);
}

// Breaches that only the connection's state shows. True when the connection was lost over it.
bool breaks_a_promise(Shard& shard, Connection& c, const mqtt::Publish& publish) {
  if (publish.properties.has(Property::topic_alias)) {  // our Topic Alias Maximum is 0
    refuse(shard, c, Reason::topic_alias_invalid, "topic aliases are not offered");
  } else if (publish.retain && c.version == mqtt::Version::v5) {
    refuse(shard, c, Reason::retain_not_supported, "retained messages are not offered");
  } else if (publish.qos > 0 && unacknowledged(c) >= kReceiveMaximum && !is_known_qos2(c, publish.packet_id)) {
    refuse(shard, c, Reason::receive_maximum_exceeded, "more unacknowledged PUBLISH than Receive Maximum");
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool may_publish_now(Shard& shard, Connection& c) {
  const uint32_t ticks = std::min<uint32_t>(shard.tick - c.up_tick, kUpBurst);
  c.up_tokens = static_cast<uint8_t>(std::min<uint32_t>(c.up_tokens + ticks * kUpPerTick, kUpBurst));
  c.up_tick = shard.tick;
  if (c.up_tokens > 0 && !shard.reports.is_full()) {
    --c.up_tokens;
    return true;
  }
  if (!c.is_paused) {
    c.is_paused = true;
    shard.paused.push_back(c.self);
  }
  return false;
}

void handle_publish(Shard& shard, Connection& c, const mqtt::Publish& publish) {
  if (breaks_a_promise(shard, c, publish)) return;
  if (publish.qos == 2 && is_known_qos2(c, publish.packet_id)) {
    // Sent again without our PUBREC; while an event waits for the host, the first PUBREC is still on its way.
    if (shard.reports.is_empty()) answer_ack(shard, c, PacketType::pubrec, publish.packet_id);
    return;
  }
  if (publish.topic != kEventsTopic) return decline(shard, c, publish, Reason::not_authorized);
  auto parsed = parse_event(publish.payload);
  if (!parsed) return decline(shard, c, publish, Reason::payload_format_invalid);
  if (publish.qos == 2) remember_qos2(c, publish.packet_id);
  if (publish.qos == 1) ++c.up_pending;
  DeviceEvent event;
  event.connection = c.self;
  event.generation = c.generation;
  event.packet_id = publish.packet_id;
  event.qos = publish.qos;
  event.subkind = parsed->subkind;
  event.at_wall_ms = parsed->at_wall_ms;
  event.address = c.address.view();
  event.message_id = std::move(parsed->message_id);
  shard.reports.device_event(std::move(event));
}

void handle_pubrel(Shard& shard, Connection& c, const mqtt::Ack& ack) {
  const bool known = is_known_qos2(c, ack.packet_id);
  if (known) {
    auto& ids = c.session->qos2_ids;
    ids.erase(std::lower_bound(ids.begin(), ids.end(), ack.packet_id));
    if (c.session->is_empty()) c.session.reset();
  }
  const bool tell = !known && c.version == mqtt::Version::v5;
  answer_ack(shard, c, PacketType::pubcomp, ack.packet_id,
             tell ? Reason::packet_identifier_not_found : Reason::success);
}

}  // namespace selfconn
