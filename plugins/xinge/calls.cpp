#include "calls.hpp"

#include "sign.hpp"

namespace xinge {
namespace {

constexpr const char *kHidden = "***", *kNow = "(now)";

bool signs_header(const Config& config) {
  return config.api == Api::tpns && config.signs;
}

godwit::HttpRequest json_call(const Config& config, std::string path, std::string body, std::string timestamp,
                              std::string proof) {
  godwit::HttpRequest request{
      .path = std::move(path), .headers = {{"content-type", "application/json"}}, .body = std::move(body)};
  if (signs_header(config)) {
    request.headers.emplace_back("accessid", config.access_id);
    request.headers.emplace_back("timestamp", std::move(timestamp));
    request.headers.emplace_back("sign", std::move(proof));
  } else {
    request.headers.emplace_back("authorization", std::move(proof));
  }
  return request;
}

Parameters v2_parameters(const Config& config, const V2Call& call, std::string timestamp) {
  Parameters parameters = call.parameters;
  parameters["access_id"] = config.access_id;
  parameters["timestamp"] = std::move(timestamp);
  parameters["valid_time"] = "600";
  return parameters;
}

godwit::HttpRequest form_call(const V2Call& call, Parameters parameters, std::string proof) {
  parameters["sign"] = std::move(proof);
  return {.path = call.path,
          .headers = {{"content-type", "application/x-www-form-urlencoded"}},
          .body = form_of(parameters)};
}

}  // namespace

godwit::HttpRequest Signer::json(std::string path, std::string body) const {
  std::string timestamp = std::to_string(host_.now_wall_ms() / 1000);
  std::string proof = signs_header(config_) ? tpns_sign(secret_, timestamp, config_.access_id, body)
                                            : basic(config_.access_id, secret_);
  return json_call(config_, std::move(path), std::move(body), std::move(timestamp), std::move(proof));
}

godwit::HttpRequest Signer::form(const V2Call& call) const {
  Parameters parameters = v2_parameters(config_, call, std::to_string(host_.now_wall_ms() / 1000));
  std::string proof = v2_sign("POST", config_.host() + call.path, parameters, secret_);
  return form_call(call, std::move(parameters), std::move(proof));
}

godwit::HttpRequest Signer::shown_json(const Config& config, std::string path, std::string body) {
  return json_call(config, std::move(path), std::move(body), kNow, kHidden);
}

godwit::HttpRequest Signer::shown_form(const Config& config, const V2Call& call) {
  return form_call(call, v2_parameters(config, call, kNow), kHidden);
}

}  // namespace xinge
