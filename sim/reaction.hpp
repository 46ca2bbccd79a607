// Reaction: how many messages a policy still sent to a channel that had gone bad, and how long it took to come back.
//
// Looked at are messages of devices that prefer the channel: it is awake for them and, with the rate that it had before
// the event, their best free one. Reacted: its share of the first sends of the last 30 such messages is at most a
// quarter of the share before. Restored: that share is at least 0.7 of it.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/source.hpp"

namespace godwit::sim {

struct Reaction {
  std::string channel;
  double t0 = 0, t1 = 0;
  double share_before = 0;
  double looked_at = 0;    // messages of devices that prefer it, while it was bad
  double lost = 0;         // of them sent to it before the switch
  double reacted_s = -1;   // below 0: never
  double restored_s = -1;  // after t1
  double delivered_inside = 0, messages_inside = 0;
};

class ReactionWatch {
 public:
  ReactionWatch(const Setting& setting, const Event& event);
  void device(const DeviceChange& d);
  void first_send(const Message& m, routing::ChannelNo channel);
  void done(const Message& m, bool in_time);
  const Reaction& result() const { return result_; }

 private:
  bool covers(uint32_t device) const { return device < covered_.size() && covered_[device]; }
  double window_share() const;

  const Setting& setting_;
  Event event_;
  routing::ChannelNo channel_ = 0;
  std::vector<bool> covered_;
  std::unordered_map<uint32_t, float> p_before_;
  std::deque<bool> window_;
  double before_all_ = 0, before_here_ = 0;
  Reaction result_;
};

}  // namespace godwit::sim
