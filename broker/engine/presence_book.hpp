// PresenceBook: who holds one channel's connection now, as its events and our own sends have told.
//
// 16 bytes for each device number up to the highest that was ever there: a table, because a broker that holds the
// connections itself knows nearly all of its devices here. Engine's thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/registry/registry.hpp"

namespace godwit::engine {

class PresenceBook {
 public:
  enum class Said : uint8_t { nothing, offline, online };

  // An event of the channel; `seq` grows for each device. False: overtaken by a newer one.
  bool hear(DeviceNo device, uint64_t seq, bool is_online, MonoNs now);
  // A send that began at `sent_at` did not find it: it is not there, unless it came back since.
  void missed(DeviceNo device, MonoNs sent_at, MonoNs now);
  // It has confirmed a message over this channel, so its silence says something.
  void confirmed(DeviceNo device);
  void forget(DeviceNo device);
  void forget_all();

  Said said(DeviceNo device) const { return device < entries_.size() ? entries_[device].said() : Said::nothing; }
  // Since when a device that confirms what it gets has been away; 0: it is not, or it never confirms anything.
  MonoNs away_since(DeviceNo device) const;
  uint64_t online() const { return online_; }

 private:
  class Entry {
   public:
    Entry() = default;
    Entry(Said said, uint64_t seq, MonoNs now, bool confirms)
        : seq_(seq),
          since_and_said_((static_cast<uint64_t>(now) & ~uint64_t{7}) | (confirms ? 4u : 0u) |
                          static_cast<uint64_t>(said)) {}
    Said said() const { return static_cast<Said>(since_and_said_ & 3); }
    bool confirms() const { return (since_and_said_ & 4) != 0; }
    uint64_t seq() const { return seq_; }
    MonoNs since_ns() const { return static_cast<MonoNs>(since_and_said_ & ~uint64_t{7}); }  // to 8 ns

   private:
    uint64_t seq_ = 0, since_and_said_ = 0;
  };
  Entry& at(DeviceNo device);
  void set(Entry& entry, Entry next);

  std::vector<Entry> entries_;  // by device
  uint64_t online_ = 0;
};

}  // namespace godwit::engine
