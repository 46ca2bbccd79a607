// longconn: phones on the long connection. Godwit's gateway alone, the way through the whole broker, and mosquitto, in
// one run and with the same load client on the same cores: memory of an idle connection, a storm of connects, messages
// delivered and acknowledged, a message to everybody, latency at half load.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <functional>

#include "bench/longconn/storm.hpp"
#include "bench/longconn/target.hpp"
#include "bench/support/report.hpp"

namespace {

using namespace godwit::bench;
using nlohmann::json;

struct Options {
  size_t connections = 15'000, tls_connections = 3'000, busy = 1'000;
  uint64_t messages = 600'000;
  int rounds = 3;
  double latency_seconds = 5, same_rate = 20'000;
  bool json = false, quick = false;
  std::vector<std::string> only;
};

void must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "longconn: %s\n", what);
  std::exit(1);
}

// Rest after work: freed memory is not given back at once, and nothing is measured while something still runs.
void settle() {
  usleep(300'000);
}

double bytes_per_connection(Target& target, const Options& options, bool is_tls) {
  const size_t count = is_tls ? options.tls_connections : options.connections;
  const auto logins = target.logins(count);
  {
    Swarm first(target.port(is_tls), is_tls);  // what is made once is made now
    first.connect({logins.begin(), logins.begin() + 50});
    target.prepare(first);
  }
  settle();
  const double before = memory_of(target.pid());
  Swarm swarm(target.port(is_tls), is_tls);
  swarm.connect(logins, 64);
  target.prepare(swarm);
  settle();
  return (memory_of(target.pid()) - before) / static_cast<double>(count);
}

struct Flow {
  double per_s = 0, per_cpu_s = 0;
};

Flow flow(Target& target, Swarm& swarm, size_t devices, uint64_t count, double per_second) {
  swarm.reset();
  const double cpu = cpu_seconds_of(target.pid());
  target.push(swarm, devices, count, per_second);
  must(swarm.run_until(count), "messages did not arrive");
  target.pushed();
  const double seconds = swarm.seconds_to_last();
  settle();
  return {static_cast<double>(count) / seconds, static_cast<double>(count) / (cpu_seconds_of(target.pid()) - cpu)};
}

double middle(const std::vector<Flow>& flows, double Flow::*figure) {
  std::vector<double> values;
  for (const Flow& f : flows) values.push_back(f.*figure);
  return median(values);
}

// The median of an odd number of short flows: one hiccup of the machine is not the target's tail.
json latency(Target& target, Swarm& swarm, const Options& options, double per_second) {
  std::vector<double> p50, p99, p999;
  for (int i = 0; i < 3; ++i) {
    flow(target, swarm, options.connections, static_cast<uint64_t>(per_second * options.latency_seconds / 3),
         per_second);
    p50.push_back(swarm.latency_us(0.5) / 1000);
    p99.push_back(swarm.latency_us(0.99) / 1000);
    p999.push_back(swarm.latency_us(0.999) / 1000);
  }
  return {{"p50", median(p50)}, {"p99", median(p99)}, {"p999", median(p999)}};
}

json measure(Target& target, const Options& options) {
  json figures;
  figures["bytes_per_idle_connection"] = bytes_per_connection(target, options, false);
  const auto logins = target.logins(options.connections);
  std::vector<double> storms, fan_outs;
  std::vector<Flow> all, busy;
  double storm_cpu = 0;
  for (int round = 0; round < options.rounds; ++round) {
    settle();
    Swarm swarm(target.port(false), false);
    const double storm_begun = cpu_seconds_of(target.pid());
    storms.push_back(static_cast<double>(options.connections) / swarm.connect(logins, 1000));
    storm_cpu = (cpu_seconds_of(target.pid()) - storm_begun) * 1e6 / static_cast<double>(options.connections);
    target.prepare(swarm);
    settle();

    swarm.reset();
    target.push(swarm, options.connections, options.connections, 0);
    must(swarm.run_until(options.connections), "a message to everybody did not arrive");
    target.pushed();
    fan_outs.push_back(swarm.seconds_to_last());
    all.push_back(flow(target, swarm, options.connections, options.messages, 0));
    busy.push_back(flow(target, swarm, options.busy, options.messages, 0));
    if (round + 1 < options.rounds) continue;
    const double half = middle(all, &Flow::per_s) / 2;
    figures["latency_at_half_load_ms"] = latency(target, swarm, options, half);
    figures["half_load_per_s"] = half;
    figures["latency_at_the_same_rate_ms"] = latency(target, swarm, options, options.same_rate);
  }
  figures["connects_per_s"] = median(storms);
  figures["cpu_us_per_connect"] = storm_cpu;
  figures["messages_per_s"] = middle(all, &Flow::per_s);
  figures["messages_per_cpu_s"] = middle(all, &Flow::per_cpu_s);
  figures["busy_messages_per_s"] = middle(busy, &Flow::per_s);
  figures["busy_messages_per_cpu_s"] = middle(busy, &Flow::per_cpu_s);
  figures["to_everybody_s"] = median(fan_outs);
  return figures;
}

json measure_fresh(const std::function<std::unique_ptr<Target>()>& make, const Options& options, bool has_tls) {
  json figures;
  if (has_tls) figures["bytes_per_idle_tls_connection"] = bytes_per_connection(*make(), options, true);
  figures.update(measure(*make(), options));
  return figures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--gateway") return run_gateway(argv[2]);
  Options options;
  CLI::App app{"Idle cost, connects and messages of the long connection, beside mosquitto."};
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--tls-connections", options.tls_connections)->capture_default_str();
  app.add_option("--busy", options.busy, "devices of the second flow of messages")->capture_default_str();
  app.add_option("--messages", options.messages, "per round")->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_option("--only", options.only, "gateway, broker, storm or mosquitto");
  app.add_option("--same-rate", options.same_rate, "messages a second of the second measurement of latency")
      ->capture_default_str();
  app.add_flag("--quick", options.quick);
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  if (options.quick)
    options.messages = 150'000, options.rounds = 1, options.tls_connections = 1'000, options.latency_seconds = 2;

  const auto wants = [&](const char* name) {
    return options.only.empty() || std::find(options.only.begin(), options.only.end(), name) != options.only.end();
  };
  json godwit, peer;
  if (wants("gateway")) godwit["gateway"] = measure_fresh(make_gateway, options, true);
  if (wants("broker")) godwit["whole_broker"] = measure_fresh(make_broker, options, false);
  if (wants("storm")) godwit["storm"] = storm(*make_broker(), options.connections);
  if (wants("mosquitto")) peer = measure_fresh(make_mosquitto, options, true);
  json report{{"bench", "longconn"},
              {"machine", machine()},
              {"connections", options.connections},
              {"tls_connections", options.tls_connections},
              {"godwit", godwit}};
  if (!peer.is_null()) {
    peer["name"] = "mosquitto 2.0, anonymous, no persistence, one publisher";
    report["peer"] = peer;
  }
  if (!peer.is_null() && godwit.contains("gateway"))
    report["ratio"] =
        godwit["gateway"]["busy_messages_per_cpu_s"].get<double>() / peer["busy_messages_per_cpu_s"].get<double>();
  report["goal"] = {
      {"bytes_per_idle_connection", 256}, {"bytes_per_idle_tls_connection", 12 * 1024}, {"connects_per_s", 5'000},
      {"messages_per_s", 60'000},         {"messages_per_cpu_s", "3 x mosquitto"},      {"to_everybody_s", 0.5}};
  print(report, options.json);
  return 0;
}
