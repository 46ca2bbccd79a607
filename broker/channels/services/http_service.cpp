#include "broker/channels/services/http_service.hpp"

#include <algorithm>
#include <chrono>
#include <godwit/table.hpp>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

constexpr std::chrono::seconds kClosePatience{2};
constexpr size_t kAnswersInARow = 256;       // then the lane may do something else
constexpr uint32_t kQueuedOnStreams = 8192;  // HTTP/2: a window of a few thousand, and a server that shrinks to 1
static_assert(static_cast<uint32_t>(net::Delivery::not_sent) == GW_HTTP_NOT_SENT &&
              static_cast<uint32_t>(net::Delivery::maybe_sent) == GW_HTTP_MAYBE_SENT &&
              static_cast<uint32_t>(net::Delivery::answered) == GW_HTTP_ANSWERED);

int32_t status_of(net::HttpResponse::Fault fault) {
  switch (fault) {
    case net::HttpResponse::Fault::none:
      return GW_OK;
    case net::HttpResponse::Fault::timeout:
      return GW_E_TIMEOUT;
    case net::HttpResponse::Fault::io:
      return GW_E_IO;
    case net::HttpResponse::Fault::closed:
      return GW_E_CLOSED;
  }
  return GW_E_INTERNAL;
}

int32_t status_of(const Error& error) {
  switch (error.code) {
    case Code::overloaded:
      return GW_E_BUSY;
    case Code::not_found:
    case Code::unavailable:
      return GW_E_CLOSED;
    case Code::unsupported:
      return GW_E_UNSUPPORTED;
    default:
      return GW_E_INVALID;
  }
}

void report(const gw_diag* diag, const Error& error) {
  if (diag && diag->report) diag->report(diag->ctx, GW_DIAG_ERROR, to_gw(error.where), to_gw(error.message));
}

}  // namespace

HttpService::HttpService(ServiceHome home, net::HttpClient& client, const SecretStore& secrets)
    : home_(home), client_(client), secrets_(secrets), tether_(std::make_shared<Tether>()) {
  tether_->service = this;
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.open_pool = [](void* ctx, const gw_http_pool_options* options, const gw_diag* diag,
                        uint64_t* pool) -> int32_t {
    if (!options || !pool) return GW_E_INVALID;
    return self(ctx).open_pool(import_table(options), diag, *pool);
  };
  table_.close_pool = [](void* ctx, uint64_t pool) { self(ctx).close_pool(pool); };
  table_.send = [](void* ctx, uint64_t pool, const gw_http_request* request, gw_http_done done, void* arg) -> int32_t {
    if (!request || !done) return GW_E_INVALID;
    return self(ctx).send(pool, import_table(request), done, arg);
  };
  table_.cancel = [](void* ctx, uint64_t pool, uint64_t cookie) {
    if (self(ctx).owns(pool)) self(ctx).client_.cancel(pool, cookie);
  };
  table_.pool_slots = [](void* ctx, uint64_t pool) { return self(ctx).owns(pool) ? self(ctx).client_.slots(pool) : 0; };
}

HttpService::~HttpService() {
  {
    std::lock_guard lock(tether_->mutex);
    tether_->service = nullptr;
  }
  std::unique_lock lock(mutex_);
  response_came_.wait(lock, [&] { return outstanding_ == 0; });
}

int32_t HttpService::open_pool(const gw_http_pool_options& in, const gw_diag* diag, uint64_t& pool) {
  net::HttpPoolOptions out;
  out.origin = from_gw(in.origin);
  out.ca_file = from_gw(in.ca_file);
  out.server_name = from_gw(in.server_name);
  out.versions = in.versions;
  if (in.max_connections) out.max_connections = in.max_connections;
  if (in.connect_timeout_ms) out.connect_timeout_ms = in.connect_timeout_ms;
  if (in.request_timeout_ms) out.request_timeout_ms = in.request_timeout_ms;
  if (in.idle_timeout_ms) out.idle_timeout_ms = in.idle_timeout_ms;
  if (in.max_response_bytes) out.max_body_bytes = in.max_response_bytes;
  out.max_streams = in.max_streams;
  out.ping_interval_ms = in.ping_interval_ms;
  out.max_queued = in.versions == GW_HTTP_V2 ? kQueuedOnStreams : std::max(out.max_queued, 4 * out.max_connections);
  if (in.tls_certificate.ptr)
    out.identity = [tether = tether_, certificate = std::string(from_gw(in.tls_certificate)),
                    key = std::string(from_gw(in.tls_key))] {
      std::lock_guard lock(tether->mutex);
      if (!tether->service) return net::TlsIdentity{};
      const SecretStore& secrets = tether->service->secrets_;
      const SecretStore::Value c = secrets.get(certificate).value_or(SecretStore::Value{});
      const SecretStore::Value k = secrets.get(key).value_or(SecretStore::Value{});
      return net::TlsIdentity{c.bytes, k.bytes, std::max(c.version, k.version)};
    };
  if (in.on_slots)
    out.on_slots = [tether = tether_, fn = in.on_slots, arg = in.on_slots_arg](uint32_t slots) {
      std::lock_guard lock(tether->mutex);
      if (tether->service)
        tether->service->home_.lane.post("http on_slots", [fn, arg, slots] { guard([&] { fn(arg, slots); }); });
    };

  std::lock_guard lock(mutex_);
  if (closing_) return GW_E_CLOSED;
  std::string origin = out.origin;
  const Result<net::HttpClient::PoolId> opened = client_.open_pool(std::move(out));
  if (!opened) {
    report(diag, opened.error());
    return status_of(opened.error());
  }
  pools_.emplace(*opened, std::move(origin));
  pool = *opened;
  return GW_OK;
}

void HttpService::close_pool(uint64_t pool) {
  {
    std::lock_guard lock(mutex_);
    if (pools_.erase(pool) == 0) return;
  }
  client_.close_pool(pool);
}

// Pool numbers are the client's, so they could be another channel's.
bool HttpService::owns(uint64_t pool) {
  std::lock_guard lock(mutex_);
  return pools_.contains(pool);
}

int32_t HttpService::send(uint64_t pool, const gw_http_request& in, gw_http_done done, void* arg) {
  if (!owns(pool)) return GW_E_CLOSED;
  net::HttpRequest out;
  out.method = from_gw(in.method);
  out.path = from_gw(in.path);
  out.body = from_gw(in.body);
  out.deadline_ns = static_cast<MonoNs>(in.deadline_mono_ns);
  out.cookie = in.cookie;
  out.headers.reserve(in.header_count);
  for (uint32_t i = 0; i < in.header_count; ++i)
    out.headers.emplace_back(from_gw(in.headers[2 * i]), from_gw(in.headers[2 * i + 1]));

  uint64_t id = 0;
  if (const int32_t status = calls_.add({done, arg}, id); status != GW_OK) return status;
  {
    std::lock_guard lock(mutex_);
    ++outstanding_;
  }
  const Result<void> sent =
      client_.send(pool, std::move(out), [this, id](net::HttpResponse r) { arrived(id, std::move(r)); });
  if (sent) return GW_OK;
  {
    std::lock_guard lock(mutex_);
    --outstanding_;
  }
  // If close has come in between, it has answered the call: then it counts as taken.
  return calls_.take(id) ? status_of(sent.error()) : GW_OK;
}

// On the client's thread.
void HttpService::arrived(uint64_t id, net::HttpResponse response) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    arrived_.emplace_back(id, std::move(response));
    first = !std::exchange(answering_, true);
  }
  if (first) home_.lane.post("http done", [this] { answer_arrived(kAnswersInARow, false); });
  // The last touch: under the lock, because the destructor waits for it.
  std::lock_guard lock(mutex_);
  --outstanding_;
  if (outstanding_ == 0) response_came_.notify_all();
}

void HttpService::answer_arrived(size_t most, bool closing) {
  std::vector<std::pair<uint64_t, net::HttpResponse>> batch;
  bool more = false;
  {
    std::lock_guard lock(mutex_);
    batch.swap(arrived_);
    if (batch.size() > most) {
      const auto rest = batch.begin() + static_cast<std::ptrdiff_t>(most);
      arrived_.assign(std::make_move_iterator(rest), std::make_move_iterator(batch.end()));
      batch.erase(rest, batch.end());
      more = true;
    }
    answering_ = more;
  }
  if (more) home_.lane.post("http done", [this, most] { answer_arrived(most, false); });
  for (const auto& [id, response] : batch)
    if (const std::optional<Call> call = calls_.take(id)) answer(*call, response, closing);
}

void HttpService::answer(const Call& call, const net::HttpResponse& r, bool closing) {
  std::vector<gw_str> headers;
  headers.reserve(2 * r.headers.size());
  for (const auto& [name, value] : r.headers) {
    headers.push_back(to_gw(name));
    headers.push_back(to_gw(value));
  }
  gw_http_response out{};
  out.size = sizeof out;
  out.delivery = static_cast<uint32_t>(r.delivery);
  out.status = closing && r.fault != net::HttpResponse::Fault::none ? GW_E_CLOSED : status_of(r.fault);
  out.http_status = static_cast<uint32_t>(r.status);
  out.headers = headers.data();
  out.header_count = static_cast<uint32_t>(r.headers.size());
  out.http_version = static_cast<uint32_t>(r.version);
  out.body = to_gw(r.body);
  out.error = to_gw_or_absent(r.error);
  out.cookie = r.cookie;
  out.elapsed_ns = static_cast<uint64_t>(r.elapsed_ns);
  guard([&] { call.done(call.arg, &out); });
}

void HttpService::close() {
  calls_.shut();
  std::map<uint64_t, std::string> pools;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    pools.swap(pools_);
  }
  for (const auto& [pool, origin] : pools)
    client_.close_pool(pool);  // ends what is open; the client's thread never waits for us
  {
    std::unique_lock lock(mutex_);
    response_came_.wait_for(lock, kClosePatience, [&] { return outstanding_ == 0; });
  }
  {
    std::lock_guard lock(tether_->mutex);
    tether_->service = nullptr;
  }
  answer_arrived(SIZE_MAX, true);
  net::HttpResponse gone;
  gone.delivery = net::Delivery::maybe_sent;  // the client did not even end it in time: nobody knows
  gone.fault = net::HttpResponse::Fault::closed;
  gone.error = "the channel was stopped";
  for (const Call& call : calls_.close()) answer(call, gone, true);
}

void HttpService::collect(const std::function<void(const MetricSample&)>& sink) const {
  std::map<uint64_t, std::string> pools;
  {
    std::lock_guard lock(mutex_);
    pools = pools_;
  }
  using Kind = MetricSample::Kind;
  for (const auto& [pool, origin] : pools) {
    const std::optional<net::PoolFigures> f = client_.figures(pool);
    if (!f) continue;
    const auto put = [&](Kind kind, const char* name, const char* help, uint64_t value, const char* label = nullptr,
                         const char* text = nullptr) {
      MetricSample sample;
      sample.kind = kind;
      sample.name = name;
      sample.help = help;
      sample.labels = {{"channel", home_.channel}, {"origin", origin}, {"pool", std::to_string(pool)}};
      if (label) sample.labels.emplace_back(label, text);
      sample.value = static_cast<double>(value);
      sink(sample);
    };
    put(Kind::gauge, "vendor_http_connections", "Open HTTP/2 connections to a vendor.", f->connections);
    put(Kind::gauge, "vendor_http_streams_allowed", "Streams that the vendor allows now, on all connections.",
        f->capacity);
    put(Kind::gauge, "vendor_http_requests_in_flight", "Requests that are with the vendor.", f->in_flight);
    put(Kind::gauge, "vendor_http_requests_queued", "Requests that wait for a free stream.", f->queued);
    constexpr const char* kEnded = "Requests by what is known of them.";
    put(Kind::counter, "vendor_http_requests_total", kEnded, f->answered, "delivery", "answered");
    put(Kind::counter, "vendor_http_requests_total", kEnded, f->not_sent, "delivery", "not_sent");
    put(Kind::counter, "vendor_http_requests_total", kEnded, f->maybe_sent, "delivery", "maybe_sent");
    put(Kind::counter, "vendor_http_connects_total", "Connections begun.", f->connects);
    constexpr const char* kTrouble = "What went wrong on connections.";
    put(Kind::counter, "vendor_http_trouble_total", kTrouble, f->connect_failures, "kind", "connect_failed");
    put(Kind::counter, "vendor_http_trouble_total", kTrouble, f->connections_lost, "kind", "connection_lost");
    put(Kind::counter, "vendor_http_trouble_total", kTrouble, f->goaways, "kind", "goaway");
    put(Kind::counter, "vendor_http_trouble_total", kTrouble, f->refused_streams, "kind", "refused_stream");
    put(Kind::counter, "vendor_http_trouble_total", kTrouble, f->lost_pings, "kind", "ping_lost");
    put(Kind::counter, "vendor_http_moved_total",
        "Requests that took another connection, surely unprocessed by the first.", f->moved);
  }
}

}  // namespace godwit::channels
