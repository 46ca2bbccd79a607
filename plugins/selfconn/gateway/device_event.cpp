#include "plugins/selfconn/gateway/device_event.hpp"

#include <godwit/abi.h>

#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

namespace selfconn {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxEventSize = 4096;
constexpr size_t kMaxMessageId = 128;

std::optional<uint32_t> subkind_of(std::string_view event) {
  if (event == "delivered") return GW_RECEIPT_DELIVERED;
  if (event == "displayed") return GW_RECEIPT_DISPLAYED;
  if (event == "opened") return GW_RECEIPT_OPENED;
  if (event == "dismissed") return GW_RECEIPT_DISMISSED;
  return std::nullopt;
}

std::string_view text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                     : std::string_view();
}

// Two or four digits at a fixed place.
bool take_digits(std::string_view text, size_t at, size_t count, int& out) {
  if (text.size() < at + count) return false;
  const char* const end = text.data() + at + count;
  const auto [stop, error] = std::from_chars(text.data() + at, end, out);
  return error == std::errc() && stop == end && out >= 0;
}

}  // namespace

std::optional<uint64_t> parse_rfc3339_ms(std::string_view text) {
  std::tm tm{};
  int year = 0, month = 0;
  const bool shape = text.size() >= 20 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't') &&
                     text[13] == ':' && text[16] == ':' && (text.back() == 'Z' || text.back() == 'z');
  if (!shape || !take_digits(text, 0, 4, year) || !take_digits(text, 5, 2, month) ||
      !take_digits(text, 8, 2, tm.tm_mday) || !take_digits(text, 11, 2, tm.tm_hour) ||
      !take_digits(text, 14, 2, tm.tm_min) || !take_digits(text, 17, 2, tm.tm_sec))
    return std::nullopt;
  if (year < 1970 || month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
      tm.tm_min > 59 || tm.tm_sec > 60)
    return std::nullopt;
  int thousandths = 0;
  if (std::string_view fraction = text.substr(19, text.size() - 20); !fraction.empty()) {
    if (fraction[0] != '.' || fraction.size() < 2) return std::nullopt;
    for (size_t i = 1; i < fraction.size(); ++i) {
      if (fraction[i] < '0' || fraction[i] > '9') return std::nullopt;
      if (i <= 3) thousandths = thousandths * 10 + (fraction[i] - '0');
    }
    for (size_t i = fraction.size(); i <= 3; ++i) thousandths *= 10;
  }
  tm.tm_year = year - 1900;
  tm.tm_mon = month - 1;
  const std::time_t seconds = ::timegm(&tm);
  if (seconds < 0) return std::nullopt;
  return static_cast<uint64_t>(seconds) * 1000 + static_cast<uint64_t>(thousandths);
}

std::optional<ParsedEvent> parse_event(godwit::mqtt::Bytes payload) {
  if (payload.size() > kMaxEventSize) return std::nullopt;
  const Json json = Json::parse(payload.begin(), payload.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  ParsedEvent event;
  event.message_id = text_of(json, "message_id");
  const auto subkind = subkind_of(text_of(json, "event"));
  if (event.message_id.empty() || event.message_id.size() > kMaxMessageId || !subkind) return std::nullopt;
  event.subkind = *subkind;
  if (const auto at = json.find("at"); at != json.end() && !at->is_null()) {
    if (at->is_number_unsigned()) {
      event.at_wall_ms = at->get<uint64_t>();
    } else {
      const auto ms = parse_rfc3339_ms(text_of(json, "at"));
      if (!ms) return std::nullopt;
      event.at_wall_ms = *ms;
    }
  }
  return event;
}

}  // namespace selfconn
