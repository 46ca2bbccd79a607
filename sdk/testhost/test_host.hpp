// TestHost plays the broker for one channel instance: it offers every service as a fake, turns the clock by hand, and
// remembers all that the plugin says. It is the host of godwit-plugin-check and of plugins' own tests, and is written
// independently of the broker's.
//
// The test's thread is the lane: nothing of the plugin runs unless the test calls something. Functions of the gw_host
// table are safe from any thread, as the ABI asks; what the accessors return are copies.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <godwit/abi.h>

#include "sdk/testhost/fake_http.hpp"
#include "sdk/testhost/fake_io.hpp"
#include "sdk/testhost/fake_kv.hpp"
#include "sdk/testhost/fake_secret.hpp"
#include "sdk/testhost/fake_small.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

struct Settled {
  uint64_t ticket = 0;
  uint32_t target_index = 0;  // GW_ALL_TARGETS is resolved: one entry a target
  uint32_t disposition = 0;
  uint32_t http_status = 0;
  uint64_t retry_after_ms = 0;
  std::string vendor_id, vendor_code, detail;
};

struct HeardEvent {
  uint32_t kind = 0, subkind = 0, flags = 0;
  uint64_t seq = 0, at_wall_ms = 0;
  std::string event_id, address, vendor_id, message_id, connection_id, payload;
};

struct LogLine {
  int32_t level;
  std::string text;  // with its fields appended as key=value
};

HeardEvent heard(const gw_event& event);

class TestHost {
 public:
  TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  const gw_host* table() const { return &table_; }
  Lane& lane() { return lane_; }

  // ---- services ----
  FakeHttp& http() { return http_; }
  FakeKv& kv() { return kv_; }
  FakeSecret& secrets() { return secrets_; }
  FakeMetrics& metrics() { return metrics_; }
  FakeIo& io() { return io_; }
  void withhold(const std::string& service_id);  // get_service answers NULL

  // ---- time ----
  static constexpr uint64_t kStartNs = 1'000'000'000'000;
  uint64_t now_ns() const { return now_ns_.load(); }
  uint64_t wall_ms() const { return wall_ms_.load(); }
  void jump_wall_ms(int64_t by) { wall_ms_ += static_cast<uint64_t>(by); }
  // Runs the lane, and turns the clock from one due thing to the next, until `done`, or until the clock went
  // `virtual_ns` further, or `real` passed. Returns done().
  bool run_until(const std::function<bool()>& done, uint64_t virtual_ns = 60'000'000'000,
                 std::chrono::milliseconds wait = std::chrono::milliseconds(5000));
  // A plugin with threads and timers: on the way to a timer real time passes too, a millisecond for 50 of the clock's, so
  // that a peer behind a socket has a chance to answer before a time-out does.
  void give_threads_time() { threads_have_time_ = true; }
  // The same without a condition.
  void run_for(uint64_t virtual_ns) {
    run_until([] { return false; }, virtual_ns);
  }

  // ---- what the plugin said ----
  std::vector<Settled> settled() const;
  std::vector<Settled> settled(uint64_t ticket) const;
  uint64_t settle_count() const { return settle_count_.load(); }
  std::vector<HeardEvent> events() const;
  std::vector<LogLine> logs() const;
  std::vector<std::string> misbehaviours() const;  // double settles, calls out of order, ...
  uint32_t state() const { return state_.load(); }
  std::string state_reason() const;
  bool was_in_state(uint32_t state) const;
  uint32_t window() const { return window_.load(); }
  uint32_t widest_window() const { return widest_window_.load(); }
  uint64_t held_until_ns() const { return held_until_ns_.load(); }
  bool is_drained() const { return drained_.load(); }
  uint64_t calls() const { return calls_.load(); }  // of any function of the table

  // ---- how the host behaves ----
  void refuse_events(uint32_t times) { refuse_events_ = times; }  // GW_E_BUSY; on_event_room follows at the next turn
  // Called right after a ticket's last target was settled, inside settle.
  std::function<void(uint64_t ticket)> on_ticket_done;

  // ---- for Instance ----
  void expect(uint64_t ticket, uint32_t targets);  // before submit
  void forget(uint64_t ticket);                    // the batch was refused: nothing of it may be settled
  uint64_t open_targets() const;
  enum class Phase { created, started, stopping, stopped, destroying };
  void enter(Phase phase) { phase_ = phase; }
  // Before stop: everything pending ends with GW_E_CLOSED, timers are dropped.
  void close_services();
  std::function<void(uint64_t id, uint64_t cookie)> on_timer;
  std::function<void()> on_event_room;

 private:
  static TestHost& self(void* ctx);
  int32_t settle(const gw_outcome* const* outcomes, uint32_t count);
  int32_t event(const gw_event* const* events, uint32_t count);
  void misbehave(std::string what);
  void fill_table();
  uint64_t next_due(uint64_t none) const;
  void turn_to(uint64_t now_ns);
  bool waits_for_the_world() const;

  gw_host table_;
  Lane lane_;
  FakeHttp http_;
  FakeKv kv_;
  FakeSecret secrets_;
  FakeMetrics metrics_;
  FakeBlocking blocking_;
  FakeIo io_;
  FakeCredentials credentials_;
  const std::map<std::string, FakeService*, std::less<>> services_;
  size_t threads_at_start_;
  bool threads_have_time_ = false;

  std::atomic<uint64_t> now_ns_ = kStartNs, wall_ms_ = 1'790'000'000'000, held_until_ns_ = 0, calls_ = 0,
                        settle_count_ = 0;
  std::atomic<uint32_t> state_ = GW_STATE_STARTING, window_ = 0, widest_window_ = 0, refuse_events_ = 0;
  std::atomic<bool> drained_ = false;
  std::atomic<Phase> phase_ = Phase::created;

  mutable std::mutex mutex_;  // guards all below
  std::set<std::string, std::less<>> withheld_;
  struct Timer {
    uint64_t due_ns, cookie;
  };
  std::map<uint64_t, Timer> timers_;
  uint64_t last_timer_ = 0;
  std::map<uint64_t, std::vector<bool>> open_;  // ticket -> which targets are open
  std::vector<Settled> settled_;
  std::vector<HeardEvent> events_;
  std::vector<LogLine> logs_;
  std::vector<std::string> misbehaviours_;
  std::set<uint32_t> states_;
  std::string state_reason_;
  bool owes_event_room_ = false;
};

// Of this process, as the kernel counts.
size_t count_threads();
size_t count_descriptors();

}  // namespace godwit::testhost
