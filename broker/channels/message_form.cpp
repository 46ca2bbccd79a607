#include "broker/channels/message_form.hpp"

#include <algorithm>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {

uint32_t priority_level(Priority priority, uint32_t levels) {
  if (levels <= 1) return 0;
  const uint32_t top = levels - 1;
  switch (priority) {
    case Priority::critical:
      return top;
    case Priority::high:
      return levels >= 4 ? top - 1 : top;
    case Priority::normal:
      return levels >= 3 ? 1 : 0;
    case Priority::low:
      return 0;
  }
  return 0;
}

void MessageForm::write(gw_target& out, const ParcelTarget& in) {
  out.size = sizeof out;
  out.flags = 0;
  out.address = to_gw(in.address);
  out.user_id = to_gw_or_absent(in.user_id);
  out.extra = to_gw_or_absent(in.extra);
}

void MessageForm::fill(std::shared_ptr<const Parcel> parcel, uint64_t ticket, uint32_t priority_levels) {
  parcel_ = std::move(parcel);
  const Parcel& p = *parcel_;
  const Message& m = *p.message;

  message_ = gw_msg{};
  message_.size = sizeof message_;
  message_.flags =
      (m.silent ? GW_MSG_SILENT : 0) | (p.at_most_once ? GW_MSG_AT_MOST_ONCE : 0) | (p.dry_run ? GW_MSG_DRY_RUN : 0);
  message_.ticket = ticket;
  message_.message_id = to_gw(p.message_id_text);
  message_.app_id = to_gw(m.app);
  message_.content_kind = GW_CONTENT_NOTIFICATION;
  message_.content = to_gw(m.content);
  message_.vendor_options = to_gw_or_absent(p.vendor_options);
  message_.collapse_key = to_gw_or_absent(m.collapse_key);
  message_.deadline_mono_ns = static_cast<uint64_t>(std::max<MonoNs>(0, p.deadline_ns));
  message_.ttl_ms = static_cast<uint64_t>(std::max<int64_t>(0, p.ttl_ms));
  message_.priority = priority_level(m.priority, priority_levels);
  message_.attempt = p.attempt;

  message_.target_count = static_cast<uint32_t>(p.targets.size());
  if (p.targets.size() == 1) {
    write(one_, p.targets.front());
    message_.targets = &one_pointer_;
    return;
  }
  many_.resize(p.targets.size());
  many_pointers_.resize(p.targets.size());
  for (size_t i = 0; i < p.targets.size(); ++i) {
    write(many_[i], p.targets[i]);
    many_pointers_[i] = &many_[i];
  }
  message_.targets = many_pointers_.data();
}

std::shared_ptr<const Parcel> MessageForm::clear() {
  return std::move(parcel_);
}

}  // namespace godwit::channels
