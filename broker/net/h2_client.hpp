// H2Client: HTTP/2 by nghttp2 and OpenSSL on event loops of its own.
//
// A pool belongs to one loop, so nothing of a pool is shared between threads but its gate (how much room there is). All
// connections of a pool multiplex; h2_pool.hpp tells when their number changes. For http: origins it speaks HTTP/2 by
// prior knowledge.
#pragma once

#include <memory>
#include <vector>

#include "broker/net/h2_connection.hpp"
#include "broker/net/http_client.hpp"

namespace godwit::net {

struct H2ClientOptions {
  std::string proxy;  // "http://[user:password@]host:port" for all vendors; empty: none, whatever the environment says
  unsigned threads = 1;
  H2Timing timing;
};

class H2Client final : public HttpClient {
 public:
  // `clock` is what HttpRequest.deadline_ns refers to; it outlives the client. An unusable proxy makes open_pool fail.
  explicit H2Client(const Clock& clock, H2ClientOptions options = {});
  ~H2Client() override;  // ends what is open with Fault::closed, then joins the threads

  Result<PoolId> open_pool(HttpPoolOptions options) override;
  // The same for an origin that may only know HTTP/1.1: then `hand_over` gets every request, unsent, on the client's
  // thread, with the time until which it may take. It must not call back into this client.
  using HandOver = std::function<void(HttpRequest, HttpDone, SteadyTime expires)>;
  Result<PoolId> open_pool(HttpPoolOptions options, HandOver hand_over);
  void close_pool(PoolId pool) override;
  Result<void> send(PoolId pool, HttpRequest request, HttpDone done) override;
  void cancel(PoolId pool, uint64_t cookie) override;
  uint32_t slots(PoolId pool) const override;
  std::optional<PoolFigures> figures(PoolId pool) const override;

 private:
  class Loop;
  Loop& loop_of(PoolId pool) const { return *loops_[pool % loops_.size()]; }
  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<uint64_t> last_pool_{0};
};

}  // namespace godwit::net
