// CurlClient: HTTP/1.1 by libcurl's multi interface on one thread of its own.
//
// Each pool has its own curl multi handle (a second one for a while after its TLS identity changed), so connections
// cannot cross pools; all of them share one epoll. curl only ever gets as many transfers as the pool may have
// connections; the rest waits here, where it can still be refused as not sent.
#pragma once

#include <memory>
#include <string>

#include "broker/net/http_client.hpp"

namespace godwit::net {

// curl's process-wide state. The host does it once, before any plugin is loaded; later calls do nothing. Any thread.
void init_curl();

struct CurlClientOptions {
  std::string proxy;  // for all vendors; empty: none, whatever the environment says
  std::string thread_name = "http";
};

class CurlClient final : public HttpClient {
 public:
  // `clock` is what HttpRequest.deadline_ns refers to; it outlives the client.
  explicit CurlClient(const Clock& clock, CurlClientOptions options = {});
  ~CurlClient() override;  // ends what is open with Fault::closed, then joins the thread

  Result<PoolId> open_pool(HttpPoolOptions options) override;
  void close_pool(PoolId pool) override;
  Result<void> send(PoolId pool, HttpRequest request, HttpDone done) override;
  void cancel(PoolId pool, uint64_t cookie) override;
  uint32_t slots(PoolId pool) const override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace godwit::net
