#include "plugins/selfconn/codec/write.hpp"

#include "plugins/selfconn/codec/cursor.hpp"

namespace godwit::mqtt {
namespace {

size_t text_size(size_t length) {
  return 2 + length;
}
size_t block_size(const Properties& properties) {
  return varint_size(static_cast<uint32_t>(properties.raw().size())) + properties.raw().size();
}
size_t block_size(const Properties& properties, Version version) {
  return version == Version::v5 ? block_size(properties) : 0;
}
void put_block(Sink& out, const Properties& properties) {
  out.varint(static_cast<uint32_t>(properties.raw().size()));
  out.bytes(properties.raw());
}
void put_block(Sink& out, const Properties& properties, Version version) {
  if (version == Version::v5) put_block(out, properties);
}

size_t framed(size_t body) {
  return 1 + varint_size(static_cast<uint32_t>(body)) + body;
}

// The fixed header, when all of the packet fits.
bool put_header(Sink& out, PacketType type, uint8_t flags, size_t body, size_t room) {
  if (room < framed(body)) return false;
  out.u8(static_cast<uint8_t>(static_cast<uint8_t>(type) << 4 | flags));
  out.varint(static_cast<uint32_t>(body));
  return true;
}

size_t body_size(const Connect& c) {
  size_t size = text_size(4) + 1 + 1 + 2 + block_size(c.properties, c.version) + text_size(c.client_id.size());
  if (c.has_will)
    size +=
        block_size(c.will.properties, c.version) + text_size(c.will.topic.size()) + text_size(c.will.payload.size());
  if (c.has_user_name) size += text_size(c.user_name.size());
  if (c.has_password) size += text_size(c.password.size());
  return size;
}

size_t publish_head_body(const Publish& p, Version version) {
  return text_size(p.topic.size()) + (p.qos > 0 ? 2 : 0) + block_size(p.properties, version);
}

// The shape of answers in 5.0: a bare success says nothing, a bare code has no property length.
size_t reason_size(Reason reason, const Properties& properties) {
  if (!properties.empty()) return 1 + block_size(properties);
  return reason == Reason::success ? 0 : 1;
}
void put_reason(Sink& out, Reason reason, const Properties& properties) {
  const size_t size = reason_size(reason, properties);
  if (size > 0) out.u8(static_cast<uint8_t>(reason));
  if (size > 1) put_block(out, properties);
}

size_t body_size(const Ack& a, Version version) {
  return 2 + (version == Version::v5 ? reason_size(a.reason, a.properties) : 0);
}

template <class Request>
size_t request_body(const Request& r, Version version) {
  return 2 + block_size(r.properties, version) + r.filters.raw.size();
}
template <class Request>
size_t write_request(const Request& r, PacketType type, Version version, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = request_body(r, version);
  if (!put_header(out, type, 2, body, room.size())) return 0;
  out.u16(r.packet_id);
  put_block(out, r.properties, version);
  out.bytes(r.filters.raw);
  return framed(body);
}

size_t body_size(const SubscribeAnswer& s, Version version) {
  return 2 + block_size(s.properties, version) + s.codes.size();
}

size_t write_reason_packet(PacketType type, Reason reason, const Properties& properties, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = reason_size(reason, properties);
  if (!put_header(out, type, 0, body, room.size())) return 0;
  put_reason(out, reason, properties);
  return framed(body);
}

}  // namespace

size_t size_of(const Connect& packet) {
  return framed(body_size(packet));
}

size_t write(const Connect& packet, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = body_size(packet);
  if (!put_header(out, PacketType::connect, 0, body, room.size())) return 0;
  out.text("MQTT");
  out.u8(static_cast<uint8_t>(packet.version));
  uint8_t flags = packet.clean_start ? 0x02 : 0;
  if (packet.has_will)
    flags = static_cast<uint8_t>(flags | 0x04 | packet.will.qos << 3 | (packet.will.retain ? 0x20 : 0));
  if (packet.has_password) flags |= 0x40;
  if (packet.has_user_name) flags |= 0x80;
  out.u8(flags);
  out.u16(packet.keep_alive_s);
  put_block(out, packet.properties, packet.version);
  out.text(packet.client_id);
  if (packet.has_will) {
    put_block(out, packet.will.properties, packet.version);
    out.text(packet.will.topic);
    out.binary(packet.will.payload);
  }
  if (packet.has_user_name) out.text(packet.user_name);
  if (packet.has_password) out.binary(packet.password);
  return framed(body);
}

size_t size_of(const Connack& packet, Version version) {
  return framed(2 + block_size(packet.properties, version));
}

size_t write(const Connack& packet, Version version, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = 2 + block_size(packet.properties, version);
  if (!put_header(out, PacketType::connack, 0, body, room.size())) return 0;
  out.u8(packet.session_present ? 1 : 0);
  out.u8(packet.code);
  put_block(out, packet.properties, version);
  return framed(body);
}

size_t size_of_publish_head(const Publish& packet, size_t payload_size, Version version) {
  return framed(publish_head_body(packet, version) + payload_size) - payload_size;
}

size_t write_publish_head(const Publish& packet, size_t payload_size, Version version, std::span<uint8_t> room) {
  const size_t head = size_of_publish_head(packet, payload_size, version);
  if (room.size() < head) return 0;
  Sink out(room.data());
  const auto flags = static_cast<uint8_t>((packet.dup ? 8 : 0) | packet.qos << 1 | (packet.retain ? 1 : 0));
  const size_t body = publish_head_body(packet, version) + payload_size;
  put_header(out, PacketType::publish, flags, body, framed(body));
  out.text(packet.topic);
  if (packet.qos > 0) out.u16(packet.packet_id);
  put_block(out, packet.properties, version);
  return head;
}

size_t size_of(const Publish& packet, Version version) {
  return size_of_publish_head(packet, packet.payload.size(), version) + packet.payload.size();
}

size_t write(const Publish& packet, Version version, std::span<uint8_t> room) {
  const size_t size = size_of(packet, version);
  if (room.size() < size) return 0;
  const size_t head = write_publish_head(packet, packet.payload.size(), version, room);
  Sink(room.data() + head).bytes(packet.payload);
  return size;
}

size_t size_of(const Ack& packet, Version version) {
  return framed(body_size(packet, version));
}

size_t write(const Ack& packet, Version version, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = body_size(packet, version);
  const uint8_t flags = packet.type == PacketType::pubrel ? 2 : 0;
  if (!put_header(out, packet.type, flags, body, room.size())) return 0;
  out.u16(packet.packet_id);
  if (version == Version::v5) put_reason(out, packet.reason, packet.properties);
  return framed(body);
}

size_t size_of(const Subscribe& packet, Version version) {
  return framed(request_body(packet, version));
}
size_t write(const Subscribe& packet, Version version, std::span<uint8_t> room) {
  return write_request(packet, PacketType::subscribe, version, room);
}

size_t size_of(const Unsubscribe& packet, Version version) {
  return framed(request_body(packet, version));
}
size_t write(const Unsubscribe& packet, Version version, std::span<uint8_t> room) {
  return write_request(packet, PacketType::unsubscribe, version, room);
}

size_t size_of(const SubscribeAnswer& packet, Version version) {
  return framed(body_size(packet, version));
}

size_t write(const SubscribeAnswer& packet, Version version, std::span<uint8_t> room) {
  Sink out(room.data());
  const size_t body = body_size(packet, version);
  if (!put_header(out, packet.type, 0, body, room.size())) return 0;
  out.u16(packet.packet_id);
  put_block(out, packet.properties, version);
  out.bytes(packet.codes);
  return framed(body);
}

size_t size_of(const Disconnect& packet, Version version) {
  return framed(version == Version::v5 ? reason_size(packet.reason, packet.properties) : 0);
}
size_t write(const Disconnect& packet, Version version, std::span<uint8_t> room) {
  if (version == Version::v5)
    return write_reason_packet(PacketType::disconnect, packet.reason, packet.properties, room);
  return write_reason_packet(PacketType::disconnect, Reason::success, {}, room);
}

size_t size_of(const Auth& packet) {
  return framed(reason_size(packet.reason, packet.properties));
}
size_t write(const Auth& packet, std::span<uint8_t> room) {
  return write_reason_packet(PacketType::auth, packet.reason, packet.properties, room);
}

size_t write_ping(PacketType type, std::span<uint8_t> room) {
  Sink out(room.data());
  return put_header(out, type, 0, 0, room.size()) ? kPingSize : 0;
}

size_t write_filter(const Filter& filter, bool with_options, std::span<uint8_t> room) {
  const size_t size = text_size(filter.text.size()) + (with_options ? 1 : 0);
  if (room.size() < size) return 0;
  Sink out(room.data());
  out.text(filter.text);
  if (with_options)
    out.u8(static_cast<uint8_t>(filter.qos | (filter.no_local ? 4 : 0) | (filter.retain_as_published ? 8 : 0) |
                                filter.retain_handling << 4));
  return size;
}

}  // namespace godwit::mqtt
