#include "notification.hpp"

#include <algorithm>
#include <array>

#include <godwit/json.hpp>

namespace mipush {
namespace {

using godwit::Json;
using godwit::Message;
using godwit::text_of;

// "under 50", "under 128" characters; a Chinese one counts 1 (pId 1559).
constexpr size_t kMaxTitle = 49, kMaxText = 127;
constexpr size_t kMaxPayloadBytes = 4095;  // "under 4 KB"
// All extras together (65014, 65015). Ours are counted too: the documents do not say that they are not.
constexpr size_t kMaxExtras = 10, kMaxExtraCharacters = 1024;
constexpr uint64_t kDayMs = 86'400'000;
constexpr std::string_view kExtra = "extra.";

// Names under `extra.` that mean something to Xiaomi: an app's data must not speak in their place.
constexpr std::array<std::string_view, 28> kReserved = {"notify_effect",
                                                        "intent_uri",
                                                        "web_uri",
                                                        "class_name",
                                                        "intent_flag",
                                                        "channel_id",
                                                        "channel_name",
                                                        "channel_description",
                                                        "template_id",
                                                        "template_param",
                                                        "sound_uri",
                                                        "ticker",
                                                        "notify_foreground",
                                                        "badge",
                                                        "flow_control",
                                                        "jobkey",
                                                        "only_send_once",
                                                        "callback",
                                                        "callback.param",
                                                        "callback.type",
                                                        "locale",
                                                        "locale_not_in",
                                                        "model",
                                                        "model_not_in",
                                                        "app_version",
                                                        "app_version_not_in",
                                                        "connpt",
                                                        "hybrid_pn"};

// Fields that decide whom a message reaches and who hears of it: not for overrides.
constexpr std::array<std::string_view, 11> kOurs = {"restricted_package_name",
                                                    "registration_id",
                                                    "alias",
                                                    "user_account",
                                                    "topic",
                                                    "topics",
                                                    "topic_op",
                                                    "extra.callback",
                                                    "extra.callback.param",
                                                    "extra.callback.type",
                                                    "pass_through"};

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string first_characters(std::string_view text, size_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<uint8_t>(text[at]) & 0xc0) != 0x80 && count-- == 0) break;
  return std::string(text.substr(0, at));
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "app://order/42" as Intent.toUri writes it; the package keeps other apps from answering.
std::string intent_of(const std::string& link, const std::string& package) {
  if (link.starts_with("intent:")) return link;
  const size_t colon = link.find(':');
  if (colon == std::string::npos) return {};
  return "intent" + link.substr(colon) + "#Intent;scheme=" + link.substr(0, colon) + ";package=" + package + ";end";
}

void put_link(Form& form, const std::string& link, const std::string& package) {
  const bool is_web = link.starts_with("http://") || link.starts_with("https://");
  const std::string intent = is_web ? std::string() : intent_of(link, package);
  form.put("extra.notify_effect", is_web ? "3" : intent.empty() ? "1" : "2");
  if (is_web) form.put("extra.web_uri", link);
  if (!intent.empty()) form.put("extra.intent_uri", intent);
}

// Bits: 1 sound, 2 vibration, 4 light.
void put_sound(Form& form, const Json& notification, const std::string& package) {
  const bool is_said = notification.contains("sound");
  const std::string sound = text_of(notification, "sound");
  const bool is_quiet = is_said && (sound.empty() || sound == "none");
  form.put("notify_type", is_quiet ? "6" : "-1");
  if (!is_quiet && is_said && sound != "default")
    form.put("extra.sound_uri", "android.resource://" + package + "/raw/" + sound.substr(0, sound.find('.')));
}

void put_time_to_live(Form& form, uint64_t ttl_ms, const MessageClass* k) {
  if (ttl_ms == 0) return form.put("extra.only_send_once", "1");
  form.put("time_to_live", std::min(ttl_ms, k && k->is_private ? 10 * kDayMs : kDayMs));
}

void put_callback(Form& form, const Config& config, std::string_view message_id) {
  if (config.callback_url.empty()) return;
  form.put("extra.callback", config.callback_url + "/" + config.callback_path);
  form.put("extra.callback.param", std::string(message_id));
  form.put("extra.callback.type", config.receipts);
}

// The app's data: all of it as JSON in `payload`, and as extras beside it when all of it fits there.
godwit::Result<void> put_data(Form& form, const Json& data) {
  if (!data.is_object() || data.empty()) return {};
  std::string payload = plain(data);
  if (payload.size() > kMaxPayloadBytes)
    return godwit::invalid("takes " + std::to_string(payload.size()) + " bytes as JSON, Mi Push takes " +
                               std::to_string(kMaxPayloadBytes) + "; send less, or let the app fetch it",
                           "/data");
  form.put("payload", std::move(payload));
  size_t pairs = data.size(), length = 0;
  for (const auto& [name, value] : form.fields())
    if (name.starts_with(kExtra)) ++pairs, length += characters(name) - kExtra.size() + characters(value);
  for (const auto& [name, value] : data.items()) {
    if (name.empty() || name.starts_with("notification_") ||
        std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end())
      return {};
    length += characters(name) + characters(plain(value));
  }
  if (pairs > kMaxExtras || length > kMaxExtraCharacters) return {};
  for (const auto& [name, value] : data.items()) form.put(std::string(kExtra) + name, plain(value));
  return {};
}

// {"notify_type": 1, "extra": {"ticker": "…"}} or {"extra.ticker": "…"}: by Xiaomi's own names.
void put_overrides(Form& form, std::string_view vendor_options) {
  if (vendor_options.empty()) return;
  const Json options = Json::parse(vendor_options, nullptr, false);
  if (!options.is_object()) return;
  const auto put = [&](const std::string& name, const Json& value) {
    if (value.is_null() || std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) return;
    form.put(name, plain(value));
  };
  for (const auto& [name, value] : options.items()) {
    if (name != "extra" || !value.is_object()) {
      put(name, value);
      continue;
    }
    for (const auto& [key, each] : value.items()) put(std::string(kExtra) + key, each);
  }
}

}  // namespace

// FNV-1a, so that the number is the same in every process and version.
uint32_t notify_id(std::string_view key) {
  uint32_t hash = 2166136261u;
  for (const char c : key) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash & 0x7fffffff;
}

godwit::Result<Fields> fields_of(const Config& config, const Message& message) {
  const Json content = Json::parse(message.content(), nullptr, false);
  if (!content.is_object()) return godwit::invalid("the content is not a notification");
  const Json none = Json::object();
  const auto member = [&](const char* name) -> const Json& {
    const auto it = content.find(name);
    return it != content.end() && it->is_object() ? *it : none;
  };
  const Json &notification = member("notification"), &data = member("data");

  Fields out;
  out.message_class = config.class_for(text_of(notification, "category"));
  Form& form = out.form;
  form.put("restricted_package_name", config.package_name);
  form.put("pass_through", "0");  // transparent messages are no longer delivered
  std::string title = first_characters(text_of(notification, "title"), kMaxTitle);
  std::string text = first_characters(text_of(notification, "body"), kMaxText);
  // Both are compulsory and may not be blank.
  if (is_blank(title)) title = first_characters(is_blank(text) ? config.package_name : text, kMaxTitle);
  if (is_blank(text)) text = title;
  form.put("title", std::move(title));
  form.put("description", std::move(text));
  put_sound(form, notification, config.package_name);
  form.put("notify_id", notify_id(message.collapse_key().empty() ? message.message_id() : message.collapse_key()));
  put_time_to_live(form, message.ttl_ms(), out.message_class);
  put_link(form, text_of(notification, "link"), config.package_name);
  if (const auto badge = notification.find("badge"); badge != notification.end() && badge->is_number_integer())
    form.put("extra.badge", badge->dump());
  if (out.message_class) {
    form.put("extra.channel_id", out.message_class->channel_id);
    if (!out.message_class->template_id.empty()) form.put("extra.template_id", out.message_class->template_id);
  }
  put_callback(form, config, message.message_id());
  put_overrides(form, message.vendor_options());
  if (auto fits = put_data(form, data); !fits) return std::move(fits).error();
  return out;
}

}  // namespace mipush
