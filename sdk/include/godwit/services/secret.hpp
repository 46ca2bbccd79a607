// Secrets by name, and their rotation (godwit.secret/1). Callbacks run on the lane. Safe from any thread.
//
//   watch_ = secrets.watch(name, [this](godwit::SecretValue v) { if (v) use(*v); else fail(v.error()); });
//
// A watch ends with its SecretWatch object; the callable may still be alive a little longer, but is not called any more
// when the object was destroyed on the lane.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <godwit/ext/secret.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

// The bytes of a secret, or why there are none. Valid during the callback.
using SecretValue = Result<std::string_view>;

class SecretWatch {
 public:
  SecretWatch() = default;
  SecretWatch(SecretWatch&& other) noexcept { *this = std::move(other); }
  SecretWatch& operator=(SecretWatch&& other) noexcept {
    std::swap(alive_, other.alive_);
    std::swap(instance_, other.instance_);
    std::swap(table_, other.table_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~SecretWatch() {
    if (!id_) return;
    *alive_ = false;
    if (!instance_->is_closed()) table_.unwatch(table_.ctx, id_);
  }

 private:
  friend class Secrets;
  std::shared_ptr<std::atomic<bool>> alive_;  // shared with the callable, which may outlive this object
  Instance* instance_ = nullptr;
  gw_secret table_{};
  uint64_t id_ = 0;
};

class Secrets {
 public:
  explicit Secrets(Host host) : instance_(host.instance()), table_(host.service<gw_secret>(GW_SERVICE_SECRET)) {}
  bool is_offered() const { return table_.get; }

  // `done(SecretValue)`, exactly once; before this returns if the host refuses.
  template <class F>
  void get(std::string_view name, F&& done) const {
    auto box = make_box(instance_, std::forward<F>(done));
    using B = typename decltype(box)::element_type;
    constexpr auto fn = [](void* arg, int32_t status, gw_str value, uint64_t) {
      B::call_and_free("a secret callback", arg, result(status, value));
    };
    void* arg = box.get();
    int32_t status = is_offered() ? table_.get(table_.ctx, str(name), fn, arg) : GW_E_UNSUPPORTED;
    box.release();
    if (status != GW_OK) fn(arg, status, gw_str{}, 0);
  }

  // `changed(SecretValue)` with the present value and after every change.
  template <class F>
  Result<SecretWatch> watch(std::string_view name, F&& changed) const {
    if (!is_offered()) return Error{GW_E_UNSUPPORTED, "this host does not offer " GW_SERVICE_SECRET, ""};
    SecretWatch watch;
    watch.alive_ = std::make_shared<std::atomic<bool>>(true);
    watch.instance_ = instance_;
    watch.table_ = table_;
    auto guarded = [alive = watch.alive_, f = std::forward<F>(changed)](SecretValue v) mutable {
      if (*alive) f(std::move(v));
    };
    auto box = make_box(instance_, std::move(guarded));
    using B = typename decltype(box)::element_type;
    constexpr auto fn = [](void* arg, int32_t status, gw_str value, uint64_t) {
      if (status == GW_E_CLOSED)
        delete static_cast<B*>(arg);  // the last call
      else
        B::call("a secret callback", arg, result(status, value));
    };
    int32_t status = table_.watch(table_.ctx, str(name), fn, box.get(), &watch.id_);
    if (status != GW_OK) return Error{status, "the host refused to watch the secret " + std::string(name), ""};
    box.release();
    return watch;
  }

 private:
  static SecretValue result(int32_t status, gw_str value) {
    if (status == GW_OK) return view(value);
    return Error{status, status == GW_E_NOT_FOUND ? "there is no such secret" : "the secret could not be read", ""};
  }

  Instance* instance_;
  gw_secret table_;
};

// LiveSecret is the present value of one secret: watched on the lane, read from any thread.
//
//   godwit::LiveSecret key_{host, name};                       // a member
//   key_.watch([this](godwit::Result<void> known) { ... });    // in start; again after every change
class LiveSecret {
 public:
  LiveSecret(Host host, std::string name) : host_(host), name_(std::move(name)) {}

  // `known` says whether there is a value now; its error names the secret. A value that goes away later is kept.
  template <class F>
  void watch(F known) {
    auto changed = [this, known](SecretValue v) mutable {
      if (v) value_.store(std::make_shared<const std::string>(*v));
      known(v ? Result<void>() : Result<void>(Error{v.error().status, name_ + ": " + v.error().message, {}}));
    };
    auto watch = Secrets(host_).watch(name_, std::move(changed));
    if (watch)
      watch_ = std::move(*watch);
    else
      known(std::move(watch).error());
  }

  // [any-thread] Null until it is known.
  std::shared_ptr<const std::string> value() const { return value_.load(); }

  // [any-thread] In a time that does not depend on where they differ, as signatures and tokens must be compared.
  bool matches(std::string_view given) const {
    auto secret = value_.load();
    if (!secret || secret->size() != given.size()) return false;
    unsigned char differs = 0;
    for (size_t i = 0; i < given.size(); ++i) differs |= static_cast<unsigned char>((*secret)[i] ^ given[i]);
    return differs == 0;
  }

 private:
  Host host_;
  const std::string name_;
  std::atomic<std::shared_ptr<const std::string>> value_;
  SecretWatch watch_;
};

}  // namespace sdk
}  // namespace godwit
