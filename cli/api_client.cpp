#include "cli/api_client.hpp"

#include <curl/curl.h>

#include <nlohmann/json.hpp>

namespace godwit::cli {
namespace {

struct Headers {
  curl_slist* list = nullptr;
  ~Headers() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

size_t append_body(char* data, size_t size, size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

struct LineReader {
  const std::function<bool(std::string_view)>& line;
  std::string rest;
  bool stopped = false;
};

size_t read_lines(char* data, size_t size, size_t count, void* context) {
  LineReader& reader = *static_cast<LineReader*>(context);
  reader.rest.append(data, size * count);
  size_t start = 0;
  for (size_t end; (end = reader.rest.find('\n', start)) != std::string::npos; start = end + 1) {
    if (!reader.line(std::string_view(reader.rest).substr(start, end - start))) {
      reader.stopped = true;
      return 0;
    }
  }
  reader.rest.erase(0, start);
  return size * count;
}

Error transport_error(CURLcode code, const std::string& url) {
  std::string text = std::string(curl_easy_strerror(code)) + " (" + url + ")";
  if (code == CURLE_COULDNT_CONNECT)
    text = "nothing answers at " + url + "; is godwitd running? (set --url or GODWIT_URL)";
  return {Code::unavailable, text, url};
}

Error problem(long status, const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  std::string text = std::to_string(status);
  if (json.is_object()) {
    text += " " + json.value("title", "");
    if (const std::string detail = json.value("detail", ""); !detail.empty()) text += ": " + detail;
    if (json.contains("errors") && json["errors"].is_array())
      for (const auto& e : json["errors"])
        if (e.is_object()) text += "\n  " + e.value("pointer", "") + ": " + e.value("detail", "");
  } else {
    text += ": " + body.substr(0, 200);
  }
  if (status == 401) text += "\n  Set --key, or source run/godwit.env for the keys of ./run.sh.";
  return {status == 404 ? Code::not_found : Code::invalid, text, {}};
}

}  // namespace

ApiClient::ApiClient(std::string url, std::string key)
    : url_(std::move(url)), key_(std::move(key)), curl_(curl_easy_init()) {
  while (url_.ends_with('/')) url_.pop_back();
}

ApiClient::~ApiClient() {
  curl_easy_cleanup(static_cast<CURL*>(curl_));
}

std::string ApiClient::escape(std::string_view segment) {
  char* escaped = curl_easy_escape(nullptr, segment.data(), static_cast<int>(segment.size()));
  std::string out = escaped ? escaped : "";
  curl_free(escaped);
  return out;
}

Result<std::string> ApiClient::call_text(std::string_view method, std::string_view path, std::string_view body,
                                         std::string_view content_type) {
  CURL* curl = static_cast<CURL*>(curl_);
  curl_easy_reset(curl);  // keeps the connection
  const std::string url = url_ + std::string(path), verb(method);
  Headers headers;
  if (!key_.empty()) headers.add("Authorization: Bearer " + key_);
  if (!content_type.empty()) headers.add("Content-Type: " + std::string(content_type));
  headers.add("Expect:");
  std::string answer;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
  if (!content_type.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  }
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK) return transport_error(code, url_);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 400) return problem(status, answer);
  return answer;
}

Result<nlohmann::json> ApiClient::call(std::string_view method, std::string_view path, const nlohmann::json* body) {
  const std::string text = body ? body->dump() : std::string();
  Result<std::string> answer = call_text(method, path, text, body ? "application/json" : "");
  if (!answer) return std::move(answer).error();
  if (answer->empty()) return nlohmann::json(nullptr);
  nlohmann::json json = nlohmann::json::parse(*answer, nullptr, false);
  if (json.is_discarded())
    return Error{Code::internal, "the answer of " + url_ + std::string(path) + " is not JSON", {}};
  return json;
}

Result<nlohmann::json> ApiClient::get(std::string_view path) {
  return call("GET", path);
}

Result<void> ApiClient::stream(std::string_view path, const std::function<bool(std::string_view)>& line) {
  CURL* curl = static_cast<CURL*>(curl_);
  curl_easy_reset(curl);
  const std::string url = url_ + std::string(path);
  Headers headers;
  headers.add("Authorization: Bearer " + key_);
  LineReader reader{line, {}, false};
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, read_lines);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reader);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (reader.stopped) return {};
  if (code != CURLE_OK) return transport_error(code, url_);
  if (status >= 400) return problem(status, reader.rest);
  return {};
}

}  // namespace godwit::cli
