#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

constexpr int kReadsPerRound = 4;

void handle_packet(Shard& shard, Connection& c, const mqtt::Frame& frame);

template <class Packet, class Parse, class Handle>
void parsed(Shard& shard, Connection& c, Packet packet, Parse parse, Handle handle) {
  if (mqtt::Fault fault = parse(packet))
    refuse(shard, c, fault.reason, fault.text);
  else
    handle(shard, c, packet);
}

void handle_ack(Shard& shard, Connection& c, const mqtt::Ack& ack) {
  switch (ack.type) {
    case mqtt::PacketType::puback:
      return handle_puback(shard, c, ack);
    case mqtt::PacketType::pubrel:
      return handle_pubrel(shard, c, ack);
    default:  // we never send QoS 2
      return refuse(shard, c, mqtt::Reason::protocol_error, "PUBREC or PUBCOMP for a message of QoS 1");
  }
}

void handle_disconnect(Shard& shard, Connection& c, const mqtt::Disconnect& disconnect) {
  if (c.had_no_expiry && disconnect.properties.number(mqtt::Property::session_expiry_interval, 0) > 0)
    return refuse(shard, c, mqtt::Reason::protocol_error, "DISCONNECT sets an expiry that CONNECT had not");
  if (disconnect.properties.has(mqtt::Property::session_expiry_interval))
    c.session_expiry_s = granted_session_expiry(
        shard.fleet.settings, disconnect.properties.number(mqtt::Property::session_expiry_interval, 0));
  // TLS and WebSocket clients say goodbye once more below MQTT: to close before that has come would reset their
  // connection.
  if (c.stream) return linger(shard, c);
  drop(shard, c, "the device said DISCONNECT");
}

void handle_packet(Shard& shard, Connection& c, const mqtt::Frame& frame) {
  using mqtt::PacketType;
  const mqtt::Version version = c.version;
  constexpr auto client = mqtt::Sender::client;
  switch (frame.type) {
    case PacketType::publish:
      return parsed(
          shard, c, mqtt::Publish{}, [&](auto& p) { return parse_publish(frame, version, client, p); }, handle_publish);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return parsed(
          shard, c, mqtt::Ack{}, [&](auto& a) { return parse_ack(frame, version, client, a); }, handle_ack);
    case PacketType::subscribe:
      return parsed(
          shard, c, mqtt::Subscribe{}, [&](auto& s) { return parse_subscribe(frame, version, s); }, handle_subscribe);
    case PacketType::unsubscribe:
      return parsed(
          shard, c, mqtt::Unsubscribe{}, [&](auto& u) { return parse_unsubscribe(frame, version, u); },
          handle_unsubscribe);
    case PacketType::pingreq:
      if (mqtt::Fault fault = parse_ping(frame)) return refuse(shard, c, fault.reason, fault.text);
      return answer_ping(shard, c);
    case PacketType::disconnect:
      return parsed(
          shard, c, mqtt::Disconnect{}, [&](auto& d) { return parse_disconnect(frame, version, client, d); },
          handle_disconnect);
    case PacketType::auth:  // CONNECT with an authentication method was refused
      return refuse(shard, c, mqtt::Reason::protocol_error, "AUTH without an authentication method in CONNECT");
    case PacketType::connect:
      return refuse(shard, c, mqtt::Reason::protocol_error, "a second CONNECT");
    default:
      return refuse(shard, c, mqtt::Reason::protocol_error, "a packet that only a server sends");
  }
}

// Before CONNECT nothing may be answered but CONNECT.
void handle_greeting(Shard& shard, Connection& c, const mqtt::Frame& frame, mqtt::Bytes behind) {
  if (frame.type != mqtt::PacketType::connect) return drop(shard, c, "the first packet is not CONNECT");
  handle_connect(shard, c, frame, behind);
}

// Handles all whole packets of `bytes` and returns how many bytes they took.
size_t handle_packets(Shard& shard, Connection& c, mqtt::Bytes bytes) {
  size_t done = 0;
  while (c.phase == Phase::greeting || c.phase == Phase::live) {
    const bool greeting = c.phase == Phase::greeting;
    const mqtt::Bytes rest = bytes.subspan(done);
    mqtt::Frame frame;
    mqtt::Fault fault;
    const mqtt::FrameLimits limits{greeting ? kMaxConnectSize : kMaxPacketSize};
    const mqtt::Version version = greeting ? mqtt::Version::v5 : c.version;
    const mqtt::Scan scan = scan_frame(rest, version, limits, frame, fault);
    if (scan == mqtt::Scan::need_more) break;
    if (scan == mqtt::Scan::faulty) {
      if (greeting)
        drop(shard, c, fault.text);
      else
        refuse(shard, c, fault.reason, fault.text);
      break;
    }
    if (!greeting && frame.type == mqtt::PacketType::publish && !may_publish_now(shard, c)) break;
    done += frame.size;
    if (greeting)
      handle_greeting(shard, c, frame, bytes.subspan(done));
    else
      handle_packet(shard, c, frame);
  }
  return done;
}

bool takes_input(const Connection& c) {
  return c.phase == Phase::greeting || c.phase == Phase::live;
}

// Keeps what is left of `bytes` for later.
void keep_rest(Shard& shard, Connection& c, mqtt::Bytes rest, bool was_complete_before) {
  const bool had_rest = !c.partial.empty();
  const uint32_t begun = had_rest && !was_complete_before ? c.partial.mark() : shard.tick;
  c.partial.assign(rest, begun);
  if (!rest.empty() && begun == shard.tick) arm(shard, c);
}

void handle_input(Shard& shard, Connection& c, mqtt::Bytes bytes) {
  constexpr uint32_t kShortS = 60;  // shorter silences hold everywhere
  if (const uint32_t silence_s = (shard.tick - c.heard_tick) / kTicksPerSecond; silence_s >= kShortS)
    shard.silence.held(c.network, silence_s, shard.tick);
  c.heard_tick = shard.tick;
  const size_t done = handle_packets(shard, c, bytes);
  if (takes_input(c)) keep_rest(shard, c, bytes.subspan(done), done > 0);
  if (c.phase == Phase::live && (shard.output.used() > 0 || c.waiting > 0)) pump(shard, c);
}

// A peer that was told why it is cut off may go on talking until it notices.
void discard(Shard& shard, Connection& c) {
  for (int i = 0; i < kReadsPerRound; ++i) {
    const ssize_t n = ::recv(c.fd, shard.input.data(), shard.input.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(shard, c, "the peer closed");
  }
  shard.read_again.push_back(c.self);
}

}  // namespace

void read_socket(Shard& shard, Connection& c) {
  if (c.phase == Phase::lingering) return discard(shard, c);
  for (int i = 0; i < kReadsPerRound; ++i) {
    if (!takes_input(c) || c.is_paused) return;
    const size_t kept = c.partial.size();
    const std::span<uint8_t> room = std::span(shard.input).subspan(kept);
    const ssize_t n = c.stream ? c.stream->read(c.fd, room) : ::recv(c.fd, room.data(), room.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0 && errno == EPROTO) return linger(shard, c);  // a breach of WebSocket, and the layer has said so
    if (n <= 0) return drop(shard, c, n == 0 ? "the device closed" : "the socket is lost");
    if (kept > 0) std::memcpy(shard.input.data(), c.partial.bytes().data(), kept);
    const auto got = static_cast<size_t>(n);
    handle_input(shard, c, mqtt::Bytes(shard.input.data(), kept + got));
    // A short read emptied the socket; the next byte is a new edge. (Streams may hold more than the socket does, and an
    // end that came together with these bytes had its edge already.)
    if (!c.stream && got < room.size() && !c.has_hung_up) return;
  }
  shard.read_again.push_back(c.self);
}

void handle_bytes_at_hand(Shard& shard, Connection& c) {
  if (!takes_input(c) || c.partial.empty()) return;
  const size_t size = c.partial.size();
  std::memcpy(shard.input.data(), c.partial.bytes().data(), size);
  handle_input(shard, c, mqtt::Bytes(shard.input.data(), size));
}

}  // namespace selfconn
