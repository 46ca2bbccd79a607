// Catalogue: definitions and registry rows that outlive the journal's segments: devices, topics, plugin key-values,
// settings.
//
// It is never on the path of a message. The registry's owner keeps everything hot in memory, writes each change to the
// journal first, and brings the catalogue up to date in the background in batches; after a crash it loads the rows and
// replays the newer REGISTRY records over them.
//
// Safe from any thread, also from inside a sink; each call is one transaction. What put_devices wrote survives the
// death of the process at once and a power cut from the next put_value or kv call on: write the rows, then the replay
// position, then trim the journal. `failed` and Code::no_space leave the catalogue usable; after `unknown` every later
// write answers `unknown` and only a restart tells. Implementations: memory and SQLite, both pass
// catalogue_contract.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/storage/fate.hpp"

namespace godwit {

// One device as the registry packs it. `packed` is opaque here (registry/device_codec.hpp knows it).
struct DeviceRow {
  uint64_t number = 0;  // the registry's stable device number; primary key, so a scan is in insertion order
  std::string app;
  std::string device_id;
  std::string subject;  // user id, else device id
  uint64_t version = 0;
  bool deleted = false;  // a tombstone: the row is removed
  std::string packed;
};

struct DeviceRowView {
  uint64_t number;
  std::string_view app, device_id, subject;
  uint64_t version;
  std::string_view packed;
};

class Catalogue {
 public:
  virtual ~Catalogue() = default;

  // Devices. Upserts (and tombstones) are idempotent: of two rows of one (app, device_id) the higher version wins,
  // whatever their numbers; the same version may be written again. A removed device leaves nothing behind, not even its
  // version.
  virtual Fate put_devices(std::span<const DeviceRow> rows) = 0;
  virtual Result<void> scan_devices(const std::function<bool(const DeviceRowView&)>& sink) = 0;

  // Small named values: replay positions, secrets made at first start, router snapshots, operator switches.
  virtual Fate put_value(std::string_view key, std::string_view value) = 0;
  virtual Result<std::optional<std::string>> get_value(std::string_view key) = 0;

  // Plugin key-values (godwit.kv/1). `expected` is the version that the writer saw (0: must not exist; kAnyVersion:
  // whatever).
  static constexpr uint64_t kAnyVersion = ~0ull;
  struct Versioned {
    std::string value;
    uint64_t version = 0;
  };
  virtual Result<std::optional<Versioned>> kv_get(std::string_view instance, std::string_view key) = 0;
  // Answers the new version, which no key of this catalogue ever had before, so that a removed and remade key cannot be
  // taken for the old one; Code::conflict when `expected` does not hold.
  virtual Result<uint64_t> kv_put(std::string_view instance, std::string_view key, std::string_view value,
                                  uint64_t expected) = 0;
  // Removing what is not there is well with kAnyVersion or 0.
  virtual Result<void> kv_remove(std::string_view instance, std::string_view key, uint64_t expected) = 0;
  virtual Result<void> kv_scan(std::string_view instance, std::string_view prefix,
                               const std::function<bool(std::string_view key, const Versioned&)>& sink) = 0;
};

// The answer of kv_put and kv_remove to a writer that saw another version.
Error kv_conflict(std::string_view key, uint64_t expected, uint64_t now);

}  // namespace godwit
