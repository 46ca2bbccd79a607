#include "wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

namespace mipush_like {
namespace {

using godwit::Json;
using godwit::Outcome;

// Limits in characters: a title of under 50, a text of under 128 (pId 1559).
constexpr size_t kMaxTitle = 49, kMaxText = 127;
constexpr uint64_t kQuotaPauseMs =
    60'000;  // "over the day quota": look again once a minute, the day ends in China's time

std::string first_code_points(std::string_view text, size_t count) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80 && count-- == 0) break;
  return std::string(text.substr(0, at));
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += name;
  form += '=';
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '*') {
      form += c;
    } else {
      form += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

std::string text_member(const Json& object, const char* name) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int64_t number_member(const Json& object, const char* name, int64_t otherwise) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : otherwise;
}

bool is_one_of(int64_t code, std::initializer_list<int64_t> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

Outcome refusal(int64_t code, const std::string& reason) {
  const std::string word = std::to_string(code);
  if (is_one_of(code, {-1, 1, 10001, 10002, 10003, 20301, 20607, 22102, 26003, 65029, 65030}))
    return Outcome::retry(word, reason);
  if (is_one_of(code, {10027, 200002})) return Outcome::throttled(1000, word);
  if (is_one_of(code, {10034, 200001})) return Outcome::throttled(kQuotaPauseMs, word);
  if (is_one_of(code, {10029, 66007})) return Outcome::target_invalid(word);
  if (is_one_of(code, {10031, 10033, 21301, 21302, 21303, 22000, 22006, 22007, 22022, 27001, 65036, 65037, 65038}))
    return Outcome::config(word, reason);
  return Outcome::rejected(word, reason);  // also unknown codes: the message is over, the token stays
}

// Percent-decoding of one form value; broken escapes stay as they are.
std::string decoded(std::string_view value) {
  std::string out;
  for (size_t i = 0; i < value.size(); ++i) {
    unsigned byte = 0;
    if (value[i] == '+') {
      out += ' ';
    } else if (value[i] == '%' && i + 2 < value.size() &&
               std::from_chars(value.data() + i + 1, value.data() + i + 3, byte, 16).ptr == value.data() + i + 3) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += value[i];
    }
  }
  return out;
}

}  // namespace

Config parse(const Json& c) {
  return {.origin = text_member(c, "origin"),
          .ca_file = text_member(c, "ca_file"),
          .app_secret_name = text_member(c, "app_secret"),
          .package_name = text_member(c, "package_name"),
          .channel_id = text_member(c, "channel_id"),
          .callback_url = text_member(c, "callback_url"),
          .callback_path = text_member(c, "callback_path"),
          .request_timeout_ms = static_cast<uint32_t>(number_member(c, "request_timeout_ms", 5000)),
          .window = static_cast<uint32_t>(number_member(c, "window", 100))};
}

std::string form_of(const Config& config, const godwit::Message& message) {
  const Json content = Json::parse(message.content(), nullptr, false);
  const Json notification = content.is_object() ? content.value("notification", Json::object()) : Json::object();
  std::string title = first_code_points(text_member(notification, "title"), kMaxTitle);
  std::string text = first_code_points(text_member(notification, "body"), kMaxText);
  if (title.empty()) title = config.package_name;  // both are compulsory and may not be blank
  if (text.empty()) text = title;

  std::string form;
  add_field(form, "restricted_package_name", config.package_name);
  add_field(form, "registration_id", message.target().address());
  add_field(form, "pass_through", "0");
  add_field(form, "title", title);
  add_field(form, "description", text);
  add_field(form, "notify_type", "-1");
  if (content.is_object() && content.contains("data")) add_field(form, "payload", content["data"].dump());
  if (message.ttl_ms()) add_field(form, "time_to_live", std::to_string(message.ttl_ms()));
  if (!message.collapse_key().empty())
    add_field(form, "notify_id", std::to_string(std::hash<std::string_view>{}(message.collapse_key()) & 0x7fffffff));
  add_field(form, "extra.notify_effect", "1");
  if (!config.channel_id.empty()) add_field(form, "extra.channel_id", config.channel_id);
  add_field(form, "extra.callback.param", message.message_id());
  if (!config.callback_url.empty()) {
    add_field(form, "extra.callback", config.callback_url + "/" + config.callback_path);
    add_field(form, "extra.callback.type", "19");  // 1 delivered + 2 clicked + 16 target invalid
  }
  return form;
}

Outcome outcome_of(uint32_t http_status, std::string_view body, std::string_view retry_after) {
  if (http_status == 429 || (http_status == 503 && !retry_after.empty())) {
    uint64_t seconds = 1;
    std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    return Outcome::throttled(std::min<uint64_t>(seconds, 86'400) * 1000, std::to_string(http_status))
        .with_http_status(http_status);
  }
  const Json answer = Json::parse(body, nullptr, false);
  if (http_status >= 500 || !answer.is_object())  // "HTTP 5xx or no JSON: retry"
    return Outcome::retry("http_" + std::to_string(http_status), "no usable answer").with_http_status(http_status);
  const int64_t code = number_member(answer, "code", 1);
  if (code == 0)
    return Outcome::accepted(text_member(answer.value("data", Json::object()), "id")).with_http_status(http_status);
  return refusal(code, text_member(answer, "reason")).with_http_status(http_status);
}

godwit::Result<std::vector<Receipt>> receipts_of(std::string_view form_body) {
  constexpr std::string_view kField = "data=";
  const size_t at = form_body.starts_with(kField) ? 0 : form_body.find("&data=");
  if (at == std::string_view::npos) return godwit::Error{GW_E_INVALID, "the form has no field `data`", ""};
  std::string_view value = form_body.substr(at + kField.size() + (at ? 1 : 0));
  const Json data = Json::parse(decoded(value.substr(0, value.find('&'))), nullptr, false);
  if (!data.is_object()) return godwit::Error{GW_E_INVALID, "`data` is not a JSON object", ""};
  std::vector<Receipt> receipts;
  for (const auto& [vendor_id, entry] : data.items()) {
    Receipt receipt{.vendor_id = vendor_id,
                    .message_id = text_member(entry, "param"),
                    .target = {},
                    .event_id = {},
                    .type = static_cast<int>(number_member(entry, "type", 0)),
                    .timestamp_ms = static_cast<uint64_t>(std::max<int64_t>(0, number_member(entry, "timestamp", 0)))};
    const std::string targets = text_member(entry, "targets");
    for (size_t start = 0; start < targets.size();) {
      const size_t end = std::min(targets.find(',', start), targets.size());
      receipt.target = targets.substr(start, end - start);
      receipt.event_id =
          vendor_id + "/" + std::to_string(receipt.type) + "/" + receipt.target;  // idempotent by these three
      receipts.push_back(receipt);
      start = end + 1;
    }
  }
  return receipts;
}

}  // namespace mipush_like
