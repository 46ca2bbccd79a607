// http2: pushes through the APNs plugin and the whole host path (submit, lane, payload, provider token, the host's
// HTTP/2 client, TLS, settle) to an nghttpd, and h2load on the same server in the same run. With 1, 2 and 4 connections
// that share 1,000 streams.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "bench/support/report.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/net/vendor_client.hpp"

namespace {

using namespace godwit;
using namespace godwit::channels;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr uint32_t kStreams = 1000;
const std::string kToken(64, 'a');

struct Options {
  uint64_t pushes = 300'000;
  int rounds = 3;
  bool json = false, quick = false;
};

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// nghttpd with a certificate made on the spot; a POST to the device's path finds an empty file and answers 200.
class Server {
 public:
  Server() {
    std::string pattern = (std::filesystem::temp_directory_path() / "godwit-http2-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::exit(1);
    folder = pattern;
    std::filesystem::create_directories(folder / "3/device");
    std::ofstream(folder / "3/device" / kToken);
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench -addext "
        "subjectAltName=IP:127.0.0.1 -keyout " +
        (folder / "server.key").string() + " -out " + (folder / "server.pem").string() + " 2>/dev/null");
    run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + (folder / "key.p8").string() +
        " 2>/dev/null");
    pid_ = fork();
    if (pid_ == 0) {
      execlp("nghttpd", "nghttpd", "-a", "127.0.0.1", "-m", "1000", "-d", folder.c_str(), std::to_string(port).c_str(),
             (folder / "server.key").c_str(), (folder / "server.pem").c_str(), nullptr);
      std::perror("nghttpd (package nghttp2-server)");
      _exit(127);
    }
    const std::string probe =
        "curl -s --http2 --cacert " + (folder / "server.pem").string() + " -o /dev/null " + origin();
    for (int i = 0; std::system(probe.c_str()) != 0; ++i) {
      if (i == 200) std::exit(1);
      usleep(20'000);
    }
  }
  ~Server() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder);
  }
  std::string origin() const { return "https://127.0.0.1:" + std::to_string(port); }

  std::filesystem::path folder;
  const int port = 20'000 + getpid() % 20'000;

 private:
  static void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) std::exit(1);
  }
  pid_t pid_ = -1;
};

struct Figures {
  double per_s = 0, cpu_us = 0;
};

Figures h2load(const Server& server, uint64_t pushes, uint32_t connections, const std::string& body) {
  std::ofstream(server.folder / "body.json") << body;
  const std::string command = "h2load -n " + std::to_string(pushes) + " -c " + std::to_string(connections) + " -m " +
                              std::to_string(kStreams / connections) + " -d " + (server.folder / "body.json").string() +
                              " -H 'apns-topic: org.example.chat' -H 'apns-push-type: alert' -H 'apns-priority: 10' -H "
                              "'authorization: bearer " +
                              std::string(200, 'x') + "' " + server.origin() + "/3/device/" + kToken;
  const double cpu = cpu_seconds(RUSAGE_CHILDREN);
  FILE* out = popen(command.c_str(), "r");
  Figures f;
  char line[512];
  unsigned long succeeded = 0;
  while (out && fgets(line, sizeof line, out)) {
    const std::string text = line;
    if (const size_t at = text.find("finished in"); at != std::string::npos)
      f.per_s = std::strtod(text.c_str() + text.find(", ") + 2, nullptr);
    if (text.starts_with("status codes:")) succeeded = std::strtoul(text.c_str() + 13, nullptr, 10);
  }
  if (!out || pclose(out) != 0 || succeeded != pushes) {
    std::fprintf(stderr, "http2: h2load had %lu of %lu answers (package nghttp2-client)\n", succeeded,
                 static_cast<unsigned long>(pushes));
    std::exit(1);
  }
  f.cpu_us = (cpu_seconds(RUSAGE_CHILDREN) - cpu) * 1e6 / double(pushes);
  return f;
}

class CountingSink final : public ChannelSink {
 public:
  void settled(std::vector<Settlement> settlements) override {
    std::lock_guard lock(mutex_);
    for (const Settlement& s : settlements) {
      ++settled_;
      accepted_ += s.disposition == Disposition::accepted;
    }
    changed_.notify_one();
  }
  bool events(std::vector<ChannelEvent>) override { return true; }
  void room(ChannelNo) override { changed_.notify_one(); }
  void wait(uint64_t until) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(5), [&] { return settled_ >= until; });
  }
  uint64_t settled() {
    std::lock_guard lock(mutex_);
    return settled_;
  }
  uint64_t accepted() {
    std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t settled_ = 0, accepted_ = 0;
};

std::vector<std::shared_ptr<const Parcel>> make_messages(size_t count, MonoNs deadline) {
  std::vector<std::shared_ptr<const Parcel>> parcels;
  for (size_t i = 0; i < count; ++i) {
    auto message = std::make_shared<Message>();
    message->app = "bench";
    message->content = R"({"notification":{"title":"New order )" + std::to_string(i) +
                       R"(","body":"Flat viewing at 15:00","sound":"default"},"data":{"order_id":"123"}})";
    auto parcel = std::make_shared<Parcel>();
    parcel->cookie = i + 1;
    parcel->message_id_text = "01jd00000000000000" + std::to_string(10'000'000 + i);
    parcel->message = std::move(message);
    parcel->deadline_ns = deadline;
    parcel->ttl_ms = 3'600'000;
    parcel->targets.push_back({kToken, "u1", {}});
    parcels.push_back(std::move(parcel));
  }
  return parcels;
}

class Broker {
 public:
  Broker(const Server& server, uint32_t connections) : http_(clock_) {
    const json config = {{"topic", "org.example.chat"}, {"team_id", "TEAMID0001"},
                         {"key_id", "FAKEKEY001"},      {"key", "${file:" + (server.folder / "key.p8").string() + "}"},
                         {"origin", server.origin()},   {"ca_file", (server.folder / "server.pem").string()},
                         {"connections", connections},  {"max_streams", kStreams / connections}};
    PluginHostOptions options;
    options.data_dir = server.folder / ("data" + std::to_string(connections));
    options.plugin_dirs = {PLUGIN_DIR};
    options.checker = "";
    std::filesystem::create_directories(options.data_dir);
    std::vector<ChannelFault> faults;
    host_ = PluginHost::open({{"apns", "apns", "inline", config.dump(), true}}, options,
                             PluginHostPorts{.clock = clock_, .http = &http_, .verify_credential = {}}, faults);
    if (!host_) {
      std::fprintf(stderr, "http2: %s\n", faults.at(0).text.c_str());
      std::exit(1);
    }
    host_->start(sink_);
    messages_ = make_messages(20'000, clock_.mono_ns() + 3600 * kNsPerSecond);
  }
  ~Broker() { host_->stop(1000); }

  double open_connections() const {
    double open = 0;
    host_->collect_metrics([&](const MetricSample& s) {
      if (s.name == "vendor_http_connections") open += s.value;
    });
    return open;
  }

  Figures push(uint64_t count) {
    const uint64_t before = sink_.settled(), before_accepted = sink_.accepted();
    const double cpu = cpu_seconds(RUSAGE_SELF);
    const auto started = Clock::now();
    for (uint64_t sent = 0; sent < count;) {
      const size_t at = sent % messages_.size();
      const size_t n = std::min<size_t>({host_->credit(0, clock_.mono_ns()), count - sent, messages_.size() - at});
      if (n == 0) {
        // A quarter of the window is free then: streams stay full, batches large.
        sink_.wait(before + sent - std::min<uint64_t>(sent, 3 * host_->status(0).window / 4));
        continue;
      }
      const auto first = messages_.begin() + static_cast<std::ptrdiff_t>(at);
      if (host_->submit(0, {first, first + static_cast<std::ptrdiff_t>(n)})) sent += n;
    }
    while (sink_.settled() < before + count) sink_.wait(before + count);
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    if (sink_.accepted() - before_accepted != count) {
      std::fprintf(stderr, "http2: only %llu of %llu were accepted\n",
                   static_cast<unsigned long long>(sink_.accepted() - before_accepted),
                   static_cast<unsigned long long>(count));
      std::exit(1);
    }
    return {double(count) / seconds, (cpu_seconds(RUSAGE_SELF) - cpu) * 1e6 / double(count)};
  }

 private:
  SystemClock clock_;
  net::VendorClient http_;
  CountingSink sink_;
  std::unique_ptr<PluginHost> host_;
  std::vector<std::shared_ptr<const Parcel>> messages_;
};

}  // namespace

void print_table(const json& godwit, const json& peer) {
  std::printf("connections   pushes/s   CPU us/push   h2load/s   CPU us   ratio\n");
  for (const char* name : {"1", "2", "4"}) {
    const json &g = godwit.at(name), &p = peer.at(name);
    const double ours = g.at("pushes_per_s"), theirs = p.at("requests_per_s");
    std::printf("%11s %10.0f %13.1f %10.0f %8.1f %7.2f\n", name, ours, g.at("cpu_us_per_push").get<double>(), theirs,
                p.at("cpu_us_per_request").get<double>(), ours / theirs);
  }
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Pushes per second through the APNs plugin, beside h2load on the same nghttpd."};
  app.add_option("--pushes", options.pushes, "per round")->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_flag("--quick", options.quick);
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.pushes = 60'000, options.rounds = 1;
  spdlog::set_level(spdlog::level::err);

  const Server server;
  const std::string body =
      R"({"aps":{"alert":{"body":"Flat viewing at 15:00","title":"New order 12345"},"mutable-content":1,"sound":"default"},)"
      R"("message_id":"01jd0000000000000010012345","order_id":"123"})";
  json godwit = json::object(), peer = {{"name", "h2load on the same nghttpd"}};  // by the number of connections
  double ratio = 0;
  for (const uint32_t connections : {1u, 2u, 4u}) {
    Broker broker(server, connections);
    // The pool opens the others when the streams of the first stay busy.
    for (int i = 0; i < 50 && (i == 0 || broker.open_connections() < connections); ++i) broker.push(20'000);
    if (broker.open_connections() != connections) {
      std::fprintf(stderr, "http2: %g connections are open instead of %u\n", broker.open_connections(), connections);
      return 1;
    }
    std::vector<double> ours, ours_cpu, theirs, theirs_cpu;
    for (int i = 0; i < options.rounds; ++i) {
      const Figures g = broker.push(options.pushes), h = h2load(server, options.pushes, connections, body);
      ours.push_back(g.per_s), ours_cpu.push_back(g.cpu_us);
      theirs.push_back(h.per_s), theirs_cpu.push_back(h.cpu_us);
    }
    const std::string name = std::to_string(connections);
    godwit[name] = {{"pushes_per_s", bench::median(ours)},
                    {"cpu_us_per_push", bench::median(ours_cpu)},
                    {"connections_open", broker.open_connections()}};
    peer[name] = {{"requests_per_s", bench::median(theirs)}, {"cpu_us_per_request", bench::median(theirs_cpu)}};
    if (connections == 1) ratio = bench::median(ours) / bench::median(theirs);
  }
  if (!options.json) print_table(godwit, peer);
  bench::print({{"bench", "http2"},
                {"machine", bench::machine()},
                {"pushes", options.pushes},
                {"streams", kStreams},
                {"godwit", godwit},
                {"peer", peer},
                {"ratio", ratio},
                {"goal", {{"ratio", 0.5}}}},
               options.json);
  return 0;
}
