// Totals are the worker's figures: counted by its thread, read from any.
#pragma once

#include <atomic>
#include <cstdint>

namespace xmpp {

class Count {
 public:
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

struct Totals {
  Count sessions, resumptions, cuts;      // links
  Count sent, sent_again, confirmed;      // messages
  Count receipts, refused, unknown_ends;  // answers
  Count dropped;                          // stanzas that were read over
  Count open, unconfirmed, online;        // now: messages with us, stanzas not confirmed, devices that are there
  Count is_up;
};

}  // namespace xmpp
