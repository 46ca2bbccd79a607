#include "broker/storage/memory/memory_catalogue.hpp"

#include <vector>

namespace godwit {
namespace {

Error injected() {
  return Error{Code::no_space, "injected: no space", "catalogue"};
}

}  // namespace

void MemoryCatalogue::fail_next_writes(uint32_t count) {
  std::lock_guard lock(mutex_);
  failing_writes_ = count;
}

bool MemoryCatalogue::write_fails() {
  if (failing_writes_ == 0) return false;
  --failing_writes_;
  return true;
}

Fate MemoryCatalogue::put_devices(std::span<const DeviceRow> rows) {
  std::lock_guard lock(mutex_);
  if (write_fails()) return Fate::failed;
  for (const DeviceRow& row : rows) put_device(row);
  return Fate::ok;
}

void MemoryCatalogue::put_device(const DeviceRow& row) {
  const auto known = device_numbers_.find({row.app, row.device_id});
  if (known != device_numbers_.end()) {
    if (devices_.at(known->second).version > row.version) return;
    devices_.erase(known->second);
    device_numbers_.erase(known);
  }
  if (row.deleted) return;
  // The number was another device's: that one is gone, or its number would not have been given again.
  if (const auto other = devices_.find(row.number); other != devices_.end()) {
    device_numbers_.erase({other->second.app, other->second.device_id});
    devices_.erase(other);
  }
  device_numbers_[{row.app, row.device_id}] = row.number;
  devices_[row.number] = row;
}

Result<void> MemoryCatalogue::scan_devices(const std::function<bool(const DeviceRowView&)>& sink) {
  std::vector<DeviceRow> rows;  // a copy, so that the sink may call us
  {
    std::lock_guard lock(mutex_);
    for (const auto& [number, row] : devices_) rows.push_back(row);
  }
  for (const DeviceRow& row : rows) {
    if (!sink({row.number, row.app, row.device_id, row.subject, row.version, row.packed})) break;
  }
  return {};
}

Fate MemoryCatalogue::put_value(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  if (write_fails()) return Fate::failed;
  values_[std::string(key)] = value;
  return Fate::ok;
}

Result<std::optional<std::string>> MemoryCatalogue::get_value(std::string_view key) {
  std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  if (found == values_.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

Result<std::optional<Catalogue::Versioned>> MemoryCatalogue::kv_get(std::string_view instance, std::string_view key) {
  std::lock_guard lock(mutex_);
  const auto found = kv_.find({std::string(instance), std::string(key)});
  if (found == kv_.end()) return std::optional<Versioned>();
  return std::optional(found->second);
}

Result<uint64_t> MemoryCatalogue::kv_put(std::string_view instance, std::string_view key, std::string_view value,
                                         uint64_t expected) {
  std::lock_guard lock(mutex_);
  const std::pair place{std::string(instance), std::string(key)};
  const auto found = kv_.find(place);
  const uint64_t now = found == kv_.end() ? 0 : found->second.version;
  if (expected != kAnyVersion && expected != now) return kv_conflict(key, expected, now);
  if (write_fails()) return injected();
  kv_[place] = {std::string(value), ++kv_version_};
  return kv_version_;
}

Result<void> MemoryCatalogue::kv_remove(std::string_view instance, std::string_view key, uint64_t expected) {
  std::lock_guard lock(mutex_);
  const auto found = kv_.find({std::string(instance), std::string(key)});
  const uint64_t now = found == kv_.end() ? 0 : found->second.version;
  if (expected != kAnyVersion && expected != now) return kv_conflict(key, expected, now);
  if (found == kv_.end()) return {};
  if (write_fails()) return injected();
  kv_.erase(found);
  return {};
}

Result<void> MemoryCatalogue::kv_scan(std::string_view instance, std::string_view prefix,
                                      const std::function<bool(std::string_view key, const Versioned&)>& sink) {
  std::vector<std::pair<std::string, Versioned>> hits;
  {
    std::lock_guard lock(mutex_);
    for (auto at = kv_.lower_bound({std::string(instance), std::string(prefix)}); at != kv_.end(); ++at) {
      if (at->first.first != instance || !at->first.second.starts_with(prefix)) break;
      hits.emplace_back(at->first.second, at->second);
    }
  }
  for (const auto& [key, value] : hits) {
    if (!sink(key, value)) break;
  }
  return {};
}

}  // namespace godwit
