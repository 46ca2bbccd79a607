// Wire is how a test's device reaches the gateway: a blocking socket, TLS on it (by OpenSSL's client), a WebSocket on
// either. Reads wait at most five seconds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace selfconn::testing {

class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(std::span<const uint8_t> bytes) = 0;  // silently nothing when the peer has closed
  // A count; 0 at the end (also by reset), -1 when nothing came.
  virtual long receive(std::span<uint8_t> room) = 0;
  virtual int fd() const = 0;
};

// `receive_buffer`: of the socket, 0 = the system's.
std::unique_ptr<Wire> open_tcp(uint32_t port, int receive_buffer = 0);

// A TLS session that can be resumed; opaque.
struct TlsSession;
struct TlsOptions {
  std::string alpn{};                    // "mqtt"; empty: none offered
  int max_version = 0;                   // 0x0303 for 1.2
  std::shared_ptr<TlsSession> resume{};  // from session_of an earlier wire
};
std::unique_ptr<Wire> open_tls(uint32_t port, const TlsOptions& options = {});
std::shared_ptr<TlsSession> session_of(Wire& tls);
bool was_resumed(Wire& tls);
std::string alpn_of(Wire& tls);
std::string certificate_of(Wire& tls);  // the server's, as DER

// Performs the upgrade on `below` and then carries bytes in masked binary frames of at most `frame_size`.
std::unique_ptr<Wire> open_websocket(std::unique_ptr<Wire> below, size_t frame_size = SIZE_MAX);
// Frames as they are: for tests of what is not allowed.
std::string upgrade_request(const std::string& path = "/mqtt", const std::string& protocol = "mqtt");

}  // namespace selfconn::testing
