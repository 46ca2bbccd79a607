// bench_http_load: the load client as a tool, and its own benchmark.
//
//   bench_http_load --url http://127.0.0.1:8480/v1/messages --key KEY --body '{"to":…}'   loads a server
//   bench_http_load [--json]   measures itself: against wrk, where it is installed, on the same empty server
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "bench/http_load.hpp"
#include "bench/support/report.hpp"
#include "broker/api/api_server.hpp"
#include "broker/api/http/http_server.hpp"

namespace {

using namespace godwit;
using nlohmann::json;

struct Options {
  std::string url, key, method = "POST", body;
  unsigned connections = 64, pipeline = 1, threads = 1;
  double seconds = 3;
  bool json = false, quick = false;
};

json figures(const bench::LoadResult& r) {
  json statuses = json::object();
  for (const auto& [status, n] : r.statuses) statuses[std::to_string(status)] = n;
  return {{"requests_per_s", r.rate()},
          {"p50_ms", r.latency.quantile_ms(0.5)},
          {"p99_ms", r.latency.quantile_ms(0.99)},
          {"p999_ms", r.latency.quantile_ms(0.999)},
          {"client_cpu_us", r.client_cpu_s * 1e6 / static_cast<double>(std::max<uint64_t>(1, r.answers))},
          {"statuses", statuses}};
}

bench::LoadPlan plan_of(const Options& options, int port, const std::string& path) {
  bench::LoadPlan plan;
  plan.port = port;
  plan.connections = options.connections;
  plan.pipeline = options.pipeline;
  plan.threads = options.threads;
  plan.seconds = options.seconds;
  plan.request = [request = bench::http_request(options.method, path, options.key, options.body)](
                     unsigned, uint64_t, std::string& out) { out += request; };
  return plan;
}

class EmptyHandler final : public http::Handler {
 public:
  void on_request(const http::Request&, http::Reply reply) override { reply.send({}); }
};

// Requests a second by wrk's own count; 0 when it is not there.
double run_wrk(int port, const Options& options) {
  const std::string command = "wrk -t1 -c" + std::to_string(options.connections) + " -d" +
                              std::to_string(static_cast<int>(options.seconds) + 1) +
                              "s http://127.0.0.1:" + std::to_string(port) + "/ 2>/dev/null";
  FILE* out = popen(command.c_str(), "r");
  if (!out) return 0;
  double rate = 0;
  for (char line[256]; std::fgets(line, sizeof line, out);)
    if (std::string_view(line).starts_with("Requests/sec:")) rate = std::atof(line + 13);
  pclose(out);
  return rate;
}

int measure_itself(Options options) {
  options.method = "GET";
  if (options.quick) options.seconds = 1;
  const SystemClock clock;
  auto server = http::HttpServer::start({{"127.0.0.1:0"}, 1, {}}, std::make_shared<EmptyHandler>(), clock);
  if (!server) return 1;
  const int port = (*server)->ports().at(0);
  const bench::LoadResult own = run_load(plan_of(options, port, "/"));
  const double wrk = run_wrk(port, options);
  if (wrk == 0) {
    std::fprintf(stderr, "http_load: wrk is not installed, so there is nothing to compare with\n");
    std::printf("%s", options.json ? "[]\n" : "");
    return 0;
  }
  bench::print({{"bench", "http_load"},
                {"machine", bench::machine()},
                {"godwit", figures(own)},
                {"peer", {{"name", "wrk on the same empty server"}, {"requests_per_s", wrk}}},
                {"ratio", own.rate() / wrk}},
               options.json);
  return 0;
}

int load(const Options& options) {
  const std::string prefix = "http://127.0.0.1:";
  if (!options.url.starts_with(prefix)) {
    std::fprintf(stderr, "--url must begin with %s; load is made on the machine that it loads\n", prefix.c_str());
    return 64;
  }
  char* end = nullptr;
  const long port = std::strtol(options.url.c_str() + prefix.size(), &end, 10);
  const std::string path = *end ? end : "/";
  std::printf("%s\n", figures(run_load(plan_of(options, static_cast<int>(port), path))).dump(1).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("A closed-loop HTTP load client", "bench_http_load");
  app.add_option("--url", options.url, "what to load; without it the client is measured against wrk");
  app.add_option("--key", options.key, "for Authorization: Bearer");
  app.add_option("--method", options.method)->capture_default_str();
  app.add_option("--body", options.body, "of every request");
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--pipeline", options.pipeline, "requests on the way per connection")->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_flag("--json", options.json);
  app.add_flag("--quick", options.quick);
  CLI11_PARSE(app, argc, argv);
  return options.url.empty() ? measure_itself(options) : load(options);
}
