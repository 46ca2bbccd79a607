#include "sdk/testhost/test_host.hpp"

#include <algorithm>
#include <thread>

#include <godwit/table.hpp>
#include <godwit/text.hpp>

namespace godwit::testhost {

TestHost& TestHost::self(void* ctx) {
  auto& host = *static_cast<TestHost*>(ctx);
  ++host.calls_;
  Phase phase = host.phase_;
  if (phase == Phase::destroying) host.misbehave("called the host from destroy");
  if (phase == Phase::stopped) host.misbehave("called the host after stop had returned");
  return host;
}

TestHost::TestHost()
    : http_(lane_, [this] { return now_ns(); }),
      kv_(lane_),
      secrets_(lane_),
      blocking_(lane_),
      io_(lane_),
      services_{{GW_SERVICE_HTTP, &http_},
                {GW_SERVICE_KV, &kv_},
                {GW_SERVICE_SECRET, &secrets_},
                {GW_SERVICE_METRICS, &metrics_},
                {GW_SERVICE_BLOCKING, &blocking_},
                {GW_SERVICE_IO, &io_},
                {GW_SERVICE_CREDENTIAL, &credentials_}},
      threads_at_start_(count_threads()) {
  secrets_.set_fallback("a secret of the test host");
  fill_table();
}

void TestHost::fill_table() {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get_service = [](void* ctx, gw_str id) -> const void* {
    TestHost& h = self(ctx);
    std::lock_guard lock(h.mutex_);
    auto it = h.services_.find(view(id));
    return it == h.services_.end() || h.withheld_.contains(view(id)) ? nullptr : it->second->table();
  };
  table_.now_mono_ns = [](void* ctx) { return self(ctx).now_ns(); };
  table_.now_wall_ms = [](void* ctx) { return self(ctx).wall_ms(); };
  table_.log = [](void* ctx, int32_t level, gw_str text, const gw_str* kv, uint32_t pairs) {
    TestHost& h = self(ctx);
    std::string line(view(text));
    for (uint32_t i = 0; i < pairs; ++i)
      line += " " + std::string(view(kv[2 * i])) + "=" + std::string(view(kv[2 * i + 1]));
    std::lock_guard lock(h.mutex_);
    h.logs_.push_back({level, std::move(line)});
  };
  table_.log_level = [](void*) -> int32_t { return GW_LOG_DEBUG; };
  table_.post = [](void* ctx, void (*fn)(void*), void* arg) -> int32_t {
    TestHost& h = self(ctx);
    if (h.phase_ >= Phase::stopping) return GW_E_CLOSED;
    h.lane_.post([fn, arg] { fn(arg); });
    return GW_OK;
  };
  table_.timer_arm = [](void* ctx, uint64_t delay_ns, uint64_t cookie) -> uint64_t {
    TestHost& h = self(ctx);
    if (h.phase_ >= Phase::stopping) return 0;
    std::lock_guard lock(h.mutex_);
    h.timers_[++h.last_timer_] = {h.now_ns() + delay_ns, cookie};
    return h.last_timer_;
  };
  table_.timer_cancel = [](void* ctx, uint64_t id) -> int32_t {
    TestHost& h = self(ctx);
    std::lock_guard lock(h.mutex_);
    return h.timers_.erase(id) ? GW_OK : GW_E_NOT_FOUND;
  };
  table_.set_state = [](void* ctx, uint32_t state, gw_str reason) -> int32_t {
    TestHost& h = self(ctx);
    if (state > GW_STATE_FAILED) return GW_E_INVALID;
    h.state_ = state;
    std::lock_guard lock(h.mutex_);
    h.states_.insert(state);
    h.state_reason_ = view(reason);
    return GW_OK;
  };
  table_.set_window = [](void* ctx, uint32_t messages) -> int32_t {
    TestHost& h = self(ctx);
    h.window_ = messages;
    h.widest_window_ = std::max(h.widest_window_.load(), messages);
    return GW_OK;
  };
  table_.hold = [](void* ctx, uint64_t until_ns, gw_str) -> int32_t {
    self(ctx).held_until_ns_ = until_ns;
    return GW_OK;
  };
  table_.settle = [](void* ctx, const gw_outcome* const* outcomes, uint32_t count) {
    return self(ctx).settle(outcomes, count);
  };
  table_.event = [](void* ctx, const gw_event* const* events, uint32_t count) {
    return self(ctx).event(events, count);
  };
  table_.drained = [](void* ctx) -> int32_t {
    self(ctx).drained_ = true;
    return GW_OK;
  };
  table_.on_lane = [](void* ctx) -> int32_t { return static_cast<TestHost*>(ctx)->lane_.is_inside() ? 1 : 0; };
}

int32_t TestHost::settle(const gw_outcome* const* outcomes, uint32_t count) {
  if (phase_ >= Phase::stopped) return GW_E_CLOSED;
  int32_t status = GW_OK;
  std::vector<uint64_t> done;
  {
    std::lock_guard lock(mutex_);
    for (uint32_t i = 0; i < count; ++i) {
      const gw_outcome& o = *outcomes[i];
      auto it = open_.find(o.ticket);
      std::vector<uint32_t> targets;
      if (it != open_.end())
        for (uint32_t t = 0; t < it->second.size(); ++t)
          if (it->second[t] && (o.target_index == GW_ALL_TARGETS || o.target_index == t)) targets.push_back(t);
      if (targets.empty()) {
        misbehaviours_.push_back("settled ticket " + std::to_string(o.ticket) + " target " +
                                 std::to_string(static_cast<int32_t>(o.target_index)) + ", which was not open");
        status = GW_E_INVALID;
        continue;
      }
      for (uint32_t t : targets) {
        it->second[t] = false;
        ++settle_count_;
        settled_.push_back({o.ticket, t, o.disposition, o.http_status, o.retry_after_ms, std::string(view(o.vendor_id)),
                            std::string(view(o.vendor_code)), std::string(view(o.detail))});
      }
      if (std::find(it->second.begin(), it->second.end(), true) == it->second.end()) {
        open_.erase(it);
        done.push_back(o.ticket);
      }
    }
  }
  if (on_ticket_done)
    for (uint64_t ticket : done) on_ticket_done(ticket);
  return status;
}

HeardEvent heard(const gw_event& e) {
  return {e.kind,
          e.subkind,
          e.flags,
          e.seq,
          e.at_wall_ms,
          std::string(view(e.event_id)),
          std::string(view(e.address)),
          std::string(view(e.vendor_id)),
          std::string(view(e.message_id)),
          std::string(view(e.connection_id)),
          std::string(view(e.payload))};
}

int32_t TestHost::event(const gw_event* const* events, uint32_t count) {
  if (phase_ >= Phase::stopped) return GW_E_CLOSED;
  std::lock_guard lock(mutex_);
  if (refuse_events_ > 0) {
    --refuse_events_;
    owes_event_room_ = true;
    return GW_E_BUSY;
  }
  for (uint32_t i = 0; i < count; ++i) events_.push_back(heard(*events[i]));
  return GW_OK;
}

uint64_t TestHost::next_due(uint64_t none) const {
  uint64_t due = none;
  for (const auto& [id, service] : services_)
    if (auto next = service->next_due_ns()) due = std::min(due, *next);
  std::lock_guard lock(mutex_);
  for (const auto& [id, timer] : timers_) due = std::min(due, timer.due_ns);
  if (owes_event_room_) due = std::min(due, now_ns() + 1'000'000);
  return due;
}

void TestHost::turn_to(uint64_t now_ns) {
  if (now_ns > now_ns_) {
    wall_ms_ += (now_ns - now_ns_) / 1'000'000;
    now_ns_ = now_ns;
  }
  std::vector<std::pair<uint64_t, Timer>> fired;
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, timer] : timers_)
      if (timer.due_ns <= now_ns) fired.emplace_back(id, timer);
    room = std::exchange(owes_event_room_, false);
  }
  std::stable_sort(fired.begin(), fired.end(), [](auto& a, auto& b) { return a.second.due_ns < b.second.due_ns; });
  for (const auto& [id, timer] : fired) {
    lane_.post([this, id = id, cookie = timer.cookie] {
      {
        std::lock_guard lock(mutex_);
        if (timers_.erase(id) == 0) return;  // cancelled meanwhile
      }
      if (on_timer) on_timer(id, cookie);
    });
  }
  if (room && on_event_room) lane_.post(on_event_room);
  for (const auto& [id, service] : services_) service->turn(now_ns);
}

bool TestHost::waits_for_the_world() const {
  if (count_threads() > threads_at_start_) return true;
  return std::any_of(services_.begin(), services_.end(),
                     [](const auto& s) { return s.second->is_waiting_for_the_world(); });
}

bool TestHost::run_until(const std::function<bool()>& done, uint64_t virtual_ns, std::chrono::milliseconds wait) {
  // A test that is slow because the machine is busy is no failure; one that runs in circles is.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const uint64_t end = now_ns() + virtual_ns;
  uint64_t step = 1'000'000;  // a millisecond of waiting counts as ever more, up to 100
  for (;;) {
    lane_.run();
    if (done()) return true;
    if (wait.count() <= 0 || std::chrono::steady_clock::now() >= give_up) return false;
    turn_to(now_ns());  // what became ready without the clock
    if (!lane_.is_empty()) continue;
    const uint64_t due = next_due(UINT64_MAX);
    if (due <= end && threads_have_time_ && waits_for_the_world() && due > now_ns()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --wait;
      turn_to(std::min(due, now_ns() + 50'000'000));
    } else if (due <= end) {
      turn_to(due);
    } else if (waits_for_the_world() && now_ns() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --wait;
      turn_to(std::min(end, now_ns() + step));
      step = lane_.is_empty() ? std::min<uint64_t>(step * 2, 100'000'000) : 1'000'000;
    } else {
      turn_to(end);  // nothing can happen before
      lane_.run();
      return done();
    }
  }
}

void TestHost::close_services() {
  {
    std::lock_guard lock(mutex_);
    timers_.clear();
    owes_event_room_ = false;
  }
  for (const auto& [id, service] : services_) service->close();
  lane_.run();
}

void TestHost::expect(uint64_t ticket, uint32_t targets) {
  std::lock_guard lock(mutex_);
  open_[ticket] = std::vector<bool>(targets, true);
}

void TestHost::forget(uint64_t ticket) {
  std::lock_guard lock(mutex_);
  open_.erase(ticket);
}

uint64_t TestHost::open_targets() const {
  std::lock_guard lock(mutex_);
  uint64_t n = 0;
  for (const auto& [ticket, targets] : open_)
    n += static_cast<uint64_t>(std::count(targets.begin(), targets.end(), true));
  return n;
}

void TestHost::withhold(const std::string& service_id) {
  std::lock_guard lock(mutex_);
  withheld_.insert(service_id);
}

void TestHost::misbehave(std::string what) {
  std::lock_guard lock(mutex_);
  misbehaviours_.push_back(std::move(what));
}

std::vector<Settled> TestHost::settled() const {
  std::lock_guard lock(mutex_);
  return settled_;
}

std::vector<Settled> TestHost::settled(uint64_t ticket) const {
  std::vector<Settled> all = settled(), of_ticket;
  std::copy_if(all.begin(), all.end(), std::back_inserter(of_ticket),
               [ticket](const Settled& s) { return s.ticket == ticket; });
  return of_ticket;
}

std::vector<HeardEvent> TestHost::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

std::vector<LogLine> TestHost::logs() const {
  std::lock_guard lock(mutex_);
  return logs_;
}

std::vector<std::string> TestHost::misbehaviours() const {
  std::lock_guard lock(mutex_);
  return misbehaviours_;
}

std::string TestHost::state_reason() const {
  std::lock_guard lock(mutex_);
  return state_reason_;
}

bool TestHost::was_in_state(uint32_t state) const {
  std::lock_guard lock(mutex_);
  return states_.contains(state);
}

}  // namespace godwit::testhost
