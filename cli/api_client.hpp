// ApiClient: calls to a broker's HTTP API, one at a time, by libcurl. Answers are JSON or an Error that says what the
// broker said (the problem's detail and every fault in it) and what to try next.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace godwit::cli {

class ApiClient {
 public:
  ApiClient(std::string url, std::string key);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  // `body` is sent as application/json unless `content_type` says otherwise; null: no body.
  Result<nlohmann::json> call(std::string_view method, std::string_view path, const nlohmann::json* body = nullptr);
  Result<nlohmann::json> get(std::string_view path);

  // The raw text of an answer (NDJSON, metrics).
  Result<std::string> call_text(std::string_view method, std::string_view path, std::string_view body,
                                std::string_view content_type);

  // Streams an answer line by line until `line` answers false or the peer closes.
  Result<void> stream(std::string_view path, const std::function<bool(std::string_view line)>& line);

  static std::string escape(std::string_view path_segment);

 private:
  std::string url_, key_;
  void* curl_;  // CURL*
};

}  // namespace godwit::cli
