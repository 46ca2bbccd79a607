#include "sim/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <queue>

#include "sim/chance.hpp"
#include "sim/limits.hpp"

namespace godwit::sim {

namespace {

using namespace godwit::routing;

enum class Due : uint8_t { check, silent, receipt };

struct Timer {
  double t;
  uint64_t order;  // equal times: first come, first served
  uint32_t flight;
  Due due;
  uint8_t attempt;
  bool operator>(const Timer& o) const { return t != o.t ? t > o.t : order > o.order; }
};

class Engine {
 public:
  Engine(Source& source, Policy& policy, Play play)
      : source_(source),
        setting_(source.setting()),
        policy_(policy),
        play_(play),
        limits_(setting_),
        score_(setting_, setting_.duplicate_penalty) {
    for (const Event& e : setting_.events)
      if (e.watch && e.channel != "*") watches_.emplace_back(setting_, e);
  }

  Score play(const std::function<void(double)>& progress) {
    const auto started = std::chrono::steady_clock::now();
    DeviceChange change;
    Message message;
    double next_report = 0;
    Source::Kind kind;
    while ((kind = source_.next(change, message)) != Source::Kind::end) {
      const double t = kind == Source::Kind::device ? change.t : message.t;
      run_until(t);
      if (kind == Source::Kind::device) {
        policy_.device(change);
        for (ReactionWatch& w : watches_) w.device(change);
      } else {
        accept(message);
      }
      if (progress && t >= next_report) {
        progress(t / setting_.end_s);
        next_report = t + setting_.end_s / 100;
      }
    }
    run_until(std::numeric_limits<double>::infinity());
    for (const ReactionWatch& w : watches_) score_.reactions.push_back(w.result());
    read_alarms();
    if (const Calibration* c = policy_.calibration()) score_.calibration = *c;
    score_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return std::move(score_);
  }

 private:
  void accept(const Message& message) {
    limits_.advance(message.t, policy_);
    if (!warmed_up_ && message.t >= setting_.warmup_s) {
      warmed_up_ = true;
      alarms_before_ = alarms_raised();
    }
    const uint32_t number = take();
    InFlight& m = *flights_[number];
    m.message = message;
    for (size_t c = 0; c < setting_.channels.size(); ++c) {
      const bool connection = setting_.channels[c].kind == ChannelKind::connection;
      m.offers.push_back({static_cast<ChannelNo>(c), message.fates[c].available ? Sleep::awake
                                                     : connection               ? Sleep::offline
                                                                                : Sleep::no_token});
    }
    const Decision d = policy_.first(m, message.t);
    for (ReactionWatch& w : watches_) w.first_send(message, d.action == Action::send ? d.channel : kNoChannel);
    act(number, d, message.t);
    release_if_done(number);
  }

  void act(uint32_t number, Decision d, double t) {
    InFlight& m = *flights_[number];
    while (d.action == Action::send) {
      if (send(number, d, t)) {
        if (play_ == Play::cascade) schedule(t + std::max(0.0, d.next_check_s), number, Due::check, 0);
        return;
      }
      if (play_ == Play::single) break;
      d = policy_.next(m, t);  // an explicit refusal: the next channel at once
    }
    if (d.action == Action::wait && play_ == Play::cascade) {
      schedule(t + std::max(0.05, d.wait_s), number, Due::check, 0);
    } else {
      m.decided = true;
    }
  }

  // False when the vendor refuses.
  bool send(uint32_t number, const Decision& d, double t) {
    InFlight& m = *flights_[number];
    const Fate& fate = m.message.fates[d.channel];
    const ChannelSpec& spec = setting_.channels[d.channel];
    const size_t i = m.attempts.size();
    policy_.sent(m, d, t);
    Attempt a;
    a.channel = d.channel;
    a.sent = t;
    a.reporting = (reports(m.message.device) >> d.channel & 1) != 0;
    a.rejected = fate.reject || !limits_.allow(d.channel, t);
    if (!a.rejected && fate.works) {
      // An away device gets it on its return; a text message needs no data network.
      const double back = spec.kind == ChannelKind::paid ? t : std::max(t, m.message.t + m.message.away_s);
      a.delivered = back + fate.delay_s;
      if (m.delivered < 0 || a.delivered < m.delivered) m.delivered = a.delivered;
    }
    m.attempts.push_back(a);
    if (a.rejected) {
      policy_.rejected(m, i, t);
      return false;
    }
    policy_.accepted(m, i, t);
    if (fate.receipt_s >= 0)
      schedule((fate.works ? a.delivered : t + fate.delay_s) + fate.receipt_s, number, Due::receipt, i);
    schedule(t + policy_.soft_timeout_s(d.channel), number, Due::silent, i);
    return true;
  }

  void receipt(InFlight& m, size_t i, double t) {
    Attempt& a = m.attempts[i];
    a.heard = true;
    m.decided = true;
    const bool lie = a.delivered < 0;
    const double at = lie ? t : a.delivered + limits_.clock_skew_s(a.channel, m.message.t);
    policy_.receipt(m, i, t, at - a.sent);
    if (lie || chance_.uniform(1, m.message.id, i) >= setting_.piggyback) return;
    for (size_t j = 0; j < m.attempts.size(); ++j) {
      const Attempt& other = m.attempts[j];
      if (j == i || other.rejected || other.heard) continue;
      policy_.seen(m, j, other.delivered >= 0 && other.delivered <= a.delivered, t);
    }
  }

  void run_until(double t) {
    while (!timers_.empty() && timers_.top().t <= t) {
      const Timer timer = timers_.top();
      timers_.pop();
      InFlight& m = *flights_[timer.flight];
      --m.pending;
      switch (timer.due) {
        case Due::receipt:
          receipt(m, timer.attempt, timer.t);
          break;
        case Due::silent:
          if (!m.attempts[timer.attempt].heard) policy_.silent(m, timer.attempt, timer.t);
          break;
        case Due::check:
          if (!m.decided) act(timer.flight, policy_.next(m, timer.t), timer.t);
          break;
      }
      release_if_done(timer.flight);
    }
  }

  void schedule(double t, uint32_t flight, Due due, size_t attempt) {
    ++flights_[flight]->pending;
    timers_.push({t, order_++, flight, due, static_cast<uint8_t>(attempt)});
  }

  uint32_t take() {
    if (free_.empty()) {
      flights_.push_back(std::make_unique<InFlight>());
      return static_cast<uint32_t>(flights_.size() - 1);
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    InFlight& m = *flights_[number];
    m.attempts.clear(), m.memos.clear(), m.offers.clear();
    m.pending = 0, m.decided = false, m.delivered = -1, m.arrivals = m.visible = 0;
    return number;
  }

  void release_if_done(uint32_t number) {
    InFlight& m = *flights_[number];
    if (m.pending > 0) return;
    score_.add(setting_, m);
    const double deadline = m.message.t + setting_.classes[m.message.cls].deadline_s;
    for (ReactionWatch& w : watches_) w.done(m.message, m.delivered >= 0 && m.delivered <= deadline);
    free_.push_back(number);
  }

  uint32_t reports(uint32_t device) { return source_.reports(device); }

  double alarms_raised() {
    double sum = 0;
    if (Router* router = policy_.router())
      for (const ChannelView& v : router->channels(0)) sum += static_cast<double>(v.alarms_raised);
    return sum;
  }

  void read_alarms() {
    score_.alarms_raised = alarms_raised() - alarms_before_;
    Router* router = policy_.router();
    if (router == nullptr) return;
    for (const Alarm& a : router->alarms()) {
      score_.alarms_left += 1;
      score_.left.push_back(setting_.channels[a.channel].name + " " + a.manufacturer + " " + a.os + " " + a.region);
    }
  }

  Source& source_;
  const Setting& setting_;
  Policy& policy_;
  const Play play_;
  Limits limits_;
  Score score_;
  std::vector<ReactionWatch> watches_;
  const Chance chance_{99};
  std::vector<std::unique_ptr<InFlight>> flights_;
  std::vector<uint32_t> free_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  uint64_t order_ = 0;
  bool warmed_up_ = false;
  double alarms_before_ = 0;
};

}  // namespace

Score run(Source& source, Policy& policy, Play play, const std::function<void(double)>& progress) {
  return Engine(source, policy, play).play(progress);
}

}  // namespace godwit::sim
