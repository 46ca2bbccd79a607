// The edge between the C ABI and a class derived from Channel: one static table of functions per class, built at
// compile time. Authors use only GW_EXPORT_CHANNEL; the static_asserts below are the error messages they may meet.
#pragma once

#include <concepts>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include <godwit/config.hpp>
#include <godwit/extensions.hpp>

namespace godwit {
inline namespace sdk {

template <class T>
concept DescribesItself = requires {
  { T::describe() } -> std::convertible_to<TypeInfo>;
};
template <class T>
concept IsCreatable = requires {
  typename config_of<decltype(&T::create)>::type;
  requires std::convertible_to<typename config_of<decltype(&T::create)>::channel*, T*>;
};

template <class T>
class Export {
  static_assert(std::derived_from<T, Channel>,
                "GW_EXPORT_CHANNEL: the class must derive publicly from godwit::Channel");
  static_assert(!std::is_abstract_v<T>, "GW_EXPORT_CHANNEL: implement both start() and submit(godwit::Batch)");
  static_assert(DescribesItself<T>,
                "GW_EXPORT_CHANNEL: add `static constexpr auto describe() { return godwit::type(\"...\")...; }`");
  static_assert(
      IsCreatable<T>,
      "GW_EXPORT_CHANNEL: add `static godwit::Result<std::unique_ptr<T>> create(godwit::Host host, Config config)` "
      "with Config = godwit::Json (include <godwit/json.hpp>) or std::string_view, public and not overloaded");

 public:
  static constexpr TypeInfo info = T::describe();
  static_assert(!info.id_.empty() && !info.name_.empty() && !info.version_.empty(),
                "describe(): id, name and version are mandatory");
  static_assert(info.caps_.max_targets == 1 || (info.caps_.flags & GW_CAP_MULTICAST),
                "describe(): max_targets other than 1 needs GW_CAP_MULTICAST");
  static_assert(info.caps_.max_batch > 0 && info.caps_.max_window > 0,
                "describe(): max_batch and max_window must be at least 1");
  static_assert(!!(info.caps_.flags & GW_CAP_WEBHOOK) == HasWebhook<T>,
                "GW_CAP_WEBHOOK and `godwit::Result<void> parse_webhook(const godwit::WebhookRequest&, "
                "godwit::WebhookSink&) const` go together: add what is missing");
  static_assert(!!(info.caps_.flags & GW_CAP_RECALL) == HasRecall<T>,
                "GW_CAP_RECALL and `void recall(const gw_recall_request&, godwit::RecallDone)` go together");

  static constexpr gw_caps caps = info.caps_.raw();

 private:
  using Config = typename config_of<decltype(&T::create)>::type;

  // What `self` points to. The channel dies in stop, this in destroy.
  struct Shell {
    Shell(const gw_host* host) : instance(host, caps.max_window) {}
    Instance instance;
    std::unique_ptr<T> channel;
    mutable std::shared_mutex gate;  // held shared by the any-thread calls, so that stop waits for them
  };
  static Shell& shell(void* self) { return *static_cast<Shell*>(self); }

  // Runs f at the edge: an exception becomes GW_E_INTERNAL, its text goes to the call's diag (or the log).
  template <class F>
  static int32_t edge(const gw_diag* diag, const Instance* instance, const char* what, F&& f) noexcept {
    try {
      try {
        return f();
      } catch (const Error& e) {  // thrown on purpose: it says all that there is to say
        if (!diag) tell(nullptr, instance, e.message);
        return diag ? fail(diag, e) : e.status;
      } catch (const std::exception& e) {
        tell(diag, instance, std::string("exception in ") + what + ": " + e.what());
      } catch (...) {
        tell(diag, instance, std::string("exception in ") + what + ": not a std::exception");
      }
    } catch (...) {  // out of memory while telling
    }
    return GW_E_INTERNAL;
  }
  static void tell(const gw_diag* diag, const Instance* instance, const std::string& text) {
    if (diag)
      Report(diag).error({}, text);
    else if (instance)
      instance->log(GW_LOG_ERROR, text);
  }
  static int32_t fail(const gw_diag* diag, const Error& error) {
    Report(diag).error(error.where, error.message);
    return error.status < 0 ? error.status : GW_E_INTERNAL;
  }

  static int32_t check_config(gw_str config, const gw_diag* diag) {
    return edge(diag, nullptr, "check", [&]() -> int32_t {
      auto parsed = ConfigFrom<Config>::parse(view(config));
      if (!parsed) return fail(diag, parsed.error());
      Report report(diag);
      T::check(std::move(*parsed), report);
      return report.failed() ? GW_E_INVALID : GW_OK;
    });
  }

  static int32_t create(const gw_host* host, gw_str config, const gw_diag* diag, void** self) {
    return edge(diag, nullptr, "create", [&]() -> int32_t {
      auto parsed = ConfigFrom<Config>::parse(view(config));
      if (!parsed) return fail(diag, parsed.error());
      auto made = std::make_unique<Shell>(host);
      auto channel = T::create(Host(&made->instance), std::move(*parsed));
      if (!channel) return fail(diag, channel.error());
      made->channel = std::move(*channel);
      if (!made->channel) return fail(diag, Error{GW_E_INTERNAL, "create gave an empty pointer", ""});
      *self = made.release();
      return GW_OK;
    });
  }

  static int32_t start(void* self, const gw_diag* diag) {
    Shell& s = shell(self);
    return edge(diag, &s.instance, "start", [&]() -> int32_t {
      if (!s.channel) return GW_E_CLOSED;
      s.channel->start();
      return GW_OK;
    });
  }

  static int32_t submit(void* self, const gw_batch* raw) {
    Shell& s = shell(self);
    if (!s.channel) return GW_E_CLOSED;
    BatchState state{raw};
    s.instance.took(raw->count);
    int32_t status = edge(nullptr, &s.instance, "submit", [&]() -> int32_t {
      s.channel->submit(Batch(&s.instance, &state));
      return GW_OK;
    });
    if (status == GW_OK) return GW_OK;
    if (state.next == 0) {  // nothing was touched: the batch is refused as a whole
      s.instance.gave_back(raw->count);
      return status;
    }
    for (; state.next < raw->count; ++state.next) {  // these surely did not leave
      Outcome rest = Outcome::retry("plugin-exception", "submit threw before it came to this message");
      s.instance.settle(rest.raw(raw->msgs[state.next]->ticket, GW_ALL_TARGETS));
      s.instance.gave_back(1);
    }
    return GW_OK;
  }

  static void on_timer(void* self, uint64_t id, uint64_t cookie) {
    Shell& s = shell(self);
    s.instance.guard("a timer", [&] {
      if (!(cookie & Instance::kOwnCookie)) return s.channel ? s.channel->on_timer(id, cookie) : void();
      if (auto task = s.instance.take_task(cookie)) task->run();
    });
  }

  static void drain(void* self, uint64_t deadline_mono_ns) {
    Shell& s = shell(self);
    Drain how = Drain::when_settled;
    s.instance.guard("drain", [&] {
      if (s.channel) how = s.channel->drain(deadline_mono_ns);
    });
    if (how == Drain::when_settled) s.instance.drain_when_settled();
  }

  static void stop(void* self) {
    Shell& s = shell(self);
    s.instance.guard("stop", [&] {
      if (s.channel) s.channel->stop();
    });
    std::unique_ptr<T> last;
    {
      std::unique_lock lock(s.gate);
      last = std::move(s.channel);
    }
    last.reset();             // everything that it still held is settled UNKNOWN by its Pendings
    s.instance.drop_tasks();  // and by those that timers held
    s.instance.close();
  }

  static void destroy(void* self) {
    Shell& s = shell(self);
    s.instance.close();
    delete &s;
  }

  // Calls of the lane that only need the channel.
  template <auto Member, class... Args>
  static void call(void* self, Args... args) {
    Shell& s = shell(self);
    s.instance.guard("a call of the host", [&] {
      if (s.channel) (s.channel.get()->*Member)(args...);
    });
  }

  static int32_t reconfigure(void* self, gw_str config, const gw_diag* diag) {
    Shell& s = shell(self);
    return edge(diag, &s.instance, "reconfigure", [&]() -> int32_t {
      if (!s.channel) return GW_E_CLOSED;
      auto done = s.channel->reconfigure(view(config));
      return done ? GW_OK : fail(diag, done.error());
    });
  }

  static int32_t health(void* self, const gw_diag* out) {
    return with_channel(self, nullptr, "health", [&](const T& channel) -> int32_t {
      Report report(out);
      channel.health(report);
      return GW_OK;
    });
  }

  // For the any-thread calls.
  template <class F>
  static int32_t with_channel(void* self, const gw_diag* diag, const char* what, F&& f) {
    Shell& s = shell(self);
    return edge(diag, &s.instance, what, [&]() -> int32_t {
      std::shared_lock lock(s.gate);
      return s.channel ? f(*s.channel) : GW_E_CLOSED;
    });
  }
  friend struct Extensions<T>;

 public:
  static constexpr gw_channel_ops ops = [] {
    gw_channel_ops o{};
    o.size = sizeof o;
    if constexpr (HasCheck<T, Config>) o.check_config = check_config;
    o.create = create;
    o.start = start;
    o.submit = submit;
    o.cancel = call<&Channel::cancel, uint64_t>;
    o.on_timer = on_timer;
    o.on_event_room = call<&Channel::on_event_room>;
    o.reconfigure = reconfigure;
    o.drain = drain;
    o.stop = stop;
    o.destroy = destroy;
    o.health = health;
    o.get_extension = Extensions<T>::get;
    return o;
  }();

  static constexpr gw_channel_type type = {sizeof(gw_channel_type),
                                           0,
                                           str(info.id_),
                                           str(info.name_),
                                           str(info.vendor_),
                                           str(info.version_),
                                           str(info.license_),
                                           str(info.docs_),
                                           str(info.schema_),
                                           str(info.example_),
                                           &caps,
                                           &ops};
};

template <class... Channels>
struct Entry {
  static constexpr const gw_channel_type* types[] = {&Export<Channels>::type...};
  static constexpr gw_entry entry = {sizeof(gw_entry),
                                     GW_ABI_MAJOR,
                                     GW_ABI_MINOR,
                                     /*min_host_minor=*/0,
                                     static_cast<uint16_t>((Export<Channels>::info.entry_flags_ | ...)),
                                     sizeof...(Channels),
                                     types,
                                     str("godwit-sdk 0.1"),
                                     nullptr,
                                     nullptr};
};

}  // namespace sdk
}  // namespace godwit

// Once per library, at namespace scope outside of any namespace; several classes are several channel types.
#define GW_EXPORT_CHANNEL(...) \
  extern "C" GW_EXPORT constexpr gw_entry GW_ENTRY_SYMBOL = godwit::Entry<__VA_ARGS__>::entry;
