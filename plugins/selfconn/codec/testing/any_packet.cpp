#include "plugins/selfconn/codec/testing/any_packet.hpp"

#include <stdexcept>

#include "plugins/selfconn/codec/write.hpp"

namespace godwit::mqtt::testing {
namespace {

// Measures, writes, and insists that both agree and that one byte less is refused.
template <class Size, class Write>
Buffer exactly(Size size, Write write) {
  const size_t measured = size();
  Buffer out(measured);
  if (write(std::span<uint8_t>(out)) != measured) throw std::logic_error("write() differs from size_of()");
  Buffer tight(measured);
  if (write(std::span<uint8_t>(tight).first(measured - 1)) != 0)
    throw std::logic_error("write() into too little room did not refuse");
  return out;
}

template <class Packet>
Rewritten again(Fault fault, const Packet& packet, Version version) {
  if (fault) return {fault, {}};
  return {{},
          exactly([&] { return size_of(packet, version); },
                  [&](std::span<uint8_t> room) { return write(packet, version, room); })};
}

}  // namespace

Version version_after(const Frame& frame, Version before) {
  Connect connect;
  if (frame.type != PacketType::connect) return before;
  (void)parse_connect(frame, connect);
  return connect.version;
}

Rewritten rewrite(const Frame& frame, Version version, Sender sender) {
  Connect connect;
  Connack connack;
  Publish publish;
  Ack ack;
  Subscribe subscribe;
  Unsubscribe unsubscribe;
  SubscribeAnswer answer;
  Disconnect disconnect;
  Auth auth;
  Fault fault;
  switch (frame.type) {
    case PacketType::connect:
      if ((fault = parse_connect(frame, connect))) return {fault, {}};
      return {{},
              exactly([&] { return size_of(connect); }, [&](std::span<uint8_t> room) { return write(connect, room); })};
    case PacketType::connack:
      fault = parse_connack(frame, version, connack);
      return again(fault, connack, version);
    case PacketType::publish:
      fault = parse_publish(frame, version, sender, publish);
      return again(fault, publish, version);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      fault = parse_ack(frame, version, sender, ack);
      return again(fault, ack, version);
    case PacketType::subscribe:
      fault = parse_subscribe(frame, version, subscribe);
      return again(fault, subscribe, version);
    case PacketType::unsubscribe:
      fault = parse_unsubscribe(frame, version, unsubscribe);
      return again(fault, unsubscribe, version);
    case PacketType::suback:
    case PacketType::unsuback:
      fault = parse_subscribe_answer(frame, version, answer);
      return again(fault, answer, version);
    case PacketType::pingreq:
    case PacketType::pingresp:
      if ((fault = parse_ping(frame))) return {fault, {}};
      return {{},
              exactly([] { return kPingSize; }, [&](std::span<uint8_t> room) { return write_ping(frame.type, room); })};
    case PacketType::disconnect:
      fault = parse_disconnect(frame, version, sender, disconnect);
      return again(fault, disconnect, version);
    case PacketType::auth:
      if ((fault = parse_auth(frame, sender, auth))) return {fault, {}};
      return {{}, exactly([&] { return size_of(auth); }, [&](std::span<uint8_t> room) { return write(auth, room); })};
  }
  return {malformed("no such packet type"), {}};
}

}  // namespace godwit::mqtt::testing
