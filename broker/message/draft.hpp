// What goes into intake and what comes out of it.
#pragma once

#include <optional>
#include <string>

#include "broker/message/message.hpp"

namespace godwit {

// A checked message without what intake adds (id, times).
struct MessageDraft {
  Message message;              // id nil; accepted_ms 0; deliver_at_ms 0 when not scheduled
  std::string idempotency_key;  // as the caller gave it; empty: none
};

struct AcceptAnswer {
  MessageId id;
  bool repeated = false;               // the idempotency key was seen before: this is the first answer again
  std::optional<uint64_t> recipients;  // devices addressed; unknown while a fan-out is still counting
  DeliveryState state = DeliveryState::planned;
};

}  // namespace godwit
