#include "answer.hpp"

#include <algorithm>
#include <charconv>

#include <godwit/json.hpp>

namespace mipush {
namespace {

using godwit::Json;
using godwit::Outcome;

constexpr uint64_t kSlower = 1'000, kMinutes = 120'000, kMaxRetryAfterS = 86'400;

// Xiaomi writes some numbers as texts ("2000000").
std::optional<int64_t> number(const Json& object, const char* name) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  if (it == object.end()) return std::nullopt;
  if (it->is_number_integer()) return it->get<int64_t>();
  if (!it->is_string()) return std::nullopt;
  const auto& text = it->get_ref<const std::string&>();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> texts(const Json& object, const char* name) {
  std::vector<std::string> out;
  const auto it = object.is_object() ? object.find(name) : object.end();
  if (it == object.end()) return out;
  if (it->is_array())
    for (const Json& item : *it)
      if (item.is_string()) out.push_back(item.get<std::string>());
  return out;
}

std::string reason_of(const Json& answer) {
  for (const char* name : {"reason", "description", "info"})
    if (std::string text = godwit::text_of(answer, name); !text.empty()) return text;
  return {};
}

// "exceed quota, quota: 2000000, have acked: 2000000"
std::optional<DayQuota> quota_in(std::string_view reason) {
  const auto after = [&](std::string_view word) -> std::optional<int64_t> {
    const size_t at = reason.find(word);
    if (at == std::string_view::npos) return std::nullopt;
    int64_t value = 0;
    const char* begin = reason.data() + at + word.size();
    if (std::from_chars(begin, reason.data() + reason.size(), value).ptr == begin) return std::nullopt;
    return value;
  };
  const auto quota = after(", quota: "), acked = after("have acked: ");
  if (!quota || !acked) return std::nullopt;
  return DayQuota{*quota, *acked};
}

Answer without_json(Answer answer) {
  const bool refused_us = answer.http_status == 401 || answer.http_status == 403;
  answer.verdict = refused_us ? Verdict::account : answer.http_status == 413 ? Verdict::size : Verdict::retry;
  answer.word = "http_" + std::to_string(answer.http_status);
  answer.reason = refused_us ? "the vendor refuses our credentials" : "no usable answer";
  return answer;
}

}  // namespace

Answer read_answer(uint32_t http_status, std::string_view body, std::string_view retry_after) {
  Answer answer;
  answer.http_status = http_status;
  if (http_status == 429 || (http_status == 503 && !retry_after.empty())) {
    uint64_t seconds = 1;
    std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    answer.verdict = Verdict::too_fast;
    answer.retry_after_ms = std::min(seconds, kMaxRetryAfterS) * 1'000;
    answer.word = std::to_string(http_status);
    return answer;
  }
  const Json json = Json::parse(body, nullptr, false);
  const auto code = number(json, "code");
  if (http_status >= 500 || !json.is_object() || !code) return without_json(std::move(answer));
  answer.code = *code;
  answer.word = std::to_string(*code);
  answer.verdict = verdict_of(*code);
  answer.reason = reason_of(json);
  answer.trace_id = godwit::text_of(json, "trace_id");
  // "result decides": an `error` that calls itself 0 was not accepted.
  if (answer.verdict == Verdict::accepted && godwit::text_of(json, "result") == "error") answer.verdict = Verdict::fail;
  const auto data = json.find("data");
  if (data != json.end() && data->is_object()) {
    answer.vendor_id = godwit::text_of(*data, "id");
    answer.bad_regids = texts(*data, "badRegIds");
    answer.exceeded = godwit::text_of(*data, "channel_exceed_quota");
    answer.list = texts(*data, "list");
    const auto quota = number(*data, "day_quota"), acked = number(*data, "day_acked");
    if (quota && acked && *quota > 0) answer.quota = DayQuota{*quota, *acked};
  }
  if (answer.verdict == Verdict::class_quota && !answer.quota) answer.quota = quota_in(answer.reason);
  return answer;
}

uint64_t Answer::exceeded_of(std::string_view channel_id) const {
  const std::string name = (channel_id.empty() ? "no_channel" : std::string(channel_id)) + ':';
  const std::string_view text = exceeded;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    uint64_t count = 0;
    if (text.substr(at, end - at).starts_with(name))
      std::from_chars(text.data() + at + name.size(), text.data() + end, count);
    if (count > 0) return count;
    at = end + 1;
  }
  return 0;
}

Outcome outcome_of(const Answer& answer, const Circumstances& now) {
  std::string detail = answer.reason;
  if (const std::string_view meaning = meaning_of(answer.code); !meaning.empty() && answer.verdict != Verdict::accepted)
    detail += (detail.empty() ? "" : " (") + std::string(meaning) + (detail.empty() ? "" : ")");
  Outcome outcome;
  const auto failed = [&](uint32_t disposition, uint64_t retry_after_ms = 0) {
    outcome.disposition = disposition;
    outcome.retry_after_ms = retry_after_ms;
    outcome.vendor_code = answer.word;
    outcome.detail = std::move(detail);
  };
  switch (answer.verdict) {
    case Verdict::accepted:
      outcome = Outcome::accepted(answer.vendor_id);
      break;
    case Verdict::retry:
    case Verdict::poller:
      failed(GW_RETRY);
      break;
    case Verdict::retry_once:
      failed(now.attempt <= 1 ? GW_RETRY : GW_REJECTED);
      break;
    case Verdict::too_fast:
      failed(GW_THROTTLED, answer.retry_after_ms ? answer.retry_after_ms : kSlower);
      break;
    case Verdict::too_often:
      failed(GW_THROTTLED, kMinutes);
      break;
    case Verdict::day_quota:
      failed(GW_THROTTLED, now.until_midnight_ms);
      break;
    case Verdict::class_quota:
      if (now.other_classes_remain)
        failed(GW_UNREACHABLE);
      else
        failed(GW_THROTTLED, now.until_midnight_ms);
      break;
    case Verdict::drop:
      failed(GW_TARGET_INVALID);
      break;
    case Verdict::drop_alias:
      failed(now.is_alias ? GW_TARGET_INVALID : GW_REJECTED);
      break;
    case Verdict::away:
      failed(GW_UNREACHABLE);
      break;
    case Verdict::fail:
    case Verdict::size:
    case Verdict::review:
      failed(GW_REJECTED);
      break;
    case Verdict::config:
    case Verdict::account:
      failed(GW_CONFIG);
      break;
  }
  outcome.http_status = answer.http_status;
  return outcome;
}

}  // namespace mipush
