#include "clients/device/packets.hpp"

namespace godwit::device {
namespace {

void put16(std::string& out, uint32_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
void put_text(std::string& out, std::string_view text) {
  put16(out, static_cast<uint32_t>(text.size()));
  out += text;
}
void put_length(std::string& out, size_t value) {
  do {
    const auto low = static_cast<uint8_t>(value & 0x7F);
    value >>= 7;
    out += static_cast<char>(value ? low | 0x80 : low);
  } while (value);
}
std::string whole(uint8_t first, std::string_view body) {
  std::string out(1, static_cast<char>(first));
  put_length(out, body.size());
  return out.append(body);
}

// Reads on a view; `ok` turns false at the end and stays so.
struct Reader {
  std::string_view bytes;
  bool ok = true;

  uint32_t number(size_t size) {
    if (bytes.size() < size) return ok = false, 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    bytes.remove_prefix(size);
    return value;
  }
  std::string_view part(size_t size) {
    if (bytes.size() < size) return ok = false, std::string_view();
    const std::string_view out = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return out;
  }
  std::string_view text() { return part(number(2)); }
  uint32_t length() {
    uint32_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      const uint32_t byte = number(1);
      if (!ok) return 0;
      value |= (byte & 0x7F) << shift;
      if (!(byte & 0x80)) return value;
    }
    return ok = false, 0;
  }
};

// MQTT 5.0, 2.2.2.2: how long is the value of a property?
void skip_property(Reader& r, uint32_t id) {
  switch (id) {
    case 0x01:
    case 0x17:
    case 0x19:
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2A:
      r.number(1);
      return;
    case 0x13:
    case 0x21:
    case 0x22:
    case 0x23:
      r.number(2);
      return;
    case 0x02:
    case 0x11:
    case 0x18:
    case 0x27:
      r.number(4);
      return;
    case 0x0B:
      r.length();
      return;
    case 0x26:
      r.text();
      r.text();
      return;
    case 0x03:
    case 0x08:
    case 0x09:
    case 0x12:
    case 0x15:
    case 0x16:
    case 0x1A:
    case 0x1C:
    case 0x1F:
      r.text();
      return;
    default:
      r.ok = false;
  }
}

void read_properties(Reader& r, Packet& packet) {
  Reader properties{r.part(r.length())};
  while (r.ok && properties.ok && !properties.bytes.empty()) {
    const uint32_t id = properties.number(1);
    if (id == 0x13)
      packet.server_keep_alive = static_cast<uint16_t>(properties.number(2));
    else if (id == 0x21)
      packet.receive_maximum = static_cast<uint16_t>(properties.number(2));
    else
      skip_property(properties, id);
  }
  r.ok = r.ok && properties.ok;
}

bool read_body(uint8_t first, Reader r, Packet& packet) {
  switch (first >> 4) {
    case 2:
      packet.kind = Kind::connack;
      packet.session_present = r.number(1) & 1;
      packet.reason = static_cast<uint8_t>(r.number(1));
      if (!r.bytes.empty()) read_properties(r, packet);
      return r.ok && packet.receive_maximum > 0;
    case 3:
      packet.kind = Kind::publish;
      packet.qos = first >> 1 & 3;
      packet.topic = r.text();
      if (packet.qos > 0) packet.packet_id = static_cast<uint16_t>(r.number(2));
      read_properties(r, packet);
      packet.payload = r.bytes;
      return r.ok && packet.qos < 2 && (packet.qos == 0 || packet.packet_id != 0);
    case 4:
      packet.kind = Kind::puback;
      packet.packet_id = static_cast<uint16_t>(r.number(2));
      if (!r.bytes.empty()) packet.reason = static_cast<uint8_t>(r.number(1));
      return r.ok;
    case 13:
      packet.kind = Kind::pingresp;
      return r.bytes.empty();
    case 14:
      packet.kind = Kind::disconnect;
      if (!r.bytes.empty()) packet.reason = static_cast<uint8_t>(r.number(1));
      return r.ok;
    default:
      return true;  // of a server that knows more than we asked for
  }
}

}  // namespace

std::string connect_packet(const Login& login, uint16_t keep_alive_s, uint32_t session_s) {
  std::string body;
  put_text(body, "MQTT");
  body += '\5';
  body += static_cast<char>(0xC0);  // user name, password; the session goes on
  put16(body, keep_alive_s);
  std::string properties(1, '\x11');
  put16(properties, session_s >> 16);
  put16(properties, session_s & 0xFFFF);
  put_length(body, properties.size());
  body += properties;
  put_text(body, login.device_id);
  put_text(body, login.app);
  put_text(body, login.credential);
  return whole(0x10, body);
}

std::string publish_packet(std::string_view topic, std::string_view payload, uint16_t packet_id, bool again) {
  std::string body;
  put_text(body, topic);
  put16(body, packet_id);
  body += '\0';
  return whole(again ? 0x3A : 0x32, body.append(payload));
}

std::string puback_packet(uint16_t packet_id) {
  std::string body;
  put16(body, packet_id);
  return whole(0x40, body);
}

std::string ping_packet() {
  return whole(0xC0, {});
}

std::string disconnect_packet() {
  return whole(0xE0, {});
}

Take take_packet(std::string_view& bytes, Packet& packet) {
  if (bytes.size() < 2) return Take::more;
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first >> 4 != 3 && (first & 0x0F) != 0)
    return Take::broken;  // only PUBLISH has flags among what a server sends us
  Reader r{bytes.substr(1)};
  const uint32_t length = r.length();
  if (!r.ok) return bytes.size() >= 5 ? Take::broken : Take::more;
  if (length > kMaxPacket) return Take::broken;
  if (r.bytes.size() < length) return Take::more;
  packet = {};
  const bool is_good = read_body(first, {r.bytes.substr(0, length)}, packet);
  bytes = r.bytes.substr(length);
  return is_good ? Take::whole : Take::broken;
}

}  // namespace godwit::device
