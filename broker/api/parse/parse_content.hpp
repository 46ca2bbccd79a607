// What the device gets: notification, data and per-channel overrides. They are checked, then passed on as the caller
// wrote them, without white space. Included by parse_*.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/parse/json_reader.hpp"

namespace godwit {

// As in the caller's text; empty: not given.
struct RawContent {
  std::string_view notification, data;
};

void check_notification(json::Value value, const Place& place, Faults& faults);

// {"notification":…,"data":…} with the members that were given; more than `limit` bytes is a fault of the larger one.
void build_content(const RawContent& raw, size_t limit, std::string& out, Faults& faults);

void parse_overrides(json::Value value, std::string_view raw, const Place& place, size_t limit,
                     std::vector<std::pair<std::string, std::string>>& out, Faults& faults);

}  // namespace godwit
