#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/longconn/target.hpp"
#include "bench/support/ndjson_client.hpp"
#include "tools/broker_process.hpp"

namespace godwit::bench {
namespace {

constexpr const char* kKey = "gws_key-of-the-benchmark";
constexpr const char* kClientKey = "gwc_key-of-the-benchmark";

class BrokerTarget final : public Target {
 public:
  BrokerTarget() : port_(free_tcp_port()) {
    using nlohmann::json;
    const auto done = broker_.start([this](const BrokerProcess::Place& place) {
      return json{
          {"data_dir", (place.directory / "data").string()},
          {"http", {{"listen", "127.0.0.1:" + std::to_string(place.http_port)}, {"threads", 2}}},
          {"admin_keys", {"gwa_key-of-the-benchmark"}},
          {"apps", {{{"id", "bench"}, {"server_keys", {kKey}}, {"client_keys", {kClientKey}}}}},
          {"channels",
           {{{"name", "selfconn"},
             {"plugin", "selfconn"},
             {"config",
              {{"tcp", "127.0.0.1:" + std::to_string(port_)}, {"connect_rate", 0}, {"max_connections", 19'000}}}}}},
          {"log", {{"level", "warn"}}}}
          .dump();
    });
    if (done) return;
    std::fprintf(stderr, "longconn: %s\n", done.error().message.c_str());
    std::exit(1);
  }
  ~BrokerTarget() override { pushed(); }
  int port(bool) const override { return port_; }
  pid_t pid() const override { return broker_.pid(); }
  std::vector<Swarm::Login> logins(size_t count) override {
    constexpr size_t kPipelined = 50;
    std::vector<Swarm::Login> all;
    for (size_t n = 0; n < count; n += kPipelined) {
      std::string requests;
      const size_t stop = std::min(count, n + kPipelined);
      for (size_t i = n; i < stop; ++i) {
        const std::string body =
            R"({"user_id":"u)" + std::to_string(i) + R"(","platform":"android","channels":{"selfconn":{}}})";
        requests += "PUT /v1/devices/d" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                    kClientKey +
                    "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                    (i + 1 == stop ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
      }
      const std::string answers = http_call(broker_.port(), requests);
      static constexpr std::string_view kName = "\"credential\":\"";
      for (size_t at = answers.find(kName); at != std::string::npos; at = answers.find(kName, at)) {
        at += kName.size();
        all.push_back({"d" + std::to_string(all.size()), "bench", answers.substr(at, answers.find('"', at) - at)});
      }
    }
    if (all.size() == count) return all;
    std::fprintf(stderr, "longconn: %zu of %zu devices were registered\n", all.size(), count);
    std::exit(1);
  }
  void push(Swarm&, size_t devices, uint64_t count, double per_second) override {
    pushed();
    feeder_ = std::thread([this, devices, count, per_second] {
      const auto begun = Swarm::Clock::now();
      uint64_t sent = 0;
      const NdjsonResult result = stream_batch(broker_.port(), kKey, [&](std::string& out) {
        size_t piece = 200;
        while (per_second > 0) {  // what is due by now
          const double due = std::chrono::duration<double>(Swarm::Clock::now() - begun).count() * per_second;
          piece = static_cast<size_t>(std::max(0.0, due - static_cast<double>(sent)));
          if (piece > 0 || sent == count) break;
          usleep(100);
        }
        for (size_t i = 0; i < piece && sent < count; ++i, ++number_, ++sent) {
          out += R"({"to":{"device":"d)" + std::to_string(number_ % devices) + R"("},)" +
                 stamped_content(due_ns(begun, sent, per_second)).substr(1);
          out.insert(out.size() - 1, R"(,"options":{"ttl":3600})");
          out += '\n';
        }
        return !out.empty();
      });
      if (result.refused)
        std::fprintf(stderr, "longconn: %llu refused: %s\n", static_cast<unsigned long long>(result.refused),
                     result.first_refusal.c_str());
    });
  }
  double post(size_t device) override {
    const std::string body = R"({"to":{"device":"d)" + std::to_string(device) + R"("},)" + stamped_content().substr(1);
    const auto begun = Swarm::Clock::now();
    const std::string answer = http_call(
        broker_.port(), std::string("POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ") + kKey +
                            "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\n\r\n" + body);
    const double seconds = std::chrono::duration<double>(Swarm::Clock::now() - begun).count();
    if (answer.find("202") == std::string::npos) std::fprintf(stderr, "longconn: not accepted: %s\n", answer.c_str());
    return seconds;
  }
  void pushed() override {
    if (feeder_.joinable()) feeder_.join();
  }

 private:
  const int port_;
  BrokerProcess broker_;
  std::thread feeder_;
  uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<Target> make_broker() {
  return std::make_unique<BrokerTarget>();
}

}  // namespace godwit::bench
