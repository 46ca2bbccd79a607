// JsonReader parses JSON with simdjson and hands out values with their checks. Included by the parse_*.cpp files only
// (simdjson is a heavy header). Each read_* adds a fault and answers false when the value is not what it must be.
#pragma once

#include <simdjson.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/parse/faults.hpp"
#include "broker/base/nearest.hpp"

namespace godwit::json {

using Value = simdjson::dom::element;
using Object = simdjson::dom::object;
using Array = simdjson::dom::array;

// The whole text as one value, no deeper than `depth`; a malformed one is a fault. The value lives until the thread's
// next call: each thread has one parser, whose memory is used again.
std::optional<Value> parse(std::string_view text, unsigned depth, Faults& faults);

std::string_view type_name(Value value);

inline bool wrong_type(Value value, const Place& place, std::string_view wanted, Faults& faults) {
  faults.add(place, fault_codes::type, "must be " + std::string(wanted) + ", not " + std::string(type_name(value)));
  return false;
}

std::optional<Object> read_object(Value value, const Place& place, Faults& faults);
// At most `max` items.
std::optional<Array> read_array(Value value, const Place& place, size_t max, Faults& faults);

// Bytes, after decoding. The limits of a text that is empty or too long are told with its length.
struct TextRule {
  size_t min = 1, max = 1024;
  bool allow_control = false;
};
bool read_text(Value value, const Place& place, TextRule rule, std::string& out, Faults& faults);
// A text for which `is_valid` holds; `rule` says what that means.
bool read_name(Value value, const Place& place, bool (*is_valid)(std::string_view), std::string_view rule,
               std::string& out, Faults& faults);
bool read_integer(Value value, const Place& place, int64_t min, int64_t max, int64_t& out, Faults& faults);
bool read_number(Value value, const Place& place, double min, double max, double& out, Faults& faults);
bool read_bool(Value value, const Place& place, bool& out, Faults& faults);
// The index in `values`.
bool read_choice(Value value, const Place& place, std::span<const std::string_view> values, size_t& out,
                 Faults& faults);
bool read_time(Value value, const Place& place, int64_t& out_ms, Faults& faults);

void unknown_member(const Place& place, std::string_view name, std::span<const std::string_view> known, Faults& faults);

// Calls `each(index in names, value, place)` for every known member once and `unknown(name, place)` for the others;
// repeated ones are faults. Answers a bit for each name that was there. REQUIRES: at most 64 names.
template <class Each, class Unknown>
uint64_t for_each_member(Object object, const Place& place, std::span<const std::string_view> names, Faults& faults,
                         Each each, Unknown unknown) {
  uint64_t seen = 0;
  for (const auto member : object) {
    size_t which = 0;
    while (which < names.size() && names[which] != member.key) ++which;
    const Place here(place, member.key);
    if (which == names.size()) {
      unknown(std::string_view(member.key), here);
    } else if (seen >> which & 1) {
      faults.add(here, fault_codes::duplicate, "is given twice");
    } else {
      seen |= uint64_t{1} << which;
      each(which, member.value, here);
    }
  }
  return seen;
}

// The same; unknown ones are faults.
template <class Each>
uint64_t for_each_member(Object object, const Place& place, std::span<const std::string_view> names, Faults& faults,
                         Each each) {
  return for_each_member(object, place, names, faults, each,
                         [&](std::string_view name, const Place& here) { unknown_member(here, name, names, faults); });
}

}  // namespace godwit::json
