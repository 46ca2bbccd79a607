#include "calls.hpp"

#include "sign.hpp"

namespace xinge {

godwit::HttpRequest Signer::json(std::string path, std::string body) const {
  godwit::HttpRequest request{
      .path = std::move(path), .headers = {{"content-type", "application/json"}}, .body = std::move(body)};
  if (config_.api == Api::tpns && config_.signs) {
    const std::string timestamp = std::to_string(host_.now_wall_ms() / 1000);
    request.headers.emplace_back("accessid", config_.access_id);
    request.headers.emplace_back("timestamp", timestamp);
    request.headers.emplace_back("sign", tpns_sign(secret_, timestamp, config_.access_id, request.body));
  } else {
    request.headers.emplace_back("authorization", basic(config_.access_id, secret_));
  }
  return request;
}

godwit::HttpRequest Signer::form(const V2Call& call) const {
  Parameters parameters = call.parameters;
  parameters["access_id"] = config_.access_id;
  parameters["timestamp"] = std::to_string(host_.now_wall_ms() / 1000);
  parameters["valid_time"] = "600";
  parameters["sign"] = v2_sign("POST", config_.host() + call.path, parameters, secret_);
  return {.path = call.path,
          .headers = {{"content-type", "application/x-www-form-urlencoded"}},
          .body = form_of(parameters)};
}

}  // namespace xinge
