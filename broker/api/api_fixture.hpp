// ApiFixture: the API with two apps in front of a FakeBroker, spoken to over a real socket.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "broker/api/api_server.hpp"
#include "broker/api/fake_broker.hpp"
#include "broker/api/http/raw_client.hpp"

namespace godwit {

inline constexpr const char* kServerKey = "server-key-of-shop";
inline constexpr const char* kClientKey = "client-key-of-shop";
inline constexpr const char* kOtherKey = "server-key-of-news";
inline constexpr const char* kAdminKey = "admin-key-of-all";

inline ApiOptions test_options() {
  ApiOptions out;
  out.listen = {"127.0.0.1:0"};
  out.threads = 2;
  out.connect_urls = {"mqtt://127.0.0.1:1883"};
  out.keys.apps.push_back({"shop", {kServerKey}, {kClientKey}, {}, 0, 0});
  out.keys.apps.push_back({"news", {kOtherKey}, {"client-key-of-news"}, {}, 0, 0});
  out.keys.admin_keys = {kAdminKey};
  return out;
}

struct ApiFixture : testing::Test {
  using Headers = std::vector<std::pair<std::string, std::string>>;

  void start(ApiOptions options = test_options()) {
    client.reset();
    server.reset();
    auto started = ApiServer::start(std::move(options),
                                    {broker, signer, clock, [] { return "godwit_up 1\n"; }, [this] { return ready; },
                                     [this](std::string line) {
                                       std::lock_guard lock(log_mutex);
                                       log.push_back(std::move(line));
                                     }});
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
    port = server->ports().at(0);
    client = std::make_unique<http::RawClient>(port);
  }
  void SetUp() override { start(); }

  static std::string bytes(const std::string& method, const std::string& path, const std::string& key,
                           const std::string& body = "", const Headers& headers = {}) {
    std::string out = method + " " + path + " HTTP/1.1\r\nHost: godwit\r\n";
    if (!key.empty()) out += "Authorization: Bearer " + key + "\r\n";
    for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
    if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
      out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out + "\r\n" + body;
  }
  http::RawAnswer call(const std::string& method, const std::string& path, const std::string& key,
                       const std::string& body = "", const Headers& headers = {}) {
    client->send(bytes(method, path, key, body, headers));
    const http::RawAnswer out = client->read(method == "HEAD");
    if (out.header("connection") == "close") client = std::make_unique<http::RawClient>(port);
    return out;
  }
  // The answer's JSON, after checking its status.
  nlohmann::json expect(int status, const std::string& method, const std::string& path, const std::string& key,
                        const std::string& body = "", const Headers& headers = {}) {
    const http::RawAnswer got = call(method, path, key, body, headers);
    EXPECT_EQ(got.status, status) << method << " " << path << "\n" << got.body;
    EXPECT_FALSE(got.header("x-request-id").empty());
    if (got.status >= 400) {
      EXPECT_EQ(got.header("content-type"), "application/problem+json");
    }
    return got.body.empty() ? nlohmann::json() : nlohmann::json::parse(got.body);
  }
  std::string credential(const std::string& app, const std::string& device, uint32_t generation = 1) {
    return signer.sign({app, device, generation, clock.wall_ms() + 1'000'000});
  }
  void add_device(const std::string& app, const std::string& id, const std::string& user = "u1") {
    broker.look([&] {
      Device d;
      d.app = app;
      d.id = id;
      d.user_id = user;
      d.platform = "android";
      d.version = 1;
      broker.devices[{app, id}] = d;
    });
  }
  std::string send_message(const std::string& key = kServerKey) {
    return expect(202, "POST", "/v1/messages", key, R"({"to":{"user":"u1"},"data":{"n":1}})").value("message_id", "");
  }

  std::mutex log_mutex;  // guards log
  std::vector<std::string> log;
  FakeBroker broker;
  ManualClock clock;
  CredentialSigner signer{{{1, std::string(32, 'k')}}};
  Result<void> ready;
  std::unique_ptr<ApiServer> server;
  uint16_t port = 0;
  std::unique_ptr<http::RawClient> client;
};

}  // namespace godwit
