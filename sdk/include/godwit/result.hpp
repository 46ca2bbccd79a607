// Result<T> of the plugin side: a value, or an Error{status, message, where}.
//
// `status` is the GW_E_* that crosses the ABI, `message` is for people and names the fault and the remedy, `where` is a
// JSON pointer into the configuration ("/key_id") where there is one.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <godwit/abi.h>

namespace godwit {
inline namespace sdk {

struct [[nodiscard]] Error {
  int32_t status = GW_E_INTERNAL;
  std::string message;
  std::string where;
};

// Error("/key_id must have 10 characters") in one word, for the most frequent case.
inline Error invalid(std::string message, std::string where = {}) {
  return Error{GW_E_INVALID, std::move(message), std::move(where)};
}

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  // A unique_ptr to a derived class, a string literal for a string, ...
  template <class U>
  requires(std::is_convertible_v<U, T> && !std::is_same_v<std::decay_t<U>, T> && !std::is_convertible_v<U, Error>)
      Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  // REQUIRES: *this
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  // REQUIRES: !*this
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  explicit operator bool() const { return !error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace sdk
}  // namespace godwit
