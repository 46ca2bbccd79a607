#include <algorithm>

#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::ConnectReturn;
using mqtt::Property;
using mqtt::Reason;

uint32_t find_device(Shard& shard, uint32_t tag, std::string_view address) {
  return shard.devices.find(tag, [&](uint32_t i) { return shard.connections[i].address.view() == address; });
}

uint16_t granted_keep_alive(Shard& shard, const Admission& a) {
  const Settings& settings = shard.fleet.settings;
  const bool may_be_told = a.version == mqtt::Version::v5;
  const uint32_t longest = may_be_told ? shard.silence.granted_s(a.network, shard.tick) : settings.keep_alive_max_s;
  const uint32_t wish = a.keep_alive_s == 0 ? longest : a.keep_alive_s;
  const uint32_t shortest = may_be_told ? settings.keep_alive_min_s : 0;
  return static_cast<uint16_t>(std::max(std::min(wish, longest), shortest));
}

void greet(Shard& shard, Connection& c, const Admission& a, bool session_present) {
  mqtt::PropertyBuilder<64> properties;
  if (c.keep_alive_s != a.keep_alive_s) properties.add(Property::server_keep_alive, c.keep_alive_s);
  if (c.session_expiry_s != a.session_expiry_s) properties.add(Property::session_expiry_interval, c.session_expiry_s);
  properties.add(Property::receive_maximum, kReceiveMaximum);
  properties.add(Property::maximum_packet_size, static_cast<uint32_t>(kMaxPacketSize));
  properties.add(Property::retain_available, 0);
  properties.add(Property::subscription_identifier_available, 0);
  properties.add(Property::shared_subscription_available, 0);
  const mqtt::Connack connack{session_present, 0, properties.properties()};
  shard.output.commit(mqtt::write(connack, c.version, shard.output.room()));
}

// Two phones with one id would throw each other out for ever.
bool is_fought_over(Shard& shard, const Connection& old) {
  return old.takeovers >= kTakeoverLimit && shard.tick - old.takeovers_tick < kTakeoverWindowS * kTicksPerSecond;
}

void inherit_takeovers(Shard& shard, const Connection& old, Connection& c) {
  const bool is_recent = shard.tick - old.takeovers_tick < kTakeoverWindowS * kTicksPerSecond;
  c.takeovers = static_cast<uint8_t>(is_recent ? old.takeovers + 1 : 1);
  c.takeovers_tick = is_recent ? old.takeovers_tick : shard.tick;
}

// What the connection that is there says to a newer one. Null: make room for it.
const Refusal* refusal_by_present(Shard& shard, const Connection& old, const Admission& a) {
  static constexpr Refusal stale{Reason::not_authorized, ConnectReturn::not_authorized,
                                 "the device registered anew since this credential was made"};
  static constexpr Refusal fought{Reason::quota_exceeded, ConnectReturn::server_unavailable,
                                  "two clients use this device id"};
  if (old.phase != Phase::live) return nullptr;
  if (a.credential_generation < old.credential_generation) return &stale;
  if (!is_fought_over(shard, old)) return nullptr;
  shard.fleet.host.warn("two clients fight over one device id; the newer one is refused for a while",
                        {{"address", old.address.view()}});
  return &fought;
}

// Who asks the wrong server, or one that has no room.
const Refusal* refusal_by_server(Shard& shard, const Admission& a) {
  static constexpr Refusal moved{Reason::server_moved, ConnectReturn::server_unavailable, "the devices have moved"};
  static constexpr Refusal elsewhere{Reason::use_another_server, ConnectReturn::server_unavailable,
                                     "the gateway is draining; another one is there"};
  static constexpr Refusal full{Reason::quota_exceeded, ConnectReturn::server_unavailable,
                                "the gateway has all the connections it may have"};
  const Fleet& fleet = shard.fleet;
  if (fleet.settings.server_moved && a.version == mqtt::Version::v5) return &moved;
  if (shard.is_draining && !fleet.settings.server_reference.empty()) return &elsewhere;
  return fleet.live.load(std::memory_order_relaxed) >= fleet.settings.max_connections ? &full : nullptr;
}

void become_live(Shard& shard, Connection& c, Admission& a) {
  const Settings& settings = shard.fleet.settings;
  c.phase = Phase::live;
  c.version = a.version;
  c.since_tick = c.heard_tick = shard.tick;
  c.network = a.network;
  shard.silence.came(static_cast<uint32_t>(a.hash), a.network, shard.tick);
  c.keep_alive_s = granted_keep_alive(shard, a);
  c.window = static_cast<uint8_t>(std::min<uint32_t>(a.receive_maximum, settings.device_window));
  c.wants_alias = a.topic_alias_maximum > 0;
  c.had_no_expiry = a.session_expiry_s == 0;
  c.session_expiry_s = granted_session_expiry(settings, a.session_expiry_s);
  c.max_packet = a.max_packet;
  c.expires_wall_s = a.expires_wall_s;
  c.credential_generation = a.credential_generation;
  c.up_tokens = kUpBurst;
  c.up_tick = shard.tick;
  c.tag = static_cast<uint32_t>(a.hash);
  c.address = SmallText(a.address);
  c.id = shard.fleet.next_seq();
  shard.devices.insert(c.tag, c.self);
  shard.fleet.live.fetch_add(1, std::memory_order_relaxed);
  shard.counters.connected.add();
}

}  // namespace

uint32_t granted_session_expiry(const Settings& settings, uint32_t wish_s) {
  return std::min(wish_s, settings.offline_hold_s);
}

void not_let_in(Shard& shard, Connection& c, const Refusal& why) {
  shard.counters.refused.add();
  if (shard.logs(GW_LOG_DEBUG)) shard.fleet.host.debug("connection refused", {{"why", why.text}});
  const bool is_v5 = c.version == mqtt::Version::v5;
  mqtt::PropertyBuilder<320> properties;
  if (is_v5 && (why.reason == Reason::use_another_server || why.reason == Reason::server_moved))
    properties.add(Property::server_reference, shard.fleet.settings.server_reference);
  else if (is_v5)
    properties.add(Property::reason_string, why.text);
  const uint8_t code = is_v5 ? static_cast<uint8_t>(why.reason) : static_cast<uint8_t>(why.code);
  mqtt::Connack connack{false, code, properties.properties()};
  if (c.max_packet > 0 && mqtt::size_of(connack, c.version) > c.max_packet) connack.properties = {};
  shard.output.commit(mqtt::write(connack, c.version, shard.output.room()));
  shard.output.flush(c, shard.tick);
  linger(shard, c);
}

void admit(Shard& shard, Connection& c, Admission& a) {
  const Refusal* no = refusal_by_server(shard, a);
  const uint32_t present = find_device(shard, static_cast<uint32_t>(a.hash), a.address);
  if (!no && present != kNone) no = refusal_by_present(shard, shard.connections[present], a);
  c.version = a.version;
  c.max_packet = a.max_packet;
  if (no) return not_let_in(shard, c, *no);
  if (present != kNone) {
    Connection& old = shard.connections[present];
    if (old.phase == Phase::live) {
      inherit_takeovers(shard, old, c);
      shard.counters.takeovers.add();
      if (old.network == a.network)
        shard.silence.broke(old.network, (shard.tick - old.heard_tick) / kTicksPerSecond, shard.tick);
      refuse(shard, old, Reason::session_taken_over, "another connection with this device id came");
    }
    release_departed(shard, old);
  }
  become_live(shard, c, a);
  const bool had_session = shard.sessions.take(a.hash, shard.tick, c.session);
  if (a.clean_start) c.session.reset();
  greet(shard, c, a, had_session && !a.clean_start);
  flush(shard, c);
  if (c.phase != Phase::live) return;
  arm(shard, c);
  shard.reports.presence_changed(c);
}

void admit_from_elsewhere(Shard& shard, Admission& a) {
  Connection& c = shard.add_connection(std::exchange(a.fd, -1));
  c.stream = std::move(a.stream);
  admit(shard, c, a);
  if (c.phase != Phase::live && c.phase != Phase::lingering) return;
  c.partial.assign(a.behind, shard.tick);
  // Watching reports what is readable already, so nothing that came meanwhile is missed.
  if (!shard.watch(c)) return drop(shard, c, "epoll refused the socket");
  if (c.phase == Phase::live) handle_bytes_at_hand(shard, c);
}

}  // namespace selfconn
