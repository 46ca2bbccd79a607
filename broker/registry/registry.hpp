// Registry: who there is and where each can be reached: apps' devices, their users, tokens, tags and topics, all hot in
// memory.
//
// Event-sourced: a change is first encoded as a REGISTRY record, made durable by the caller, and then applied; apply()
// is deterministic, so replaying the journal over the catalogue's rows after a crash gives the same state. Everything
// that depends on the state (does the device exist? who holds the token now?) is decided inside apply(), in journal
// order.
//
// Owned by one thread (the engine's); nothing here locks, blocks or does I/O except load() and the rows of
// take_dirty().
//
// Device numbers are dense, stable for the life of the data directory and reused never; they order iteration, so a
// fan-out can continue after a crash from the last number that it has done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/message/device.hpp"
#include "broker/storage/catalogue.hpp"

namespace godwit {

using DeviceNo = uint32_t;
constexpr DeviceNo kNoDevice = ~0u;

// The bodies of REGISTRY records.
namespace registry_record {
std::string put(const Device& device);  // the whole new state; generation, number and version are the registry's
std::string remove(std::string_view app, std::string_view device_id);
std::string topic(std::string_view app, std::string_view topic, std::string_view device_id, bool subscribed);
// A vendor said that the token is dead (since when, if it knows): unbound unless it was registered again later than
// that.
std::string token_dead(std::string_view app, std::string_view device_id, std::string_view channel,
                       std::string_view token, WallMs since_ms);
std::string token_changed(std::string_view app, std::string_view device_id, std::string_view channel,
                          std::string_view token);
// Every credential issued so far is refused from now on.
std::string revoke(std::string_view app, std::string_view device_id);
}  // namespace registry_record

// What apply() did.
struct RegistryChange {
  bool known = true;  // false: the record named a device that does not exist (nothing changed)
  DeviceNo device = kNoDevice;
  bool created = false, removed = false, token_changed = false;
  struct Move {
    std::string channel;
    DeviceNo from;
  };
  std::vector<Move> moves;  // tokens that another device of the app held and that came to this one
};

class Registry {
 public:
  Registry();
  ~Registry();

  // At start: all rows of the catalogue. Then the engine replays newer records through apply().
  Result<void> load(Catalogue& catalogue);

  // Never fails on a record that registry_record made; a damaged one is an error and changes nothing.
  Result<RegistryChange> apply(std::string_view record_body, WallMs at_ms);

  // Look-ups. kNoDevice or empty when there is none.
  DeviceNo find(std::string_view app, std::string_view device_id) const;
  DeviceNo find_token(std::string_view app, std::string_view channel, std::string_view token) const;
  std::span<const DeviceNo> user_devices(std::string_view app, std::string_view user_id) const;
  Device device(DeviceNo device) const;  // unpacked copy. REQUIRES: exists(device)
  bool exists(DeviceNo device) const;
  size_t size() const;
  DeviceNo end() const;  // one past the highest number

  // The parts that the path of a message needs, without unpacking. Views live until the next apply().
  std::string_view app_of(DeviceNo) const;
  std::string_view id_of(DeviceNo) const;
  std::string_view user_of(DeviceNo) const;
  std::string_view manufacturer_of(DeviceNo) const;
  std::string_view platform_of(DeviceNo) const;
  std::string_view os_version_of(DeviceNo) const;
  std::string_view app_version_of(DeviceNo) const;
  struct Token {
    std::string_view channel, token;
    WallMs registered_ms;
  };
  // Calls for every live (not invalid) channel of the device.
  void for_each_token(DeviceNo, const std::function<void(const Token&)>&) const;
  std::optional<Token> token(DeviceNo, std::string_view channel) const;

  // Audiences, in the order of device numbers: the first device >= `from` that belongs, or kNoDevice.
  DeviceNo next_of_app(std::string_view app, DeviceNo from) const;
  DeviceNo next_of_topic(std::string_view app, std::string_view topic, DeviceNo from) const;
  uint64_t app_size(std::string_view app) const;
  uint64_t topic_size(std::string_view app, std::string_view topic) const;
  std::vector<std::pair<std::string, uint64_t>> topics(std::string_view app) const;

  // Up to `max` rows that the catalogue does not have yet; they count as clean from then on (mark_dirty takes that
  // back).
  std::vector<DeviceRow> take_dirty(size_t max);
  void mark_dirty(std::span<const DeviceRow> rows);  // the catalogue could not take them
  size_t dirty() const;

  size_t bytes() const;  // memory held, for the metrics and the bench

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit
