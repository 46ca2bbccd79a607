// The router's state and the steps that its calls are made of. Who reads this should start with decide.cpp (what is
// chosen) and learn.cpp (what an outcome teaches); estimate.cpp is the arithmetic between them.
#pragma once

#include <bit>
#include <boost/container/static_vector.hpp>
#include <vector>

#include "broker/base/random.hpp"
#include "broker/routing/away.hpp"
#include "broker/routing/breaker.hpp"
#include "broker/routing/cascade.hpp"
#include "broker/routing/common_mode.hpp"
#include "broker/routing/coverage.hpp"
#include "broker/routing/decay.hpp"
#include "broker/routing/device_state.hpp"
#include "broker/routing/doubt.hpp"
#include "broker/routing/health.hpp"
#include "broker/routing/histogram.hpp"
#include "broker/routing/levels.hpp"
#include "broker/routing/mixture.hpp"
#include "broker/routing/profiles.hpp"
#include "broker/routing/rates.hpp"
#include "broker/routing/router.hpp"
#include "broker/routing/select.hpp"
#include "broker/routing/strengths.hpp"

namespace godwit::routing {

constexpr double kTimeliness = 0.97;  // the soft time-out is this quantile of receipt delays

enum MemoState : uint8_t { kOpen, kSucceeded, kFailed, kConfirmed, kRejected, kNeutral };
enum MemoFlag : uint8_t {
  kReporting = 1,      // a receipt of this attempt would come back
  kSettled = 2,        // counted as settled for people
  kVendorReceipt = 4,  // kinds of receipt that have come already
  kDeviceReceipt = 8,
  kSeenVia = 16,  // success was told by another attempt's receipt
  kOpened = 32,
  kAccepted = 64,
  kJudged = 128,  // health cells have heard of it
};

struct Channel {
  Channel(ChannelTraits given, double weight);

  ChannelTraits traits;
  std::vector<double> odds;  // by manufacturer number; filled as manufacturers become known
  LogHistogram delivery, receipt;
  Breaker breaker;
  Strengths strengths;
  DeviceSpread spread;
  Mixture mixture;
  Coverage coverage;
  Doubt doubt;
  double quota_price = 0;
  bool quota_gone = false;
  uint64_t sends = 0, explored = 0, probed = 0;

  // Whether a receipt of this kind is what this channel's statistics count. Only a channel whose own label is the
  // vendor's word also takes the device's, which proves more.
  bool is_label(ReceiptKind kind) const {
    return kind == ReceiptKind::device || (kind == ReceiptKind::vendor && traits.receipts == ReceiptKind::vendor);
  }
  bool reports_itself() const { return traits.receipts >= ReceiptKind::vendor; }
};

// One device as a decision sees it at one moment.
struct DeviceView {
  const DeviceState& state;
  const Profile& profile;
  double t, fade, inverse;
  double dormant;  // P(gone for good)
};

struct Estimate {
  double mean = 0;      // receipt rate of the segment
  double rate = 0;      // receipt rate of the device: b
  double delivery = 0;  // delivery rate: q
  double health = 1;
  double successes = 0, failures = 0, kappa = 0;
  Mixture::Belief belief;  // that `rate` is the mean of
  bool reporting = true;
};

struct Router::Impl {
  explicit Impl(Options given);

  // Time. The first moment ever seen becomes the origin; restore() continues the old one.
  double time(MonoNs now);
  double time(MonoNs now) const;
  double sent_time(const AttemptMemo& memo, double t) const;
  static uint32_t minute(double t) { return static_cast<uint32_t>(t / 60); }
  static uint32_t hour(double t) { return static_cast<uint32_t>(t / 3600); }
  float half_life_min() const { return static_cast<float>(options.half_life_device_s / 60); }
  double soft_timeout_s(ChannelNo channel) const;
  void note_wall(double t, WallMs wall) { wall_at_zero_ms = wall - static_cast<int64_t>(t * 1e3); }
  WallMs sent_wall(const AttemptMemo& memo, double t) const;

  // estimate.cpp
  DeviceView view(DeviceNo device, double t) const;
  Estimate estimate(const DeviceView& device, ChannelNo channel) const;
  double known_trials(const DeviceView& device, ChannelNo channel) const;
  bool is_reporting(const DeviceState& device, ChannelNo channel) const;
  double maker_odds(ChannelNo channel, uint16_t maker) const;
  bool is_present(const Ask& ask) const;
  Silence silence(const Ask& ask, const DeviceView& device, bool all_receipts) const;

  // decide.cpp
  using Candidates = boost::container::static_vector<Candidate, kMaxChannels>;
  using Estimates = boost::container::static_vector<Estimate, kMaxChannels>;
  Sleep sleep(const Offer& offer, const Ask& ask, double t) const;
  void gather(const Ask& ask, const DeviceView& device, Candidates& out, Estimates& estimates) const;
  Decision first(const Ask& ask, double t, std::vector<CandidateView>* why);
  Decision next(const Ask& ask, double t, std::vector<CandidateView>* why);
  void appraise(const Ask& ask, const DeviceView& device, const Estimates& estimates, size_t best,
                Candidates& out) const;
  size_t probe(const Candidates& candidates, const Estimates& estimates, size_t best, const DeviceView& device) const;
  size_t cheaper_first(const Ask& ask, std::span<const Candidate> candidates, size_t costly) const;
  Decision in_order(const Ask& ask, double t) const;
  double check_after(const Ask& ask, const DeviceView& device, ChannelNo sent, std::span<const Candidate> rest) const;
  double price(ChannelNo channel, PriorityClass priority) const;

  // learn.cpp
  AttemptMemo sent(const Ask& ask, const Decision& decision, double t, MonoNs now);
  double confidence(const DeviceView& device, ChannelNo channel) const;
  Health::Sent heard_of(const AttemptMemo& memo, double t) const;
  void withdraw(const AttemptMemo& memo, bool arrived, double t);
  void judge(AttemptMemo& memo, bool success, bool proven, double t);
  float blame(const AttemptMemo& memo, double t) const;
  void remember(const AttemptMemo& memo, DeviceState& state, unsigned slot, bool success, bool corrects, double t);
  void teach_levels(const AttemptMemo& memo, bool success, double weight);
  void succeed(AttemptMemo& memo, bool was_failed, double t);
  void fail(AttemptMemo& memo, double t);
  void take_back(AttemptMemo& memo, double t);
  const Profile& profile(const AttemptMemo& memo) const {
    return profiles.at(memo.segment < profiles.size() ? memo.segment : 0);
  }
  DeviceState* learner(const AttemptMemo& memo);  // null: another installation, or never set
  void settle(AttemptMemo& memo, double t);
  void receipt(AttemptMemo& memo, ReceiptKind kind, double t, double delivered_s);
  void seen(AttemptMemo& memo, bool had_it, double t);
  void reject(AttemptMemo& memo, bool channels_fault, double t);

  // explain.cpp
  std::vector<CandidateView> explain(const Ask& ask, const DeviceView& device, const Candidates& found) const;

  // persist.cpp
  std::string save(MonoNs now, WallMs wall) const;
  Result<void> restore(std::string_view bytes, MonoNs now, WallMs wall);

  void grow();  // the shared levels follow the numbers of channels, manufacturers and segments
  void housekeeping(double t);
  void look(double t);

  Options options;
  Random random;
  ForwardDecay decay;
  DeviceTable devices;
  Profiles profiles{options.segment};
  Levels levels;
  std::vector<Channel> channels;
  std::array<Exploration, 4> explorations;  // by priority class
  RateBook book;
  Away away, away_present;  // of devices that hold no connection, and of those that do
  Health health;
  CommonMode common;
  double learned_at = 0;  // segment strengths: hourly
  double looked_at = 0;   // at the sends that wait: twice a second

  bool started = false;
  int64_t origin_ns = 0;        // router seconds 0 on the monotonic clock
  double latest = 0;            // the latest moment seen
  int64_t wall_at_zero_ms = 0;  // the wall clock at router seconds 0
  bool has_devices = false;
};

}  // namespace godwit::routing
