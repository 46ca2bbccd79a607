// What the operator may choose, and the limits that nobody needs to. Constant while the channel runs.
#pragma once

#include <cstdint>
#include <string>

#include "plugins/xmpp/login/login.hpp"

namespace xmpp {

enum class Mode : uint8_t { component, client };
enum class DialectKind : uint8_t { xmpp, androidpn };

struct Settings {
  Mode mode = Mode::component;
  DialectKind dialect = DialectKind::xmpp;
  std::string server;    // host:port
  std::string jid_text;  // as configured
  Jid jid;
  std::string password;  // the secret's name
  TlsMode tls = TlsMode::off;
  std::string ca_file;
  std::string domain;            // of devices whose token is a user name only
  bool holds_at_server = false;  // `offline: server`
  std::string api_key = "1234567890";
  uint32_t window = 10'000;
};

inline constexpr uint64_t kMs = 1'000'000;  // in ns
inline constexpr uint64_t kSecond = 1'000 * kMs;
inline constexpr uint64_t kTickNs = 100 * kMs;       // how exact every time below is
inline constexpr uint64_t kSignInNs = 15 * kSecond;  // from connecting to the first stanza
inline constexpr uint64_t kAnswerNs = 20 * kSecond;  // a server that does not answer for so long is as good as gone
inline constexpr uint64_t kIdleNs = 60 * kSecond;    // then we ask whether it is still there
inline constexpr uint64_t kBeforeDeadlineNs = 300 * kMs;
inline constexpr uint64_t kAndroidpnPatienceNs = 1 * kSecond;  // the device may refuse after the server took it
inline constexpr uint64_t kReceiptPatienceNs = 2 * kSecond;    // without XEP-0198: a cut would lose the receipt
inline constexpr uint64_t kCheckEveryNs = 30 * kSecond;        // androidpn: pings to devices that were away
inline constexpr size_t kChecksAtOnce = 500;
inline constexpr size_t kMostAway = 100'000;       // androidpn: devices that are pinged
inline constexpr size_t kMostUnacked = 1'024;      // stanzas that the server has not confirmed
inline constexpr uint64_t kAskEvery = 64;          // stanzas between two questions whether it has
inline constexpr uint32_t kAcknowledgeEvery = 100;  // stanzas of the server
inline constexpr size_t kMostUnsent = 256 * 1024;  // bytes
inline constexpr size_t kMostWaitingEvents = 1'000;
inline constexpr uint32_t kMaxPayload = 64 * 1024;

}  // namespace xmpp
