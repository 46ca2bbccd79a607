#include "broker/registry/device_record.hpp"

#include <cmath>

namespace godwit {
namespace {

// A location in whole 1e-7 degrees (a centimetre) is kept as two 32-bit integers when that gives the same doubles back.
enum LocationForm : uint8_t { kNone = 0, kScaled = 1, kDoubles = 2 };
constexpr double kScale = 1e7;

std::optional<int32_t> scaled(double degrees) {
  if (!(std::fabs(degrees) <= 180)) return std::nullopt;  // NaN too
  const double whole = std::nearbyint(degrees * kScale);
  const bool same = whole / kScale == degrees && std::signbit(whole) == std::signbit(degrees) && whole != 0;
  return same ? std::optional(static_cast<int32_t>(whole)) : std::nullopt;
}

void write_location(ByteWriter& out, const std::optional<Location>& location) {
  if (!location) return out.u8(kNone);
  const auto lat = scaled(location->lat), lon = scaled(location->lon);
  if (lat && lon) {
    out.u8(kScaled);
    out.u32(static_cast<uint32_t>(*lat));
    out.u32(static_cast<uint32_t>(*lon));
  } else {
    out.u8(kDoubles);
    out.f64(location->lat);
    out.f64(location->lon);
  }
}

int64_t minus_wrapped(WallMs a, WallMs b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

}  // namespace

void pack_device(std::string& bytes, const DeviceFields& device, uint32_t app, std::span<const uint32_t> topics,
                 StringPool& words) {
  ByteWriter out(bytes);
  out.varint(app);
  out.str(device.id);
  out.str(device.user_id);
  for (const std::string_view a : device.attributes) out.varint(words.acquire(a));
  out.varint(device.version);
  out.varint(device.generation);
  out.zigzag(device.updated_ms);
  out.zigzag(minus_wrapped(device.created_ms, device.updated_ms));
  out.varint(device.channels.size());
  for (const ChannelFields& c : device.channels) {
    out.varint(uint64_t{words.acquire(c.channel)} << 1 | (c.invalid ? 1 : 0));
    out.zigzag(minus_wrapped(c.registered_ms, device.updated_ms));
    out.str(c.token);
  }
  write_location(out, device.location);
  out.varint(device.tags.size());
  for (const std::string_view tag : device.tags) out.varint(words.acquire(tag));
  out.varint(topics.size());
  for (const uint32_t topic : topics) out.varint(topic);
}

uint32_t PackedDevice::app() const {
  return Cursor{bytes_}.small();
}

std::string_view PackedDevice::id() const {
  Cursor in{bytes_};
  in.skip();
  return in.str();
}

std::string_view PackedDevice::user() const {
  Cursor in{bytes_};
  in.skip();
  in.str();
  return in.str();
}

uint32_t PackedDevice::word(Attribute attribute) const {
  Cursor in = at_words();
  in.skip(static_cast<size_t>(attribute));
  return in.small();
}

uint64_t PackedDevice::version() const {
  Cursor in = at_words();
  in.skip(kAttributes);
  return in.varint();
}

std::optional<PackedDevice::Channel> PackedDevice::channel(uint32_t word) const {
  std::optional<Channel> found;
  for_each_channel([&](const Channel& c) {
    if (c.word == word) found = c;
    return !found;
  });
  return found;
}

std::optional<Location> PackedDevice::read_location(Cursor& in) {
  switch (in.fixed<uint8_t>()) {
    case kScaled: {
      const int32_t lat = in.fixed<int32_t>(), lon = in.fixed<int32_t>();
      return Location{lat / kScale, lon / kScale};
    }
    case kDoubles: {
      const double lat = in.fixed<double>(), lon = in.fixed<double>();
      return Location{lat, lon};
    }
    default:
      return std::nullopt;
  }
}

PackedDevice::Cursor PackedDevice::after_channels() const {
  Cursor in = at_words();
  in.skip(kAttributes);
  read_times(in);
  for (uint64_t n = in.varint(); n > 0; --n) read_channel(in, 0);
  return in;
}

void PackedDevice::unpack(const StringPool& words, DeviceFields& out) const {
  out.clear();
  Cursor in{bytes_};
  in.skip();
  out.id = in.str();
  out.user_id = in.str();
  for (std::string_view& a : out.attributes) a = words.text(in.small());
  const Times times = read_times(in);
  out.version = times.version;
  out.generation = times.generation;
  out.updated_ms = times.updated_ms;
  out.created_ms = times.created_ms;
  for (uint64_t n = in.varint(); n > 0; --n) {
    const Channel c = read_channel(in, times.updated_ms);
    out.channels.push_back({words.text(c.word), c.token, c.invalid, c.registered_ms});
  }
  out.location = read_location(in);
  for (uint64_t n = in.varint(); n > 0; --n) out.tags.push_back(words.text(in.small()));
}

void PackedDevice::release(StringPool& words) const {
  Cursor in = at_words();
  for (size_t i = 0; i < kAttributes; ++i) words.release(in.small());
  read_times(in);
  for (uint64_t n = in.varint(); n > 0; --n) words.release(read_channel(in, 0).word);
  read_location(in);
  for (uint64_t n = in.varint(); n > 0; --n) words.release(in.small());
}

}  // namespace godwit
