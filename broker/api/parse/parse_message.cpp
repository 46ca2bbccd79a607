#include "broker/api/parse/parse_message.hpp"

#include <algorithm>
#include <array>

#include "broker/api/parse/json_reader.hpp"
#include "broker/api/parse/json_spans.hpp"
#include "broker/api/parse/names.hpp"
#include "broker/api/parse/parse_audience.hpp"
#include "broker/api/parse/parse_content.hpp"

namespace godwit {
namespace {

using json::Value;

enum Top { kTo, kNotification, kData, kOptions, kOverrides, kIdempotencyKey };
constexpr std::array<std::string_view, 6> kTop{"to", "notification", "data", "options", "overrides", "idempotency_key"};

enum Option { kTtl, kPriority, kCollapseKey, kDeliverAt, kSilent, kChannels, kRouting, kClass };
constexpr std::array<std::string_view, 8> kOptionNames{"ttl",    "priority", "collapse_key", "deliver_at",
                                                       "silent", "channels", "routing",      "class"};
constexpr std::array<std::string_view, 4> kPriorities{"critical", "high", "normal", "low"};
constexpr std::array<std::string_view, 3> kRoutings{"best", "all", "ordered"};
constexpr std::array<std::string_view, 2> kClasses{"transactional", "marketing"};
constexpr size_t kMaxChannels = 32, kMaxIdempotencyKey = 255, kMaxCollapseKey = 64;
constexpr int64_t kDayMs = 86'400'000;

constexpr uint64_t bit(size_t i) {
  return uint64_t{1} << i;
}

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= kMaxIdempotencyKey && !names::has_control(key);
}
constexpr std::string_view kIdempotencyRule = "must be 1 to 255 bytes without control characters";

void parse_channels(Value value, const Place& place, std::vector<std::string>& out, Faults& faults) {
  const auto list = json::read_array(value, place, kMaxChannels, faults);
  if (!list) return;
  size_t i = 0;
  for (const Value item : *list) {
    const Place here(place, i++);
    std::string name;
    if (!json::read_name(item, here, names::is_channel, names::kChannelRule, name, faults)) continue;
    if (std::find(out.begin(), out.end(), name) != out.end())
      faults.add(here, fault_codes::duplicate, "is given twice");
    else
      out.push_back(std::move(name));
  }
  if (i == 0) faults.add(place, fault_codes::length, "must not be empty; leave it out to allow every channel");
}

void parse_deliver_at(Value value, const Place& place, const MessageRules& rules, WallMs now, Message& message,
                      Faults& faults) {
  int64_t at = 0;
  if (!json::read_time(value, place, at, faults)) return;
  if (at > now + rules.max_schedule_ms)
    faults.add(place, fault_codes::range,
               "lies more than " + std::to_string(rules.max_schedule_ms / kDayMs) + " days ahead");
  else if (at < now - kDayMs)
    faults.add(place, fault_codes::range, "lies more than a day back");
  else
    message.deliver_at_ms = at;
}

void parse_options(Value value, const Place& place, const MessageRules& rules, WallMs now, Message& message,
                   Faults& faults) {
  const auto object = json::read_object(value, place, faults);
  if (!object) return;
  const auto read = [&](size_t which, Value v, const Place& here) {
    size_t choice = 0;
    int64_t seconds = 0;
    switch (which) {
      case kTtl:
        if (json::read_integer(v, here, 0, rules.max_ttl_ms / 1000, seconds, faults)) message.ttl_ms = seconds * 1000;
        break;
      case kPriority:
        if (json::read_choice(v, here, kPriorities, choice, faults)) message.priority = Priority(choice);
        break;
      case kCollapseKey:
        json::read_text(v, here, {1, kMaxCollapseKey}, message.collapse_key, faults);
        break;
      case kDeliverAt:
        parse_deliver_at(v, here, rules, now, message, faults);
        break;
      case kSilent:
        json::read_bool(v, here, message.silent, faults);
        break;
      case kChannels:
        parse_channels(v, here, message.channels, faults);
        break;
      case kRouting:
        if (json::read_choice(v, here, kRoutings, choice, faults)) message.routing = RoutingMode(choice);
        break;
      case kClass:
        if (json::read_choice(v, here, kClasses, choice, faults)) message.message_class = MessageClass(choice);
        break;
    }
  };
  const uint64_t seen = json::for_each_member(*object, place, kOptionNames, faults, read);
  // Where the app's own routing is 'ordered', the order is that of the app's channels.
  if (seen & bit(kRouting) && message.routing == RoutingMode::ordered && !(seen & bit(kChannels)))
    faults.add(Place(place, "channels"), fault_codes::required, "routing 'ordered' needs the order: list the channels");
}

// Many APIs have these at the top.
void unknown_top_member(const Place& here, std::string_view name, Faults& faults) {
  const auto belongs_in = [&](std::string_view member, std::span<const std::string_view> names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return false;
    faults.add(here, fault_codes::unknown, "belongs in '" + std::string(member) + "'");
    return true;
  };
  if (!belongs_in("options", kOptionNames) && !belongs_in("notification", message_members::notification()))
    json::unknown_member(here, name, kTop, faults);
}

void check_channels(const Message& message, const std::vector<std::string>& known, const Place& top, Faults& faults) {
  if (known.empty()) return;
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  const auto add = [&](const Place& place, std::string_view what, const std::string& name) {
    std::string detail(what);
    for (size_t i = 0; i < known.size(); ++i) detail += (i ? ", " : " ") + known[i];
    faults.add(place, fault_codes::one_of, detail + did_you_mean(name, known));
  };
  if (const std::string& name = message.to.channel; !name.empty() && !is_known(name))
    add(Place(Place(Place(top, "to"), "token"), "channel"), "is not a channel of this app, which has", name);
  if (!message.channels.empty() && std::none_of(message.channels.begin(), message.channels.end(), is_known))
    add(Place(Place(top, "options"), "channels"), "names no channel of this app, which has", message.channels.front());
}

void settle_idempotency_key(std::string_view header, MessageDraft& draft, Faults& faults) {
  if (header.empty()) return;
  if (!is_idempotency_key(header))
    faults.add_named("header:Idempotency-Key", fault_codes::format, std::string(kIdempotencyRule));
  else if (!draft.idempotency_key.empty() && draft.idempotency_key != header)
    faults.add(Place(Place(), "idempotency_key"), fault_codes::exclusive,
               "contradicts the Idempotency-Key header; give one of them");
  draft.idempotency_key = header;
}

}  // namespace

MessageRules MessageRules::from(const ApiOptions& options) {
  MessageRules out;
  out.content_bytes = options.limits.content_bytes;
  out.json_depth = options.limits.json_depth;
  out.default_ttl_ms = options.default_ttl_ms;
  out.max_ttl_ms = options.max_ttl_ms;
  out.max_schedule_ms = options.max_schedule_ms;
  return out;
}

std::optional<MessageDraft> parse_message(std::string_view json, const MessageRules& rules, const AppRules& app,
                                          WallMs now, std::string_view idempotency_header, Faults& faults) {
  const auto root = json::parse(json, rules.json_depth, faults);
  if (!root) return std::nullopt;
  const Place top;
  const auto object = json::read_object(*root, top, faults);
  if (!object) return std::nullopt;

  MessageDraft draft;
  Message& message = draft.message;
  message.ttl_ms = rules.default_ttl_ms;
  message.routing = app.routing;
  RawContent raw;
  JsonSpans spans(json);  // walks along: members come in the same order as in the text
  std::string_view raw_key, raw_value;
  uint64_t seen = 0;
  for (const auto member : *object) {
    spans.next(raw_key, raw_value);
    const Place here(top, member.key);
    size_t which = 0;
    while (which < kTop.size() && kTop[which] != member.key) ++which;
    if (which == kTop.size()) {
      unknown_top_member(here, member.key, faults);
      continue;
    }
    if (seen & bit(which)) {
      faults.add(here, fault_codes::duplicate, "is given twice");
      continue;
    }
    seen |= bit(which);
    switch (which) {
      case kTo:
        parse_audience(member.value, here, message.to, faults);
        break;
      case kNotification:
        check_notification(member.value, here, faults);
        raw.notification = raw_value;
        break;
      case kData:
        json::read_object(member.value, here, faults);
        raw.data = raw_value;
        break;
      case kOptions:
        parse_options(member.value, here, rules, now, message, faults);
        break;
      case kOverrides:
        parse_overrides(member.value, raw_value, here, rules.content_bytes, message.overrides, faults);
        break;
      case kIdempotencyKey:
        json::read_name(member.value, here, is_idempotency_key, kIdempotencyRule, draft.idempotency_key, faults);
        break;
    }
  }
  if (!(seen & bit(kTo))) faults.add(Place(top, "to"), fault_codes::required, "says whom the message is for");
  if (!(seen & (bit(kNotification) | bit(kData))))
    faults.add(Place(top, "notification"), fault_codes::required, "a message needs a notification, data, or both");
  check_channels(message, app.channels, top, faults);
  settle_idempotency_key(idempotency_header, draft, faults);
  if (faults.empty()) build_content(raw, rules.content_bytes, message.content, faults);
  if (!faults.empty()) return std::nullopt;
  return draft;
}

namespace message_members {
std::span<const std::string_view> top() {
  return kTop;
}
std::span<const std::string_view> options() {
  return kOptionNames;
}
}  // namespace message_members

}  // namespace godwit
