#include "broker/api/parse/parse_receipts.hpp"

#include <algorithm>
#include <array>

#include "broker/api/parse/json_reader.hpp"
#include "broker/api/parse/names.hpp"

namespace godwit {
namespace {

using json::Value;

enum { kMessageId, kDeviceId, kEvent, kAt };
constexpr std::array<std::string_view, 4> kReceipt{"message_id", "device_id", "event", "at"};
constexpr std::array<std::string_view, 4> kEvents{"delivered", "displayed", "opened", "dismissed"};
constexpr std::array<std::string_view, 1> kSwitch{"state"};
constexpr std::array<std::string_view, 3> kStates{"enabled", "draining", "disabled"};

bool is_message_id(std::string_view text) {
  return MessageId::parse(text).has_value();
}

void parse_receipt(Value value, const Place& place, std::string_view own_device, WallMs now,
                   std::vector<ReceiptReport>& out, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  ReceiptReport& receipt = out.emplace_back();
  receipt.at_ms = now;
  receipt.device_id = std::string(own_device);
  const auto read = [&](size_t which, Value v, const Place& here) {
    std::string id;
    size_t choice = 0;
    switch (which) {
      case kMessageId:
        if (json::read_name(v, here, is_message_id, "is not a message id: 26 characters, as the broker answered them",
                            id, faults))
          receipt.message = *MessageId::parse(id);
        break;
      case kDeviceId:
        json::read_name(v, here, names::is_device_id, names::kDeviceIdRule, receipt.device_id, faults);
        break;
      case kEvent:
        if (json::read_choice(v, here, kEvents, choice, faults)) receipt.event = ReceiptEvent(choice);
        break;
      case kAt:
        if (json::read_time(v, here, receipt.at_ms, faults)) receipt.at_ms = std::clamp<WallMs>(receipt.at_ms, 0, now);
        break;
    }
  };
  const uint64_t seen = json::for_each_member(*object, place, kReceipt, faults, read);
  for (const size_t needed : {kMessageId, kEvent, kDeviceId})
    if (!(seen >> needed & 1) && !(needed == kDeviceId && !own_device.empty()))
      faults.add(Place(place, kReceipt[needed]), fault_codes::required, "is missing");
}

}  // namespace

std::optional<std::vector<ReceiptReport>> parse_receipts(std::string_view json, unsigned json_depth,
                                                         std::string_view own_device, WallMs now, Faults& faults) {
  const auto root = json::parse(json, json_depth, faults);
  if (!root) return std::nullopt;
  const Place top;
  const auto list = json::read_array(*root, top, kMaxReceipts, faults);
  if (!list) return std::nullopt;
  std::vector<ReceiptReport> out;
  out.reserve(list->size());
  size_t i = 0;
  for (const Value item : *list) parse_receipt(item, Place(top, i++), own_device, now, out, faults);
  if (!faults.empty()) return std::nullopt;
  return out;
}

std::optional<std::string> parse_channel_switch(std::string_view json, unsigned json_depth, Faults& faults) {
  const auto root = json::parse(json, json_depth, faults);
  if (!root) return std::nullopt;
  const Place top;
  const auto object = json::read_object(*root, top, faults);
  if (!object) return std::nullopt;
  size_t choice = 0;
  const uint64_t seen = json::for_each_member(*object, top, kSwitch, faults, [&](size_t, Value v, const Place& here) {
    json::read_choice(v, here, kStates, choice, faults);
  });
  if (!seen) faults.add(Place(top, "state"), fault_codes::required, "is missing");
  if (!faults.empty()) return std::nullopt;
  return std::string(kStates[choice]);
}

}  // namespace godwit
