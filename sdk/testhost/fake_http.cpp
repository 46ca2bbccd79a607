#include "sdk/testhost/fake_http.hpp"

#include <algorithm>

#include <godwit/text.hpp>

namespace godwit::testhost {
namespace {

constexpr uint64_t kNever = UINT64_MAX;

FakeHttp& self(void* ctx) {
  return *static_cast<FakeHttp*>(ctx);
}

Headers headers_of(const gw_str* pairs, uint32_t count) {
  Headers headers;
  for (uint32_t i = 0; i < count; ++i) headers.emplace_back(view(pairs[2 * i]), view(pairs[2 * i + 1]));
  return headers;
}

}  // namespace

HttpAnswer HttpAnswer::failed(uint32_t delivery, int32_t status, std::string error) {
  HttpAnswer answer;
  answer.delivery = delivery;
  answer.status = status;
  answer.http_status = 0;
  answer.body.clear();
  answer.error = std::move(error);
  return answer;
}

HttpAnswer HttpAnswer::silent() {
  HttpAnswer answer = failed(GW_HTTP_MAYBE_SENT, GW_E_TIMEOUT, "no answer in time");
  answer.is_silent = true;
  return answer;
}

FakeHttp::FakeHttp(Lane& lane, std::function<uint64_t()> now_ns) : lane_(lane), now_ns_(std::move(now_ns)) {
  script_ = [](const SentRequest&) { return HttpAnswer{}; };
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.open_pool = [](void* ctx, const gw_http_pool_options* o, const gw_diag*, uint64_t* pool) {
    return self(ctx).open_pool(*o, pool);
  };
  table_.close_pool = [](void* ctx, uint64_t pool) {
    HttpAnswer closed = HttpAnswer::failed(GW_HTTP_MAYBE_SENT, GW_E_CLOSED, "the pool was closed");
    self(ctx).end_if([pool](const Open& o) { return o.pool == pool; }, &closed);
  };
  table_.send = [](void* ctx, uint64_t pool, const gw_http_request* r, gw_http_done done, void* arg) {
    return self(ctx).send(pool, *r, done, arg);
  };
  table_.cancel = [](void* ctx, uint64_t pool, uint64_t cookie) {
    HttpAnswer cancelled = HttpAnswer::failed(GW_HTTP_MAYBE_SENT, GW_E_CLOSED, "cancelled");
    self(ctx).end_if([=](const Open& o) { return o.pool == pool && o.cookie == cookie; }, &cancelled);
  };
  table_.pool_slots = [](void*, uint64_t) -> uint32_t { return 100; };
}

void FakeHttp::script(std::function<HttpAnswer(const SentRequest&)> script) {
  std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

std::vector<SentRequest> FakeHttp::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

int32_t FakeHttp::open_pool(const gw_http_pool_options& o, uint64_t* pool) {
  std::lock_guard lock(mutex_);
  if (closed_) return GW_E_CLOSED;
  if (view(o.origin).empty()) return GW_E_INVALID;
  *pool = ++last_pool_;
  pools_[*pool] = {std::string(view(o.origin)), o.request_timeout_ms * UINT64_C(1000000), o.max_streams};
  return GW_OK;
}

int32_t FakeHttp::send(uint64_t pool, const gw_http_request& r, gw_http_done done, void* arg) {
  std::lock_guard lock(mutex_);
  if (closed_) return GW_E_CLOSED;
  auto it = pools_.find(pool);
  if (it == pools_.end()) return GW_E_INVALID;
  SentRequest request{it->second.origin,         std::string(view(r.method)),           std::string(view(r.path)),
                      std::string(view(r.body)), headers_of(r.headers, r.header_count), r.deadline_mono_ns};
  HttpAnswer answer = script_(request);
  uint64_t now = now_ns_();
  uint64_t due = now + answer.after_ns;
  uint64_t latest = r.deadline_mono_ns ? r.deadline_mono_ns : kNever;
  if (it->second.timeout_ns) latest = std::min(latest, now + it->second.timeout_ns);
  if (answer.is_silent || due > latest) {
    due = latest;
    answer = HttpAnswer::failed(GW_HTTP_MAYBE_SENT, GW_E_TIMEOUT, "no answer in time");
  }
  requests_.push_back(std::move(request));
  open_.push_back({pool, r.cookie, due, now, std::move(answer), done, arg});
  return GW_OK;
}

void FakeHttp::end_if(const std::function<bool(const Open&)>& matches, const HttpAnswer* instead) {
  std::vector<Open> ended;
  {
    std::lock_guard lock(mutex_);
    auto keep = std::stable_partition(open_.begin(), open_.end(), [&](const Open& o) { return !matches(o); });
    std::move(keep, open_.end(), std::back_inserter(ended));
    open_.erase(keep, open_.end());
  }
  std::stable_sort(ended.begin(), ended.end(), [](const Open& a, const Open& b) { return a.due_ns < b.due_ns; });
  for (Open& o : ended) {
    if (instead) o.answer = *instead;
    deliver(std::move(o));
  }
}

void FakeHttp::deliver(Open open) {
  lane_.post([this, open = std::move(open)] {
    std::vector<gw_str> pairs;
    for (const auto& [name, value] : open.answer.headers) pairs.push_back(str(name)), pairs.push_back(str(value));
    gw_http_response r{};
    r.size = sizeof r;
    r.delivery = open.answer.delivery;
    r.status = open.answer.status;
    r.http_status = open.answer.http_status;
    r.headers = pairs.data();
    r.header_count = static_cast<uint32_t>(open.answer.headers.size());
    r.http_version = 2;
    r.body = str(open.answer.body);
    r.error = str(open.answer.error);
    r.cookie = open.cookie;
    r.elapsed_ns = now_ns_() - open.sent_ns;
    open.done(open.arg, &r);
  });
}

void FakeHttp::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  HttpAnswer closed = HttpAnswer::failed(GW_HTTP_MAYBE_SENT, GW_E_CLOSED, "the channel is stopping");
  end_if([](const Open&) { return true; }, &closed);
}

std::optional<uint64_t> FakeHttp::next_due_ns() const {
  std::lock_guard lock(mutex_);
  uint64_t due = kNever;
  for (const Open& o : open_) due = std::min(due, o.due_ns);
  return due == kNever ? std::nullopt : std::optional(due);
}

void FakeHttp::turn(uint64_t now_ns) {
  end_if([now_ns](const Open& o) { return o.due_ns <= now_ns; }, nullptr);
}

}  // namespace godwit::testhost
