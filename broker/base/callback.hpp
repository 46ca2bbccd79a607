// Callback<R(Args...)>: a move-only std::function, for completions that own what they complete (a connection, a
// settle handle). std::function would force everything captured to be copyable.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace godwit {

template <class Signature>
class Callback;

template <class R, class... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  Callback(std::nullptr_t) {}  // NOLINT

  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Callback> && std::is_invocable_r_v<R, F&, Args...>) Callback(F f)
      : target_(std::make_unique<Holder<F>>(std::move(f))) {}  // NOLINT

  explicit operator bool() const { return target_ != nullptr; }
  R operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }

 private:
  struct Target {
    virtual ~Target() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Holder final : Target {
    explicit Holder(F f) : f(std::move(f)) {}
    R call(Args... args) override { return f(std::forward<Args>(args)...); }
    F f;
  };
  std::unique_ptr<Target> target_;
};

}  // namespace godwit
