// Core is a device's behaviour without sockets, threads or clock: it is told what came and what time it is, and says
// what it wants. The same bytes at the same times give the same device, so all of it is tested with literals.
//
// The driver's loop: while wants_line(now): open one and say opened() or lost(); give it received() and send output();
// close the line when wants_close(); call tick() no later than wake_ms(). One thread. Times are milliseconds of a clock
// that never goes back, except `wall_ms`, which goes into reports.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "clients/device/backoff.hpp"
#include "clients/device/heartbeat.hpp"
#include "clients/device/memory.hpp"
#include "clients/device/packets.hpp"

namespace godwit::device {

enum class State : uint8_t { waiting, connecting, connected, refused };

class Core {
 public:
  static constexpr uint16_t kKeepAliveS = Heartbeat::kMax;
  static constexpr uint32_t kSessionS = 7 * 24 * 3600;
  static constexpr int64_t kConnectMs = 30'000, kPingAnswerMs = 20'000;
  static constexpr size_t kMaxUnacknowledged = 8;  // of our events, at most the server's Receive Maximum

  struct Callbacks {
    std::function<void(const std::string& message_id, std::string_view json)> on_message;
    std::function<void(State, const char* why)> on_state;
  };

  Core(Login login, Memory& memory, Callbacks callbacks, uint64_t seed);

  // ---- the driver ----
  bool wants_line(int64_t now_ms) const { return state_ == State::waiting && now_ms >= retry_ms_; }
  bool wants_close() const { return closing_; }
  int64_t wake_ms() const;
  void opening(int64_t now_ms);
  void opened(int64_t now_ms);
  void received(std::string_view bytes, int64_t now_ms);
  void lost(const char* why, int64_t now_ms);  // also after wants_close(), and when it could not be opened
  void tick(int64_t now_ms);
  std::string output() { return std::exchange(output_, {}); }

  // ---- the app ----
  bool report(const std::string& message_id, const std::string& word, int64_t wall_ms);
  void set_network(const std::string& name, int64_t now_ms);
  void set_foreground(bool is_foreground) { is_foreground_ = is_foreground, heartbeat_.set_foreground(is_foreground); }
  void set_credential(std::string credential, int64_t now_ms);
  void say_goodbye();

  State state() const { return state_; }

 private:
  void enter(State state, const char* why);
  void close(const char* why);
  void handle(const Packet& packet, int64_t now_ms);
  void handle_connack(const Packet& packet, int64_t now_ms);
  void handle_publish(const Packet& packet);
  void handle_puback(const Packet& packet);
  void send_events();
  int64_t ping_due_ms() const;

  Login login_;
  Memory& memory_;
  const Callbacks callbacks_;
  Heartbeat heartbeat_;
  Backoff backoff_;

  State state_ = State::waiting;
  const char* close_reason_ = "";
  bool closing_ = false, is_foreground_ = false, server_said_bye_ = false;
  int64_t retry_ms_ = 0, begun_ms_ = 0, said_ms_ = 0;
  int64_t ping_sent_ms_ = -1;  // unanswered
  uint32_t keep_alive_s_ = kKeepAliveS;
  std::string input_, output_;

  // Events on the way: those at the front of the memory, with their packet ids.
  struct Sent {
    uint16_t packet_id;
    std::string message_id, word;
  };
  std::deque<Sent> sent_;
  size_t may_send_ = kMaxUnacknowledged;
  uint16_t next_packet_id_ = 0;
};

}  // namespace godwit::device
