#include "push.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <godwit/hex.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "payload.hpp"

namespace apns {
namespace {

using godwit::Error;
using godwit::Json;
using godwit::Result;

constexpr size_t kMaxPayload = 4096, kMaxLongPayload = 5120;  // §3: voip; §9: broadcasts
constexpr size_t kMaxCollapseId = 64;
constexpr size_t kMaxTokenDigits = 200;

Error refused(const std::string& code, std::string where, const std::string& text) {
  return Error{GW_E_INVALID, code + ": " + text, std::move(where)};
}

struct PushType {
  std::string_view name, suffix;
};
// §3's table of push types and the topics that they need.
constexpr std::array<PushType, 11> kPushTypes{{{"alert", ""},
                                               {"background", ""},
                                               {"voip", ".voip"},
                                               {"complication", ".complication"},
                                               {"controls", ".push-type.controls"},
                                               {"fileprovider", ".pushkit.fileprovider"},
                                               {"liveactivity", ".push-type.liveactivity"},
                                               {"location", ".location-query"},
                                               {"mdm", ""},
                                               {"pushtotalk", ".voip-ptt"},
                                               {"widgets", ".push-type.widgets"}}};

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

void copy(const Json& from, const char* name, Json& to, const char* as) {
  if (const Json* value = member(from, name)) to[as] = *value;
}

// Text, or the key of a text inside the app: with a key, iOS ignores the plain text, so it is left out.
void copy_text(const Json& n, const std::string& part, const std::string& prefix, Json& alert) {
  const std::string key = part + "_loc_key", args = part + "_loc_args";
  if (member(n, key.c_str())) {
    copy(n, key.c_str(), alert, (prefix + "loc-key").c_str());
    copy(n, args.c_str(), alert, (prefix + "loc-args").c_str());
  } else {
    copy(n, part.c_str(), alert, part.c_str());
  }
}

bool is_shown(const Json& aps) {
  return aps.contains("alert") || aps.contains("sound") || aps.contains("badge");
}

Json aps_of(const Config& config, const Json& notification, const godwit::Message& message) {
  Json aps = Json::object();
  if (message.is_silent()) {
    aps["content-available"] = 1;
    return aps;
  }
  Json alert = Json::object();
  copy_text(notification, "title", "title-", alert);
  copy_text(notification, "subtitle", "subtitle-", alert);
  copy_text(notification, "body", "", alert);
  const bool has_alert = !alert.empty();
  if (has_alert) aps["alert"] = std::move(alert);
  copy(notification, "badge", aps, "badge");
  copy(notification, "sound", aps, "sound");
  copy(notification, "thread_id", aps, "thread-id");
  copy(notification, "category", aps, "category");
  // The app's extension fetches the picture, and reports the arrival.
  if (has_alert && (config.arrival_receipts || member(notification, "image"))) aps["mutable-content"] = 1;
  if (message.priority() == 3) aps["interruption-level"] = "time-sensitive";
  if (message.priority() == 0) aps["interruption-level"] = "passive";
  return aps;
}

// As a value of a header: what HTTP lets through unchanged (RFC 9110 §5.5: ASCII, no space at the ends).
bool is_header_text(std::string_view text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

std::string text_header(const Json* headers, const char* name) {
  const Json* value = headers ? member(*headers, name) : nullptr;
  if (!value) return {};
  return value->is_string() ? value->get<std::string>() : value->dump();
}

// What a caller may set, and only so that it cannot break the request.
Result<void> check_headers(const Json& headers) {
  constexpr std::array<std::string_view, 5> kNames{"apns-push-type", "apns-topic", "apns-priority", "apns-collapse-id",
                                                   "apns-expiration"};
  if (!headers.is_object()) return refused("BadOverride", "/overrides/apns/headers", "must be a JSON object");
  for (const auto& [name, value] : headers.items()) {
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end())
      return refused(
          "BadOverride", "/overrides/apns/headers/" + name.substr(0, 40),
          "cannot be set; apns-push-type, apns-topic, apns-priority, apns-collapse-id and apns-expiration can");
    if (!value.is_number_integer() && !(value.is_string() && is_header_text(value.get_ref<const std::string&>())))
      return refused("BadOverride", "/overrides/apns/headers/" + name, "must be a number or plain ASCII text");
  }
  return {};
}

std::string all_push_types() {
  std::string all;
  for (const PushType& type : kPushTypes) (all += all.empty() ? "" : ", ") += type.name;
  return all;
}

const PushType* find_type(std::string_view name) {
  const auto it = std::find_if(kPushTypes.begin(), kPushTypes.end(), [&](const PushType& t) { return t.name == name; });
  return it == kPushTypes.end() ? nullptr : &*it;
}

// §6.1 of the table: 10 now, 5 with regard to the battery, 1 above all the battery; a background push may only have 5.
std::string priority_of(const Rendered& r, uint32_t level) {
  if (r.push_type == "background") return "5";
  return level >= 2 ? "10" : level == 1 ? "5" : "1";
}

std::string collapse_id_of(std::string_view key) {
  if (key.empty() || (key.size() <= kMaxCollapseId && is_header_text(key))) return std::string(key);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  return godwit::lower_hex(digest, sizeof digest);  // 64 characters
}

}  // namespace

Result<Address> parse_address(std::string_view text, Environment fallback) {
  Address address{text, fallback, false};
  if (text.starts_with("broadcast:")) {
    address.is_broadcast = true;
    address.token.remove_prefix(10);
    constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_";
    if (address.token.empty() || address.token.size() > 256 ||
        address.token.find_first_not_of(kBase64) != std::string_view::npos)
      return godwit::invalid("a Live Activity channel is broadcast: and the id that Apple gave it");
    return address;
  }
  for (const auto& [prefix, environment] : {std::pair{std::string_view("sandbox:"), Environment::sandbox},
                                            std::pair{std::string_view("production:"), Environment::production}})
    if (text.starts_with(prefix)) {
      address.environment = environment;
      address.token.remove_prefix(prefix.size());
    }
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  if (address.token.size() < 2 || address.token.size() > kMaxTokenDigits || address.token.size() % 2 != 0 ||
      !std::all_of(address.token.begin(), address.token.end(), is_hex))
    return godwit::invalid(
        "a device token is an even number of hexadecimal digits (64 today), with sandbox: or production: before it if "
        "it does not belong to the channel's own environment");
  return address;
}

namespace {

// The rest of it, once body and push type are there. `headers`: the message's own, or null.
Result<Rendered> finish(const Config& config, const godwit::Message& message, const Json* headers, Rendered r) {
  const PushType* type = find_type(r.push_type);
  if (!type)
    return refused("InvalidPushType", "/overrides/apns/headers/apns-push-type",
                   "'" + r.push_type + "' is none that Apple knows; these are: " + all_push_types());
  r.message_id = message.message_id();
  r.topic = text_header(headers, "apns-topic");
  r.own_topic = !r.topic.empty();
  if (!r.own_topic) r.topic.append(config.topic).append(type->suffix);
  r.priority = text_header(headers, "apns-priority");
  if (r.priority.empty()) r.priority = priority_of(r, message.priority());
  if (r.push_type == "background" && r.priority == "10")
    return refused("BadPriority", "/overrides/apns/headers/apns-priority",
                   "a background push may not have 10; leave it out, or make it 5");
  r.collapse_id = text_header(headers, "apns-collapse-id");
  if (r.collapse_id.empty()) r.collapse_id = collapse_id_of(message.collapse_key());
  r.expiration = text_header(headers, "apns-expiration");
  const bool is_long = r.push_type == "voip" || message.target().address().starts_with("broadcast:");
  const size_t most = is_long ? kMaxLongPayload : kMaxPayload;
  if (r.body.size() > most)
    return refused("PayloadTooLarge", {},
                   "the payload has " + std::to_string(r.body.size()) + " bytes, Apple takes " + std::to_string(most) +
                       "; shorten the notification, or let the app fetch the data");
  return r;
}

}  // namespace

Result<Rendered> render(const Config& config, const godwit::Message& message, uint64_t now_wall_ms) {
  Rendered plain;
  if (!write_payload(config, message, plain.body)) return render_by_tree(config, message, now_wall_ms);
  plain.push_type = message.is_silent() ? "background" : "alert";
  return finish(config, message, nullptr, std::move(plain));
}

Result<Rendered> render_by_tree(const Config& config, const godwit::Message& message, uint64_t now_wall_ms) {
  Json content = Json::object(), overrides = Json::object();
  if (message.content_kind() == GW_CONTENT_NOTIFICATION) content = Json::parse(message.content(), nullptr, false);
  if (!content.is_object()) return refused("BadContent", {}, "the message is not a JSON object");
  if (!message.vendor_options().empty()) overrides = Json::parse(message.vendor_options(), nullptr, false);
  if (!overrides.is_object()) return refused("BadOverride", "/overrides/apns", "must be a JSON object");
  const Json headers_given = overrides.contains("headers") ? overrides["headers"] : Json::object();
  if (auto fine = check_headers(headers_given); !fine) return std::move(fine).error();
  const Json* headers = &headers_given;
  overrides.erase("headers");

  const Json none = Json::object();
  const Json* found = member(content, "notification");
  const Json& notification = found && found->is_object() ? *found : none;
  Json payload = Json::object();
  if (const Json* data = member(content, "data"); data && data->is_object()) payload = *data;
  payload.erase("aps");  // Apple's own
  copy(notification, "link", payload, "link");
  copy(notification, "image", payload, "image");
  payload["message_id"] = message.message_id();
  payload["aps"] = aps_of(config, notification, message);
  if (message.content_kind() == GW_CONTENT_RAW) payload = Json::parse(message.content(), nullptr, false);
  if (!payload.is_object()) return refused("BadContent", {}, "a raw payload must be a JSON object");
  payload.merge_patch(overrides);
  Json& aps = payload["aps"];
  if (!aps.is_object()) return refused("BadOverride", "/overrides/apns/aps", "must be a JSON object");

  Rendered r;
  r.push_type = text_header(headers, "apns-push-type");
  if (r.push_type.empty())
    r.push_type = aps.contains("content-state")                         ? "liveactivity"
                  : aps.contains("content-available") && !is_shown(aps) ? "background"
                                                                        : "alert";
  if (r.push_type == "alert" && !is_shown(aps) && !aps.contains("content-available"))
    return refused("PayloadEmpty", "/notification",
                   "an alert needs a title, a body, a badge or a sound; data alone goes with `options.silent`");
  if (r.push_type == "liveactivity" && !aps.contains("timestamp")) aps["timestamp"] = now_wall_ms / 1000;
  r.body = payload.dump(-1, ' ', false, Json::error_handler_t::replace);
  return finish(config, message, headers, std::move(r));
}

void write_apns_id(std::string_view message_id, std::string_view address, std::string& out) {
  // One context per thread: OpenSSL's one-shot call looks the algorithm up again each time, which costs more than it.
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* c) { EVP_MD_CTX_free(c); })> context(
      EVP_MD_CTX_new());
  unsigned char digest[SHA256_DIGEST_LENGTH] = {};
  static const EVP_MD* const kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (EVP_DigestInit_ex2(context.get(), kind, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), message_id.data(), message_id.size()) != 1 ||
      EVP_DigestUpdate(context.get(), "\n", 1) != 1 ||
      EVP_DigestUpdate(context.get(), address.data(), address.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest, nullptr) != 1)
    throw std::bad_alloc();                                           // SHA-256 fails for no other reason
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x80);  // version 8: of our own making (RFC 9562 §5.8)
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
  out = godwit::lower_hex(digest, 16);
  for (const size_t at : {20u, 16u, 12u, 8u}) out.insert(at, 1, '-');
}

void write_push(const Config& config, const Rendered& r, const Address& address, const godwit::Message& message,
                uint64_t now_wall_ms, Push& push) {
  push.expiration = !r.expiration.empty()   ? r.expiration
                    : message.ttl_ms() == 0 ? "0"
                                            : std::to_string((now_wall_ms + message.ttl_ms()) / 1000);
  write_apns_id(message.message_id(), message.target().address(), push.id);
  push.headers.clear();
  if (address.is_broadcast) {
    push.path = "/4/broadcasts/apps/" + config.topic;
    push.headers.insert(push.headers.end(), {{"apns-channel-id", address.token},
                                             {"apns-push-type", "liveactivity"},
                                             {"apns-request-id", push.id},
                                             {"apns-expiration", push.expiration},
                                             {"apns-priority", r.priority}});
    return;
  }
  push.path = "/3/device/";
  push.path += address.token;
  push.headers.insert(push.headers.end(), {{"apns-topic", r.topic},
                                           {"apns-push-type", r.push_type},
                                           {"apns-priority", r.priority},
                                           {"apns-id", push.id},
                                           {"apns-expiration", push.expiration}});
  if (!r.collapse_id.empty()) push.headers.emplace_back("apns-collapse-id", r.collapse_id);
}

}  // namespace apns
