// CountingHost is the least that a plugin needs of a host: it hands out messages, counts how they end, and gives one
// secret. The caller's thread is the lane; settle and event are safe from any thread.
#pragma once

#include <godwit/abi.h>
#include <godwit/ext/secret.h>

#include <atomic>
#include <string>

namespace godwit::bench {

class CountingHost {
 public:
  explicit CountingHost(std::string secret);
  const gw_host* table() const { return &table_; }

  bool is_ready() const { return state_ == GW_STATE_READY; }
  uint64_t accepted() const { return accepted_; }
  uint64_t others() const { return others_; }
  uint64_t receipts() const { return receipts_; }
  // What the plugin is owed on its lane.
  bool has_due_timer() { return timer_.exchange(0) != 0; }

 private:
  gw_host table_{};
  gw_secret secret_table_{};
  const std::string secret_;
  std::atomic<uint32_t> state_ = GW_STATE_STARTING;
  std::atomic<uint64_t> accepted_ = 0, others_ = 0, receipts_ = 0, timer_ = 0;
};

}  // namespace godwit::bench
