// Receipts that came before the answer to their own send. A vendor may call back while its answer is still on the wire,
// and only that answer tells the vendor's id, by which the receipt names the message. They wait here for the
// settlement, for a minute at most, and are bounded: what finds no place is as unknown as it would be without this.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/channels/port.hpp"

namespace godwit::engine {

class EarlyReceipts {
 public:
  static constexpr size_t kMost = 10'000;
  static constexpr MonoNs kLongest = 60 * kNsPerSecond;

  bool empty() const { return by_id_.empty(); }
  // False: no place.
  bool hold(const ChannelEvent& event, MonoNs now);
  // Those of this channel and vendor id, in the order in which they came; they are forgotten here.
  std::vector<ChannelEvent> take(ChannelNo channel, const std::string& vendor_id);
  // Forgets what has waited too long; how many.
  size_t expire(MonoNs now);

 private:
  std::unordered_map<std::string, std::vector<ChannelEvent>> by_id_;  // channel and vendor id
  std::deque<std::pair<MonoNs, std::string>> order_;                  // until when each key waits, oldest first
};

}  // namespace godwit::engine
