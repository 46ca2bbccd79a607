// The body of a callback: what became of messages after Xiaomi took them. A pure function of the bytes, so that it is
// fuzzed and may run on any thread. Documents: pId 1559 (callback), Xiaomi's Java SDK.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/result.hpp>

namespace mipush {

// Bits of extra.callback.type; each callback carries one.
enum class ReceiptType : uint32_t {
  delivered = 1,
  clicked = 2,
  target_invalid = 16,  // uninstalled, over 90 days not connected, wrong regid, wrong region
  push_disabled = 32,   // the app called disablePush
  filtered = 64,        // does not fit locale, version, model
  quota = 128,          // the day of the app or of the device is used up
  expired = 1024,       // the time-to-live ended
};

// One member of `data` and one of its targets.
struct MiReceipt {
  std::string vendor_id, message_id;  // message_id: what we sent as callback.param
  std::string target;                 // regid, alias or account, as addressed; empty for an app's quota
  std::string replaced_by;            // a new regid takes this one's place
  uint32_t type = 0;
  uint64_t timestamp_ms = 0;
  int64_t quota = 0, acked = 0;  // with type 128, of the app
  std::string event_id() const;  // the same for a repeated callback
};

// GW_E_INVALID: no field `data`, or not a JSON object in it. Members that make no sense are left out.
godwit::Result<std::vector<MiReceipt>> receipts_of(std::string_view form_body);

}  // namespace mipush
