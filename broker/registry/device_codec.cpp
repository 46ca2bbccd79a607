#include "broker/registry/device_codec.hpp"

#include "broker/base/hash.hpp"

namespace godwit {
namespace {

constexpr uint8_t kRowFormat = 1;
constexpr size_t kChecksumBytes = 4;

enum RowFlag : uint8_t { kHasUser = 1 };
enum ChannelFlag : uint8_t { kInvalid = 1 };

Error fault(std::string what) {
  return Error{Code::invalid, std::move(what), "device row"};
}

// Covers the keys too: a row that landed under another number or device is as wrong as a flipped bit.
uint32_t checksum(uint64_t number, std::string_view app, std::string_view id, std::string_view packed) {
  return static_cast<uint32_t>(stable_hash(packed, stable_hash(id, stable_hash(app, number))));
}

// The bytes under the checksum, or nullopt when it does not hold.
std::optional<std::string_view> unseal(const DeviceRowView& row) {
  if (row.packed.size() < kChecksumBytes) return std::nullopt;
  const std::string_view body = row.packed.substr(0, row.packed.size() - kChecksumBytes);
  ByteReader sum(row.packed.substr(body.size()));
  if (sum.u32() != checksum(row.number, row.app, row.device_id, body)) return std::nullopt;
  return body;
}

// REQUIRES: out is empty. A count beyond what the bytes can hold ends at the first missing element.
void read_strings(ByteReader& in, std::vector<std::string_view>& out) {
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) out.push_back(in.str());
}

void write_strings(ByteWriter& out, const std::vector<std::string_view>& strings) {
  out.varint(strings.size());
  for (const std::string_view s : strings) out.str(s);
}

}  // namespace

void seal_device_row(DeviceRow& row) {
  const uint32_t sum = checksum(row.number, row.app, row.device_id, row.packed);
  ByteWriter(row.packed).u32(sum);
}

void write_device_state(ByteWriter& out, const DeviceFields& device) {
  for (const std::string_view a : device.attributes) out.str(a);
  out.u8(device.location ? 1 : 0);
  if (device.location) {
    out.f64(device.location->lat);
    out.f64(device.location->lon);
  }
  write_strings(out, device.tags);
  out.varint(device.channels.size());
  for (const ChannelFields& c : device.channels) {
    out.str(c.channel);
    out.u8(c.invalid ? kInvalid : 0);
    out.zigzag(c.registered_ms);
    out.str(c.token);
  }
}

bool read_device_state(ByteReader& in, DeviceFields& device) {
  for (std::string_view& a : device.attributes) a = in.str();
  const uint8_t has_location = in.u8();
  if (has_location > 1) return false;
  if (has_location) {
    const double lat = in.f64(), lon = in.f64();
    device.location = Location{lat, lon};
  }
  read_strings(in, device.tags);
  const uint64_t channels = in.varint();
  if (channels > kMaxChannels) return false;
  for (uint64_t i = 0; i < channels && !in.failed(); ++i) {
    ChannelFields c;
    c.channel = in.str();
    const uint8_t flags = in.u8();
    c.invalid = flags & kInvalid;
    c.registered_ms = in.zigzag();
    c.token = in.str();
    if (flags > kInvalid || c.channel.empty() || device.channel(c.channel)) return false;
    device.channels.push_back(c);
  }
  return !in.failed();
}

DeviceRow encode_device_row(const DeviceFields& device) {
  DeviceRow row;
  row.number = device.number;
  row.app = device.app;
  row.device_id = device.id;
  row.subject = device.subject();
  row.version = device.version;
  row.packed.reserve(512);
  ByteWriter out(row.packed);
  out.u8(kRowFormat);
  out.u8(device.user_id.empty() ? 0 : kHasUser);
  out.varint(device.generation);
  out.zigzag(device.created_ms);
  out.zigzag(device.updated_ms);
  write_device_state(out, device);
  write_strings(out, device.topics);
  seal_device_row(row);
  return row;
}

Result<void> decode_device_row(const DeviceRowView& row, DeviceFields& out) {
  const auto body = unseal(row);
  if (!body) return fault("its checksum does not hold");
  out.clear();
  ByteReader in(*body);
  if (const uint8_t format = in.u8(); format != kRowFormat)
    return fault("format " + std::to_string(format) + " is not known to this version (it reads 1)");
  const uint8_t flags = in.u8();
  const uint64_t generation = in.varint();
  out.created_ms = in.zigzag();
  out.updated_ms = in.zigzag();
  if (flags > kHasUser || generation == 0 || generation > UINT32_MAX || !read_device_state(in, out))
    return fault("its packed part is damaged");
  read_strings(in, out.topics);
  if (!in.at_end()) return fault("its packed part is damaged");
  out.number = row.number;
  out.app = row.app;
  out.id = row.device_id;
  if (flags & kHasUser) out.user_id = row.subject;
  out.version = row.version;
  out.generation = static_cast<uint32_t>(generation);
  if (out.app.empty() || out.id.empty()) return fault("it names no app or no device");
  return {};
}

DeviceRow encode_mark_row(uint64_t next_number) {
  DeviceRow row;
  row.version = next_number;
  ByteWriter out(row.packed);
  out.u8(kRowFormat);
  out.varint(next_number);
  seal_device_row(row);
  return row;
}

Result<uint64_t> decode_mark_row(const DeviceRowView& row) {
  const auto body = unseal(row);
  if (!body) return fault("its checksum does not hold");
  ByteReader in(*body);
  const uint8_t format = in.u8();
  const uint64_t next = in.varint();
  if (format != kRowFormat || !in.at_end()) return fault("its packed part is damaged");
  return next;
}

}  // namespace godwit
