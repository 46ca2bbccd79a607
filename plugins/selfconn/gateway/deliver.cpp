// The hot path: handover -> flight -> PUBLISH -> PUBACK -> settle.
#include <algorithm>
#include <cassert>

#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/envelope.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::Property;
using mqtt::Reason;

constexpr uint16_t kInboxAlias = 1;
constexpr size_t kMaxRemembered = 100;  // ids of a device that loses connection after connection
constexpr size_t kHeadRoom = 64;  // fixed header, topic, packet id and properties of our PUBLISH take at most 36 bytes
constexpr uint64_t kBusyRetryMs = 1'000;       // a device that is offered more than its queue holds
constexpr uint64_t kDeclinedRetryMs = 30'000;  // a device that says it cannot take it now

gw_outcome outcome(uint32_t disposition, std::string_view code = {}, std::string_view detail = {},
                   uint64_t retry_after_ms = 0) {
  gw_outcome o{};
  o.disposition = disposition;
  o.vendor_code = godwit::str_or_absent(code);
  o.detail = godwit::str_or_absent(detail);
  o.retry_after_ms = retry_after_ms;
  return o;
}

// ---- the list of a device's flights: sent ones in order, then waiting ones by priority ----

void unlink_flight(Shard& shard, Connection& c, uint32_t previous, uint32_t index) {
  Flight& f = shard.flights[index];
  (previous == kNone ? c.first_flight : shard.flights[previous].next) = f.next;
  if (c.last_flight == index) c.last_flight = previous;
  f.is_sent() ? --c.in_flight : --c.waiting;
}

void settle_flight(Shard& shard, uint32_t index, const gw_outcome& how) {
  Flight& f = shard.flights[index];
  if (f.pending) shard.settles.settle(std::move(*f.pending), how);
  shard.flights.release(index);
}

// Calls visit(flight) -> std::optional<gw_outcome>; what it gives an outcome is settled and leaves the list.
template <class Visit>
void settle_some(Shard& shard, Connection& c, Visit visit) {
  uint32_t previous = kNone;
  for (uint32_t at = c.first_flight; at != kNone;) {
    const uint32_t next = shard.flights[at].next;
    if (const std::optional<gw_outcome> how = visit(shard.flights[at])) {
      unlink_flight(shard, c, previous, at);
      settle_flight(shard, at, *how);
    } else {
      previous = at;
    }
    at = next;
  }
}

void append_flight(Shard& shard, Connection& c, uint32_t index) {
  Flight& f = shard.flights[index];
  ++c.waiting;
  if (c.last_flight == kNone) {
    c.first_flight = c.last_flight = index;
    return;
  }
  Flight& last = shard.flights[c.last_flight];
  if (last.is_sent() || last.priority >= f.priority) {
    last.next = index;
    c.last_flight = index;
    return;
  }
  uint32_t previous = kNone;  // rare: it overtakes some that wait
  uint32_t at = c.first_flight;
  for (; shard.flights[at].is_sent() || shard.flights[at].priority >= f.priority; at = shard.flights[at].next)
    previous = at;
  f.next = at;
  (previous == kNone ? c.first_flight : shard.flights[previous].next) = index;
}

// REQUIRES: one waits.
uint32_t first_waiting(Shard& shard, const Connection& c, uint32_t& previous) {
  previous = kNone;
  uint32_t at = c.first_flight;
  for (; shard.flights[at].is_sent(); at = shard.flights[at].next) previous = at;
  return at;
}

// ---- packet ids; those of the last connection that were not acknowledged are spoken for ----

uint64_t hash_of_id(const Shard& shard, std::string_view message_id) {
  return shard.fleet.hash_of(message_id);
}

void remember_unacknowledged(Shard& shard, Connection& c, std::string_view message_id, uint16_t packet_id) {
  if (c.session_expiry_s == 0) return;
  if (!c.session) c.session = std::make_unique<SessionState>();
  if (c.session->sent.size() >= kMaxRemembered) c.session->sent.erase(c.session->sent.begin());
  c.session->sent.push_back({hash_of_id(shard, message_id), packet_id});
}

// The id under which the device was sent this message before; 0 when it was not.
uint16_t take_old_packet_id(Shard& shard, Connection& c, std::string_view message_id) {
  if (!c.session) return 0;
  auto& sent = c.session->sent;
  const uint64_t hash = sent.empty() ? 0 : hash_of_id(shard, message_id);
  const auto found = std::find_if(sent.begin(), sent.end(), [hash](const auto& u) { return u.message == hash; });
  if (found == sent.end()) return 0;
  const uint16_t id = found->packet_id;
  sent.erase(found);
  if (c.session->is_empty()) c.session.reset();
  return id;
}

uint16_t next_packet_id(Shard& shard, Connection& c) {
  for (;;) {
    if (++c.last_packet_id == 0) continue;
    bool in_use = false;
    if (c.session)
      for (const Unacknowledged& old : c.session->sent) in_use = in_use || old.packet_id == c.last_packet_id;
    for (uint32_t at = c.first_flight; at != kNone && shard.flights[at].is_sent(); at = shard.flights[at].next)
      in_use = in_use || shard.flights[at].packet_id == c.last_packet_id;
    if (!in_use) return c.last_packet_id;
  }
}

// ---- one PUBLISH ----

enum class Put : uint8_t { written, too_large, invalid, no_room };

Put put_publish(Shard& shard, Connection& c, Flight& f) {
  const Envelope envelope(f.pending->message(), shard.sent_at());
  if (!envelope.is_valid()) return Put::invalid;
  mqtt::PropertyBuilder<16> properties;
  mqtt::Publish publish;
  publish.qos = 1;
  publish.topic = kInboxTopic;
  if (c.version == mqtt::Version::v5) {
    const uint64_t left_ms = (f.expires_mono_ns - std::min(f.expires_mono_ns, shard.now_ns)) / 1'000'000;
    properties.add(Property::payload_format_indicator, 1);
    properties.add(Property::message_expiry_interval,
                   static_cast<uint32_t>(std::clamp<uint64_t>((left_ms + 999) / 1000, 1, 0xFFFFFFFF)));
    if (c.wants_alias) properties.add(Property::topic_alias, kInboxAlias);
    if (c.knows_alias) publish.topic = {};
    publish.properties = properties.properties();
  }
  const size_t payload = envelope.size();
  const size_t head = mqtt::size_of_publish_head(publish, payload, c.version);
  assert(head <= kHeadRoom);
  if (payload > kMaxPayload + 4096 || (c.max_packet > 0 && head + payload > c.max_packet)) return Put::too_large;
  if (shard.output.room().size() < head + payload) return Put::no_room;

  const uint16_t old_id = take_old_packet_id(shard, c, f.pending->message().message_id());
  publish.dup = old_id != 0;
  f.packet_id = publish.packet_id = old_id ? old_id : next_packet_id(shard, c);
  f.sent_tick = shard.tick;
  f.tx_begin = c.tx_sent + static_cast<uint32_t>(c.unsent.size() + shard.output.used());
  mqtt::write_publish_head(publish, payload, c.version, shard.output.room());
  envelope.write(shard.output.room().subspan(head));
  shard.output.commit(head + payload);
  c.knows_alias = c.wants_alias;
  ++c.in_flight;
  --c.waiting;
  shard.counters.sent.add();
  return Put::written;
}

// The answers of a device to a PUBLISH (MQTT 5.0, 3.4.2.1) as what the router acts on.
gw_outcome outcome_of(Reason reason) {
  switch (reason) {
    case Reason::success:
    case Reason::no_matching_subscribers:
      return outcome(GW_DELIVERED);
    case Reason::not_authorized:
      return outcome(GW_REJECTED, "0x87", "the device says: not authorized");
    case Reason::topic_name_invalid:
      return outcome(GW_REJECTED, "0x90", "the device says: topic name invalid");
    case Reason::payload_format_invalid:
      return outcome(GW_REJECTED, "0x99", "the device says: payload format invalid");
    case Reason::quota_exceeded:
      return outcome(GW_RETRY, "0x97", "the device says: quota exceeded", kDeclinedRetryMs);
    case Reason::packet_identifier_in_use:
      return outcome(GW_UNKNOWN, "0x91", "the device says: packet id in use");
    case Reason::implementation_specific_error:
      return outcome(GW_RETRY, "0x83", "the device says: implementation specific error", kDeclinedRetryMs);
    default:
      return outcome(GW_RETRY, "0x80", "the device says: unspecified error", kDeclinedRetryMs);
  }
}

uint32_t tick_of(uint64_t mono_ns) {
  return static_cast<uint32_t>(mono_ns / kTickNs);
}
bool is_over(const Shard& shard, uint32_t tick) {
  return static_cast<int32_t>(tick - shard.tick) <= 0;
}

// Far times are cut so that ticks can be compared around now.
uint32_t tick_of(const Shard& shard, uint64_t mono_ns) {
  return tick_of(std::min(mono_ns, shard.now_ns + (uint64_t{24} * 3600 * 1'000'000'000)));
}
uint32_t deadline_of(const Shard& shard, const Flight& f) {
  const uint64_t deadline_ns = f.pending->message().deadline_mono_ns();
  return tick_of(shard, deadline_ns == 0 ? UINT64_MAX : deadline_ns);
}

// When this flight must be looked at again.
uint32_t due_tick_of(const Shard& shard, const Flight& f) {
  const uint32_t patience = f.sent_tick + kPubackTimeoutS * kTicksPerSecond;
  if (!f.pending) return patience;
  const uint32_t deadline = deadline_of(shard, f);
  const uint32_t other = f.is_sent() ? patience : tick_of(shard, f.expires_mono_ns);
  return static_cast<int32_t>(deadline - other) < 0 ? deadline : other;
}

// A late PUBACK of a message that was settled at its deadline: still worth knowing.
void report_late(Shard& shard, Connection& c, const std::string& message_id) {
  DeviceEvent event;
  event.subkind = GW_RECEIPT_DELIVERED;
  event.address = c.address.view();
  event.message_id = message_id;
  shard.reports.device_event(std::move(event));
}

}  // namespace

void take_handover(Shard& shard, Handover& handover) {
  const godwit::Message message = handover.message.message();
  const std::string_view address = message.target().address();
  const uint32_t found = shard.devices.find(static_cast<uint32_t>(handover.hash),
                                            [&](uint32_t i) { return shard.connections[i].address.view() == address; });
  if (found == kNone || shard.connections[found].phase != Phase::live)
    return shard.settles.settle(std::move(handover.message),
                                outcome(GW_UNREACHABLE, "not-connected", "the device is not connected"));
  if (message.is_dry_run()) return shard.settles.settle(std::move(handover.message), outcome(GW_ACCEPTED));
  Connection& c = shard.connections[found];
  if (c.waiting + c.in_flight >= c.window + shard.fleet.settings.device_queue)
    return shard.settles.settle(
        std::move(handover.message),
        outcome(GW_RETRY, "device-queue-full", "the device acknowledges too slowly", kBusyRetryMs));
  const uint32_t index = shard.flights.take();
  Flight& f = shard.flights[index];
  f.priority = static_cast<uint8_t>(std::min<uint32_t>(message.priority(), 255));
  const uint64_t ttl_ns = std::min<uint64_t>(message.ttl_ms(), UINT64_MAX / 4'000'000) * 1'000'000;
  f.expires_mono_ns = shard.now_ns + ttl_ns;
  f.pending.emplace(std::move(handover.message));
  append_flight(shard, c, index);
  shard.pump_later(c);
}

void pump(Shard& shard, Connection& c) {
  const uint8_t in_flight_before = c.in_flight;
  while (c.waiting > 0 && c.in_flight < c.window && c.unsent.empty() && !c.cannot_send) {
    uint32_t previous;
    const uint32_t index = first_waiting(shard, c, previous);
    Flight& f = shard.flights[index];
    const auto end = [&](const gw_outcome& how) {
      unlink_flight(shard, c, previous, index);
      settle_flight(shard, index, how);
    };
    if (f.expires_mono_ns < shard.now_ns) {
      end(outcome(GW_EXPIRED));
      continue;
    }
    const Put put = put_publish(shard, c, f);
    if (put == Put::too_large) {
      end(outcome(GW_REJECTED, "too-large", "larger than the packets that the device takes"));
    } else if (put == Put::invalid) {
      end(outcome(GW_REJECTED, "bad-content", "the content is not a JSON object"));
    } else if (put == Put::no_room) {
      flush(shard, c);
      if (c.phase != Phase::live) return;
    }
  }
  flush(shard, c);
  if (c.phase == Phase::live && (c.in_flight > in_flight_before || c.waiting > 0)) {
    const uint32_t due = next_flight_tick(shard, c);
    if (due != kNone) shard.wheel.set_no_later(c.self, due);
  }
}

void handle_puback(Shard& shard, Connection& c, const mqtt::Ack& ack) {
  uint32_t previous = kNone;
  for (uint32_t at = c.first_flight; at != kNone; previous = at, at = shard.flights[at].next) {
    Flight& f = shard.flights[at];
    if (!f.is_sent()) break;
    if (f.packet_id != ack.packet_id) continue;
    shard.counters.acknowledged.add();
    if (!f.pending && f.orphan_id && !is_error(ack.reason)) report_late(shard, c, *f.orphan_id);
    unlink_flight(shard, c, previous, at);
    settle_flight(shard, at, outcome_of(ack.reason));
    if (ack.reason == Reason::packet_identifier_in_use)
      refuse(shard, c, Reason::unspecified_error, "the device holds another message under this packet id");
    return;
  }
  shard.counters.unknown_acks.add();
}

void settle_overdue(Shard& shard, Connection& c) {
  settle_some(shard, c, [&](Flight& f) -> std::optional<gw_outcome> {
    if (!f.pending) return std::nullopt;
    const bool is_late = is_over(shard, deadline_of(shard, f));
    if (f.is_sent()) {
      if (!is_late) return std::nullopt;
      // The device may still acknowledge: keep its packet id, and the message's name for the receipt.
      f.orphan_id = std::make_unique<std::string>(f.pending->message().message_id());
      shard.settles.settle(std::move(*f.pending), outcome(GW_UNKNOWN, "no-puback", "sent, not acknowledged in time"));
      f.pending.reset();
      return std::nullopt;
    }
    if (is_over(shard, tick_of(shard, f.expires_mono_ns))) return outcome(GW_EXPIRED);
    if (is_late) return outcome(GW_UNREACHABLE, "device-busy", "the device did not take it in time");
    return std::nullopt;
  });
}

void cancel_message(Shard& shard, uint64_t ticket) {
  for (uint32_t i = 0; i < shard.connections.size(); ++i) {
    Connection& c = shard.connections[i];
    if (c.phase != Phase::live || c.waiting == 0) continue;
    settle_some(shard, c, [ticket](Flight& f) -> std::optional<gw_outcome> {
      if (f.is_sent() || !f.pending || f.pending->message().ticket() != ticket) return std::nullopt;
      return outcome(GW_CANCELLED);
    });
  }
}

void settle_all(Shard& shard, Connection& c) {
  settle_some(shard, c, [&](Flight& f) -> std::optional<gw_outcome> {
    const bool left = f.is_sent() && static_cast<int32_t>(c.tx_sent - f.tx_begin) > 0;
    if (left)
      remember_unacknowledged(shard, c, f.pending ? f.pending->message().message_id() : *f.orphan_id, f.packet_id);
    if (left) return outcome(GW_UNKNOWN, "connection-lost", "the connection was lost before the PUBACK");
    return outcome(GW_UNREACHABLE, "connection-lost", "the connection was lost before the message left");
  });
}

uint32_t next_flight_tick(Shard& shard, const Connection& c) {
  uint32_t earliest = kNone;
  for (uint32_t at = c.first_flight; at != kNone; at = shard.flights[at].next) {
    const uint32_t due = due_tick_of(shard, shard.flights[at]);
    if (earliest == kNone || static_cast<int32_t>(due - earliest) < 0) earliest = due;
  }
  return earliest;
}

bool is_silent_about_messages(Shard& shard, const Connection& c) {
  for (uint32_t at = c.first_flight; at != kNone && shard.flights[at].is_sent(); at = shard.flights[at].next)
    if (is_over(shard, shard.flights[at].sent_tick + kPubackTimeoutS * kTicksPerSecond)) return true;
  return false;
}

}  // namespace selfconn
