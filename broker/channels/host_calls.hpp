// HostCalls: the functions behind gw_host, the table through which a plugin talks to its host.
//
// All of them are [any-thread]. After the plugin's stop returned they answer GW_E_CLOSED and the call is noted: a
// thread that a plugin forgot to join meets a closed door. They do not throw: what would (no memory) ends the process,
// as it does anywhere else in the broker.
#pragma once

#include <godwit/abi.h>

namespace godwit::channels {

class Instance;

struct HostCalls {
  // The table for one instance, which must outlive every thread of the plugin.
  static gw_host table(Instance& instance);

 private:
  static Instance& self(void* ctx);
  static bool is_closed(Instance& instance, const char* call);

  static const void* get_service(void* ctx, gw_str id);
  static uint64_t now_mono_ns(void* ctx);
  static uint64_t now_wall_ms(void* ctx);
  static void log(void* ctx, int32_t level, gw_str text, const gw_str* kv, uint32_t pairs);
  static int32_t log_level(void* ctx);
  static int32_t post(void* ctx, void (*fn)(void* arg), void* arg);
  static uint64_t timer_arm(void* ctx, uint64_t delay_ns, uint64_t cookie);
  static int32_t timer_cancel(void* ctx, uint64_t id);
  static int32_t set_state(void* ctx, uint32_t state, gw_str reason);
  static int32_t set_window(void* ctx, uint32_t messages);
  static int32_t hold(void* ctx, uint64_t until_mono_ns, gw_str reason);
  static int32_t settle(void* ctx, const gw_outcome* const* outcomes, uint32_t count);
  static int32_t event(void* ctx, const gw_event* const* events, uint32_t count);
  static int32_t drained(void* ctx);
  static int32_t on_lane(void* ctx);
};

}  // namespace godwit::channels
