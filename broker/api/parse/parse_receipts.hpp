// The JSON of POST /v1/receipts and of the small switches.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/parse/faults.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

constexpr size_t kMaxReceipts = 1000;

// `own_device`: who reports; a receipt may then leave device_id out. Empty (a server): each must name one. A time that
// is missing or lies ahead is `now`.
std::optional<std::vector<ReceiptReport>> parse_receipts(std::string_view json, unsigned json_depth,
                                                         std::string_view own_device, WallMs now, Faults& faults);

// {"state": "enabled" | "draining" | "disabled"}
std::optional<std::string> parse_channel_switch(std::string_view json, unsigned json_depth, Faults& faults);

}  // namespace godwit
