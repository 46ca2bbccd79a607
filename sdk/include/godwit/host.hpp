// Host is the plugin's handle on the broker: clocks, log, timers, state, events, and the way to every service.
//
// A pointer in size: pass it by value, keep it as a member. Valid from create until the channel's destructor has ended.
// Every function may be called from any thread; callables that are handed over run on the lane.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <godwit/event.hpp>
#include <godwit/instance.hpp>
#include <godwit/result.hpp>
#include <godwit/task.hpp>

namespace godwit {
inline namespace sdk {

class Host {
 public:
  explicit Host(Instance* instance) : instance_(instance) {}

  // ---- time: the only clocks a plugin uses; tests turn them by hand ----
  uint64_t now_mono_ns() const { return raw().now_mono_ns(raw().ctx); }
  uint64_t now_wall_ms() const { return raw().now_wall_ms(raw().ctx); }

  // ---- log: the host adds channel and instance ----
  using Field = std::pair<std::string_view, std::string_view>;
  void log(int32_t level, std::string_view text, std::initializer_list<Field> fields = {}) const {
    if (level < raw().log_level(raw().ctx)) return;
    std::vector<gw_str> kv;
    kv.reserve(fields.size() * 2);
    for (const Field& f : fields) kv.push_back(str(f.first)), kv.push_back(str(f.second));
    raw().log(raw().ctx, level, str(text), kv.data(), static_cast<uint32_t>(fields.size()));
  }
  void debug(std::string_view text, std::initializer_list<Field> f = {}) const { log(GW_LOG_DEBUG, text, f); }
  void info(std::string_view text, std::initializer_list<Field> f = {}) const { log(GW_LOG_INFO, text, f); }
  void warn(std::string_view text, std::initializer_list<Field> f = {}) const { log(GW_LOG_WARN, text, f); }
  void error(std::string_view text, std::initializer_list<Field> f = {}) const { log(GW_LOG_ERROR, text, f); }

  // ---- the lane ----
  // Runs f on the lane. False once stopping: f is gone unrun.
  template <class F>
  bool post(F&& f) const {
    auto box = make_box(instance_, std::forward<F>(f));
    using B = typename decltype(box)::element_type;
    if (raw().post(
            raw().ctx, [](void* arg) { B::call_and_free("a posted function", arg); }, box.get()) != GW_OK)
      return false;
    box.release();
    return true;
  }

  // Runs f on the lane after a while, once; it is dropped unrun when the instance stops. 0 = refused (stopping).
  template <class F>
  uint64_t after(uint64_t delay_ns, F&& f) const {
    return instance_->after(delay_ns, std::make_unique<TaskOf<std::decay_t<F>>>(std::forward<F>(f)));
  }
  // The plain form: Channel::on_timer(id, cookie). Keep the cookie's top bit clear.
  uint64_t timer_arm(uint64_t delay_ns, uint64_t cookie) const {
    return raw().timer_arm(raw().ctx, delay_ns, cookie & ~Instance::kOwnCookie);
  }
  void timer_cancel(uint64_t id) const { raw().timer_cancel(raw().ctx, id); }

  // ---- state and pace ----
  // GW_STATE_*. The first READY opens the window to max_window, unless set_window was called before.
  void set_state(uint32_t state, std::string_view reason = {}) const { instance_->set_state(state, reason); }
  // Messages that may be with this plugin at once; 0 pauses.
  void set_window(uint32_t messages) const { instance_->set_window(messages); }
  // "Come back then"; 0 ends a hold.
  void hold(uint64_t until_mono_ns, std::string_view reason) const {
    raw().hold(raw().ctx, until_mono_ns, str(reason));
  }
  // Only for a channel whose drain() answered Drain::will_say.
  void drained() const { raw().drained(raw().ctx); }
  bool is_on_lane() const { return raw().on_lane(raw().ctx) == 1; }

  // ---- events ----
  // GW_OK, or GW_E_BUSY: keep it until on_event_room (EventQueue does).
  int32_t event(const Event& event) const {
    gw_event e = event.raw();
    const gw_event* list[] = {&e};
    return raw().event(raw().ctx, list, 1);
  }

  // ---- for the service wrappers ----
  const gw_host& raw() const { return instance_->host(); }
  Instance* instance() const { return instance_; }
  template <class Table>
  Table service(const char* id) const {
    return import_table(static_cast<const Table*>(raw().get_service(raw().ctx, str(id))));
  }

 private:
  Instance* instance_;
};

}  // namespace sdk
}  // namespace godwit
