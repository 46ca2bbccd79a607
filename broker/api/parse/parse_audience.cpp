#include "broker/api/parse/parse_audience.hpp"

#include <array>
#include <bit>

#include "broker/api/parse/names.hpp"
#include "broker/api/parse/parse_message.hpp"

namespace godwit {
namespace {

using json::Value;

enum To { kUser, kUsers, kDevice, kDevices, kToken, kTopic, kAll, kCondition, kNear };
constexpr std::array<std::string_view, 9> kTo{"user",  "users", "device",    "devices", "token",
                                              "topic", "all",   "condition", "near"};
constexpr std::array<std::string_view, 2> kTokenMembers{"channel", "token"};
constexpr size_t kMaxNames = 1000, kMaxToken = 4096;

void parse_names(Value value, const Place& place, bool (*is_valid)(std::string_view), std::string_view rule,
                 std::vector<std::string>& out, Faults& faults) {
  const auto list = json::read_array(value, place, kMaxNames, faults);
  if (!list) return;
  if (list->size() == 0) faults.add(place, fault_codes::length, "must not be empty");
  out.reserve(list->size());
  size_t i = 0;
  for (const Value item : *list) json::read_name(item, Place(place, i++), is_valid, rule, out.emplace_back(), faults);
}

void parse_token(Value value, const Place& place, Audience& out, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  std::string& token = out.names.emplace_back();
  const uint64_t seen =
      json::for_each_member(*object, place, kTokenMembers, faults, [&](size_t which, Value v, const Place& here) {
        if (which == 0)
          json::read_name(v, here, names::is_channel, names::kChannelRule, out.channel, faults);
        else
          json::read_text(v, here, {1, kMaxToken}, token, faults);
      });
  for (size_t i = 0; i < kTokenMembers.size(); ++i)
    if (!(seen >> i & 1)) faults.add(Place(place, kTokenMembers[i]), fault_codes::required, "is missing");
}

}  // namespace

void parse_audience(Value value, const Place& place, Audience& out, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  const uint64_t seen =
      json::for_each_member(*object, place, kTo, faults, [&](size_t which, Value v, const Place& here) {
        switch (which) {
          case kUser:
            out.kind = AudienceKind::user;
            json::read_name(v, here, names::is_user_id, names::kUserIdRule, out.names.emplace_back(), faults);
            break;
          case kUsers:
            out.kind = AudienceKind::users;
            parse_names(v, here, names::is_user_id, names::kUserIdRule, out.names, faults);
            break;
          case kDevice:
            out.kind = AudienceKind::device;
            json::read_name(v, here, names::is_device_id, names::kDeviceIdRule, out.names.emplace_back(), faults);
            break;
          case kDevices:
            out.kind = AudienceKind::devices;
            parse_names(v, here, names::is_device_id, names::kDeviceIdRule, out.names, faults);
            break;
          case kToken:
            out.kind = AudienceKind::token;
            parse_token(v, here, out, faults);
            break;
          case kTopic:
            out.kind = AudienceKind::topic;
            json::read_name(v, here, names::is_topic, names::kTopicRule, out.names.emplace_back(), faults);
            break;
          case kAll: {
            bool all = false;
            out.kind = AudienceKind::all;
            if (json::read_bool(v, here, all, faults) && !all)
              faults.add(here, fault_codes::one_of, "can only be true; leave it out otherwise");
            break;
          }
          case kCondition:
          case kNear:
            faults.add(here, fault_codes::unsupported,
                       "is not available in this version; address a topic, users or devices");
            break;
        }
      });
  if (seen == 0)
    faults.add(place, fault_codes::required, "needs exactly one of user, users, device, devices, token, topic, all");
  else if (std::popcount(seen) > 1)
    faults.add(place, fault_codes::exclusive,
               "must name one audience; " + std::to_string(std::popcount(seen)) + " are given");
}

namespace message_members {
std::span<const std::string_view> to() {
  return kTo;
}
}  // namespace message_members

}  // namespace godwit
