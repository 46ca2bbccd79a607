// Router: which channel should carry this message to this device now, and when is it time for the next one?
//
// Pure code: no I/O, no threads, no clock of its own; every call says what time it is, and randomness is seeded. So the
// same object runs in the broker and in the simulator, and a logged decision can be replayed. One owner (the engine's
// thread) makes all calls. Channels, devices and segments are dense numbers here; names are for explanations only.
//
// The estimates are kept for each receipt class apart: only `device` (and the app's own) receipts and `vendor`
// receipts are labels; `accepted` is never a success.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"

namespace godwit::routing {

using ChannelNo = uint8_t;  // dense, in the order of add_channel; at most kMaxChannels
using DeviceNo = uint32_t;  // dense; the registry's number
constexpr size_t kMaxChannels = 32;
constexpr ChannelNo kNoChannel = 0xff;

enum class ReceiptKind : uint8_t { none, accepted, vendor, device };
enum class PriorityClass : uint8_t { critical, high, normal, low };
enum class Mode : uint8_t { best, ordered, all };

// What the router must know of a channel instance; from the plugin's manifest and the operator's configuration.
struct ChannelTraits {
  std::string name;
  ReceiptKind receipts = ReceiptKind::accepted;  // the strongest receipt that it can report
  double prior = 0.7;                            // believed delivery rate before any measurement, 0..1
  std::vector<std::pair<std::string, double>> manufacturer_priors;  // lower-case manufacturer -> rate
  double cost = 0;                                                  // per send, in units of a message's value
  double coverage = 1.0;       // share of real deliveries that come back as receipts
  double dedupe = 1.0;         // chance that a second arrival on this channel is not shown twice
  double typical_delay_s = 2;  // prior of the receipt delay
  bool connection = false;     // our own long connection: usable only while the device is online
  bool costly = false;         // METERED: never sent automatically twice
  uint8_t path = 0;  // channels of another path still reach a device that is silent on this one (data 0, SMS 1)
};

// What decides a device's segment.
struct DeviceTraits {
  std::string_view manufacturer, platform, os_version, region, app_version;
};

// Which of them split a manufacturer's phones into segments, in which outcomes are pooled. More of them tell devices
// apart better, fewer are learned sooner.
struct SegmentKeys {
  bool os = true, region = true, app_version = false;  // os: platform and major version
  bool operator==(const SegmentKeys&) const = default;
};

enum class Sleep : uint8_t {
  awake,
  no_token,
  offline,
  disabled,
  draining,
  held,
  down,
  quota,
  breaker_open,
  not_allowed,
  unsupported
};
std::string_view to_string(Sleep why);

// A channel that the dispatcher offers for this message and device, or the reason why it cannot be used now.
struct Offer {
  ChannelNo channel;
  Sleep sleep = Sleep::awake;
};

// What a sent attempt must remember until its outcome is known; the engine stores it and hands it back unchanged.
struct AttemptMemo {
  DeviceNo device = 0;
  ChannelNo channel = kNoChannel;
  uint8_t rank = 0;   // 0 = first send of the message to this device
  uint8_t state = 0;  // the router's own
  uint8_t flags = 0;
  float rate = 0;  // the frozen estimates that the outcome will be judged against
  float health = 1;
  float weight = 0;  // of a provisional failure, so that it can be taken back exactly
  uint32_t segment = 0;
  uint16_t generation = 0;  // of the device's installation
  uint16_t common = 0;      // how all other channels fared at the send, in 1/65535 of 1.05
  float mean = 0;           // the segment's rate, against which the device's own outcomes were set
  MonoNs sent_ns = 0;
  float expected = 0;    // chance of a receipt before the soft time-out, without the channel's health
  uint16_t novelty = 0;  // what this outcome tells the segment, in 1/65535 (a device's tenth tells little)
  uint16_t dormant = 0;  // P(device is gone for good) at the send, in 1/65535
};
static_assert(sizeof(AttemptMemo) <= 48);

// What is known of an attempt's outcome.
enum class Told : uint8_t { nothing, arrived, silent, refused };
std::string_view to_string(Told what);
Told told(const AttemptMemo& memo);

struct Ask {
  DeviceNo device = 0;
  PriorityClass priority = PriorityClass::normal;
  Mode mode = Mode::best;
  std::span<const Offer> offers;          // in the caller's order for Mode::ordered
  std::span<const AttemptMemo> attempts;  // earlier sends of this message to this device, oldest first
  double age_s = 0, left_s = 0;           // since acceptance; until the deadline
  bool allow_costly = true;
};

// One channel in an explanation. Sleeping ones carry the reason and no numbers.
struct CandidateView {
  ChannelNo channel = kNoChannel;
  Sleep sleep = Sleep::awake;
  double p = 0;              // chance that this send leads to a delivery in time
  double utility = 0;        // value * p - cost
  double rate = 0;           // device estimate, before health and deadline
  double low = 0, high = 0;  // 95 % credible interval of `rate`
  double segment_rate = 0;
  double samples = 0;  // effective sample size behind the segment's rate
  double device_successes = 0, device_failures = 0;
  double health = 1;
  double in_time = 1;
  ReceiptKind kind = ReceiptKind::none;
  double kappa = 0;       // trials that the segment's rate is worth against the device's own outcomes
  double propensity = 0;  // probability that first() sends here
  bool alarmed = false;   // a health cell that covers this device and channel has tripped
  bool reporting = true;  // receipts of this device come back on this channel
};

enum class Action : uint8_t { send, wait, stop };
enum class Reason : uint8_t {
  exploit,
  explore,
  probe,
  audit,
  ordered,
  fallback,
  only_one,
  nothing_awake,
  no_gain,
  used_up
};
std::string_view to_string(Reason why);

struct Decision {
  Action action = Action::stop;
  ChannelNo channel = kNoChannel;  // when action is send
  double wait_s = 0;               // when action is wait: look again after this time
  double next_check_s = 0;         // when action is send: how long silence may last before next() is asked
  Reason reason = Reason::nothing_awake;
  double p = 0, utility = 0;
  double propensity = 1;  // probability with which this policy chose this channel here
  double reach = 1;       // P(device can be reached | the silence so far)
  // Other channels that were awake, at no cost beyond the copy: an explanation for every decision, where the full one
  // (`why`) is for a few.
  struct Other {
    ChannelNo channel = kNoChannel;
    float p = 0;
  };
  std::array<Other, 4> others;
};

// A delivery rate as operators see it.
struct RateRow {
  ChannelNo channel = kNoChannel;
  std::string manufacturer, os, app_version;  // empty where not grouped by
  ReceiptKind kind = ReceiptKind::none;
  double sent = 0, delivered = 0, opened = 0;  // counts inside the window, undecayed
  double rate = 0, low = 0, high = 0;          // delivered / settled with a 95 % credible interval (Jeffreys)
  double median_delay_s = 0;
  double settled = 0;  // the sample that the rate and its interval rest on: outcomes known of this kind
};
struct RateQuery {
  bool by_manufacturer = false, by_os = false, by_app_version = false;
  WallMs from_ms = 0, now_ms = 0;  // 0 where the asker has no clock: the engine takes the last day
};

// So many of so many messages arrived, since the vendor last told.
struct VendorFigures {
  uint32_t of = 0, delivered = 0, opened = 0;
};

// A health cell that has tripped: this channel, for this part of the fleet, delivers less than it did.
struct Alarm {
  ChannelNo channel = kNoChannel;
  std::string manufacturer, os, region;  // empty: everybody
  MonoNs since_ns = 0;
  double health = 1;  // share of the expected deliveries that still arrive
};

// What a channel looks like as a whole, for operators and metrics.
struct ChannelView {
  ChannelNo channel = kNoChannel;
  std::string name;
  double rate = 0, samples = 0;  // fleet-wide receipt rate, decayed
  double coverage = 1;           // share of deliveries whose receipt comes back, measured
  bool blackout = false;         // receipts are lost while deliveries are fine
  bool doubted = false;          // it reports deliveries to phones that it hardly reached before: nothing is learned
  bool breaker_open = false;
  double breaker_left_s = 0;
  double soft_timeout_s = 0, median_receipt_s = 0, p95_receipt_s = 0;
  double quota_price = 0;
  uint64_t sends = 0, explored = 0, probed = 0;
  uint64_t alarms_raised = 0;  // since the start, on all cells of the channel
};

struct Options {
  uint64_t seed = 1;
  double half_life_shared_s = 24 * 3600.0, half_life_device_s = 10 * 24 * 3600.0;
  std::array<double, 4> exploration = {0, 0.0005, 0.002, 0.002};  // expected deliveries a class may lose per message
  std::array<double, 4> value = {10, 2, 0.5, 0.3};                // value of a delivery by priority class
  double duplicate_penalty = 0.3;
  double audit_share = 0;  // of normal and low: uniform over the candidates, for replay
  unsigned max_sends = 4;
  double min_wait_s = 0.5, max_wait_s = 120;  // bounds of the learned time-out
  SegmentKeys segment{};
};

class Router {
 public:
  explicit Router(Options options);
  ~Router();

  // Channels. A known name gets its old number and statistics back.
  ChannelNo add_channel(const ChannelTraits& traits);

  // Devices. `set_device` also moves it to another segment; the statistics survive, as routing.md's table says.
  // `reports`: channels whose receipts this device's app version sends; unknown: as the channels declare, and an
  // acceptance-only channel counts from the first receipt that the app itself sent for it.
  void set_device(DeviceNo device, const DeviceTraits& traits, uint32_t token_mask,
                  std::optional<uint32_t> reports = std::nullopt);
  void reinstalled(DeviceNo device);  // a token changed: old outcomes speak for another installation
  void forget_device(DeviceNo device);
  void alive(DeviceNo device, MonoNs now);  // any sign of life: connected, polled, opened

  // For a message that was just parsed and will be decided in a moment.
  void prefetch(DeviceNo device) const;

  // Decisions. `why`, when given, is filled with every offered channel, best first.
  Decision first(const Ask& ask, MonoNs now, std::vector<CandidateView>* why = nullptr);
  Decision next(const Ask& ask, MonoNs now, std::vector<CandidateView>* why = nullptr);
  // The ranking of first() without choosing: no randomness is used and nothing changes.
  std::vector<CandidateView> ranking(const Ask& ask, MonoNs now) const;

  // What happened. Each returns nothing and never fails; the memo is updated in place.
  AttemptMemo sent(const Ask& ask, const Decision& decision, MonoNs now, WallMs wall);
  void accepted(AttemptMemo& memo, MonoNs now);                       // the vendor took it
  void rejected(AttemptMemo& memo, bool channels_fault, MonoNs now);  // explicit refusal; not the device's fault
  void token_invalid(AttemptMemo& memo, MonoNs now);
  void silent(AttemptMemo& memo, MonoNs now);  // the soft time-out passed without a receipt
  // Also late ones, also after silent(), also twice. `delivered_s`: send to delivery, where the device tells it.
  void receipt(AttemptMemo& memo, ReceiptKind kind, MonoNs now, WallMs wall, double delivered_s = -1);
  // A receipt of another attempt told whether the device had got this one too (its set of channels).
  void seen(AttemptMemo& memo, bool had_it, MonoNs now, WallMs wall);
  void opened(AttemptMemo& memo, WallMs wall);
  // What a vendor tells about whole pushes and not about devices: rates of kind vendor for people. No device learns
  // from it, because it names none.
  void figures(ChannelNo channel, std::string_view manufacturer, WallMs sent_ms, const VendorFigures& told);

  // An application-wide quota of the channel: how much is used, and how much of its period is over (both 0..1).
  // Normal and low messages pay a rising price while use runs ahead; at 1 the channel sleeps.
  void quota(ChannelNo channel, double used, double elapsed);

  // For people.
  std::vector<RateRow> rates(const RateQuery& query) const;
  std::vector<Alarm> alarms() const;
  std::vector<ChannelView> channels(MonoNs now) const;
  ChannelView channel(ChannelNo channel, MonoNs now) const;  // REQUIRES: it was added
  double soft_timeout_s(ChannelNo channel) const;  // after which silence counts as a provisional failure

  // Persistence: versioned bytes; restore answers an error and changes nothing when they are damaged. The wall clock
  // carries the decay over a restart, in which the monotonic one starts anew. Attempts in flight are the engine's.
  // REQUIRES (restore): no device was set yet. Channels may have been added; they keep their numbers.
  std::string save(MonoNs now, WallMs wall) const;
  Result<void> restore(std::string_view bytes, MonoNs now, WallMs wall);

  size_t bytes_per_device() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::routing
