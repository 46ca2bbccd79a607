// intake: one durable POST /v1/messages at a time on many connections, against an empty handler on the same HTTP server
// with the same load client, in alternating rounds of one run.
//
//   bench_intake [--json] [--quick] [--connections 64] [--pipeline 1] [--url http://127.0.0.1:8480 --key KEY]
//
// Two results. intake_single: messages to users with a device on the loopback channel, so that while requests are
// answered, earlier messages are planned, routed, sent and receipted on the same cores. intake_accept: messages to
// users without a device, the cost of accepting alone. Both peers run in a process of their own, with as many I/O
// threads.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cmath>
#include <fstream>
#include <sstream>

#include "bench/http_load.hpp"
#include "bench/support/report.hpp"
#include "broker/api/http/http_server.hpp"
#include "broker/api/http/message.hpp"
#include "tools/broker_process.hpp"

namespace {

using namespace godwit;
using nlohmann::json;

constexpr const char* kKey = "gws_key-of-the-benchmark";

struct Options {
  unsigned connections = 64, pipeline = 1, threads = 1;
  int devices = 10'000, rounds = 3;
  double seconds = 3;
  std::string url, key = kKey;
  bool json = false, quick = false;
};

// Answers every request with what an accepted message is answered with, and does nothing.
class EmptyHandler final : public http::Handler {
 public:
  void on_request(const http::Request&, http::Reply reply) override {
    http::Response answer;
    answer.status = 202;
    answer.body = R"({"message_id":"01h8zq3v7m0000000000000000","status":"planned","recipients":1})";
    reply.send(std::move(answer));
  }
};

// The empty server, as a child process.
class EmptyServer {
 public:
  explicit EmptyServer(unsigned threads) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) serve(pipe_ends[1], threads);
    close(pipe_ends[1]);
    uint16_t port = 0;
    if (read(pipe_ends[0], &port, sizeof port) != sizeof port)
      throw std::runtime_error("the empty server did not start");
    close(pipe_ends[0]);
    port_ = port;
  }
  ~EmptyServer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  [[noreturn]] static void serve(int ready, unsigned threads) {
    static const SystemClock clock;
    auto server = http::HttpServer::start({{"127.0.0.1:0"}, threads, {}}, std::make_shared<EmptyHandler>(), clock);
    if (!server) _exit(1);
    const uint16_t port = (*server)->ports().at(0);
    if (write(ready, &port, sizeof port) != sizeof port) _exit(1);
    close(ready);
    while (getppid() != 1) sleep(1);
    _exit(0);
  }
  pid_t pid_ = -1;
  int port_ = 0;
};

std::string config(const BrokerProcess::Place& place, const Options& options) {
  return json{{"data_dir", (place.directory / "data").string()},
              {"http", {{"listen", "127.0.0.1:" + std::to_string(place.http_port)}, {"threads", options.threads}}},
              {"apps", {{{"id", "bench"}, {"server_keys", {kKey}}}}},
              {"channels", {{{"name", "loop"}, {"plugin", "loopback"}, {"config", {{"window", 65536}}}}}},
              {"limits", {{"open_deliveries", 10'000'000}}},
              {"log", {{"level", "warn"}}}}
      .dump();
}

void register_devices(int port, const Options& options) {
  std::atomic<int> next{0};
  bench::LoadPlan plan;
  plan.port = port;
  plan.connections = 16;
  plan.warm_up_s = 0;
  plan.seconds = 0.2;
  plan.request = [&](unsigned, uint64_t, std::string& out) {
    const std::string n = std::to_string(next++ % options.devices);
    out += bench::http_request("PUT", "/v1/devices/d" + n, options.key,
                               R"({"user_id":"u)" + n + R"(","platform":"android","manufacturer":"Xiaomi",)" +
                                   R"("channels":{"loop":{"token":"token-)" + n + R"("}}})");
  };
  while (next < options.devices) {
    const bench::LoadResult result = run_load(plan);
    if (result.all_succeeded()) continue;
    std::fprintf(stderr, "intake: a device was refused: %s\n", result.first_failure.c_str());
    std::exit(1);
  }
}

bench::LoadPlan messages(int port, const Options& options, const char* user) {
  bench::LoadPlan plan;
  plan.port = port;
  plan.connections = options.connections;
  plan.pipeline = options.pipeline;
  plan.seconds = options.seconds;
  const std::string head = "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + options.key +
                           "\r\nContent-Type: application/json\r\nContent-Length: ";
  plan.request = [head, user, devices = options.devices](unsigned, uint64_t n, std::string& out) {
    char body[400];
    const int length =
        std::snprintf(body, sizeof body,
                      R"({"to":{"user":"%s%llu"},"notification":{"title":"New order","body":"Flat viewing at 15:00"},)"
                      R"("data":{"order_id":"123"},"options":{"ttl":3600,"priority":"high"}})",
                      user, static_cast<unsigned long long>(n * 7919 % static_cast<uint64_t>(devices)));
    out += head;
    out += std::to_string(length);
    out += "\r\n\r\n";
    out.append(body, static_cast<size_t>(length));
  };
  return plan;
}

struct Rounds {
  std::vector<double> rate, p50, p99, p999, client_us, server_us;
  void add(const bench::LoadResult& r, double server_cpu_s) {
    if (!r.all_succeeded()) {
      std::fprintf(stderr, "intake: a message was refused: %s\n", r.first_failure.c_str());
      std::exit(1);
    }
    rate.push_back(r.rate());
    p50.push_back(r.latency.quantile_ms(0.5));
    p99.push_back(r.latency.quantile_ms(0.99));
    p999.push_back(r.latency.quantile_ms(0.999));
    client_us.push_back(r.client_cpu_s * 1e6 / static_cast<double>(std::max<uint64_t>(1, r.answers)));
    server_us.push_back(server_cpu_s * 1e6 / static_cast<double>(std::max<uint64_t>(1, r.answers)));
  }
  json figures() const {
    const auto rounded = [](double v) { return std::round(v * 1000) / 1000; };
    json out{{"requests_per_s", std::round(bench::median(rate))},
             {"p50_ms", rounded(bench::median(p50))},
             {"p99_ms", rounded(bench::median(p99))},
             {"p999_ms", rounded(bench::median(p999))},
             {"client_cpu_us", rounded(bench::median(client_us))}};
    if (bench::median(server_us) > 0) out["server_cpu_us"] = rounded(bench::median(server_us));
    return out;
  }
};

json report(const char* name, const Rounds& godwit, const Rounds& empty, const Options& options) {
  std::vector<double> ratios;
  for (size_t i = 0; i < godwit.rate.size(); ++i) ratios.push_back(godwit.rate[i] / empty.rate[i]);
  json peer = empty.figures();
  peer["name"] = "empty handler on the same HTTP server";
  return {{"bench", name},
          {"machine", bench::machine()},
          {"load", {{"connections", options.connections}, {"pipeline", options.pipeline}, {"rounds", options.rounds}}},
          {"godwit", godwit.figures()},
          {"peer", peer},
          {"ratio", bench::median(ratios)},
          {"goal", {{"ratio", 0.7}}}};
}

// CPU seconds of a process so far.
double cpu_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (text.empty()) return 0;
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int port_of(const std::string& url) {
  return std::atoi(url.c_str() + url.rfind(':') + 1);
}

int run(const Options& options) {
  EmptyServer empty(options.threads);  // before there are threads: it forks
  BrokerProcess broker;
  int port = port_of(options.url);
  if (options.url.empty()) {
    if (auto started = broker.start([&](const BrokerProcess::Place& p) { return config(p, options); }); !started) {
      std::fprintf(stderr, "intake: %s\n", started.error().message.c_str());
      return 1;
    }
    port = broker.port();
  }
  register_devices(port, options);
  const auto measure = [&](const bench::LoadPlan& plan, pid_t pid, Rounds& rounds) {
    const double before = pid > 0 ? cpu_of(pid) : 0;
    const bench::LoadResult result = run_load(plan);
    // The warm-up's share of the server's CPU time goes with its share of the time.
    const double share = plan.seconds / (plan.seconds + plan.warm_up_s);
    rounds.add(result, pid > 0 ? (cpu_of(pid) - before) * share : 0);
  };
  Rounds peer, single, accept;
  for (int i = 0; i < options.rounds; ++i) {
    measure(messages(empty.port(), options, "u"), empty.pid(), peer);
    measure(messages(port, options, "nobody"), broker.pid(), accept);
    measure(messages(port, options, "u"), broker.pid(), single);
  }
  const json all =
      json::array({report("intake_single", single, peer, options), report("intake_accept", accept, peer, options)});
  if (options.json)
    std::printf("%s\n", all.dump().c_str());
  else
    for (const json& one : all) bench::print(one, false);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("One durable POST /v1/messages at a time, against an empty handler on the same server", "bench_intake");
  app.add_flag("--json", options.json);
  app.add_flag("--quick", options.quick, "one short round");
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--pipeline", options.pipeline, "requests on the way per connection")->capture_default_str();
  app.add_option("--threads", options.threads, "I/O threads of both servers")->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each measurement")->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_option("--url", options.url, "a running broker instead of one of our own; needs --key");
  app.add_option("--key", options.key, "a server key of it");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.rounds = 1, options.seconds = 1.5;
  return run(options);
}
