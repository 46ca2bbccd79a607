// What the engine remembers of messages that are open or were finished lately. Plain data; the verbs are Core's.
//
//   Message entry  1 ── n  Delivery  1 ── n  Attempt        one message, one device, one try on one channel
//
// Everything hangs together by slab numbers. Times that people see are wall time, deadlines are monotonic.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/channels/port.hpp"
#include "broker/engine/slab.hpp"
#include "broker/message/message.hpp"
#include "broker/planner/timer_wheel.hpp"
#include "broker/registry/registry.hpp"
#include "broker/routing/router.hpp"

namespace godwit::engine {

using MessageIx = uint32_t;
using DeliveryIx = uint32_t;
using AttemptIx = uint32_t;
using ReceiptIx = uint32_t;

// Why a delivery ended as it did, or waits. Stored in the journal: append only.
enum class Reason : uint8_t {
  none,
  no_device,   // nobody answers to the name
  no_channel,  // the device has no channel that could carry this message
  collapsed,   // a newer message with the same collapse key took its place
  device_removed,
  ttl,              // its time ended before a vendor took it
  outcome_unknown,  // a costly call had no answer and must not be repeated; no vendor report came
  refused,          // the channels refused the content
  token_invalid,    // every registration token turned out dead
  unreachable,
  config,         // our credentials or account with the vendors
  tries_used_up,  // temporary failures to the end
  cancelled,
  // Cancelled when a channel had taken it already, and asked back:
  recall_asked,   // no answer yet
  recalled,       // the vendor took the wish
  recall_failed,  // it did not; or it was too late, or could not be asked
};
constexpr size_t kReasons = static_cast<size_t>(Reason::recall_failed) + 1;
constexpr bool is_recall(Reason r) {
  return r >= Reason::recall_asked;
}
std::string_view to_string(Reason);

struct Receipt {
  ReceiptEvent event;
  ReceiptSource source;
  ChannelNo channel;  // kAppItself when the app reported it
  ReceiptIx next = kNone;
  WallMs at_ms;
};
constexpr ChannelNo kAppItself = 0xff;

// What the vendor said, kept apart: most attempts have nothing worth keeping, and the targets of one call share it.
struct VendorWords {
  std::string id, code, detail;
};

// Another channel that was looked at when one was chosen.
struct Considered {
  ChannelNo channel = 0xff;
  routing::Sleep sleep = routing::Sleep::awake;
  uint16_t p = 0;  // chance of delivery in 1/10000; 0 when asleep
};

// The router's decision, compact: the sentence is made when somebody asks.
struct Choice {
  routing::Reason reason = routing::Reason::nothing_awake;
  float p = 0, utility = 0, propensity = 1, reach = 1, next_check_s = 0;
  std::array<Considered, 4> considered;
};

struct Attempt {
  enum class Phase : uint8_t { queued, intent, in_flight, settled };

  routing::AttemptMemo memo;  // valid from in_flight on; none when memo.channel is kNoChannel
  Choice choice;
  WallMs started_ms = 0, settled_ms = 0;
  std::shared_ptr<const VendorWords> words;
  DeliveryIx delivery = kNone;
  AttemptIx next = kNone;  // of the same delivery
  uint32_t flight = kNone;
  int16_t http_status = 0;
  ChannelNo channel = 0;
  uint8_t number = 1;
  Phase phase = Phase::queued;
  Disposition result = Disposition::unknown;  // once settled
  bool costly = false;                        // INTENT is durable
  bool silence_told = false;                  // the router knows that no receipt came in time
};

// What a delivery waits for; one thing at a time, beside its end.
enum class Wake : uint8_t {
  none,
  retry,    // the back-off of `retry_channel` is over
  silence,  // no receipt so far: the router says what next
  rest,     // the cascade is over; receipts may still come
  parked,   // no channel can be used now; look again
};

struct Delivery {
  MessageIx message = kNone;
  DeviceNo device = kNoDevice;                          // kNoDevice: a bare token, or nobody
  uint32_t name = 0;                                    // then: place in the audience's names
  DeliveryIx next = kNone;                              // of the same message
  DeliveryIx device_prev = kNone, device_next = kNone;  // open deliveries of the device
  AttemptIx first_attempt = kNone, last_attempt = kNone;
  ReceiptIx receipts = kNone;
  planner::TimerWheel::Id timer = planner::TimerWheel::kNone;
  uint64_t inbox_seq = 0;  // place in the device's inbox; grows
  WallMs planned_ms = 0, final_ms = 0;
  uint32_t closed_channels = 0;  // bit: will not be offered again for this delivery
  uint32_t worn_channels = 0;    // bit: closed only until the next look, because tries or tokens were used up
  DeliveryState state = DeliveryState::planned;
  Reason reason = Reason::none;
  Wake wake = Wake::none;
  ChannelNo retry_channel = 0;
  uint8_t attempts = 0, live = 0;  // tries so far; of those queued or in flight
  uint8_t failures = 0;            // in a row on retry_channel
  uint8_t looks = 0;               // times it was parked: the next look is later
  uint8_t events = 0;              // bit per ReceiptEvent: counted already
  bool final = false;
  bool bare_token = false;
  bool listed = false;        // in the device's list
  bool cascade_over = false;  // no further channel will be tried (but our own connection, when it comes)
  bool waits_for_presence = false;
  bool parked_listed = false;  // in the list of those to look at when a channel wakes up
  bool cancel_wished = false;
  bool superseded = false;        // collapsed by a newer one when it was out already
  bool outcome_due = false;       // changed since its last OUTCOME record
  bool in_fanout_window = false;  // counts against the bound of work that fan-outs may have open
};

struct FanOut {
  DeviceNo next = 1;       // every device below has been planned or passed over
  uint64_t planned = 0;    // deliveries so far
  uint64_t cursor_at = 0;  // `planned` at the last CURSOR record
  uint64_t open = 0;       // deliveries that are not final
  bool done = false;
  boost::unordered_flat_set<DeviceNo> skip;  // after a restart: devices beyond `next` that were planned before
};

struct MessageEntry {
  MessagePtr message;
  uint16_t app = 0;  // index of its App
  DeliveryIx first = kNone, last = kNone;
  uint32_t deliveries = 0;  // in the list
  uint32_t open = 0;        // not final
  MessageCounts counts;
  uint64_t position = 0;       // of its ACCEPT or its last CARRY in the journal
  uint64_t collapse_hash = 0;  // 0: no collapse key
  MonoNs expires_ns = 0;
  uint32_t channel_mask = 0;                                   // channels that it may use
  planner::TimerWheel::Id timer = planner::TimerWheel::kNone;  // deliver_at
  std::unique_ptr<FanOut> fanout;
  // Deliveries of a fan-out that ended and were let go; indexed by state.
  std::unique_ptr<std::array<uint64_t, 9>> dropped;
  bool planned = false, cancelled = false, complete = false;
  bool indexed = false;  // its deliveries are found through Core::by_device_
};

}  // namespace godwit::engine
