// HttpServer listens and spreads connections over its I/O threads. One acceptor a listen address, on the first thread,
// hands sockets out in turn; ports are not shared (no SO_REUSEPORT), so that a port in use is noticed.
//
// start() binds first and fails without a trace; afterwards drain(), wait_drained() and the destructor may be called
// from any one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "broker/api/http/handler.hpp"
#include "broker/api/options.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"

namespace godwit {
struct ApiStats;
}

namespace godwit::http {

class HttpServer {
 public:
  struct Setup {
    std::vector<std::string> listen;
    unsigned threads = 1;
    ApiLimits limits;
  };
  static Result<std::unique_ptr<HttpServer>> start(Setup setup, std::shared_ptr<Handler> handler, const Clock& clock);
  ~HttpServer();

  void drain();
  bool wait_drained(std::chrono::milliseconds limit);
  std::vector<uint16_t> ports() const;
  ApiStats stats() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::http
