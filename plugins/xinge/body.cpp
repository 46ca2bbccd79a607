#include "body.hpp"

#include <algorithm>
#include <array>

#include <godwit/json.hpp>

namespace xinge {
namespace {

using godwit::Json;
using godwit::Message;
using godwit::text_of;

constexpr size_t kMaxMessageBytes = 4096;                            // "message up to 4 KB"
constexpr uint64_t kShortestHold_s = 800, kLongestHold_s = 259'200;  // 1-799 becomes 800; beyond 72 h is refused

// Members that decide whom a message reaches: not for overrides.
constexpr std::array<const char*, 9> kOurs = {"audience_type", "token_list", "account_list", "tag_list",   "tag_rules",
                                              "upload_id",     "platform",   "push_id",      "environment"};

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

Json parsed(std::string_view text) {
  Json json = text.empty() ? Json::object() : Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& member(const Json& object, const char* name) {
  static const Json none = Json::object();
  const auto it = object.find(name);
  return it != object.end() && it->is_object() ? *it : none;
}

Json action_of(const std::string& link) {
  if (link.empty()) return {{"action_type", 1}, {"activity", ""}};
  if (link.starts_with("http://") || link.starts_with("https://"))
    return {{"action_type", 2}, {"browser", {{"url", link}, {"confirm", 0}}}};
  return {{"action_type", 3}, {"intent", link}};
}

bool is_quiet(const Json& notification) {
  const std::string sound = text_of(notification, "sound");
  return notification.contains("sound") && (sound.empty() || sound == "none");
}

// The part that TPNS and V3 share and V2 has at the message's top.
Json android_of(const Config& config, const Json& notification, const Json& data) {
  const std::string sound = text_of(notification, "sound");
  Json android = {{"ring", is_quiet(notification) ? 0 : 1},
                  {"vibrate", 1},
                  {"clearable", 1},
                  {"action", action_of(text_of(notification, "link"))}};
  if (!sound.empty() && sound != "default" && sound != "none") android["ring_raw"] = sound.substr(0, sound.find('.'));
  if (config.api == Api::tpns) {
    const auto badge = notification.find("badge");
    android["badge_type"] = badge != notification.end() && badge->is_number_integer() ? *badge : Json(-1);
  }
  if (!data.empty()) android["custom_content"] = config.api == Api::tpns ? Json(dumped(data)) : data;
  android.merge_patch(parsed(config.android_json));
  const auto category = config.categories.find(text_of(notification, "category"));
  if (category != config.categories.end()) android.merge_patch(parsed(category->second));
  return android;
}

Json ios_of(const Config& config, const Json& notification, const Json& data, bool is_silent) {
  Json aps;
  if (is_silent) {
    aps = {{"content-available", 1}};
  } else {
    const std::string sound = text_of(notification, "sound");
    aps["sound"] = is_quiet(notification) ? "" : sound.empty() ? "default" : sound;
    const auto badge = notification.find("badge");
    aps["badge_type"] = badge != notification.end() && badge->is_number_integer() ? *badge : Json(-1);
    aps["mutable-content"] = 1;  // arrival reports need it
    if (const std::string category = text_of(notification, "category"); !category.empty()) aps["category"] = category;
  }
  Json ios = {{"aps", aps}};
  Json own = data;
  if (const std::string link = text_of(notification, "link"); !link.empty() && !own.contains("link"))
    own["link"] = link;
  own.erase("xg");  // reserved
  if (!own.empty()) {
    if (config.api == Api::tpns)
      ios["custom_content"] = dumped(own);
    else
      ios["custom"] = own;
  }
  const auto category = config.categories.find(text_of(notification, "category"));
  if (category != config.categories.end()) ios.merge_patch(parsed(category->second));
  return ios;
}

uint64_t hold_s(const Config& config, uint64_t ttl_ms) {
  // TPNS: 0 is now or never. For the older ones 0 would mean 72 hours.
  if (ttl_ms == 0 && config.api == Api::tpns) return 0;
  return std::clamp<uint64_t>((ttl_ms + 999) / 1000, kShortestHold_s, kLongestHold_s);
}

// V2: an Android message has everything at its top, an iOS message is what APNs takes.
Json v2_message(const Config& config, const std::string& title, const std::string& text, Json notification,
                const Json& data, bool is_silent) {
  if (!config.is_ios) {
    Json message = android_of(config, notification, data);
    message.update({{"title", title}, {"content", text}, {"builder_id", 0}, {"n_id", 0}});
    return message;
  }
  Json ios = ios_of(config, notification, data, is_silent);
  Json& aps = ios["aps"];
  if (const auto badge = aps.find("badge_type"); badge != aps.end()) {
    if (badge->is_number_integer() && *badge >= 0) aps["badge"] = *badge;
    aps.erase("badge_type");
  }
  if (!is_silent) aps["alert"] = {{"title", title}, {"body", text}};
  return ios;
}

void put_v2(Said& said, const Config& config, const Message& message, const Json& content) {
  Parameters& p = said.parameters;
  p["message"] = dumped(content);
  p["message_type"] = config.is_ios ? "0" : message.is_silent() ? "2" : "1";
  p["expire_time"] = std::to_string(hold_s(config, message.ttl_ms()));
  p["environment"] = config.is_ios ? (config.environment == "dev" ? "2" : "1") : "0";
  if (!config.is_ios) p["multi_pkg"] = "0";
}

}  // namespace

godwit::Result<Said> said_of(const Config& config, const Message& message) {
  const Json content = Json::parse(message.content(), nullptr, false);
  if (!content.is_object()) return godwit::invalid("the content is not a notification");
  const Json &notification = member(content, "notification"), &data = member(content, "data");
  std::string title = text_of(notification, "title"), text = text_of(notification, "body");
  // Both are compulsory.
  if (is_blank(title)) title = is_blank(text) ? "-" : text;
  if (is_blank(text)) text = title;

  const Json overrides = parsed(message.vendor_options());
  Said said;
  Json what;
  if (config.api == Api::v2) {
    what = v2_message(config, title, text, notification, data, message.is_silent());
    what.merge_patch(member(overrides, "message"));
    put_v2(said, config, message, what);
  } else {
    what = {{"title", title}, {"content", text}};
    if (const std::string image = text_of(notification, "image"); !image.empty()) what["xg_media_resources"] = image;
    if (const std::string thread = text_of(notification, "thread_id"); !thread.empty()) what["thread_id"] = thread;
    if (config.is_ios)
      what["ios"] = ios_of(config, notification, data, message.is_silent());
    else
      what["android"] = android_of(config, notification, data);
    Json body = {{"message_type", message.is_silent() ? "message" : "notify"},
                 {"expire_time", hold_s(config, message.ttl_ms())},
                 {"message", what}};
    Json patch = overrides;
    for (const char* name : kOurs) patch.erase(name);
    body.merge_patch(patch);
    if (config.is_ios) body["environment"] = config.environment;
    if (config.api == Api::v3) body["platform"] = config.is_ios ? "ios" : "android";
    what = body.value("message", Json::object());
    said.json = dumped(body);
  }
  if (const size_t size = dumped(what).size(); size > kMaxMessageBytes)
    return godwit::invalid("the message takes " + std::to_string(size) + " bytes as JSON, Xinge takes " +
                           std::to_string(kMaxMessageBytes) + "; send less data, or let the app fetch it");
  return said;
}

std::string body_for(const Config& config, const Said& said, Kind kind, const std::vector<std::string_view>& targets) {
  Json body = Json::parse(said.json);
  const bool is_list = targets.size() > 1;
  if (kind == Kind::tag) {
    body["audience_type"] = "tag";
    if (config.api == Api::v3)
      body["tag_list"] = {{"tags", targets}, {"op", "OR"}};
    else
      body["tag_rules"] = Json::array({{{"operator", "OR"},
                                        {"is_not", false},
                                        {"tag_items", Json::array({{{"tags", targets},
                                                                    {"is_not", false},
                                                                    {"tags_operator", "OR"},
                                                                    {"items_operator", "OR"},
                                                                    {"tag_type", "xg_user_define"}}})}}});
    return dumped(body);
  }
  const bool is_account = kind == Kind::account;
  body["audience_type"] = is_account ? (is_list ? "account_list" : "account") : (is_list ? "token_list" : "token");
  body[is_account ? "account_list" : "token_list"] = targets;
  if (is_account && config.api == Api::tpns) {
    body["account_type"] = config.account_type;
    body["account_push_type"] = 1;  // every device of the account
  }
  if (config.api == Api::tpns && !is_account) body["ignore_invalid_token"] = 1;  // else one bad token fails the call
  if (config.api == Api::v3 && is_list) body["push_id"] = "0";
  return dumped(body);
}

bool v2_needs_push_id(Kind kind, size_t targets) {
  return kind != Kind::tag && targets > 1;
}

V2Call v2_store(const Said& said) {
  return {"/v2/push/create_multipush", said.parameters};
}

V2Call v2_call(const Said& said, Kind kind, const std::vector<std::string_view>& targets, const std::string& push_id) {
  const std::string list = dumped(Json(targets));
  if (v2_needs_push_id(kind, targets.size())) {
    const bool is_account = kind == Kind::account;
    return {is_account ? "/v2/push/account_list_multiple" : "/v2/push/device_list_multiple",
            {{"push_id", push_id}, {is_account ? "account_list" : "device_list", list}}};
  }
  V2Call call{"/v2/push/single_device", said.parameters};
  if (kind == Kind::token) {
    call.parameters["device_token"] = std::string(targets.front());
  } else if (kind == Kind::account) {
    call.path = "/v2/push/single_account";
    call.parameters["account"] = std::string(targets.front());
    call.parameters["device_type"] = "0";
  } else {
    call.path = "/v2/push/tags_device";
    call.parameters["tags_list"] = list;
    call.parameters["tags_op"] = "OR";
  }
  return call;
}

std::string form_of(const Parameters& parameters) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  const auto escape = [&out](std::string_view text) {
    for (const char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
          c == '.') {
        out += c;
      } else {
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      }
    }
  };
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    escape(name);
    out += '=';
    escape(value);
  }
  return out;
}

}  // namespace xinge
