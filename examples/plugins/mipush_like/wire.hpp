// The vendor's wire format: how a message becomes a request, and what answers and receipts mean. Pure functions, so
// they are tested and fuzzed without a network. Facts from Xiaomi's server documents: sending (pId 1559), error codes
// (1560, 2024-10-18).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <godwit/json.hpp>
#include <godwit/message.hpp>
#include <godwit/outcome.hpp>
#include <godwit/result.hpp>

namespace mipush_like {

struct Config {
  std::string origin, ca_file, app_secret_name, package_name, channel_id, callback_url, callback_path;
  uint32_t request_timeout_ms = 5000, window = 100;
};
Config parse(const godwit::Json& config);

// application/x-www-form-urlencoded body of POST /v3/message/regid for the message's first target.
std::string form_of(const Config& config, const godwit::Message& message);

// What an answer means. `retry_after` is the header's text.
godwit::Outcome outcome_of(uint32_t http_status, std::string_view body, std::string_view retry_after);

// One member of a receipt callback's `data` and one of its targets.
struct Receipt {
  std::string vendor_id, message_id, target, event_id;
  int type = 0;  // 1 delivered, 2 clicked, 16 target invalid; others are not asked for
  uint64_t timestamp_ms = 0;
};
godwit::Result<std::vector<Receipt>> receipts_of(std::string_view form_body);

}  // namespace mipush_like
