// MemoryCatalogue: the catalogue of tests and of the simulation. Nothing survives the object.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "broker/storage/catalogue.hpp"

namespace godwit {

class MemoryCatalogue final : public Catalogue {
 public:
  Fate put_devices(std::span<const DeviceRow> rows) override;
  Result<void> scan_devices(const std::function<bool(const DeviceRowView&)>& sink) override;
  Fate put_value(std::string_view key, std::string_view value) override;
  Result<std::optional<std::string>> get_value(std::string_view key) override;
  Result<std::optional<Versioned>> kv_get(std::string_view instance, std::string_view key) override;
  Result<uint64_t> kv_put(std::string_view instance, std::string_view key, std::string_view value,
                          uint64_t expected) override;
  Result<void> kv_remove(std::string_view instance, std::string_view key, uint64_t expected) override;
  Result<void> kv_scan(std::string_view instance, std::string_view prefix,
                       const std::function<bool(std::string_view key, const Versioned&)>& sink) override;

  // The next `count` writes answer failed (or Code::no_space) and change nothing.
  void fail_next_writes(uint32_t count);

 private:
  using DeviceKey = std::pair<std::string, std::string>;  // app, device id

  bool write_fails();  // REQUIRES: mutex_ held
  void put_device(const DeviceRow& row);

  std::mutex mutex_;  // guards everything below
  std::map<uint64_t, DeviceRow> devices_;
  std::map<DeviceKey, uint64_t> device_numbers_;
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::pair<std::string, std::string>, Versioned> kv_;  // (instance, key)
  uint64_t kv_version_ = 0;
  uint32_t failing_writes_ = 0;
};

}  // namespace godwit
