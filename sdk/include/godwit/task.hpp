// How a C++ callable travels through a C callback: boxed on the heap, called, freed; exceptions are caught and logged.
#pragma once

#include <memory>
#include <utility>

#include <godwit/instance.hpp>

namespace godwit {
inline namespace sdk {

template <class F>
struct Box final : Boxed {
  template <class G>
  Box(Instance* i, G&& f) : instance(i), function(std::forward<G>(f)) {}

  Instance* instance;
  F function;

  // For callbacks that come exactly once.
  template <class... Args>
  static void call_and_free(const char* what, void* arg, Args&&... args) noexcept {
    auto* box = static_cast<Box*>(arg);
    Instance* instance = box->instance;
    instance->guard(what, [&] { box->function(std::forward<Args>(args)...); });
    delete box;
  }
  // For callbacks that come again.
  template <class... Args>
  static void call(const char* what, void* arg, Args&&... args) noexcept {
    auto* box = static_cast<Box*>(arg);
    box->instance->guard(what, [&] { box->function(std::forward<Args>(args)...); });
  }
};

template <class F>
auto make_box(Instance* instance, F&& f) {
  return std::make_unique<Box<std::decay_t<F>>>(instance, std::forward<F>(f));
}

template <class F>
struct TaskOf final : Task {
  template <class G>
  explicit TaskOf(G&& f) : function(std::forward<G>(f)) {}
  void run() override { function(); }
  F function;
};

}  // namespace sdk
}  // namespace godwit
