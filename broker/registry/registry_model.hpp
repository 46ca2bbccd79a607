// The registry as the simplest thing that could be right: maps of whole devices, every look-up a scan. Tests let it and
// the real one do the same and compare.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/registry/registry.hpp"

namespace godwit::test {

struct RegistryOp {
  enum Kind { put, remove, topic, token_dead, token_changed, revoke } kind = put;
  Device device;  // of a put; else only app and id
  std::string channel, token, old_token, topic_name;
  bool subscribed = false;
  WallMs since_ms = 0, at_ms = 0;

  std::string record() const {
    const std::string &app = device.app, &id = device.id;
    switch (kind) {
      case put:
        return registry_record::put(device, at_ms);
      case remove:
        return registry_record::remove(app, id);
      case topic:
        return registry_record::topic(app, topic_name, id, subscribed, at_ms);
      case token_dead:
        return registry_record::token_dead(app, id, channel, token, since_ms, at_ms);
      case token_changed:
        return registry_record::token_changed(app, id, channel, old_token, token, at_ms);
      case revoke:
        return registry_record::revoke(app, id, at_ms);
    }
    return {};
  }
};

class RegistryModel {
 public:
  struct Entry {
    Device device;
    std::set<std::string> topics;
  };

  void apply(const RegistryOp& op, uint64_t position) {
    const auto found = find(op.device.app, op.device.id);
    if (op.kind == RegistryOp::put) return put(op, position);
    if (found == devices.end()) return;
    Entry& entry = found->second;
    const auto channel = std::find_if(entry.device.channels.begin(), entry.device.channels.end(),
                                      [&](const DeviceChannel& c) { return c.channel == op.channel; });
    const bool has = channel != entry.device.channels.end();
    switch (op.kind) {
      case RegistryOp::remove:
        devices.erase(found);
        return;
      case RegistryOp::topic:
        if (op.subscribed ? !entry.topics.insert(op.topic_name).second : !entry.topics.erase(op.topic_name)) return;
        break;
      case RegistryOp::token_dead:
        if (!has || channel->invalid || channel->token != op.token) return;
        if (op.since_ms != 0 && channel->registered_ms > op.since_ms) return;
        channel->invalid = true;
        break;
      case RegistryOp::token_changed:
        if (!has || channel->token != op.old_token || op.token == op.old_token) return;
        take_from_others(entry.device, op.channel, op.token, op.at_ms, position);
        *channel = {op.channel, op.token, false, op.at_ms};
        break;
      case RegistryOp::revoke:
        ++entry.device.generation;
        break;
      case RegistryOp::put:
        break;
    }
    changed(entry.device, op.at_ms, position);
  }

  std::map<uint64_t, Entry> devices;  // by number
  uint64_t next = 1;

  std::map<uint64_t, Entry>::iterator find(const std::string& app, const std::string& id) {
    return std::find_if(devices.begin(), devices.end(),
                        [&](const auto& e) { return e.second.device.app == app && e.second.device.id == id; });
  }

 private:
  static void changed(Device& device, WallMs at_ms, uint64_t position) {
    device.updated_ms = at_ms;
    device.version = position + 1;
  }

  void put(const RegistryOp& op, uint64_t position) {
    auto found = find(op.device.app, op.device.id);
    if (found == devices.end()) {
      found = devices.emplace(next, Entry{}).first;
      found->second.device.number = next++;
      found->second.device.created_ms = op.at_ms;
      found->second.device.generation = static_cast<uint32_t>(std::max<WallMs>(op.at_ms / 1000, 1));
    }
    const Device before = found->second.device;
    Device& device = found->second.device;
    device = op.device;
    device.number = before.number;
    device.created_ms = before.created_ms;
    device.generation = before.generation;
    device.channels.clear();
    for (DeviceChannel c : op.device.channels) {
      for (const DeviceChannel& old : before.channels)
        if (old.channel == c.channel && c.registered_ms != 0 &&
            (old.registered_ms > c.registered_ms || (old.registered_ms == c.registered_ms && old.token == c.token)))
          c = old;
      if (!c.invalid && !c.token.empty()) {
        if (c.registered_ms != 0 && somebody_has_newer(device, c)) continue;
        take_from_others(device, c.channel, c.token, op.at_ms, position);
      }
      if (c.registered_ms == 0) c.registered_ms = op.at_ms;
      device.channels.push_back(c);
    }
    changed(device, op.at_ms, position);
  }

  static bool holds(const Device& device, const Device& self, const DeviceChannel& theirs, const std::string& channel,
                    const std::string& token) {
    return &device != &self && device.app == self.app && theirs.channel == channel && theirs.token == token &&
           !theirs.invalid;
  }

  bool somebody_has_newer(const Device& self, const DeviceChannel& mine) {
    for (auto& [no, entry] : devices)
      for (const DeviceChannel& c : entry.device.channels)
        if (holds(entry.device, self, c, mine.channel, mine.token) && c.registered_ms >= mine.registered_ms)
          return true;
    return false;
  }

  void take_from_others(const Device& self, const std::string& channel, const std::string& token, WallMs at_ms,
                        uint64_t position) {
    for (auto& [no, entry] : devices) {
      const size_t taken = std::erase_if(
          entry.device.channels, [&](const DeviceChannel& c) { return holds(entry.device, self, c, channel, token); });
      if (taken) changed(entry.device, at_ms, position);
    }
  }
};

}  // namespace godwit::test
