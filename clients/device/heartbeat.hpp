// Heartbeat decides how long the line may be silent before a PINGREQ: as long as this network has shown to bear,
// because each one wakes the radio, and too rare ones let a NAT forget the connection.
//
// The algorithm of Tencent Mars (smart_heartbeat.cc): begin short, climb after five good ones, step back after two bad
// ones, and remember the result by network. One thread; time is a parameter.
#pragma once

#include <cstdint>
#include <list>
#include <string>

namespace godwit::device {

class Heartbeat {
 public:
  static constexpr uint32_t kMin = 210, kMax = 600, kStep = 60, kSafety = 20;  // seconds
  static constexpr uint32_t kLongest = kMax - kSafety;
  static constexpr int kClimbAfter = 5, kFallAfter = 2, kFirstOnes = 3;
  static constexpr size_t kMaxNetworks = 20;
  static constexpr int64_t kTryMoreAfterMs = int64_t{7} * 24 * 3600 * 1000;

  void set_network(const std::string& name);
  void set_foreground(bool is_foreground) { is_foreground_ = is_foreground; }
  void connected() { good_on_connection_ = 0; }

  uint32_t seconds() const;
  void good(int64_t now_ms);  // a PINGREQ was answered
  void bad(int64_t now_ms);   // it was not, or the connection broke while silent

 private:
  struct Network {
    std::string name;
    uint32_t seconds = kMin;
    int good = 0, bad = 0;
    bool is_stable = false;
    int64_t stable_since_ms = 0;
  };
  bool is_probing() const { return !is_foreground_ && !networks_.empty() && good_on_connection_ >= kFirstOnes; }

  std::list<Network> networks_;  // the present one first; empty: unknown
  int good_on_connection_ = 0;
  bool is_foreground_ = false;
};

}  // namespace godwit::device
