#include "answer.hpp"

#include <algorithm>
#include <charconv>

#include <godwit/json.hpp>

namespace xinge {
namespace {

using godwit::Json;
using godwit::Outcome;

constexpr uint64_t kPauseMs = 1'000, kMaxRetryAfterS = 86'400;
constexpr uint32_t kFewTries = 3;

std::optional<int64_t> to_number(const Json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Statistics and account queries of TPNS write retCode and errMsg.
const Json* member(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto it = object.find(name); it != object.end()) return &*it;
  return nullptr;
}

std::string text(const Json* value) {
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  return value->is_number_integer() ? value->dump() : std::string();
}

// `result` is an array, or the text of one: "[0]".
std::vector<int64_t> codes_in(const Json* result) {
  if (result == nullptr) return {};
  const Json parsed =
      result->is_string() ? Json::parse(result->get_ref<const std::string&>(), nullptr, false) : *result;
  std::vector<int64_t> codes;
  if (!parsed.is_array()) return codes;
  for (const Json& item : parsed) {
    const auto code = to_number(item);
    if (!code) return {};
    codes.push_back(*code);
  }
  return codes;
}

}  // namespace

Answer read_answer(Api api, uint32_t http_status, std::string_view body, std::string_view retry_after) {
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
  const Json* said = json.is_object() ? member(json, {"ret_code", "retCode"}) : nullptr;
  const auto code = said ? to_number(*said) : std::nullopt;
  if (http_status >= 500 || !code) {
    const bool refused_us = http_status == 401 || http_status == 403;
    answer.verdict = refused_us ? Verdict::config : Verdict::retry;
    answer.word = "http_" + std::to_string(http_status);
    answer.reason = refused_us ? "the vendor refuses our credentials" : "no usable answer";
    return answer;
  }
  answer.code = *code;
  answer.word = std::to_string(*code);
  answer.verdict = verdict_of(api, *code);
  answer.reason = text(member(json, {"err_msg", "errMsg"}));
  const Json* result = member(json, {"result"});
  answer.push_id = text(member(json, {"push_id"}));
  if (result && result->is_object() && answer.push_id.empty()) answer.push_id = text(member(*result, {"push_id"}));
  answer.each = codes_in(result);
  // Spelled so by TPNS.
  if (const Json* invalid = member(json, {"invalid_targe_list", "invalid_target_list"}); invalid && invalid->is_array())
    for (const Json& token : *invalid)
      if (token.is_string()) answer.invalid.push_back(token.get<std::string>());
  return answer;
}

Outcome outcome_of(const Answer& answer, const Circumstances& now) {
  Outcome outcome;
  const auto failed = [&](uint32_t disposition) {
    outcome.disposition = disposition;
    outcome.vendor_code = answer.word;
    outcome.detail = answer.reason;
  };
  switch (answer.verdict) {
    case Verdict::accepted:
      outcome = Outcome::accepted(answer.push_id);
      break;
    case Verdict::retry:
      failed(GW_RETRY);
      break;
    case Verdict::retry_few:
      failed(now.attempt < kFewTries ? GW_RETRY : GW_CONFIG);
      break;
    case Verdict::too_fast:
      failed(GW_THROTTLED);
      outcome.retry_after_ms = answer.retry_after_ms ? answer.retry_after_ms : kPauseMs;
      break;
    case Verdict::drop:
      failed(now.is_token ? GW_TARGET_INVALID : GW_REJECTED);
      break;
    case Verdict::drop_account:
      failed(now.is_token ? GW_REJECTED : GW_TARGET_INVALID);
      break;
    case Verdict::look_inside:
    case Verdict::fail:
    case Verdict::size:
      failed(GW_REJECTED);
      break;
    case Verdict::config:
      failed(GW_CONFIG);
      break;
  }
  outcome.http_status = answer.http_status;
  return outcome;
}

}  // namespace xinge
