// Query parameters and path segments, decoded and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/parse/faults.hpp"

namespace godwit {

// Percent-decoding; nothing for a broken escape or what is not UTF-8 afterwards. `plus_is_space`: in queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

class Query {
 public:
  // Broken and repeated parameters are faults.
  Query(std::string_view raw, Faults& faults);

  // Empty when it is not there.
  std::string_view text(std::string_view name) const;
  bool has(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t fallback, int64_t min, int64_t max, Faults& faults) const;
  // "90s", "30m", "24h", "7d" in ms.
  int64_t duration_ms(std::string_view name, int64_t fallback, int64_t max, Faults& faults) const;

  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace godwit
