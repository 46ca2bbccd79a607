// HttpPool: requests to one origin through the host's client (godwit.http/1).
//
//   auto pool = HttpPool::open(host, {.origin = "https://api.example.com"});
//   pool->send({.path = "/send", .body = body}, [m = std::move(m)](const HttpReply& r) mutable { m.settle(read(r)); });
//
// Every send ends in exactly one callback on the lane; a send that was refused at once calls it before it returns, with
// delivery NOT_SENT. The pool closes with its object; what is open then ends with GW_E_CLOSED. Safe from any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <godwit/ext/http.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

struct HttpPoolOptions {
  std::string origin = {};           // "https://host:port"
  uint32_t versions = 0;             // GW_HTTP_V1 | GW_HTTP_V2; 0 = the host's choice
  std::string tls_certificate = {};  // secret names of the client's certificate and key
  std::string tls_key = {};
  std::string ca_file = {};  // trusted CAs; empty = the system's
  std::string server_name = {};
  uint32_t max_connections = 0;
  uint32_t max_streams = 0;
  uint32_t connect_timeout_ms = 5000;
  uint32_t request_timeout_ms = 30000;
  uint32_t idle_timeout_ms = 0;
  uint32_t ping_interval_ms = 0;
  uint32_t max_response_bytes = 0;
};

struct HttpRequest {
  std::string method = "POST";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string body = {};
  uint64_t deadline_mono_ns = 0;  // 0 = only the pool's time-out
  uint64_t cookie = 0;            // for cancel
};

// The same on the caller's memory, which only has to live for the call of send: for channels that count allocations.
struct HttpRequestView {
  std::string_view method = "POST";
  std::string_view path = "/";
  std::span<const std::pair<std::string_view, std::string_view>> headers = {};
  std::string_view body = {};
  uint64_t deadline_mono_ns = 0;
  uint64_t cookie = 0;
};

// Valid during the callback.
class HttpReply {
 public:
  explicit HttpReply(const gw_http_response* raw) : raw_(raw) {}
  bool is_answered() const { return raw_->delivery == GW_HTTP_ANSWERED; }
  // Surely did not leave: safe to retry.
  bool is_not_sent() const { return raw_->delivery == GW_HTTP_NOT_SENT; }
  int32_t status() const { return raw_->status; }  // GW_*
  uint32_t http_status() const { return raw_->http_status; }
  std::string_view body() const { return view(raw_->body); }
  std::string_view error() const { return view(raw_->error); }
  // By lower-case name; empty if absent.
  std::string_view header(std::string_view name) const {
    for (uint32_t i = 0; i < raw_->header_count; ++i)
      if (view(raw_->headers[2 * i]) == name) return view(raw_->headers[2 * i + 1]);
    return {};
  }
  const gw_http_response& raw() const { return *raw_; }

 private:
  const gw_http_response* raw_;
};

class HttpPool {
 public:
  static Result<HttpPool> open(Host host, const HttpPoolOptions& options) {
    return open(host, options, [](uint32_t) {});
  }

  // `on_slots(uint32_t)` runs on the lane when the number of free streams changed much: map it to set_window.
  template <class F>
  static Result<HttpPool> open(Host host, const HttpPoolOptions& o, F on_slots) {
    HttpPool pool(host);
    if (!pool.table_.open_pool) return Error{GW_E_UNSUPPORTED, "this host does not offer " GW_SERVICE_HTTP, ""};
    auto box = make_box(host.instance(), std::move(on_slots));
    using B = typename decltype(box)::element_type;
    gw_http_pool_options raw{};
    raw.size = sizeof raw;
    raw.versions = o.versions;
    raw.origin = str(o.origin);
    raw.tls_certificate = str_or_absent(o.tls_certificate);
    raw.tls_key = str_or_absent(o.tls_key);
    raw.ca_file = str_or_absent(o.ca_file);
    raw.server_name = str_or_absent(o.server_name);
    raw.max_connections = o.max_connections;
    raw.max_streams = o.max_streams;
    raw.connect_timeout_ms = o.connect_timeout_ms;
    raw.request_timeout_ms = o.request_timeout_ms;
    raw.idle_timeout_ms = o.idle_timeout_ms;
    raw.ping_interval_ms = o.ping_interval_ms;
    raw.max_response_bytes = o.max_response_bytes;
    raw.on_slots = [](void* arg, uint32_t slots) { B::call("on_slots", arg, slots); };
    raw.on_slots_arg = box.get();
    std::string why;
    gw_diag diag{sizeof(gw_diag), 0, &why,
                 [](void* ctx, int32_t, gw_str, gw_str text) { static_cast<std::string*>(ctx)->assign(view(text)); }};
    int32_t status = pool.table_.open_pool(pool.table_.ctx, &raw, &diag, &pool.id_);
    if (status != GW_OK)
      return Error{status, why.empty() ? "the pool for " + o.origin + " was refused" : why, "/origin"};
    pool.on_slots_ = std::move(box);
    return pool;
  }

  HttpPool(HttpPool&& other) noexcept
      : instance_(other.instance_),
        table_(other.table_),
        id_(std::exchange(other.id_, 0)),
        on_slots_(std::move(other.on_slots_)) {}
  HttpPool& operator=(HttpPool&& other) noexcept {
    std::swap(instance_, other.instance_);
    std::swap(table_, other.table_);
    std::swap(id_, other.id_);
    std::swap(on_slots_, other.on_slots_);
    return *this;
  }
  ~HttpPool() {
    if (id_ && !instance_->is_closed()) table_.close_pool(table_.ctx, id_);
  }

  // `done(const HttpReply&)`, exactly once.
  template <class F>
  void send(const HttpRequest& request, F&& done) const {
    send_any(request, std::forward<F>(done));
  }
  template <class F>
  void send(const HttpRequestView& request, F&& done) const {
    send_any(request, std::forward<F>(done));
  }

  void cancel(uint64_t cookie) const { table_.cancel(table_.ctx, id_, cookie); }
  // Requests that could leave now without queueing.
  uint32_t slots() const { return table_.pool_slots(table_.ctx, id_); }

 private:
  explicit HttpPool(Host host) : instance_(host.instance()), table_(host.service<gw_http>(GW_SERVICE_HTTP)) {}

  template <class Request, class F>
  void send_any(const Request& request, F&& done) const {
    constexpr size_t kFew = 16;
    std::array<gw_str, 2 * kFew> few;
    std::vector<gw_str> many(request.headers.size() > kFew ? 2 * request.headers.size() : 0);
    gw_str* const headers = many.empty() ? few.data() : many.data();
    gw_str* next = headers;
    for (const auto& [name, value] : request.headers) *next++ = str(name), *next++ = str(value);
    gw_http_request raw{};
    raw.size = sizeof raw;
    raw.header_count = static_cast<uint32_t>(request.headers.size());
    raw.method = str(request.method);
    raw.path = str(request.path);
    raw.headers = headers;
    raw.body = str(request.body);
    raw.deadline_mono_ns = request.deadline_mono_ns;
    raw.cookie = request.cookie;

    auto box = make_box(instance_, std::forward<F>(done));
    using B = typename decltype(box)::element_type;
    constexpr auto on_done = [](void* arg, const gw_http_response* r) {
      B::call_and_free("an HTTP callback", arg, HttpReply(r));
    };
    int32_t status = table_.send(table_.ctx, id_, &raw, on_done, box.get());
    void* arg = box.release();
    if (status == GW_OK) return;
    gw_http_response refused{};
    refused.size = sizeof refused;
    refused.delivery = GW_HTTP_NOT_SENT;
    refused.status = status;
    refused.error = str("the host refused the request");
    refused.cookie = request.cookie;
    on_done(arg, &refused);
  }

  Instance* instance_;
  gw_http table_;
  uint64_t id_ = 0;
  std::unique_ptr<Boxed> on_slots_;
};

}  // namespace sdk
}  // namespace godwit
