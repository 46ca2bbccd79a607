// The bodies of the journal records that a message leaves behind. The byte format stands in docs/formats/message.md.
//
// Every body begins with a version byte and the message id, so that a scan for one message compares 17 bytes a record.
// Devices and channels are named by their ids, never by numbers: a record means the same on another node and after a
// configuration was reordered. Decoders take any bytes, never throw, and answer nullopt for what no encoder wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/message/message.hpp"

namespace godwit::records {

// ---- ACCEPT: the message itself

void put_accept(std::string& out, const Message& message);
std::optional<Message> get_accept(std::string_view body);

// The part that tells "the same request again" from another one: everything that the caller said.
uint64_t body_hash(const Message& message);

// The cheap part of an ACCEPT or CARRY, for rebuilding idempotency keys. `app` points into the body.
struct AcceptHeader {
  MessageId id;
  WallMs accepted_ms = 0;
  Hash128 idempotency_key;  // nil: none
  uint64_t body_hash = 0;
  std::string_view app;
};
std::optional<AcceptHeader> get_accept_header(std::string_view body);

// The message id of any record of this file.
std::optional<MessageId> get_id(std::string_view body);

// ---- OUTCOME: how far one delivery has come; each one replaces the earlier ones of its message and device

struct Attempt {
  std::string channel;
  uint8_t number = 1;
  uint8_t result = 0;  // Disposition of the channels' port; kInFlight: no answer yet
  int http_status = 0;
  WallMs started_ms = 0, settled_ms = 0;
  std::string vendor_id, vendor_code, vendor_detail;
  uint8_t why = 0;  // reason of the router's decision
  float p = 0;      // what it expected
  bool operator==(const Attempt&) const = default;
};
constexpr uint8_t kInFlight = 0xff;

struct Receipt {
  ReceiptEvent event = ReceiptEvent::delivered;
  ReceiptSource source = ReceiptSource::device;
  std::string channel;  // empty when the app reported it
  WallMs at_ms = 0;
  bool operator==(const Receipt&) const = default;
};

struct Progress {
  std::string device_id;  // empty: no device (then `name` is the audience's name that nobody answered to)
  std::string name;
  DeliveryState state = DeliveryState::planned;
  bool final = false;
  uint8_t reason = 0;  // engine/state.hpp
  WallMs planned_ms = 0, final_ms = 0;
  std::vector<Attempt> attempts;
  std::vector<Receipt> receipts;
  bool operator==(const Progress&) const = default;
};
void put_outcome(std::string& out, MessageId id, const Progress& progress);
struct Outcome {
  MessageId id;
  Progress progress;
};
std::optional<Outcome> get_outcome(std::string_view body);

// ---- RECEIPT

struct ReceiptOf {
  MessageId id;
  std::string device_id;
  Receipt receipt;
};
void put_receipt(std::string& out, MessageId id, std::string_view device_id, const Receipt& receipt);
std::optional<ReceiptOf> get_receipt(std::string_view body);

// ---- INTENT: the next call of a costly channel is about to be made

struct Intent {
  MessageId id;
  std::string device_id, channel;
  uint8_t number = 1;
  WallMs at_ms = 0;
};
void put_intent(std::string& out, const Intent& intent);
std::optional<Intent> get_intent(std::string_view body);

// ---- CANCEL

struct Cancel {
  MessageId id;
  WallMs at_ms = 0;
};
void put_cancel(std::string& out, const Cancel& cancel);
std::optional<Cancel> get_cancel(std::string_view body);

// ---- CURSOR: every device numbered below `next` has been planned or passed over

struct Cursor {
  MessageId id;
  uint64_t next = 0;
  uint64_t planned = 0;  // deliveries so far
  bool done = false;
};
void put_cursor(std::string& out, const Cursor& cursor);
std::optional<Cursor> get_cursor(std::string_view body);

// ---- CARRY: an open message with all its progress; replaces everything that was written about it before

struct Carry {
  Message message;
  bool planned = false, cancelled = false;
  std::optional<Cursor> fanout;  // its id is the message's
  // Deliveries that are final and no longer held one by one (of fan-outs), by DeliveryState.
  std::vector<uint64_t> dropped;
  std::vector<Progress> deliveries;
};
void put_carry(std::string& out, const Carry& carry);
std::optional<Carry> get_carry(std::string_view body);

// ---- CHECKPOINT

struct Checkpoint {
  uint64_t replay_from = 0;
  WallMs at_ms = 0;
};
void put_checkpoint(std::string& out, const Checkpoint& checkpoint);
std::optional<Checkpoint> get_checkpoint(std::string_view body);

}  // namespace godwit::records
