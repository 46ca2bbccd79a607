// What the engine remembers of messages that are open or were finished lately. Plain data: MessageBook keeps it whole,
// the verbs are Core's.
//
//   Message entry  1 ── n  Delivery  1 ── n  Attempt        one message, one device, one try on one channel
//
// Everything hangs together by slab numbers. Times that people see are wall time, deadlines are monotonic. A million
// deliveries may wait for their receipts at once, so each byte of a Delivery or an Attempt is a megabyte.
#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/channels/port.hpp"
#include "broker/engine/slab.hpp"
#include "broker/engine/vendor_words.hpp"
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

// Milliseconds after a message's deliver_at; MessageEntry turns them into wall time and back. Seven weeks fit, and no
// message lives longer.
using SinceMs = uint32_t;

// Another channel that was looked at when one was chosen.
struct Considered {
  ChannelNo channel = 0xff;
  routing::Sleep sleep = routing::Sleep::awake;
  uint16_t p = 0;  // chance of delivery in 1/10000; 0 when asleep
};

// A probability in two bytes, finer than anybody is shown.
class Share {
 public:
  Share() = default;
  Share(double p) : share_(static_cast<uint16_t>(std::clamp(p, 0.0, 1.0) * 65'535 + 0.5)) {}
  operator float() const { return static_cast<float>(share_) / 65'535; }

 private:
  uint16_t share_ = 0;
};

// The router's decision, compact: the sentence is made when somebody asks.
struct Choice {
  std::array<Considered, 4> considered;
  float utility = 0, next_check_s = 0;
  Share p, propensity = 1, reach = 1;
  routing::Reason reason = routing::Reason::nothing_awake;
};

struct Attempt {
  enum class Phase : uint8_t { queued, intent, in_flight, settled };

  routing::AttemptMemo memo;  // valid from in_flight on; none when memo.channel is kNoChannel
  VendorWordsPtr words;
  Choice choice;
  SinceMs started = 0, settled = 0;  // valid from in_flight on, and once settled
  DeliveryIx delivery = kNone;
  AttemptIx next = kNone;  // of the same delivery
  uint32_t flight = kNone;
  ChannelNo channel = 0;
  uint8_t number = 1;
  Disposition result = Disposition::unknown;  // once settled
  Phase phase : 2 = Phase::queued;
  bool costly : 1 = false;        // INTENT is durable
  bool silence_told : 1 = false;  // the router knows that no receipt came in time
};
static_assert(sizeof(Attempt) <= 112);

// What a delivery waits for; one thing at a time, beside its end.
enum class Wake : uint8_t {
  none,
  retry,    // the back-off of `retry_channel` is over
  silence,  // no receipt so far: the router says what next
  rest,     // the cascade is over; receipts may still come
  parked,   // no channel can be used now; look again
};

struct Delivery {
  union {
    uint64_t inbox_seq = 0;  // place in the device's inbox; grows
    uint32_t name;           // without a device: place in the audience's names
  };
  MessageIx message = kNone;
  DeviceNo device = kNoDevice;                          // kNoDevice: a bare token, or nobody
  DeliveryIx next = kNone;                              // of the same message
  DeliveryIx device_prev = kNone, device_next = kNone;  // open deliveries of the device
  AttemptIx first_attempt = kNone;
  ReceiptIx receipts = kNone;
  planner::TimerWheel::Id timer = planner::TimerWheel::kNone;
  SinceMs planned = 0, ended = 0;  // ended: once final
  uint32_t closed_channels = 0;    // bit: will not be offered again for this delivery
  uint32_t worn_channels = 0;      // bit: closed only until the next look, because tries or tokens were used up
  uint8_t attempts = 0, live = 0;  // tries so far; of those queued or in flight
  uint8_t failures = 0;            // in a row on retry_channel
  DeliveryState state : 4 = DeliveryState::planned;
  Reason reason : 4 = Reason::none;
  Wake wake : 3 = Wake::none;
  ChannelNo retry_channel : 5 = 0;
  uint8_t looks : 3 = 0;   // times it was parked, kMostLooks at most: the next look is later
  uint8_t events : 5 = 0;  // bit per ReceiptEvent: counted already
  bool final : 1 = false;
  bool bare_token : 1 = false;
  bool listed : 1 = false;        // in the device's list
  bool cascade_over : 1 = false;  // no further channel will be tried (but our own connection, when it comes)
  bool waits_for_presence : 1 = false;
  bool parked_listed : 1 = false;  // in the list of those to look at when a channel wakes up
  bool cancel_wished : 1 = false;
  bool superseded : 1 = false;        // collapsed by a newer one when it was out already
  bool outcome_due : 1 = false;       // changed since its last OUTCOME record
  bool in_fanout_window : 1 = false;  // counts against the bound of work that fan-outs may have open
};
constexpr uint8_t kMostLooks = 7;
static_assert(sizeof(Delivery) <= 64);
static_assert(kReasons <= 16 && routing::kMaxChannels <= 32);

struct FanOut {
  DeviceNo next = 1;       // every device below has been planned or passed over
  uint64_t planned = 0;    // deliveries so far
  uint64_t cursor_at = 0;  // `planned` at the last CURSOR record
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
  bool indexed = false;  // its deliveries are found by a map

  SinceMs since(WallMs at) const {
    return static_cast<SinceMs>(std::clamp<int64_t>(at - message->deliver_at_ms, 0, UINT32_MAX));
  }
  WallMs at(SinceMs since) const { return message->deliver_at_ms + since; }
};

// A parcel that is with a channel.
struct Flight {
  std::shared_ptr<const Parcel> parcel;
  AttemptIx single = kNone;
  std::vector<AttemptIx> many;  // instead of `single`, for parcels with several targets
  uint32_t open = 0;            // not settled yet
};

}  // namespace godwit::engine
