// Faults collects everything that is wrong with one input, so that the caller can mend it in one go. Place says where a
// value stands; its JSON pointer is put together only when there is a fault to tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/problem.hpp"

namespace godwit {

// A value's way from the root. Lives on the stack, each step refers to the one above it.
class Place {
 public:
  Place() = default;  // the whole document
  Place(const Place& up, std::string_view name) : up_(&up), name_(name) {}
  Place(const Place& up, size_t index) : up_(&up), index_(static_cast<int64_t>(index)) {}
  std::string pointer() const;  // RFC 6901

 private:
  const Place* up_ = nullptr;
  std::string_view name_;
  int64_t index_ = -1;
};

// The closed set of Fault::code.
namespace fault_codes {
inline constexpr std::string_view malformed = "malformed";      // not JSON at all
inline constexpr std::string_view type = "type";                // a string where a number belongs
inline constexpr std::string_view required = "required";        // missing
inline constexpr std::string_view unknown = "unknown_member";   // no such member or parameter
inline constexpr std::string_view duplicate = "duplicate";      // given twice
inline constexpr std::string_view read_only = "read_only";      // the broker sets it
inline constexpr std::string_view range = "range";              // a number or time out of bounds
inline constexpr std::string_view length = "length";            // too short, too long, too many
inline constexpr std::string_view format = "format";            // characters or shape
inline constexpr std::string_view one_of = "not_one_of";        // not in the list of values
inline constexpr std::string_view exclusive = "exclusive";      // members that rule each other out
inline constexpr std::string_view too_large = "too_large";      // bytes; makes the answer a 413 when it stands alone
inline constexpr std::string_view unsupported = "unsupported";  // legal, but not available in this version
}  // namespace fault_codes

class Faults {
 public:
  static constexpr size_t kMost = 100;  // told; an input can have more

  void add(const Place& place, std::string_view code, std::string detail) {
    if (!full()) list_.push_back({place.pointer(), std::string(code), std::move(detail)});
  }
  // What is not in the body: "query:wait", "header:Idempotency-Key", "path:device_id".
  void add_named(std::string name, std::string_view code, std::string detail) {
    if (!full()) list_.push_back({std::move(name), std::string(code), std::move(detail)});
  }
  void set_malformed(std::string detail) {
    malformed_ = true;
    list_.assign(1, {"", std::string(fault_codes::malformed), std::move(detail)});
  }

  bool empty() const { return list_.empty(); }
  bool full() const { return list_.size() >= kMost; }  // more will not be told: no need to work them out
  const std::vector<Fault>& list() const { return list_; }

  // 400 for what is not JSON, 413 and "unsupported" where nothing else is wrong, else 422.
  const ProblemKind& kind() const;
  std::string summary() const;
  http::Response response() const { return problem(kind(), summary(), list_); }
  void append_to(std::string& out) const { append_problem(out, kind(), summary(), list_); }

 private:
  std::vector<Fault> list_;
  bool malformed_ = false;
};

}  // namespace godwit
