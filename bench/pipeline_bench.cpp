// pipeline: NDJSON in, through parser, journal, planner, routing and a plugin that settles at once, to the final state,
// durable, on a real godwitd. Beside it in the same run the physical limit of its one synchronous step: the same number
// of records of the same size through the journal alone.
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "bench/support/ndjson_client.hpp"
#include "bench/support/report.hpp"
#include "broker/base/clock.hpp"
#include "broker/storage/group_commit.hpp"
#include "broker/storage/sqlite/sqlite_journal.hpp"
#include "tools/broker_process.hpp"

namespace {

using namespace godwit;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kKey = "gws_key-of-the-benchmark";
constexpr const char* kAdmin = "gwa_key-of-the-benchmark";
constexpr int kLinesPerPiece = 200;
constexpr size_t kRecordBytes = 200;  // about what an ACCEPT record of the messages below takes

struct Options {
  uint64_t messages = 1'000'000;
  int devices = 10'000, connections = 2, rounds = 3;
  bool json = false, quick = false;
};

std::string config(const BrokerProcess::Place& place, int threads) {
  return json{{"data_dir", (place.directory / "data").string()},
              {"http", {{"listen", "127.0.0.1:" + std::to_string(place.http_port)}, {"threads", threads}}},
              {"admin_keys", {kAdmin}},
              {"apps", {{{"id", "bench"}, {"server_keys", {kKey}}}}},
              {"channels", {{{"name", "loop"}, {"plugin", "loopback"}, {"config", {{"window", 65536}}}}}},
              {"log", {{"level", "warn"}}}}
      .dump();
}

void register_devices(int port, int devices) {
  constexpr int kPipelined = 50;
  for (int n = 0; n < devices; n += kPipelined) {
    std::string requests;
    for (int i = n; i < std::min(devices, n + kPipelined); ++i) {
      const std::string id = std::to_string(i);
      const std::string body = R"({"user_id":"u)" + id +
                               R"(","platform":"android","manufacturer":"Xiaomi","channels":{"loop":{"token":"token-)" +
                               id + R"("}}})";
      requests += "PUT /v1/devices/d" + id + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + kKey +
                  "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                  (i + 1 == std::min(devices, n + kPipelined) ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
    }
    bench::http_call(port, requests);
  }
}

// Messages that reached `delivered`, from the metrics.
uint64_t delivered(int port) {
  const std::string text =
      bench::http_call(port, std::string("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ") + kAdmin +
                                 "\r\nConnection: close\r\n\r\n");
  const std::string name = R"(godwit_messages_total{app="bench",state="delivered"} )";
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

struct Figures {
  double accepted_per_s = 0, final_per_s = 0, broker_cpu_us = 0, client_cpu_us = 0;
};

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

Figures run_once(BrokerProcess& broker, const Options& options, uint64_t already) {
  const double broker_cpu = broker.cpu_seconds(), own_cpu = own_cpu_seconds();
  const auto started = Clock::now();
  std::vector<std::thread> threads;
  std::vector<bench::NdjsonResult> results(static_cast<size_t>(options.connections));
  const uint64_t each = options.messages / static_cast<uint64_t>(options.connections);
  for (int c = 0; c < options.connections; ++c)
    threads.emplace_back([&, c] {
      uint64_t sent = 0;
      results[static_cast<size_t>(c)] = bench::stream_batch(broker.port(), kKey, [&](std::string& out) {
        for (int i = 0; i < kLinesPerPiece && sent < each; ++i, ++sent) {
          out += R"({"to":{"user":"u)";
          out += std::to_string((sent * 7919 + static_cast<uint64_t>(c)) % static_cast<uint64_t>(options.devices));
          out +=
              R"("},"notification":{"title":"New order","body":"Flat viewing at 15:00"},"data":{"order_id":"123"},"options":{"ttl":3600,"priority":"normal"}})";
          out += '\n';
        }
        return !out.empty();
      });
    });
  for (auto& t : threads) t.join();
  const double accept_seconds = std::chrono::duration<double>(Clock::now() - started).count();
  for (const bench::NdjsonResult& r : results)
    if (r.refused || r.accepted != each) {
      std::fprintf(stderr, "pipeline: %llu accepted and %llu refused of %llu: %s\n",
                   static_cast<unsigned long long>(r.accepted), static_cast<unsigned long long>(r.refused),
                   static_cast<unsigned long long>(each), r.first_refusal.c_str());
      std::exit(1);
    }
  const uint64_t total = each * static_cast<uint64_t>(options.connections);
  while (delivered(broker.port()) < already + total) {
    if (Clock::now() - started > std::chrono::minutes(5)) {
      std::fprintf(stderr, "pipeline: only %llu of %llu were delivered\n",
                   static_cast<unsigned long long>(delivered(broker.port()) - already),
                   static_cast<unsigned long long>(total));
      std::exit(1);
    }
    usleep(10'000);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return {double(total) / accept_seconds, double(total) / seconds,
          (broker.cpu_seconds() - broker_cpu) * 1e6 / double(total),
          (own_cpu_seconds() - own_cpu) * 1e6 / double(total)};
}

// Records per second through the journal alone, in the batches that one HTTP read brings.
double journal_alone(uint64_t records) {
  std::string pattern = (std::filesystem::temp_directory_path() / "godwit-bench-XXXXXX").string();
  if (!mkdtemp(pattern.data())) std::exit(1);
  SystemClock clock;
  double per_s = 0;
  {
    SqliteJournal journal(
        {.directory = std::filesystem::path(pattern) / "journal", .segment_bytes = 128ull << 20, .vfs = {}}, clock);
    if (!journal.open()) std::exit(1);
    std::string batch;
    for (int i = 0; i < kLinesPerPiece; ++i)
      append_record(batch, RecordType::accept, 0, std::string(kRecordBytes, 'x'));
    std::atomic<uint64_t> durable{0};
    const auto started = Clock::now();
    {
      GroupCommit commits(journal, clock);
      for (uint64_t n = 0; n < records; n += kLinesPerPiece)
        while (!commits.submit(batch, kLinesPerPiece,
                               [&](Fate fate, RecordRef) { durable += fate == Fate::ok ? kLinesPerPiece : 0; }))
          usleep(100);
      commits.stop();
    }
    per_s = double(durable) / std::chrono::duration<double>(Clock::now() - started).count();
  }
  std::filesystem::remove_all(pattern);
  return per_s;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"The whole path of a message, durable, in messages per second to the final state."};
  app.add_option("--messages", options.messages, "per round")->capture_default_str();
  app.add_option("--devices", options.devices)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_flag("--quick", options.quick);
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.messages = 200'000, options.rounds = 1;

  BrokerProcess broker;
  if (Result<void> done = broker.start([&](const BrokerProcess::Place& p) { return config(p, options.connections); });
      !done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 1;
  }
  register_devices(broker.port(), options.devices);
  std::vector<double> accepted, final, cpu, client, peer;
  for (int i = 0; i < options.rounds; ++i) {
    const Figures f = run_once(broker, options, delivered(broker.port()));
    accepted.push_back(f.accepted_per_s), final.push_back(f.final_per_s), cpu.push_back(f.broker_cpu_us),
        client.push_back(f.client_cpu_us);
    peer.push_back(journal_alone(options.messages));
  }
  const double journal = bench::median(peer);
  bench::print({{"bench", "pipeline"},
                {"machine", bench::machine()},
                {"messages", options.messages},
                {"godwit",
                 {{"messages_to_final_per_s", bench::median(final)},
                  {"accepted_per_s", bench::median(accepted)},
                  {"broker_cpu_us_per_message", bench::median(cpu)},
                  {"client_cpu_us_per_message", bench::median(client)}}},
                {"peer", {{"name", "the journal alone, one record a message"}, {"records_per_s", journal}}},
                {"ratio", bench::median(final) / journal},
                {"goal", {{"messages_to_final_per_s", 92'600}}}},
               options.json);
  return 0;
}
