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
// A device's version is the place in the journal (plus one) of the last record that changed it. A record that a row has
// seen already changes nothing, so replay may begin at any point before the first dirty row and ends in the live state:
// the same numbers, versions and generations.
//
// Device numbers start at 1, are dense, stable for the life of the data directory and reused never; they order
// iteration, so a fan-out can continue after a crash from the last number that it has done.
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

// The bodies of REGISTRY records. Each carries the time at which it was asked for, so that replay gives the same state.
namespace registry_record {
// The whole new state of the device (at most 255 channels; one given twice counts as last given); topics, generation,
// number, version and times are the registry's. A channel with registered_ms 0 registers now and takes its token from
// whoever held it; one with a time was copied from an earlier state (a PATCH) and gives way to a registration that is
// newer.
std::string put(const Device& device, WallMs at_ms);
std::string remove(std::string_view app, std::string_view device_id);
std::string topic(std::string_view app, std::string_view topic, std::string_view device_id, bool subscribed,
                  WallMs at_ms);
// A vendor said that the token is dead (since when, if it knows; else 0): unbound unless it was registered again later
// than that.
std::string token_dead(std::string_view app, std::string_view device_id, std::string_view channel,
                       std::string_view token, WallMs since_ms, WallMs at_ms);
// A vendor replaced the token; nothing happens when the device holds another one than `old_token` by then.
std::string token_changed(std::string_view app, std::string_view device_id, std::string_view channel,
                          std::string_view old_token, std::string_view token, WallMs at_ms);
// Every credential issued so far is refused from now on.
std::string revoke(std::string_view app, std::string_view device_id, WallMs at_ms);
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

// What load() found.
struct RegistryLoad {
  uint64_t devices = 0;
  // No record at this place of the journal or above is in the rows. A journal whose head lies below is not the one that
  // these rows were made with: records would be taken for seen. Do not start then.
  uint64_t newest_version = 0;
  uint64_t damaged = 0;             // rows that could not be read and were left out
  std::vector<std::string> faults;  // the first few of them, one sentence each, for the log
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // At start: all rows of the catalogue. Then the engine replays newer records through apply(). REQUIRES: empty.
  Result<RegistryLoad> load(Catalogue& catalogue);

  // `position` is the record's place in the journal (RecordRef: offset + index), growing from call to call. Never fails
  // on a record that registry_record made (but for no_space when all 2^31 numbers are used up); a damaged one is an
  // error and changes nothing.
  Result<RegistryChange> apply(std::string_view record_body, uint64_t position);

  // Once after replay. Decides who keeps a token that two devices hold, which happens only when the record that moved
  // it was lost with a damaged part of the journal.
  void end_replay();

  // Look-ups. kNoDevice or empty when there is none.
  DeviceNo find(std::string_view app, std::string_view device_id) const;
  DeviceNo find_token(std::string_view app, std::string_view channel, std::string_view token) const;
  std::span<const DeviceNo> user_devices(std::string_view app, std::string_view user_id) const;  // ascending
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
  std::string_view timezone_of(DeviceNo) const;
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
  std::vector<std::pair<std::string, uint64_t>> topics(std::string_view app) const;  // sorted by name
  std::vector<std::string> topics_of(DeviceNo) const;                                // sorted by name

  // Up to `max` rows (and one for the registry itself) that the catalogue does not have yet, oldest change first; they
  // count as clean from then on (mark_dirty takes that back). They go into one put_devices, in this order, and are
  // settled before the next take: that order is what makes replay give the same numbers.
  std::vector<DeviceRow> take_dirty(size_t max);
  void mark_dirty(std::span<const DeviceRow> rows);  // the catalogue could not take them
  size_t dirty() const;

  size_t bytes() const;  // memory held, for the metrics and the bench

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit
