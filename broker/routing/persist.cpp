// The router's state as bytes: magic, version, body, hash of all before it. Restoring builds a second router and puts
// it in place only when everything was read, so damaged bytes change nothing.
//
// Times are on the router's own scale; the wall clock tells how long the broker was away.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "broker/base/bytes.hpp"
#include "broker/base/hash.hpp"
#include "broker/routing/impl.hpp"

namespace godwit::routing {

namespace {

constexpr uint32_t kMagic = 0x54525747;  // "GWRT"
constexpr uint32_t kVersion = 10;
constexpr double kTooOldForMoods_s = 600;  // alarms and the like describe the moment, not the device
static_assert(std::is_trivially_copyable_v<Random> && sizeof(Random) == 32);
static_assert(std::is_trivially_copyable_v<DeviceState>);

Error damaged(std::string_view what) {
  return {Code::invalid,
          "the routing snapshot is damaged (" + std::string(what) + "); start without it, the router learns anew",
          "routing snapshot"};
}

void write(ByteWriter& out, const LogHistogram& h) {
  for (const double v : h.cumulative()) out.f64(v);
}

void read(ByteReader& in, LogHistogram& h) {
  std::array<double, LogHistogram::kBuckets> cumulative;
  for (double& v : cumulative) v = in.f64();
  if (!h.assign(cumulative)) in.fail();
}

double number(ByteReader& in, double low, double high) {
  const double v = in.f64();
  if (!(v >= low && v <= high)) in.fail();
  return in.failed() ? low : v;
}

void write(ByteWriter& out, const Channel& c) {
  out.str(c.traits.name);
  write(out, c.delivery);
  write(out, c.receipt);
  c.breaker.save(out);
  c.spread.save(out);
  c.mixture.save(out);
  c.coverage.save(out);
  c.doubt.save(out);
  for (const double v : {c.strengths.maker, c.strengths.segment, c.strengths.device, c.quota_price}) out.f64(v);
  out.u8(c.quota_gone ? 1 : 0);
  for (const uint64_t n : {c.sends, c.explored, c.probed}) out.varint(n);
}

void read(ByteReader& in, Channel& c) {
  read(in, c.delivery);
  read(in, c.receipt);
  c.breaker.restore(in);
  c.spread.restore(in);
  c.mixture.restore(in);
  c.coverage.restore(in);
  c.doubt.restore(in);
  c.strengths = {number(in, 0.1, 1e6), number(in, 0.1, 1e6), number(in, 0.1, 1e6)};
  c.quota_price = number(in, 0, 1e9);
  c.quota_gone = in.u8() != 0;
  for (uint64_t* n : {&c.sends, &c.explored, &c.probed}) *n = in.varint();
}

uint8_t to_bits(const SegmentKeys& keys) {
  return static_cast<uint8_t>((keys.os ? 1 : 0) | (keys.region ? 2 : 0) | (keys.app_version ? 4 : 0));
}

uint32_t translate(uint32_t mask, const std::vector<ChannelNo>& channel_of) {
  uint32_t out = 0;
  for (size_t i = 0; i < channel_of.size(); ++i)
    if ((mask >> i & 1) != 0) out |= 1u << channel_of[i];
  return out;
}

}  // namespace

std::string Router::Impl::save(MonoNs now, WallMs wall) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u32(kMagic);
  out.u32(kVersion);
  out.zigzag(started ? now - origin_ns : 0);
  out.zigzag(wall);
  out.f64(latest);
  out.zigzag(wall_at_zero_ms);
  out.f64(options.half_life_shared_s);
  out.f64(decay.epoch());
  out.raw({reinterpret_cast<const char*>(&random), sizeof random});
  out.varint(channels.size());
  for (const Channel& c : channels) write(out, c);
  for (const Exploration& e : explorations) out.f64(e.price);
  profiles.save(out);
  out.u8(to_bits(options.segment));
  levels.save(out, channels.size());
  out.f64(learned_at);
  out.f64(looked_at);
  away.save(out);
  away_present.save(out);
  common.save(out, channels.size());
  health.save(out, channels.size());
  book.save(out);
  uint64_t count = 0;
  devices.for_each([&count](DeviceNo, const DeviceState&) { ++count; });
  out.varint(count);
  devices.for_each([&out](DeviceNo device, const DeviceState& state) {
    out.u32(device);
    out.raw({reinterpret_cast<const char*>(&state), sizeof state});
  });
  const Hash128 hash = stable_hash128(bytes);
  out.u64(hash.high);
  out.u64(hash.low);
  return bytes;
}

Result<void> Router::Impl::restore(std::string_view bytes, MonoNs now, WallMs wall) {
  if (has_devices)
    return Error{Code::conflict, "restore the routing snapshot before the first device is set", "routing snapshot"};
  if (bytes.size() < 16) return damaged("too short");
  const std::string_view body = bytes.substr(0, bytes.size() - 16);
  ByteReader tail(bytes.substr(body.size()));
  const Hash128 stored{tail.u64(), tail.u64()};
  if (!(stored == stable_hash128(body))) return damaged("checksum");
  ByteReader in(body);
  if (in.u32() != kMagic) return damaged("not a routing snapshot");
  if (const uint32_t version = in.u32(); version != kVersion)
    return Error{Code::unsupported,
                 "the routing snapshot has version " + std::to_string(version) + ", this broker reads " +
                     std::to_string(kVersion) + "; start without it, the router learns anew",
                 "routing snapshot"};

  auto fresh = std::make_unique<Impl>(options);
  for (const Channel& c : channels) fresh->channels.emplace_back(c.traits, 1);
  const int64_t saved_ns = in.zigzag();
  const double away_s = std::max<double>(0, static_cast<double>(wall - in.zigzag()) * 1e-3);
  fresh->started = saved_ns > 0;
  fresh->origin_ns = now - (saved_ns + static_cast<int64_t>(away_s * 1e3) * kNsPerMs);
  fresh->latest = number(in, 0, 1e12);
  fresh->wall_at_zero_ms = in.zigzag();
  const double half_life = number(in, 1, 1e12);
  fresh->decay.set_epoch(number(in, 0, 1e12));
  const std::string_view random_state = in.raw(sizeof(Random));
  if (in.failed()) return damaged("header");
  std::memcpy(static_cast<void*>(&fresh->random), random_state.data(), sizeof(Random));

  const uint64_t channel_count = in.varint();
  if (channel_count > kMaxChannels) return damaged("channels");
  std::vector<ChannelNo> channel_of;
  for (uint64_t i = 0; i < channel_count && !in.failed(); ++i) {
    const std::string_view name = in.str();
    size_t at = 0;
    while (at < fresh->channels.size() && fresh->channels[at].traits.name != name) ++at;
    if (at == kMaxChannels)
      return Error{Code::conflict,
                   "the routing snapshot knows channels that are configured no longer, and there is no room "
                   "for both; start without it",
                   "routing snapshot"};
    if (at == fresh->channels.size()) {
      ChannelTraits traits;
      traits.name = name;
      fresh->channels.emplace_back(std::move(traits), 1);
    }
    read(in, fresh->channels[at]);
    channel_of.push_back(static_cast<ChannelNo>(at));
  }
  for (Exploration& e : fresh->explorations) e.price = number(in, 1, 1e6);
  fresh->profiles.restore(in);
  const bool same_segments = in.u8() == to_bits(options.segment);
  if (in.failed()) return damaged("profiles");
  fresh->grow();
  fresh->levels.restore(in, channel_of, same_segments);
  fresh->learned_at = number(in, 0, 1e12);
  fresh->looked_at = number(in, 0, 1e12);
  fresh->away.restore(in);
  fresh->away_present.restore(in);
  fresh->common.restore(in, channel_of);
  fresh->health.restore(in, channel_of, fresh->profiles);
  if (away_s > kTooOldForMoods_s) {  // these described the moment, not the channels
    fresh->away = {}, fresh->away_present = {}, fresh->common = {}, fresh->health = {};
    for (Channel& c : fresh->channels) c.coverage = {}, c.doubt = {};
    fresh->grow();
  }
  fresh->book.restore(in, channel_of);
  const uint64_t device_count = in.varint();
  if (in.failed() || device_count > in.left() / sizeof(DeviceState)) return damaged("statistics");
  for (uint64_t i = 0; i < device_count; ++i) {
    const DeviceNo device = in.u32();
    DeviceState state;
    const std::string_view raw = in.raw(sizeof state);
    if (in.failed()) return damaged("devices");
    std::memcpy(&state, raw.data(), sizeof state);
    if (state.profile >= fresh->profiles.size()) return damaged("devices");
    state.tokens = translate(state.tokens, channel_of);
    for (uint8_t& lent : state.lent_to) {
      if (lent > channel_of.size()) return damaged("devices");
      if (lent != 0) lent = static_cast<uint8_t>(channel_of[lent - 1] + 1);
    }
    fresh->devices.at(device) = state;
  }
  if (!in.at_end()) return damaged("length");

  if (half_life != options.half_life_shared_s) {  // weights were on another scale: bring them to today's
    const double now_s = std::as_const(*fresh).time(now);
    ForwardDecay old(half_life);
    old.set_epoch(fresh->decay.epoch());
    const double factor = old.inverse(now_s);
    fresh->decay.set_epoch(now_s);
    fresh->levels.scale(factor);
    for (Channel& c : fresh->channels) c.delivery.scale(factor), c.receipt.scale(factor);
  }
  *this = std::move(*fresh);
  return {};
}

}  // namespace godwit::routing
