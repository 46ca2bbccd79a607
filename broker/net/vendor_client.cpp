#include "broker/net/vendor_client.hpp"

#include <atomic>

#include "broker/net/origin.hpp"

namespace godwit::net {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// A pool has one or both of the clients' pools behind it. Constant but for `by_http1`.
struct VendorClient::Pool {
  PoolId http1 = 0, http2 = 0;
  std::atomic<bool> by_http1{false};  // the server turned out to know nothing better
};

VendorClient::VendorClient(const Clock& clock, VendorClientOptions options)
    : clock_(clock),
      http1_(clock, CurlClientOptions{.proxy = options.proxy}),
      http2_(clock, H2ClientOptions{.proxy = options.proxy, .timing = options.timing}) {}
VendorClient::~VendorClient() = default;

Result<HttpClient::PoolId> VendorClient::open_pool(HttpPoolOptions options) {
  Result<Origin> origin = Origin::parse(options.origin);
  if (!origin) return std::move(origin).error();
  const bool may1 = options.versions == 0 || (options.versions & 1), must2 = options.versions == 2;
  const bool try2 = must2 || (origin->tls && (options.versions == 0 || (options.versions & 2)));
  auto pool = std::make_shared<Pool>();
  pool->by_http1 = !try2;
  if (may1) {
    HttpPoolOptions plain = options;
    plain.versions = 1;
    Result<PoolId> opened = http1_.open_pool(std::move(plain));
    if (!opened) return opened;
    pool->http1 = *opened;
  }
  if (try2) {
    H2Client::HandOver hand_over;
    if (may1)
      hand_over = [this, pool](HttpRequest request, HttpDone done, SteadyTime expires) {
        pool->by_http1 = true;
        request.deadline_ns =
            clock_.mono_ns() + std::max<int64_t>(1, nanoseconds(expires - steady_clock::now()).count());
        auto kept = std::make_shared<HttpDone>(std::move(done));  // send may refuse, and then it is ours to call
        const uint64_t cookie = request.cookie;
        const Result<void> sent =
            http1_.send(pool->http1, std::move(request), [kept](HttpResponse r) { (*kept)(std::move(r)); });
        if (sent) return;
        HttpResponse refused;
        refused.fault = sent.error().code == Code::overloaded ? HttpResponse::Fault::io : HttpResponse::Fault::closed;
        refused.error = sent.error().message;
        refused.cookie = cookie;
        (*kept)(std::move(refused));
      };
    options.versions = may1 ? 3 : 2;
    Result<PoolId> opened = http2_.open_pool(std::move(options), std::move(hand_over));
    if (!opened) {
      if (pool->http1) http1_.close_pool(pool->http1);
      return opened;
    }
    pool->http2 = *opened;
  }
  std::lock_guard lock(mutex_);
  pools_.emplace(++last_pool_, std::move(pool));
  return last_pool_;
}

std::shared_ptr<VendorClient::Pool> VendorClient::find(PoolId id) const {
  std::lock_guard lock(mutex_);
  const auto found = pools_.find(id);
  return found == pools_.end() ? nullptr : found->second;
}

void VendorClient::close_pool(PoolId id) {
  std::shared_ptr<Pool> pool;
  {
    std::lock_guard lock(mutex_);
    const auto found = pools_.find(id);
    if (found == pools_.end()) return;
    pool = std::move(found->second);
    pools_.erase(found);
  }
  if (pool->http2) http2_.close_pool(pool->http2);
  if (pool->http1) http1_.close_pool(pool->http1);
}

Result<void> VendorClient::send(PoolId id, HttpRequest request, HttpDone done) {
  const std::shared_ptr<Pool> pool = find(id);
  if (!pool) return Error{Code::not_found, "the pool is closed", "pool"};
  return pool->by_http1 ? http1_.send(pool->http1, std::move(request), std::move(done))
                        : http2_.send(pool->http2, std::move(request), std::move(done));
}

void VendorClient::cancel(PoolId id, uint64_t cookie) {
  const std::shared_ptr<Pool> pool = find(id);
  if (!pool) return;
  if (pool->http2) http2_.cancel(pool->http2, cookie);
  if (pool->http1) http1_.cancel(pool->http1, cookie);
}

uint32_t VendorClient::slots(PoolId id) const {
  const std::shared_ptr<Pool> pool = find(id);
  if (!pool) return 0;
  return pool->by_http1 ? http1_.slots(pool->http1) : http2_.slots(pool->http2);
}

std::optional<PoolFigures> VendorClient::figures(PoolId id) const {
  const std::shared_ptr<Pool> pool = find(id);
  if (!pool || pool->by_http1) return std::nullopt;
  return http2_.figures(pool->http2);
}

}  // namespace godwit::net
