#include "broker/routing/profiles.hpp"

#include <algorithm>

namespace godwit::routing {

namespace {
constexpr size_t kMaxNameBytes = 48;
constexpr size_t kMaxProfiles = 65536;
constexpr size_t kMaxSegments = 16384;
constexpr size_t kMaxMakerOses = 4096;
}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string os_level(std::string_view platform, std::string_view version) {
  std::string out = lower_case(platform);
  if (const std::string_view major = version.substr(0, version.find('.')); !major.empty()) {
    if (!out.empty()) out += ' ';
    out += lower_case(major);
  }
  return out;
}

uint16_t NameTable::number(std::string_view name) {
  if (name.empty()) return 0;
  std::string key(name.substr(0, kMaxNameBytes));
  if (const auto found = numbers_.find(key); found != numbers_.end()) return found->second;
  if (names_.size() >= limit_) return 0;
  const auto number = static_cast<uint16_t>(names_.size());
  names_.push_back(key);
  numbers_.emplace(std::move(key), number);
  return number;
}

void NameTable::save(ByteWriter& out) const {
  out.varint(names_.size() - 1);
  for (size_t i = 1; i < names_.size(); ++i) out.str(names_[i]);
}

void NameTable::restore(ByteReader& in) {
  names_.resize(1);
  numbers_.clear();
  const uint64_t count = in.varint();
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    const size_t before = names_.size();
    const std::string_view name = in.str();
    if (!in.failed() && (number(name) == 0 || names_.size() != before + 1)) in.fail();  // empty, twice or too many
  }
}

Profiles::Profiles(SegmentKeys keys) : keys_(keys) {
  intern(0, 0, 0, 0);
}

uint32_t Profiles::number(const DeviceTraits& traits) {
  const std::string maker = lower_case(traits.manufacturer);
  return intern(makers_.number(maker), oses_.number(os_level(traits.platform, traits.os_version)),
                regions_.number(traits.region), apps_.number(traits.app_version));
}

uint32_t Profiles::intern(uint16_t maker, uint16_t os, uint16_t region, uint16_t app) {
  const auto key = [&](uint16_t o, uint16_t r, uint16_t a) {
    return static_cast<uint64_t>(maker) << 48 | static_cast<uint64_t>(o) << 32 | static_cast<uint64_t>(r) << 16 | a;
  };
  const uint64_t wanted = key(os, region, app);
  if (const auto found = profile_numbers_.find(wanted); found != profile_numbers_.end()) return found->second;
  if (profiles_.size() >= kMaxProfiles) {  // give up the finest distinctions first, the unknown profile at last
    if (app != 0) return intern(maker, os, region, 0);
    if (region != 0) return intern(maker, os, 0, 0);
    return 0;
  }
  uint32_t segment = 0;
  const uint64_t segment_key = key(keys_.os ? os : 0, keys_.region ? region : 0, keys_.app_version ? app : 0);
  if (const auto found = segment_numbers_.find(segment_key); found != segment_numbers_.end()) {
    segment = found->second;
  } else if (segment_maker_.size() < kMaxSegments) {
    segment = static_cast<uint32_t>(segment_maker_.size());
    segment_maker_.push_back(maker);
    segment_numbers_.emplace(segment_key, segment);
  }
  uint16_t pair = 0;
  const uint32_t pair_key = static_cast<uint32_t>(maker) << 16 | os;
  if (const auto found = maker_os_numbers_.find(pair_key); found != maker_os_numbers_.end()) {
    pair = found->second;
  } else if (maker_os_.size() < kMaxMakerOses) {
    pair = static_cast<uint16_t>(maker_os_.size());
    maker_os_.emplace_back(maker, os);
    maker_os_numbers_.emplace(pair_key, pair);
  }
  const auto number = static_cast<uint32_t>(profiles_.size());
  profiles_.push_back({maker, os, region, app, pair, segment});
  profile_numbers_.emplace(wanted, number);
  return number;
}

void Profiles::save(ByteWriter& out) const {
  for (const NameTable* table : {&makers_, &oses_, &regions_, &apps_}) table->save(out);
  out.varint(profiles_.size() - 1);
  for (size_t i = 1; i < profiles_.size(); ++i)
    for (const uint16_t part : {profiles_[i].maker, profiles_[i].os, profiles_[i].region, profiles_[i].app})
      out.varint(part);
}

void Profiles::restore(ByteReader& in) {
  for (NameTable* table : {&makers_, &oses_, &regions_, &apps_}) table->restore(in);
  profiles_.clear(), profile_numbers_.clear(), segment_numbers_.clear(), segment_maker_.clear();
  maker_os_.clear(), maker_os_numbers_.clear();
  intern(0, 0, 0, 0);
  const uint64_t count = in.varint();
  for (uint64_t i = 0; i < count && !in.failed(); ++i) {
    const uint64_t maker = in.varint(), os = in.varint(), region = in.varint(), app = in.varint();
    if (in.failed() || maker >= makers_.size() || os >= oses_.size() || region >= regions_.size() ||
        app >= apps_.size())
      return in.fail();
    // The order of numbers is the order of first use, so replaying it gives every profile and segment its old number.
    if (intern(static_cast<uint16_t>(maker), static_cast<uint16_t>(os), static_cast<uint16_t>(region),
               static_cast<uint16_t>(app)) != i + 1)
      return in.fail();
  }
}

}  // namespace godwit::routing
