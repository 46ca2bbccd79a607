// PresenceGate keeps the presence events of two instances of one channel apart while one takes over from the other.
//
// A new instance begins with "nobody is here" and then tells who comes; told before the switch, that would make the
// devices of the serving instance vanish, for nothing if the new one then fails. And what the old one says afterwards
// (its devices leave, one by one) must not undo what the new one said. So a waiting instance's presence is kept until
// it serves, and a replaced one's is dropped. All other events pass: receipts are true whoever brings them.
//
// Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "broker/channels/port.hpp"

namespace godwit::channels {

class PresenceGate {
 public:
  enum class Stand : uint8_t { waiting, serving, replaced };
  // False: no room at the receiver; the events stay with whoever has them.
  using Deliver = std::function<bool(std::vector<ChannelEvent>)>;

  explicit PresenceGate(Stand stand) : stand_(stand) {}

  bool pass(std::vector<ChannelEvent> events, const Deliver& deliver);

  // waiting -> serving: what was kept is delivered first. False: there is no room, it waits on; ask again.
  bool open(const Deliver& deliver);
  bool has_refused() const { return has_refused_; }  // somebody waits to be asked again
  void replace();

 private:
  static constexpr size_t kMostKept = 10'000;
  static bool is_presence(const ChannelEvent& event) {
    return event.kind == ChannelEvent::Kind::presence || event.kind == ChannelEvent::Kind::presence_reset;
  }
  bool keep(ChannelEvent event);

  // Held while presence is delivered, so that nothing of it comes after replace() or before what open() delivers.
  std::mutex mutex_;
  Stand stand_;                     // guarded by mutex_
  std::vector<ChannelEvent> kept_;  // guarded by mutex_
  std::atomic<bool> has_refused_{false};
};

}  // namespace godwit::channels
