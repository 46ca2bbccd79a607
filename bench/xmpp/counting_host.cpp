#include "bench/xmpp/counting_host.hpp"

#include <chrono>
#include <cstdio>
#include <godwit/text.hpp>

namespace godwit::bench {
namespace {

CountingHost& self(void* ctx) {
  return *static_cast<CountingHost*>(ctx);
}

}  // namespace

CountingHost::CountingHost(std::string secret) : secret_(std::move(secret)) {
  secret_table_.size = sizeof secret_table_;
  secret_table_.ctx = this;
  secret_table_.get = [](void* ctx, gw_str, gw_secret_fn done, void* arg) -> int32_t {
    return done(arg, GW_OK, str(self(ctx).secret_), 1), GW_OK;
  };
  secret_table_.watch = [](void* ctx, gw_str, gw_secret_fn changed, void* arg, uint64_t* id) -> int32_t {
    *id = 1;
    changed(arg, GW_OK, str(self(ctx).secret_), 1);
    return GW_OK;
  };
  secret_table_.unwatch = [](void*, uint64_t) {};

  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get_service = [](void* ctx, gw_str id) -> const void* {
    return view(id) == GW_SERVICE_SECRET ? &self(ctx).secret_table_ : nullptr;
  };
  table_.now_mono_ns = [](void*) -> uint64_t {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  table_.now_wall_ms = [](void*) -> uint64_t { return 1'790'000'000'000; };
  table_.log = [](void*, int32_t level, gw_str text, const gw_str*, uint32_t) {
    if (level >= GW_LOG_WARN) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.len), text.ptr);
  };
  table_.log_level = [](void*) -> int32_t { return GW_LOG_WARN; };
  table_.post = [](void*, void (*)(void*), void*) -> int32_t { return GW_E_CLOSED; };
  table_.timer_arm = [](void* ctx, uint64_t, uint64_t) -> uint64_t { return self(ctx).timer_ = 1; };
  table_.timer_cancel = [](void*, uint64_t) -> int32_t { return GW_OK; };
  table_.set_state = [](void* ctx, uint32_t state, gw_str) -> int32_t { return self(ctx).state_ = state, GW_OK; };
  table_.set_window = [](void*, uint32_t) -> int32_t { return GW_OK; };
  table_.hold = [](void*, uint64_t, gw_str) -> int32_t { return GW_OK; };
  table_.settle = [](void* ctx, const gw_outcome* const* outcomes, uint32_t count) -> int32_t {
    for (uint32_t i = 0; i < count; ++i)
      (outcomes[i]->disposition == GW_ACCEPTED ? self(ctx).accepted_ : self(ctx).others_)++;
    return GW_OK;
  };
  table_.event = [](void* ctx, const gw_event* const* events, uint32_t count) -> int32_t {
    for (uint32_t i = 0; i < count; ++i) self(ctx).receipts_ += events[i]->kind == GW_EVENT_RECEIPT;
    return GW_OK;
  };
  table_.drained = [](void*) -> int32_t { return GW_OK; };
  table_.on_lane = [](void*) -> int32_t { return 0; };
}

}  // namespace godwit::bench
