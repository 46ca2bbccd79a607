// HttpClient sends requests to vendors and says honestly what became of each one.
//
// The problem it takes away: after a failure a caller must know whether the vendor may have seen the request, because
// repeating one that it has seen doubles a push. So every answer carries a Delivery: not_sent (safe to repeat),
// maybe_sent (the outcome is unknown) or answered. Nothing that the vendor may have seen is repeated in here; what an
// HTTP/2 server says it has not looked at (REFUSED_STREAM, above GOAWAY's last id) takes another connection.
//
// A pool is one origin with one TLS identity and one set of limits; connections are never shared between pools. A
// request that finds no free connection waits in the pool's bounded queue and its waiting counts against its deadline.
//
// The functions in a pool's options may still be called for a moment after close_pool, so they own what they touch.
// Safe from any thread. Every accepted send ends in exactly one `done`, also on close_pool and destruction, on the
// client's own thread and never on the caller's stack: `done` must only hand the answer on.
// Implementations: curl_client.hpp (HTTP/1.1), h2_client.hpp (HTTP/2), vendor_client.hpp (chooses between the two).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"

namespace godwit::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// What we show to the server. `version` grows when the certificate changes: connections made with the older one are
// left to end by themselves.
struct TlsIdentity {
  std::string certificate_pem, key_pem;  // both empty: no client certificate
  uint64_t version = 0;
};

struct HttpPoolOptions {
  std::string origin;       // "https://api.example.com:443"; http: is for loopback tests and proxies of the operator
  std::string ca_file;      // trusted CAs in PEM; empty: the system's
  std::string server_name;  // SNI and name to verify, if other than the origin's host
  std::function<TlsIdentity()> identity;  // asked before a connection may be made; must not block; empty: none
  uint32_t versions = 0;                  // bits: 1 HTTP/1.1, 2 HTTP/2; 0: what the client thinks best

  uint32_t max_connections = 16;         // more: more requests at once to a slow vendor
  uint32_t max_queued = 1024;            // waiting for a connection; beyond it send answers Code::overloaded
  uint32_t connect_timeout_ms = 1000;    // name look-up, TCP and TLS together
  uint32_t request_timeout_ms = 5000;    // waiting in the queue included
  uint32_t idle_timeout_ms = 30'000;     // shorter than the vendor's, else requests race with its closing
  uint32_t max_body_bytes = 64 << 10;    // of an answer; a longer one fails the request
  uint32_t max_header_bytes = 16 << 10;  // of an answer
  uint32_t min_bytes_per_s = 1000;       // HTTP/1.1, once an answer has begun, after 2 s; 0: no limit
  uint32_t max_streams = 0;              // HTTP/2: per connection, on top of what the server allows; 0: the server's
  uint32_t ping_interval_ms = 0;         // HTTP/2: PING on a connection that has been quiet for so long; 0: none
  // How much the pool can carry at once changed much; the number counts what is out too, so it is a window as it is.
  // HTTP/1.1: called when a full pool has room again. On the client's thread.
  std::function<void(uint32_t)> on_slots;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "POST";
  std::string path = "/";  // with query
  HttpHeaders headers;     // names in lower case; no host, no content-length
  std::string body;
  MonoNs deadline_ns = 0;  // 0: only the pool's request_timeout_ms
  uint64_t cookie = 0;     // for cancel; unique among what is open in the pool, or 0
};

enum class Delivery : uint8_t { not_sent, maybe_sent, answered };

struct HttpResponse {
  Delivery delivery = Delivery::not_sent;
  enum class Fault : uint8_t { none, timeout, io, closed } fault = Fault::none;  // none exactly if answered
  int status = 0;                                                                // 0 unless answered
  int version = 1;                                                               // 1: HTTP/1.1
  HttpHeaders headers;                                                           // names in lower case
  std::string body;
  std::string error;  // for people, unless answered
  uint64_t cookie = 0;
  int64_t elapsed_ns = 0;  // since send
};
using HttpDone = Callback<void(HttpResponse)>;

// What a pool has done and holds, for metrics. Counters only grow.
struct PoolFigures {
  std::string origin;
  int version = 1;                                                       // HTTP/1.1 or 2
  uint64_t connections = 0, capacity = 0, in_flight = 0, queued = 0;     // now
  uint64_t answered = 0, not_sent = 0, maybe_sent = 0;                   // requests by how they ended
  uint64_t connects = 0, connect_failures = 0, connections_lost = 0;     // lost: ended with requests on it
  uint64_t goaways = 0, refused_streams = 0, moved = 0, lost_pings = 0;  // moved: requests that took another connection
};

class HttpClient {
 public:
  using PoolId = uint64_t;  // never 0
  virtual ~HttpClient() = default;

  // Does no I/O. Code::invalid names the option; Code::unsupported for versions that this client does not speak.
  virtual Result<PoolId> open_pool(HttpPoolOptions options) = 0;
  // What is open ends with Fault::closed.
  virtual void close_pool(PoolId pool) = 0;
  // An error means that `done` will not be called: Code::invalid (a header or path that would break the framing),
  // Code::not_found (no such pool), Code::overloaded (queue full), Code::unavailable (shutting down).
  virtual Result<void> send(PoolId pool, HttpRequest request, HttpDone done) = 0;
  // A wish; done still comes and says what is known.
  virtual void cancel(PoolId pool, uint64_t cookie) = 0;
  // Requests that could be sent now without queueing.
  virtual uint32_t slots(PoolId pool) const = 0;
  // Nothing if there is no such pool, or the client counts nothing.
  virtual std::optional<PoolFigures> figures(PoolId) const { return std::nullopt; }
};

}  // namespace godwit::net
