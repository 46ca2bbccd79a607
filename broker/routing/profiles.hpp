// Profiles: what kind of device it is, as dense numbers. A profile is one combination of manufacturer, platform and OS
// version, region and app version; it belongs to a segment (those of them that SegmentKeys names), which is where
// statistics are pooled.
//
// Every string here comes from devices, so each table is bounded: what does not fit any more is called "other", and
// nothing a client invents can grow the router.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/base/bytes.hpp"
#include "broker/routing/router.hpp"

namespace godwit::routing {

// Names with dense numbers from 0; number 0 is "other".
class NameTable {
 public:
  explicit NameTable(size_t limit) : limit_(limit) { names_.emplace_back("other"); }
  uint16_t number(std::string_view name);
  const std::string& name(uint16_t number) const { return names_[number]; }
  size_t size() const { return names_.size(); }

  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  size_t limit_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint16_t> numbers_;
};

struct Profile {
  uint16_t maker = 0, os = 0, region = 0, app = 0;
  uint16_t maker_os = 0;  // the pair of both, dense
  uint32_t segment = 0;
};

class Profiles {
 public:
  explicit Profiles(SegmentKeys keys = {});

  uint32_t number(const DeviceTraits& traits);
  const Profile& at(uint32_t number) const { return profiles_[number]; }

  size_t size() const { return profiles_.size(); }
  size_t maker_oses() const { return maker_os_.size(); }
  std::pair<uint16_t, uint16_t> maker_os(uint32_t number) const { return maker_os_[number]; }
  size_t segments() const { return segment_maker_.size(); }
  const std::vector<uint16_t>& maker_of_segment() const { return segment_maker_; }
  const NameTable& makers() const { return makers_; }
  const NameTable& oses() const { return oses_; }
  const NameTable& regions() const { return regions_; }
  const NameTable& apps() const { return apps_; }

  void save(ByteWriter& out) const;
  void restore(ByteReader& in);  // a failed reader leaves rubbish behind: the caller throws it away

 private:
  uint32_t intern(uint16_t maker, uint16_t os, uint16_t region, uint16_t app);

  SegmentKeys keys_;
  NameTable makers_{256}, oses_{128}, regions_{256}, apps_{512};
  std::vector<Profile> profiles_;
  std::unordered_map<uint64_t, uint32_t> profile_numbers_, segment_numbers_;
  std::vector<uint16_t> segment_maker_;
  std::vector<std::pair<uint16_t, uint16_t>> maker_os_;
  std::unordered_map<uint32_t, uint16_t> maker_os_numbers_;
};

// "android 13" of platform "android" and version "13.0.2": the major version, because patch levels do not decide
// whether a push arrives.
std::string os_level(std::string_view platform, std::string_view version);
std::string lower_case(std::string_view text);

}  // namespace godwit::routing
