// Shard is one thread of the gateway and everything that belongs to it: connections, their timers, buffers, the index
// of its devices. A device belongs to one shard by the hash of its address, so nothing here is ever locked.
//
// The steps of a connection's life are functions on a shard, one file each; see steps.hpp. run() is the loop that calls
// them. Other threads reach a shard through its mailbox only.
#pragma once

#include <string>
#include <vector>

#include <godwit/settle_buffer.hpp>

#include "plugins/selfconn/gateway/connect_rate.hpp"
#include "plugins/selfconn/gateway/connection.hpp"
#include "plugins/selfconn/gateway/counters.hpp"
#include "plugins/selfconn/gateway/device_index.hpp"
#include "plugins/selfconn/gateway/fleet.hpp"
#include "plugins/selfconn/gateway/flight.hpp"
#include "plugins/selfconn/gateway/held_silence.hpp"
#include "plugins/selfconn/gateway/output.hpp"
#include "plugins/selfconn/gateway/reports.hpp"
#include "plugins/selfconn/gateway/timer_wheel.hpp"

namespace selfconn {

// What is spoken at a listening socket, and which sockets of the host those are.
struct Listener {
  int fd = -1;
  bool is_tls = false, is_websocket = false;
};

struct Shard {
  Shard(Fleet& fleet_, uint32_t number_);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // A listening socket of the host, before run().
  void add_listener(const Listener& listener) { listeners.push_back(listener); }

  // The thread's body, until stop comes by mail: turns, then stop. Tests and the fuzzer call the two themselves.
  void run();
  // One round: waits for events and mail (-1 = as long as it takes), handles them and everything that is due.
  void turn(int timeout_ms);
  // Ends all connections; everything is settled.
  void stop();

  // ---- for the steps ----
  Connection& add_connection(int fd);  // Phase::greeting, without epoll
  bool watch(Connection& c);           // false: the kernel refused
  bool watch_again(Connection& c);     // the socket was watched for another record
  void unwatch(Connection& c);
  void forget(Connection& c);      // the record is free after this round
  void pump_later(Connection& c);  // something new to send at the end of this round
  uint64_t now_wall_ms();          // once a round
  std::string_view sent_at();      // the same as RFC 3339, for envelopes
  bool logs(int32_t level) const { return level >= fleet.host.raw().log_level(fleet.host.raw().ctx); }

  Fleet& fleet;
  const uint32_t number;
  uint64_t now_ns = 0;
  uint32_t tick = 0;

  Slab<Connection> connections;
  Slab<Flight> flights;
  DeviceIndex devices;
  SessionBook sessions;
  TimerWheel<Connection> wheel{connections};
  ConnectRate connect_rate;
  HeldSilence silence;
  Output output;
  Reports reports{*this};
  godwit::SettleBuffer settles;
  Counters& counters;  // of the fleet: they outlive the threads

  std::vector<uint8_t> input;    // what was just read, behind what was left of the packet before it
  std::vector<uint32_t> doomed;  // released at the end of the round
  std::vector<uint32_t> pump_due;
  std::vector<uint32_t> read_again;  // had more to read than its share of this round
  std::vector<uint32_t> paused;      // looked at every tick

  std::vector<Listener> listeners;
  bool is_accepting = false;
  bool is_draining = false;
  bool is_drained = false;
  DrainOrder drain_order;
  uint32_t drain_tick = 0;  // when it came
  uint32_t drain_cursor = 0;

 private:
  void handle_mail();
  void on_tick();
  void end_round();

  const int epoll_fd_;
  Mail mail_;
  bool is_stopping_ = false;
  uint64_t wall_ms_ = 0;  // 0: not asked in this round
  uint64_t sent_at_ms_ = 0;
  char sent_at_[32] = {};

  friend void watch_listeners(Shard& shard, bool on);
};

// Accepting begins and ends (drain, no descriptors left).
void watch_listeners(Shard& shard, bool on);

}  // namespace selfconn
