#include "answer.hpp"

#include <algorithm>
#include <array>

#include <godwit/json.hpp>

namespace apns {
namespace {

struct Row {
  uint32_t status;
  std::string_view reason;
  Verdict verdict;
  std::string_view remedy = {};
};
using V = Verdict;

constexpr std::array kTable = {
    Row{400, "BadDeviceToken", V::wrong_token, "most tokens are refused: check `environment` of this channel"},
    Row{400, "DeviceTokenNotForTopic", V::wrong_token, "most tokens belong to another app: check `topic`"},
    Row{400, "MissingDeviceToken", V::drop_token},
    Row{400, "BadCollapseId", V::fail},
    Row{400, "BadExpirationDate", V::defect},
    Row{400, "BadMessageId", V::defect},
    Row{400, "BadPriority", V::defect},
    Row{400, "InvalidPushType", V::defect},
    Row{400, "DuplicateHeaders", V::defect},
    Row{400, "PayloadEmpty", V::defect},
    Row{400, "BadTopic", V::wrong_topic, "check `topic`: it is the app's bundle ID"},
    Row{400, "MissingTopic", V::wrong_topic, "check `topic`: the certificate is for several"},
    Row{400, "TopicDisallowed", V::wrong_topic, "the key or certificate may not push to this `topic`"},
    Row{400, "IdleTimeout", V::again},
    Row{403, "BadCertificate", V::config, "renew `certificate_file`"},
    Row{403, "BadCertificateEnvironment", V::config, "the certificate is for the other `environment`"},
    Row{403, "ExpiredProviderToken", V::renew_token, "the clock of this machine is wrong: set it by NTP"},
    Row{403, "InvalidProviderToken", V::config,
        "`team_id`, `key_id` and `key` do not belong together, or the key was revoked"},
    Row{403, "MissingProviderToken", V::config, "give `team_id`, `key_id` and `key`, or `certificate_file`"},
    Row{403, "UnrelatedKeyIdInToken", V::new_connection},
    Row{403, "BadEnvironmentKeyIdInToken", V::config, "the key is for the other `environment`"},
    Row{403, "BadEnvironmentKeyInToken", V::config, "the key is for the other `environment`"},
    Row{403, "Forbidden", V::forbidden, "everything is refused: check the key's rights in Apple's developer account"},
    Row{404, "BadPath", V::defect},
    Row{405, "MethodNotAllowed", V::defect},
    Row{410, "Unregistered", V::drop_token},
    Row{410, "ExpiredToken", V::drop_token},
    Row{413, "PayloadTooLarge", V::too_large},
    Row{429, "TooManyRequests", V::slow_token},
    Row{429, "TooManyProviderTokenUpdates", V::retry},
    Row{500, "InternalServerError", V::retry},
    Row{503, "ServiceUnavailable", V::retry},
    Row{503, "Shutdown", V::new_connection},
    // Broadcast channels (§9).
    Row{400, "FeatureNotEnabled", V::config, "enable broadcasts for the app in Apple's developer account"},
    Row{403, "TopicMismatch", V::config, "the key or certificate may not push to this `topic`"},
    Row{400, "MissingChannelId", V::defect},
    Row{400, "BadRequestParams", V::defect},
    Row{400, "BadRequestPayload", V::defect},
    Row{400, "MissingPushType", V::defect},
    Row{400, "MissingChannelQueueSize", V::defect},
    Row{400, "BadChannelId", V::drop_token},
    Row{404, "ChannelNotRegistered", V::drop_token},
    Row{400, "CannotCreateChannelConfig", V::fail},
};

const Row* find(std::string_view reason) {
  const auto row = std::find_if(kTable.begin(), kTable.end(), [&](const Row& r) { return r.reason == reason; });
  return row == kTable.end() ? nullptr : row;
}

Verdict by_status(uint32_t status) {
  if (status == 200) return V::accepted;
  if (status == 410) return V::drop_token;
  if (status == 413) return V::too_large;
  if (status == 429) return V::slow_token;
  return status >= 400 && status < 500 ? V::fail : V::retry;
}

}  // namespace

Answer read_answer(uint32_t http_status, std::string_view body) {
  Answer answer;
  answer.verdict = by_status(http_status);
  if (answer.verdict == V::accepted) return answer;
  answer.reason = "http_" + std::to_string(http_status);
  const godwit::Json json = godwit::Json::parse(body, nullptr, false);
  const std::string reason = godwit::text_of(json, "reason");
  if (reason.empty() || reason.size() > 64) return answer;
  answer.reason = reason;
  // A reason under another status than the table's is believed: Apple's lists move.
  if (const Row* row = find(reason)) answer.verdict = row->verdict;
  if (const auto at = json.find("timestamp"); http_status == 410 && at != json.end() && at->is_number_unsigned())
    answer.since_ms = at->get<uint64_t>();
  return answer;
}

std::string_view remedy(std::string_view reason) {
  const Row* row = find(reason);
  return row ? row->remedy : std::string_view();
}

}  // namespace apns
