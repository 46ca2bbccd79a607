// SettleBuffer collects outcomes and settles them together: one call of the host for up to 64 messages.
//
// For channels that answer within submit and count nanoseconds. Everything that an outcome's strings point to must live
// until flush() or the end of the buffer's life. One thread.
#pragma once

#include <godwit/batch.hpp>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

class SettleBuffer {
 public:
  static constexpr uint32_t kSize = 64;

  explicit SettleBuffer(const Host& host) : instance_(host.instance()) {}
  SettleBuffer(const SettleBuffer&) = delete;
  SettleBuffer& operator=(const SettleBuffer&) = delete;
  ~SettleBuffer() { flush(); }

  // Ends the whole message: every target that is open. Fills in size, ticket and target_index.
  void settle(Pending pending, gw_outcome outcome) {
    if (!pending.message_) return;
    outcome.size = sizeof outcome;
    outcome.ticket = pending.message_->ticket;
    outcome.target_index = GW_ALL_TARGETS;
    pending.message_ = nullptr;
    outcomes_[count_] = outcome;
    list_[count_] = &outcomes_[count_];
    if (++count_ == kSize) flush();
  }

  void flush() {
    if (count_ == 0) return;
    uint32_t n = std::exchange(count_, 0);
    instance_->settle(list_, n);
    instance_->gave_back(n);
  }

 private:
  Instance* instance_;
  uint32_t count_ = 0;
  gw_outcome outcomes_[kSize];
  const gw_outcome* list_[kSize];
};

}  // namespace sdk
}  // namespace godwit
