// What Registry is made of. Split over registry.cpp (look-ups), registry_apply.cpp (records), registry_rows.cpp (the
// catalogue: load and dirty rows).
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <string>
#include <vector>

#include "broker/base/hash.hpp"
#include "broker/registry/device_record.hpp"
#include "broker/registry/device_table.hpp"
#include "broker/registry/hash_index.hpp"
#include "broker/registry/number_set.hpp"
#include "broker/registry/registry.hpp"
#include "broker/registry/registry_record.hpp"
#include "broker/registry/string_pool.hpp"
#include "broker/registry/topic_table.hpp"
#include "broker/registry/user_index.hpp"

namespace godwit {

struct Registry::Impl {
  using AppNo = uint32_t;
  static constexpr AppNo kNoApp = ~0u;

  struct App {
    std::string name;
    NumberSet members;
  };
  // A device that is gone while the catalogue may still have its row.
  struct Tombstone {
    std::string app, id, subject;
    uint64_t version;
  };

  // ---- state ----
  std::vector<App> apps;  // few, made by their first device, never taken back
  boost::unordered_flat_map<std::string, AppNo, StringHash, std::equal_to<>> app_numbers;
  StringPool words;
  DeviceTable table;
  HashIndex<9> ids;      // (app, device id)
  HashIndex<10> tokens;  // (app, channel, token), live ones only
  UserIndex users;
  TopicTable topics;
  DeviceNo next = 1;  // never given away yet

  // Numbers whose rows the catalogue lacks, oldest first. A number may stand here twice; what counts is its flag in the
  // table or its tombstone.
  std::deque<DeviceNo> dirty_queue;
  boost::unordered_flat_map<DeviceNo, Tombstone> tombstones;
  size_t dirty_devices = 0;  // flags set in the table
  uint64_t taken_mark = 0;   // one more than the highest number in rows taken so far
  uint64_t stored_mark = 0;  // ... as far as the catalogue was told

  // Devices that may hold a token together, see registry_apply.cpp.
  std::vector<DeviceNo> shared_tokens;

  // ---- scratch, kept for its capacity ----
  RegistryRecord record;
  DeviceFields before, other;
  std::vector<DeviceNo> holders;
  std::string packed;
  std::vector<uint32_t> topic_numbers;

  // ---- finding (registry.cpp) ----
  AppNo find_app(std::string_view name) const;
  AppNo make_app(std::string_view name);
  DeviceNo find(AppNo app, std::string_view id) const;
  DeviceNo find_token(AppNo app, uint32_t channel_word, std::string_view token) const;
  // Fills `holders` with the devices other than `self` that hold the token: at most one, but during replay.
  void find_holders(AppNo app, uint32_t channel_word, std::string_view token, DeviceNo self);
  bool holds(DeviceNo no, AppNo app, uint32_t channel_word, std::string_view token) const;
  PackedDevice packed_at(DeviceNo no) const { return PackedDevice(table.at(no)); }
  std::vector<uint32_t> topics_of(DeviceNo no) const;
  void unpack(DeviceNo no, DeviceFields& out) const;  // with the names of app and topics

  static uint64_t id_hash(AppNo app, std::string_view id) { return stable_hash(id, process_hash_seed() + app); }
  static uint64_t user_hash(AppNo app, std::string_view user) { return stable_hash(user, ~process_hash_seed() - app); }
  static uint64_t token_hash(AppNo app, uint32_t channel_word, std::string_view token) {
    return stable_hash(token, process_hash_seed() ^ (uint64_t{app} << 32 | channel_word));
  }

  // ---- changing (registry_apply.cpp) ----
  // Packs the device under its number, in place of what was there, and keeps every index right. Its channels' tokens
  // must be nobody else's by then. Views in `device` may point into the state that is replaced.
  void store(AppNo app, const DeviceFields& device, std::span<const uint32_t> topic_numbers);
  void index_tokens(DeviceNo no, PackedDevice device);
  void unindex_tokens(DeviceNo no, PackedDevice device);
  void bind_user(AppNo app, std::string_view user, DeviceNo no);

  Result<RegistryChange> put(uint64_t position);
  RegistryChange remove(DeviceNo no, uint64_t position);
  RegistryChange change_topic(DeviceNo no, uint64_t position);
  RegistryChange token_dead(DeviceNo no, uint64_t position);
  RegistryChange token_changed(DeviceNo no, uint64_t position);
  void token_changed_before(AppNo app, DeviceNo no, uint64_t position);
  RegistryChange revoke(DeviceNo no, uint64_t position);
  bool claim(AppNo app, DeviceNo self, const ChannelFields& channel, uint64_t position, RegistryChange& change);
  void strip(DeviceNo holder, std::string_view channel, uint64_t version, WallMs updated_ms);
  void touch(AppNo app, DeviceFields& device, uint64_t position);  // stores `device` as changed by the record

  // ---- the catalogue (registry_rows.cpp) ----
  void mark(DeviceNo no);
  void bury(DeviceNo no, Tombstone tombstone);
  Result<void> load_row(const DeviceRowView& row, DeviceFields& scratch);
  void index_loaded(RegistryLoad& report);
};

}  // namespace godwit
