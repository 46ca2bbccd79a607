// Result<T> carries a value or an Error; expected failures are values here, never exceptions.
//
// `Code` is the closed set that behaviour is decided by; `message` is for the person who reads it and says what is
// wrong and what to do; `where` names the field, file or object (a JSON pointer where there is one).
// Add context while passing an error up: `return std::move(error).with("loading plugin apns")`.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace godwit {

enum class Code : uint8_t {
  invalid,      // the caller's input is wrong
  not_found,    // no such thing (or none that this caller may see)
  conflict,     // it contradicts what is already there
  forbidden,    // the caller is known, but may not
  unsupported,  // a legal wish that this version or channel cannot fulfil
  overloaded,   // come back later
  unavailable,  // we are starting, draining, or the store is poisoned
  io,           // the operating system or the disk said no
  no_space,     // the disk is full
  unknown,      // may or may not have happened (see Fate::unknown)
  internal,     // our mistake
};

struct [[nodiscard]] Error {
  Code code = Code::internal;
  std::string message;
  std::string where;

  Error with(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  bool ok() const { return state_.index() == 0; }

  // REQUIRES: ok()
  T& value() & { return assert(ok()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(ok()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(ok()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok()
  const Error& error() const& { return assert(!ok()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!ok()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace godwit
