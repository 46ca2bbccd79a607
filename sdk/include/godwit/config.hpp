// How the configuration reaches create(): as JSON text, or as any type for which ConfigFrom knows how to parse it.
#pragma once

#include <memory>
#include <string_view>

#include <godwit/host.hpp>
#include <godwit/report.hpp>
#include <godwit/result.hpp>

namespace godwit {
inline namespace sdk {

// Specialise it for a struct of your own: `static Result<C> parse(std::string_view json)`.
template <class C>
struct ConfigFrom;

template <>
struct ConfigFrom<std::string_view> {
  static Result<std::string_view> parse(std::string_view text) { return text; }
};

// What create() takes and makes.
template <class Function>
struct config_of;
template <class T, class C>
struct config_of<Result<std::unique_ptr<T>> (*)(Host, C)> {
  using type = std::remove_cvref_t<C>;
  using channel = T;
};

template <class T, class Config>
concept HasCheck = requires(Config config, Report& report) {
  T::check(std::move(config), report);
};

}  // namespace sdk
}  // namespace godwit
