// Rendering keeps the last message's payload: a message to many devices comes as many messages in a row, and what they
// are sent is the same. Lane only.
#pragma once

#include <string>

#include "push.hpp"

namespace apns {

class Rendering {
 public:
  // Valid until the next call.
  godwit::Result<const Rendered*> of(const Config& config, const godwit::Message& message, uint64_t wall_ms) {
    if (is_of(message)) return &rendered_;
    auto rendered = render(config, message, wall_ms);
    if (!rendered) {
      content_.clear();
      return std::move(rendered).error();
    }
    rendered_ = std::move(*rendered);
    content_ = message.content();
    options_ = message.vendor_options();
    collapse_key_ = message.collapse_key();
    shape_ = shape_of(message);
    return &rendered_;
  }

 private:
  bool is_of(const godwit::Message& m) const {
    return !content_.empty() && rendered_.message_id == m.message_id() && content_ == m.content() &&
           options_ == m.vendor_options() && collapse_key_ == m.collapse_key() && shape_ == shape_of(m);
  }
  static uint64_t shape_of(const godwit::Message& m) {
    return m.raw().flags | uint64_t{m.priority()} << 32 | uint64_t{m.content_kind()} << 40 |
           (m.target().address().starts_with("broadcast:") ? UINT64_C(1) << 48 : 0);
  }

  Rendered rendered_;
  std::string content_, options_, collapse_key_;  // what it was made of
  uint64_t shape_ = 0;
};

}  // namespace apns
