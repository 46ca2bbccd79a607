#include "broker/channels/host_calls.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/instance.hpp"
#include "broker/channels/instance_services.hpp"

namespace godwit::channels {
namespace {

constexpr uint32_t kMaxEventsPerCall = 10'000;
constexpr uint32_t kMaxLogPairs = 32;

spdlog::level::level_enum to_level(int32_t level) {
  static_assert(GW_LOG_TRACE == spdlog::level::trace && GW_LOG_ERROR == spdlog::level::err);
  return static_cast<spdlog::level::level_enum>(std::clamp<int32_t>(level, GW_LOG_TRACE, GW_LOG_ERROR));
}

}  // namespace

gw_host HostCalls::table(Instance& instance) {
  gw_host host{};
  host.size = sizeof host;
  host.ctx = &instance;
  host.get_service = &get_service;
  host.now_mono_ns = &now_mono_ns;
  host.now_wall_ms = &now_wall_ms;
  host.log = &log;
  host.log_level = &log_level;
  host.post = &post;
  host.timer_arm = &timer_arm;
  host.timer_cancel = &timer_cancel;
  host.set_state = &set_state;
  host.set_window = &set_window;
  host.hold = &hold;
  host.settle = &settle;
  host.event = &event;
  host.drained = &drained;
  host.on_lane = &on_lane;
  return host;
}

Instance& HostCalls::self(void* ctx) {
  return *static_cast<Instance*>(ctx);
}

bool HostCalls::is_closed(Instance& instance, const char* call) {
  if (instance.may_call_host()) return false;
  instance.misbehaviour_.note("call-after-stop", std::string("called ") + call + " after its stop had returned");
  return true;
}

const void* HostCalls::get_service(void* ctx, gw_str id) {
  return is_closed(self(ctx), "get_service") ? nullptr : self(ctx).services_->find(from_gw(id));
}

uint64_t HostCalls::now_mono_ns(void* ctx) {
  return static_cast<uint64_t>(self(ctx).clock_.mono_ns());
}

uint64_t HostCalls::now_wall_ms(void* ctx) {
  return static_cast<uint64_t>(self(ctx).clock_.wall_ms());
}

void HostCalls::log(void* ctx, int32_t level, gw_str text, const gw_str* kv, uint32_t pairs) {
  if (!spdlog::should_log(to_level(level))) return;
  Instance& instance = self(ctx);
  std::string line = clean_text(text, 4096);
  for (uint32_t i = 0; kv && i < std::min(pairs, kMaxLogPairs); ++i)
    line += " " + clean_text(kv[2 * i], 64) + "=" + clean_text(kv[2 * i + 1], 1024);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  spdlog::log(to_level(level), "[{} {}] {}", instance.name_, instance.type_.id, line);
}

int32_t HostCalls::log_level(void*) {
  return std::min<int32_t>(spdlog::get_level(), GW_LOG_ERROR);
}

int32_t HostCalls::post(void* ctx, void (*fn)(void*), void* arg) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "post")) return GW_E_CLOSED;
  if (!fn) return GW_E_INVALID;
  std::lock_guard lock(instance.post_mutex_);
  if (instance.phase_.load() >= Instance::Phase::closing) return GW_E_CLOSED;
  return instance.lane_.post("post", [fn, arg] { guard([&] { fn(arg); }); }) ? GW_OK : GW_E_CLOSED;
}

uint64_t HostCalls::timer_arm(void* ctx, uint64_t delay_ns, uint64_t cookie) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "timer_arm")) return 0;
  if (instance.phase_.load() < Instance::Phase::created) {
    instance.misbehaviour_.note("timer-in-create", "armed a timer in create");
    return 0;
  }
  return instance.timers_.arm(delay_ns, cookie);
}

int32_t HostCalls::timer_cancel(void* ctx, uint64_t id) {
  return self(ctx).timers_.cancel(id);
}

int32_t HostCalls::set_state(void* ctx, uint32_t state, gw_str reason) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "set_state")) return GW_E_CLOSED;
  const std::optional<ChannelState> known = to_state(state);
  if (!known) return GW_E_INVALID;
  instance.set_state(*known, clean_text(reason, 512));
  return GW_OK;
}

int32_t HostCalls::set_window(void* ctx, uint32_t messages) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "set_window")) return GW_E_CLOSED;
  const uint32_t before = instance.window_.size();
  if (instance.window_.resize(messages))
    spdlog::info("[{}] the window {} is cut to {}", instance.name_, messages, instance.window_.hard_limit());
  if (instance.window_.size() > before) instance.settler_.room();
  return GW_OK;
}

int32_t HostCalls::hold(void* ctx, uint64_t until_mono_ns, gw_str reason) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "hold")) return GW_E_CLOSED;
  instance.hold_until(static_cast<MonoNs>(std::min<uint64_t>(until_mono_ns, TicketTable::kNever)),
                      clean_text(reason, 512));
  return GW_OK;
}

int32_t HostCalls::settle(void* ctx, const gw_outcome* const* outcomes, uint32_t count) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "settle")) return GW_E_CLOSED;
  if (!outcomes && count > 0) return GW_E_INVALID;
  return instance.settler_.settle(outcomes, count, instance.lane_.inside());
}

int32_t HostCalls::event(void* ctx, const gw_event* const* events, uint32_t count) {
  Instance& instance = self(ctx);
  if (is_closed(instance, "event")) return GW_E_CLOSED;
  if ((!events && count > 0) || count > kMaxEventsPerCall) return GW_E_INVALID;
  std::vector<ChannelEvent> list;
  list.reserve(count);
  const WallMs now = instance.clock_.wall_ms();
  for (uint32_t i = 0; i < count; ++i) {
    if (!events[i]) return GW_E_INVALID;
    if (std::optional<ChannelEvent> event = to_event(*events[i], instance.number_, now))
      list.push_back(std::move(*event));
  }
  if (list.size() < count)
    instance.misbehaviour_.note("useless-event", "sent events of unknown kind, or that name no device or message");
  if (list.empty()) return GW_OK;
  const auto deliver = [&](std::vector<ChannelEvent> events) { return instance.settler_.events(std::move(events)); };
  return instance.presence_.pass(std::move(list), deliver) ? GW_OK : GW_E_BUSY;
}

int32_t HostCalls::drained(void* ctx) {
  self(ctx).plugin_drained_ = true;
  return GW_OK;
}

int32_t HostCalls::on_lane(void* ctx) {
  return self(ctx).lane_.inside() ? 1 : 0;
}

}  // namespace godwit::channels
