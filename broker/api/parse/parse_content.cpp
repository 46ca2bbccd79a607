#include "broker/api/parse/parse_content.hpp"

#include <array>

#include "broker/api/parse/json_spans.hpp"
#include "broker/api/parse/names.hpp"
#include "broker/api/parse/parse_message.hpp"

namespace godwit {
namespace {

using json::Value;

enum Kind : uint8_t { text, url, number, texts };
struct Member {
  std::string_view name;
  Kind kind;
};
constexpr std::array<Member, 12> kNotification{{{"title", text},
                                                {"body", text},
                                                {"image", url},
                                                {"sound", text},
                                                {"badge", number},
                                                {"category", text},
                                                {"thread_id", text},
                                                {"link", url},
                                                {"title_loc_key", text},
                                                {"title_loc_args", texts},
                                                {"body_loc_key", text},
                                                {"body_loc_args", texts}}};
constexpr auto kNames = [] {
  std::array<std::string_view, kNotification.size()> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = kNotification[i].name;
  return out;
}();

constexpr size_t kMaxUrl = 2048, kMaxArgs = 32, kMaxOverrides = 32;
constexpr int64_t kMaxBadge = 99'999;

// Texts may be empty and as long as the content's limit lets them be.
bool check_text(Value value, const Place& place, size_t max, Faults& faults) {
  std::string_view got;
  if (value.get(got)) return json::wrong_type(value, place, "a string", faults);
  if (got.size() <= max) return true;
  faults.add(place, fault_codes::length,
             "is " + std::to_string(got.size()) + " bytes long; at most " + std::to_string(max) + " are allowed");
  return false;
}

void check_member(Kind kind, Value value, const Place& place, Faults& faults) {
  int64_t badge = 0;
  switch (kind) {
    case text:
      check_text(value, place, ~size_t{0}, faults);
      break;
    case url:
      check_text(value, place, kMaxUrl, faults);
      break;
    case number:
      json::read_integer(value, place, 0, kMaxBadge, badge, faults);
      break;
    case texts: {
      const auto list = json::read_array(value, place, kMaxArgs, faults);
      if (!list) return;
      size_t i = 0;
      for (const Value item : *list) check_text(item, Place(place, i++), ~size_t{0}, faults);
      break;
    }
  }
}

void fault_too_large(const Place& place, std::string_view what, size_t size, size_t limit, Faults& faults) {
  faults.add(place, fault_codes::too_large,
             std::string(what) + std::to_string(size) + " bytes without white space; at most " + std::to_string(limit) +
                 " fit");
}

}  // namespace

void check_notification(Value value, const Place& place, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  json::for_each_member(*object, place, kNames, faults, [&](size_t which, Value v, const Place& here) {
    check_member(kNotification[which].kind, v, here, faults);
  });
}

void build_content(const RawContent& raw, size_t limit, std::string& out, Faults& faults) {
  constexpr std::string_view kNotificationKey = "\"notification\":", kDataKey = "\"data\":";
  out.reserve(raw.notification.size() + raw.data.size() + 32);
  out += '{';
  if (!raw.notification.empty()) {
    out += kNotificationKey;
    append_minified(out, raw.notification);
  }
  if (!raw.data.empty()) {
    if (out.size() > 1) out += ',';
    out += kDataKey;
    append_minified(out, raw.data);
  }
  out += '}';
  if (out.size() > limit)
    fault_too_large(Place(Place(), raw.notification.size() >= raw.data.size() ? "notification" : "data"),
                    "notification and data together are ", out.size(), limit, faults);
}

void parse_overrides(Value value, std::string_view raw, const Place& place, size_t limit,
                     std::vector<std::pair<std::string, std::string>>& out, Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  JsonSpans spans(raw);
  std::string_view raw_key, raw_value;
  size_t total = 0;
  for (const auto member : *object) {
    spans.next(raw_key, raw_value);
    const Place here(place, member.key);
    if (!names::is_channel(member.key)) {
      faults.add(here, fault_codes::format, "a channel's or plugin's name " + std::string(names::kChannelRule));
      continue;
    }
    if (!json::read_object(member.value, here, faults)) continue;
    if (out.size() == kMaxOverrides) {
      faults.add(place, fault_codes::length, "at most " + std::to_string(kMaxOverrides) + " channels");
      return;
    }
    for (const auto& [name, json] : out)
      if (name == member.key) faults.add(here, fault_codes::duplicate, "is given twice");
    std::string& kept = out.emplace_back(std::string(member.key), std::string()).second;
    append_minified(kept, raw_value);
    total += kept.size();
  }
  if (total > limit) fault_too_large(place, "the overrides are ", total, limit, faults);
}

namespace message_members {
std::span<const std::string_view> notification() {
  return kNames;
}
}  // namespace message_members

}  // namespace godwit
