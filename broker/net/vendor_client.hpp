// VendorClient is the HttpClient that the broker gives to channels: HTTP/2 where it can be, HTTP/1.1 where it must.
//
//   versions 1                 HTTP/1.1 (libcurl)
//   versions 2                 HTTP/2, nothing else; with an http: origin by prior knowledge
//   versions 0 or both, https  HTTP/2 if the server chooses it (ALPN); else the pool goes over to HTTP/1.1 for good
//   versions 0 or both, http   HTTP/1.1
//
// The three-way truth is that of the client which carried the request. Safe from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "broker/net/curl_client.hpp"
#include "broker/net/h2_client.hpp"

namespace godwit::net {

struct VendorClientOptions {
  std::string proxy;  // for all vendors
  H2Timing timing;
};

class VendorClient final : public HttpClient {
 public:
  explicit VendorClient(const Clock& clock, VendorClientOptions options = {});
  ~VendorClient() override;

  Result<PoolId> open_pool(HttpPoolOptions options) override;
  void close_pool(PoolId pool) override;
  Result<void> send(PoolId pool, HttpRequest request, HttpDone done) override;
  void cancel(PoolId pool, uint64_t cookie) override;
  uint32_t slots(PoolId pool) const override;
  std::optional<PoolFigures> figures(PoolId pool) const override;

 private:
  struct Pool;
  std::shared_ptr<Pool> find(PoolId pool) const;

  const Clock& clock_;
  // In this order: the HTTP/2 client's thread hands requests over to the other until it has ended.
  CurlClient http1_;
  H2Client http2_;
  mutable std::mutex mutex_;
  std::unordered_map<PoolId, std::shared_ptr<Pool>> pools_;  // guarded by mutex_
  PoolId last_pool_ = 0;                                     // guarded by mutex_
};

}  // namespace godwit::net
