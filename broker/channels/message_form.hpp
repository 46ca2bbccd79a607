// MessageForm is a Parcel in the plugin ABI's structs: gw_msg, its targets, and the strings that they point into.
//
// The form keeps the parcel alive, so everything a plugin sees stays valid and unchanged for as long as the form is
// filled. Forms are reused: filling one for an ordinary message with one target allocates nothing.
#pragma once

#include <godwit/abi.h>

#include <memory>
#include <vector>

#include "broker/channels/port.hpp"

namespace godwit::channels {

class MessageForm {
 public:
  MessageForm() = default;
  MessageForm(const MessageForm&) = delete;
  MessageForm& operator=(const MessageForm&) = delete;

  void fill(std::shared_ptr<const Parcel> parcel, uint64_t ticket, uint32_t priority_levels);
  // The caller destroys the parcel where it suits (not under a lock).
  [[nodiscard]] std::shared_ptr<const Parcel> clear();

  const gw_msg* message() const { return &message_; }
  const Parcel& parcel() const { return *parcel_; }
  bool filled() const { return parcel_ != nullptr; }

 private:
  static void write(gw_target& out, const ParcelTarget& in);
  std::shared_ptr<const Parcel> parcel_;
  gw_msg message_{};
  gw_target one_{};
  const gw_target* one_pointer_ = &one_;
  std::vector<gw_target> many_;  // only for messages with several targets
  std::vector<const gw_target*> many_pointers_;
};

// 0 is the lowest of `levels`.
uint32_t priority_level(Priority priority, uint32_t levels);

}  // namespace godwit::channels
