// HeldSilence learns for each network how long a connection may be silent before something on the way (a carrier's NAT,
// a balancer) forgets it, so that devices send as few heartbeats as possible: they are told as Server Keep Alive.
//
// The rules are those of Tencent Mars' smart heartbeat, seen from the server. A silence that ended with a byte of the
// device has held. One that ended with the same device coming anew from the same network has not: its heartbeat got no
// answer. A device that goes away and stays away says nothing about its network.
//   five silences held       a minute more, or the shortest of them when that is longer
//   two in a row broke        80 s less, and settled; settled before: begin again
//   settled for a week        try 20 s more
//
// Networks are IPv4 /24 and IPv6 /48. The table has a fixed size; a network that finds its place taken pushes out the
// one that was asked about longest ago. One thread; times are ticks.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <vector>

namespace selfconn {

class HeldSilence {
 public:
  // Unknown networks begin with `first_s`, none is granted more than `longest_s`. first_s 0: nothing is learned, and
  // everybody is granted longest_s.
  HeldSilence(uint32_t first_s, uint32_t longest_s);

  // A network's name; never 0.
  static uint32_t network_of(const sockaddr_storage& address);

  // The keep alive for a new connection.
  uint32_t granted_s(uint32_t network, uint32_t now);

  // The device was silent so long, and was heard again on the same connection.
  void held(uint32_t network, uint32_t silence_s, uint32_t now);
  // Its connection was still there, silent for so long, when it came with a new one from the same network.
  void broke(uint32_t network, uint32_t silence_s, uint32_t now);
  // Its connection was given up after so long a silence: broke, if the device comes back soon.
  void gave_up(uint32_t device, uint32_t network, uint32_t silence_s, uint32_t now);
  void came(uint32_t device, uint32_t network, uint32_t now);

 private:
  static constexpr size_t kSets = 512, kWays = 4, kLost = 128;
  struct Network {
    uint32_t name = 0;  // 0: free
    uint32_t asked_tick = 0;
    uint32_t settled_tick = 0;
    uint16_t interval_s = 0;
    uint16_t shortest_s = 0;  // of the silences that held
    uint8_t held = 0, broke = 0;
    bool is_settled = false;
  };
  struct Lost {
    uint32_t device = 0, network = 0;  // network 0: free
    uint32_t silence_s = 0, tick = 0;
  };

  Network& find(uint32_t name, uint32_t now);
  void begin(Network& network) const;
  void settle(Network& network, uint32_t interval_s, uint32_t now) const;

  const uint32_t first_s_, longest_s_;
  std::vector<Network> networks_;
  std::array<Lost, kLost> lost_{};
  size_t next_lost_ = 0;
  uint32_t lost_count_ = 0;
};

}  // namespace selfconn
