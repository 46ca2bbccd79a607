#include "broker/api/parse/query.hpp"

#include <charconv>

#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

constexpr size_t kMostParameters = 32;

std::string place_of(std::string_view name) {
  return "query:" + std::string(name);
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

int64_t unit_ms(char unit) {
  switch (unit) {
    case 's':
      return 1000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

Query::Query(std::string_view raw, Faults& faults) {
  while (!raw.empty()) {
    const size_t end = raw.find('&');
    const std::string_view pair = raw.substr(0, end);
    raw = end == raw.npos ? std::string_view() : raw.substr(end + 1);
    if (pair.empty()) continue;
    if (parameters_.size() == kMostParameters) {
      faults.add_named("query", fault_codes::length,
                       "at most " + std::to_string(kMostParameters) + " parameters are read");
      return;
    }
    const size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value)
      faults.add_named("query", fault_codes::format, "a percent escape is broken or not UTF-8");
    else if (has(*name))
      faults.add_named(place_of(*name), fault_codes::duplicate, "is given twice");
    else
      parameters_.emplace_back(*name, *value);
  }
}

std::string_view Query::text(std::string_view name) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return value;
  return {};
}

bool Query::has(std::string_view name) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return true;
  return false;
}

int64_t Query::integer(std::string_view name, int64_t fallback, int64_t min, int64_t max, Faults& faults) const {
  if (!has(name)) return fallback;
  const auto number = whole_number(text(name));
  if (number && *number >= min && *number <= max) return *number;
  faults.add_named(place_of(name), fault_codes::range,
                   "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return fallback;
}

int64_t Query::duration_ms(std::string_view name, int64_t fallback, int64_t max, Faults& faults) const {
  if (!has(name)) return fallback;
  const std::string_view given = text(name);
  const int64_t unit = given.empty() ? 0 : unit_ms(given.back());
  const auto count = unit ? whole_number(given.substr(0, given.size() - 1)) : std::nullopt;
  if (count && *count > 0 && *count <= max / unit) return *count * unit;
  faults.add_named(
      place_of(name), fault_codes::format,
      "must be a time span such as 90s, 30m, 24h or 7d, of " + std::to_string(max / 86'400'000) + "d at most");
  return fallback;
}

}  // namespace godwit
