// ApiServer serves the HTTP API of one broker: it listens, authenticates, parses, asks the Broker and writes answers.
//
// It borrows the broker, the signer and the clock, which must outlive it. start() returns when every address is bound
// and its threads run; a port in use or a malformed key is an error that says what to do. reload() and drain() may come
// from any thread; drain() stops accepting, lets what is in flight finish and answers it with `Connection: close`.
// The destructor cuts what is left and joins the threads; answers of the broker that come later are dropped.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/api/options.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/engine/broker.hpp"
#include "broker/registry/credential.hpp"

namespace godwit {

struct ApiParts {
  Broker& broker;
  const CredentialSigner& signer;
  const Clock& clock;
  std::function<std::string()> metrics;  // Prometheus text for /metrics; any I/O thread
  std::function<Result<void>()> ready;   // for /readyz: an error says what is missing; any I/O thread
  std::function<void(std::string)> log;  // one line that a person should see; may be empty
};

// Counters since start, for the metrics.
struct ApiStats {
  uint64_t connections = 0;  // open now
  uint64_t accepted = 0, refused = 0;
  uint64_t requests = 0;
  uint64_t answers_2xx = 0, answers_4xx = 0, answers_5xx = 0;
};

class ApiServer {
 public:
  static Result<std::unique_ptr<ApiServer>> start(ApiOptions options, ApiParts parts);
  ~ApiServer();

  // The new keys hold for every request that starts afterwards; on an error the old ones stay.
  Result<void> reload(const ApiKeys& keys);

  void drain();
  // True when no connection is left.
  bool wait_drained(std::chrono::milliseconds limit);

  std::vector<uint16_t> ports() const;  // bound, in the order of `listen`
  ApiStats stats() const;
  const std::string& openapi() const;  // the document that /openapi.json answers

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Faults of a configuration that would keep start() or reload() from working, without starting anything.
Result<void> check_api_keys(const ApiKeys& keys);

}  // namespace godwit
