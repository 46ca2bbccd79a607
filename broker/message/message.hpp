// The vocabulary of a message's life, shared by intake, planner, dispatch, engine and api. Values only, no behaviour
// beyond names. The JSON shapes stand in docs (OpenAPI); the state machine in ARCHITECTURE.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/hash.hpp"
#include "broker/base/message_id.hpp"

namespace godwit {

enum class Priority : uint8_t { critical, high, normal, low };
enum class MessageClass : uint8_t { transactional, marketing };
enum class RoutingMode : uint8_t { best, all, ordered };
enum class AudienceKind : uint8_t { user, users, device, devices, token, topic, all };

std::string_view to_string(Priority);
std::string_view to_string(MessageClass);
std::string_view to_string(RoutingMode);
std::string_view to_string(AudienceKind);
std::optional<Priority> priority_from(std::string_view);
std::optional<MessageClass> message_class_from(std::string_view);
std::optional<RoutingMode> routing_mode_from(std::string_view);

// Whom a message is for. `names`: user ids, device ids, one topic, or one token (then `channel` says whose).
struct Audience {
  AudienceKind kind = AudienceKind::user;
  std::string channel;
  std::vector<std::string> names;
};

// A message as it was accepted. Immutable afterwards, shared by everything that works on it.
struct Message {
  MessageId id;
  std::string app;
  Audience to;

  // What the device gets: a JSON object {"notification":{…},"data":{…}} with the members that the caller gave.
  std::string content;
  // Per channel or plugin name a JSON object that goes to that channel only: [("apns", "{…}")].
  std::vector<std::pair<std::string, std::string>> overrides;

  Priority priority = Priority::normal;
  MessageClass message_class = MessageClass::transactional;
  RoutingMode routing = RoutingMode::best;
  bool silent = false;
  std::string collapse_key;
  std::vector<std::string> channels;  // allowed channel instances, in the caller's order; empty: all of the app's

  int64_t ttl_ms = 0;  // life after deliver_at
  WallMs accepted_ms = 0;
  WallMs deliver_at_ms = 0;  // equals accepted_ms unless scheduled
  WallMs expires_ms() const { return deliver_at_ms + ttl_ms; }

  // Producer-side de-duplication; nil when the caller gave no key.
  Hash128 idempotency_key;  // stable_hash128(app, key)
  uint64_t body_hash = 0;   // tells "the same again" from "the same key with another body"
};
using MessagePtr = std::shared_ptr<const Message>;

// Where a delivery (one message to one device) stands. The order is the order of life; see `is_final`.
enum class DeliveryState : uint8_t {
  planned,     // the device is in the audience; nothing has been tried (scheduled, waiting for a channel)
  attempted,   // handed to a channel, no answer yet
  sent,        // a vendor took it; no receipt yet, or none to be had
  delivered,   // a receipt says so
  opened,      // … and the person opened it
  suppressed,  // collapsed by a newer message, opted out, no device
  failed,      // every channel refused for good
  expired,     // its time-to-live ended before a vendor took it
  cancelled,
};
std::string_view to_string(DeliveryState);

enum class ReceiptEvent : uint8_t { delivered, displayed, opened, dismissed };
std::string_view to_string(ReceiptEvent);
std::optional<ReceiptEvent> receipt_event_from(std::string_view);

enum class ReceiptSource : uint8_t { accepted, vendor, device };  // the receipt kind of api.md §5
std::string_view to_string(ReceiptSource);

// How many deliveries of a message have reached each state. Those on the path count everything that got at least so far
// (a delivered one counts as attempted, sent and delivered); the rest count where deliveries ended.
struct MessageCounts {
  uint64_t accepted = 0, attempted = 0, sent = 0, delivered = 0, opened = 0;
  uint64_t suppressed = 0, failed = 0, expired = 0, cancelled = 0;
};

}  // namespace godwit
