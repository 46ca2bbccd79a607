// Message and Target: what the host asks to deliver, as views on the host's memory.
//
// The bytes stay valid and unchanged until the message is settled, so nothing need be copied; nothing may be read
// after.
#pragma once

#include <string_view>

#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

class Target {
 public:
  explicit Target(const gw_target* raw) : raw_(raw) {}
  std::string_view address() const { return view(raw_->address); }
  std::string_view user_id() const { return view(raw_->user_id); }
  std::string_view extra() const { return view(raw_->extra); }  // JSON object, or empty
  const gw_target& raw() const { return *raw_; }

 private:
  const gw_target* raw_;
};

class Message {
 public:
  explicit Message(const gw_msg* raw) : raw_(raw) {}

  uint64_t ticket() const { return raw_->ticket; }
  std::string_view message_id() const { return view(raw_->message_id); }
  std::string_view app_id() const { return view(raw_->app_id); }

  uint32_t target_count() const { return raw_->target_count; }
  Target target(uint32_t index = 0) const { return Target(raw_->targets[index]); }  // REQUIRES: index < target_count()

  uint32_t content_kind() const { return raw_->content_kind; }  // GW_CONTENT_*
  std::string_view content() const { return view(raw_->content); }
  std::string_view vendor_options() const { return view(raw_->vendor_options); }  // JSON object, or empty
  std::string_view collapse_key() const { return view(raw_->collapse_key); }
  std::string_view trace() const { return view(raw_->trace); }

  uint64_t deadline_mono_ns() const { return raw_->deadline_mono_ns; }
  uint64_t ttl_ms() const { return raw_->ttl_ms; }
  uint32_t priority() const { return raw_->priority; }
  uint32_t attempt() const { return raw_->attempt; }
  bool is_silent() const { return raw_->flags & GW_MSG_SILENT; }
  bool is_at_most_once() const { return raw_->flags & GW_MSG_AT_MOST_ONCE; }
  bool is_dry_run() const { return raw_->flags & GW_MSG_DRY_RUN; }

  const gw_msg& raw() const { return *raw_; }

 private:
  const gw_msg* raw_;
};

}  // namespace sdk
}  // namespace godwit
