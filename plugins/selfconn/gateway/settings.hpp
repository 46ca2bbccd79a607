// What the operator may choose, and the limits that nobody needs to. Constant while the gateway runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace selfconn {

struct Settings {
  // Where devices connect; an empty one is off.
  std::string tcp = "127.0.0.1:1883";
  std::string websocket;
  std::string tls, tls_websocket;
  std::string tls_cert_file, tls_key_file;  // PEM

  // Threads, each with its own connections. More than cores makes nothing faster; fewer cost less CPU for a message (a
  // busy thread finds more to do at each look), but one that must wait for a core lets all its devices wait. 0 = one
  // per core, at most four.
  uint32_t reactors = 0;
  // Live connections; the next device is refused with "quota exceeded". Each needs a file descriptor.
  uint32_t max_connections = 100'000;

  // Keep alive in seconds that we accept: 5.0 clients are told (Server Keep Alive), 3.1.1 clients with 0 or more than
  // the longest are held to the longest without being told, shorter ones get what they asked for.
  uint32_t keep_alive_min_s = 30;
  uint32_t keep_alive_max_s = 1800;
  // What a 5.0 client of an unknown network is granted at most; from there it is learned (HeldSilence). 0: nothing is.
  uint32_t keep_alive_first_s = 210;

  // Longest Session Expiry Interval that is granted to a 5.0 client, and the one of a 3.1.1 client without clean
  // session.
  uint32_t offline_hold_s = 7 * 24 * 3600;

  uint32_t window = 20'000;      // messages with this channel at once
  uint32_t device_window = 8;    // unacknowledged messages per device, at most its Receive Maximum
  uint32_t device_queue = 64;    // messages per device that wait for the window
  uint32_t connect_rate = 1000;  // new connections a second from one address; 0 = no limit
  uint32_t drain_rate = 500;     // connections a second that are closed when draining
  std::string server_reference;  // "host:port" that 5.0 clients are sent to when draining
  bool server_moved = false;     // for good: 5.0 clients are sent there at once, others, who cannot be told, are served
};

inline constexpr std::string_view kInboxTopic = "godwit/inbox";
inline constexpr std::string_view kEventsTopic = "godwit/events";

inline constexpr uint64_t kTickNs = 250'000'000;
inline constexpr uint32_t kTicksPerSecond = 4;

inline constexpr uint32_t kConnectTimeoutS = 10;  // from accept to a whole CONNECT
inline constexpr uint32_t kPacketTimeoutS = 10;   // from a packet's first byte to its last
inline constexpr uint32_t kPubackTimeoutS = 30;   // a device that does not acknowledge is as good as gone
inline constexpr uint32_t kStuckTimeoutS = 60;    // unsent bytes without progress
inline constexpr uint32_t kLingerS = 2;           // for the peer to read why we close

inline constexpr size_t kMaxConnectSize = 8 * 1024;
inline constexpr size_t kMaxPacketSize = 64 * 1024;  // from a device, told to 5.0 clients
inline constexpr size_t kMaxPayload = 64 * 1024;     // of a message's content
inline constexpr size_t kMaxUnsent = 64 * 1024;      // answers that a peer does not read
inline constexpr size_t kMaxClientId = 64;
inline constexpr uint16_t kReceiveMaximum = 16;  // unacknowledged PUBLISH of a device
inline constexpr uint32_t kMaxFilters = 8;       // of one SUBSCRIBE
inline constexpr uint8_t kUpBurst = 200;         // PUBLISH of a device at once, then ...
inline constexpr uint8_t kUpPerTick = 5;         // ... so many a tick; a faster device is read more slowly
inline constexpr uint32_t kTakeoverLimit = 5;    // per device in kTakeoverWindowS: two phones with one id
inline constexpr uint32_t kTakeoverWindowS = 60;
inline constexpr size_t kMaxWaitingReports = 10'000;  // device events per reactor that the host had no room for

}  // namespace selfconn
