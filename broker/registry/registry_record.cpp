#include "broker/registry/registry_record.hpp"

#include <algorithm>

#include "broker/registry/device_codec.hpp"
#include "broker/registry/registry.hpp"

namespace godwit {
namespace {

using Kind = RegistryRecordKind;
constexpr uint8_t kFormat = 1;

// Kind, format, time, app and device: how every record begins.
ByteWriter begin(std::string& out, Kind kind, std::string_view app, std::string_view device_id, WallMs at_ms) {
  ByteWriter w(out);
  w.u8(static_cast<uint8_t>(kind));
  w.u8(kFormat);
  w.zigzag(at_ms);
  w.str(app);
  w.str(device_id);
  return w;
}

// A channel that stands twice counts once, as it was last given.
void drop_repeated_channels(std::vector<ChannelFields>& channels) {
  std::reverse(channels.begin(), channels.end());
  size_t kept = 0;
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto same = [&](const ChannelFields& c) { return c.channel == channels[i].channel; };
    if (std::none_of(channels.begin(), channels.begin() + static_cast<ptrdiff_t>(kept), same))
      channels[kept++] = channels[i];
  }
  channels.resize(kept);
  std::reverse(channels.begin(), channels.end());
}

}  // namespace

namespace registry_record {

std::string put(const Device& device, WallMs at_ms) {
  DeviceFields fields;
  fields.borrow(device);
  drop_repeated_channels(fields.channels);
  std::string out;
  out.reserve(512);
  ByteWriter w = begin(out, Kind::put, device.app, device.id, at_ms);
  w.str(device.user_id);
  write_device_state(w, fields);
  return out;
}

std::string remove(std::string_view app, std::string_view device_id) {
  std::string out;
  begin(out, Kind::remove, app, device_id, 0);
  return out;
}

std::string topic(std::string_view app, std::string_view topic, std::string_view device_id, bool subscribed,
                  WallMs at_ms) {
  std::string out;
  ByteWriter w = begin(out, Kind::topic, app, device_id, at_ms);
  w.u8(subscribed ? 1 : 0);
  w.str(topic);
  return out;
}

std::string token_dead(std::string_view app, std::string_view device_id, std::string_view channel,
                       std::string_view token, WallMs since_ms, WallMs at_ms) {
  std::string out;
  ByteWriter w = begin(out, Kind::token_dead, app, device_id, at_ms);
  w.str(channel);
  w.str(token);
  w.zigzag(since_ms);
  return out;
}

std::string token_changed(std::string_view app, std::string_view device_id, std::string_view channel,
                          std::string_view old_token, std::string_view token, WallMs at_ms) {
  std::string out;
  ByteWriter w = begin(out, Kind::token_changed, app, device_id, at_ms);
  w.str(channel);
  w.str(old_token);
  w.str(token);
  return out;
}

std::string revoke(std::string_view app, std::string_view device_id, WallMs at_ms) {
  std::string out;
  begin(out, Kind::revoke, app, device_id, at_ms);
  return out;
}

}  // namespace registry_record

Result<void> parse_registry_record(std::string_view body, RegistryRecord& out) {
  ByteReader in(body);
  const uint8_t kind = in.u8(), format = in.u8();
  if (!in.failed() && format != kFormat)
    return Error{Code::unsupported, "format " + std::to_string(format) + " is not known to this version (it reads 1)",
                 "registry record"};
  out.kind = static_cast<Kind>(kind);
  out.at_ms = in.zigzag();
  out.app = in.str();
  out.device_id = in.str();
  bool sound = true;
  switch (out.kind) {
    case Kind::put:
      out.device.clear();
      out.device.app = out.app;
      out.device.id = out.device_id;
      out.device.user_id = in.str();
      sound = read_device_state(in, out.device);
      break;
    case Kind::topic: {
      const uint8_t subscribed = in.u8();
      out.subscribed = subscribed == 1;
      out.topic = in.str();
      sound = subscribed <= 1 && !out.topic.empty();
      break;
    }
    case Kind::token_dead:
      out.channel = in.str();
      out.token = in.str();
      out.since_ms = in.zigzag();
      break;
    case Kind::token_changed:
      out.channel = in.str();
      out.old_token = in.str();
      out.token = in.str();
      sound = !out.token.empty();
      break;
    case Kind::remove:
    case Kind::revoke:
      break;
    default:
      if (in.failed()) break;
      return Error{Code::unsupported, "kind " + std::to_string(kind) + " is not known to this version",
                   "registry record"};
  }
  if (!sound || !in.at_end() || out.app.empty() || out.device_id.empty())
    return Error{Code::invalid, "the record is damaged", "registry record"};
  return {};
}

}  // namespace godwit
