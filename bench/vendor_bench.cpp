// vendor: one message to a million Mi Push tokens, on a real godwitd against a fake vendor on the same cores: calls of
// up to a thousand targets, each target settled and receipted on its own, all durable. Beside it in the same run the
// limit: the same calls, made beforehand, from a bare client to the same fake.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "bench/http_load.hpp"
#include "bench/support/ndjson_client.hpp"
#include "bench/support/report.hpp"
#include "bench/vendor_fake.hpp"
#include "broker/registry/device_codec.hpp"
#include "broker/storage/data_dir.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"
#include "tools/broker_process.hpp"

namespace {

using namespace godwit;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kKey = "gws_key-of-the-benchmark";
constexpr const char* kAdmin = "gwa_key-of-the-benchmark";
constexpr const char* kSecret = "secret-of-the-benchmark";
constexpr const char* kPath = "unguessable-part-of-the-path";

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "vendor: %s\n", why.c_str());
  std::exit(1);
}

// As long as Xiaomi's: 64 characters of base64, which begin with nothing in common.
std::string regid(uint64_t i) {
  uint64_t x = i * 0x9e3779b97f4a7c15ull + 1;
  std::string out;
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int n = 0; n < 43; ++n) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    out += kLetters[x & 63];
  }
  return out + "=";
}

void register_fleet(const std::filesystem::path& directory, uint64_t devices) {
  auto data = DataDir::open(directory / "data", 0);
  if (!data) die(data.error().message);
  auto catalogue = SqliteCatalogue::open((*data)->registry());
  if (!catalogue) die(catalogue.error().message);
  std::vector<DeviceRow> rows;
  DeviceFields fields;
  for (uint64_t i = 0; i < devices; ++i) {
    Device d;
    d.app = "bench";
    d.id = "d" + std::to_string(i);
    d.platform = "android";
    d.manufacturer = "Xiaomi";
    d.channels = {{"mi", regid(i), false, 1}};
    d.number = i + 1;  // version 0: from before the journal's first record
    fields.borrow(d);
    rows.push_back(encode_device_row(fields));
    if (rows.size() < 10'000 && i + 1 < devices) continue;
    if ((*catalogue)->put_devices(rows) != Fate::ok) die("the catalogue refused rows");
    rows.clear();
  }
}

std::string config(const BrokerProcess::Place& place, const bench::VendorFake& fake, bool receipts) {
  json mi = {{"origin", "http://127.0.0.1:" + std::to_string(fake.port())},
             {"app_secret", kSecret},
             {"package_name", "com.example.shop"},
             {"channel_id", "100001"},
             {"calls_per_s", 3000}};
  if (receipts) {
    mi["callback_url"] = "http://127.0.0.1:" + std::to_string(place.http_port) + "/v1/callbacks/mi";
    mi["callback_path"] = kPath;
  }
  return json{{"data_dir", (place.directory / "data").string()},
              {"http", {{"listen", "127.0.0.1:" + std::to_string(place.http_port)}}},
              {"admin_keys", {kAdmin}},
              {"apps", {{{"id", "bench"}, {"server_keys", {kKey}}}}},
              {"channels", {{{"name", "mi"}, {"plugin", "mipush"}, {"config", mi}}}},
              {"storage", {{"ballast", 0}}},
              {"limits", {{"open_deliveries", 3'000'000}}},  // each waits for its receipt; the default is a million
              {"log", {{"level", "warn"}}}}
      .dump();
}

uint64_t reached(int port, const std::string& state) {
  const std::string text =
      bench::http_call(port, std::string("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ") + kAdmin +
                                 "\r\nConnection: close\r\n\r\n");
  const std::string name = R"(godwit_messages_total{app="bench",state=")" + state + "\"} ";
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

double resident_mb(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0, resident = 0;
  in >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// The kernel's own high-water mark, which no moment between two looks escapes; begins anew here.
void forget_peak(pid_t pid) {
  std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5";
}
double peak_mb(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; in >> word;)
    if (double kb = 0; word == "VmHWM:" && in >> kb) return kb * 1024 / 1e6;
  return 0;
}

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

struct Campaign {
  double taken_s = 0, done_s = 0, broker_cpu_s = 0;
  std::vector<double> mb;  // before, then at each quarter that the vendor has taken; the last one when all is over
  double mb_most = 0;
};

// What the vendor tells of a message that it took.
enum class Vendor { reports, has_no_callback, is_silent };

Campaign run(BrokerProcess& broker, const bench::VendorFake& fake, uint64_t tokens, const std::string& last_state) {
  Campaign c;
  c.mb.push_back(resident_mb(broker.pid()));
  forget_peak(broker.pid());
  const double cpu = broker.cpu_seconds();
  const auto started = Clock::now();
  const std::string body =
      R"({"to":{"all":true},"notification":{"title":"Sale","body":"Everything at half the price today"},)"
      R"("data":{"campaign":"42"},"options":{"ttl":3600}})";
  const std::string answer = bench::http_call(
      broker.port(),
      std::string("POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ") + kKey +
          "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  if (answer.find(" 202 ") == std::string::npos) die(answer);
  for (;;) {
    if (c.mb.size() < 4 && fake.targets() >= tokens * c.mb.size() / 4) c.mb.push_back(resident_mb(broker.pid()));
    if (c.taken_s == 0 && fake.targets() >= tokens) c.taken_s = seconds_since(started);
    if (c.taken_s > 0 && reached(broker.port(), last_state) >= tokens) break;
    if (seconds_since(started) > 300)
      die("only " + std::to_string(reached(broker.port(), last_state)) + " of " + std::to_string(tokens) + " are " +
          last_state);
    usleep(10'000);
  }
  c.done_s = seconds_since(started);
  c.mb.push_back(resident_mb(broker.pid()));
  c.mb_most = peak_mb(broker.pid());
  c.broker_cpu_s = broker.cpu_seconds() - cpu;
  return c;
}

// The same calls without a broker: targets a second.
double bare_client(const bench::VendorFake& fake) {
  std::vector<std::string> requests;
  for (uint64_t n = 0; n < 64; ++n) {
    std::string list;
    for (uint64_t i = 0; i < 1000; ++i) list += (i ? "%2C" : "") + regid(n * 1000 + i).substr(0, 43) + "%3D";
    const std::string body =
        "restricted_package_name=com.example.shop&pass_through=0&title=Sale&description=Everything&registration_id=" +
        list;
    requests.push_back("POST /v3/message/regid HTTP/1.1\r\nHost: x\r\nAuthorization: key=" + std::string(kSecret) +
                       "\r\nContent-Type: application/x-www-form-urlencoded;charset=UTF-8\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  bench::LoadPlan plan;
  plan.port = fake.port();
  plan.connections = 16;
  plan.seconds = 2;
  plan.request = [&](unsigned, uint64_t n, std::string& out) { out += requests[n % requests.size()]; };
  return bench::run_load(plan).rate() * 1000;
}

json measure(uint64_t tokens, Vendor vendor, double limit_per_s) {
  bench::VendorFake fake(kSecret);
  BrokerProcess broker;
  const auto done = broker.start([&](const BrokerProcess::Place& place) {
    register_fleet(place.directory, tokens);
    return config(place, fake, vendor != Vendor::has_no_callback);
  });
  if (!done) die(done.error().message);
  if (vendor == Vendor::reports) fake.call_back(broker.port());
  const Campaign c = run(broker, fake, tokens, vendor == Vendor::reports ? "delivered" : "sent");
  if (fake.refused() > 0) die(std::to_string(fake.refused()) + " calls broke the contract");
  const double n = static_cast<double>(tokens);
  return {{"bench", vendor == Vendor::reports     ? "vendor, with receipts"
                    : vendor == Vendor::is_silent ? "vendor, receipts that never come"
                                                  : "vendor"},
          {"machine", bench::machine()},
          {"tokens", tokens},
          {"godwit",
           {{"messages_per_s", n / c.done_s},
            {"taken_by_vendor_per_s", n / c.taken_s},
            {"calls", fake.calls()},
            {"targets_per_call", n / static_cast<double>(fake.calls())},
            {"broker_cpu_us_per_message", c.broker_cpu_s * 1e6 / n},
            {"fake_cpu_us_per_message", fake.cpu_seconds() * 1e6 / n},
            {"mb_at_quarters", c.mb},
            {"mb_most", c.mb_most}}},
          {"peer", {{"name", "the same calls from a bare client"}, {"messages_per_s", limit_per_s}}},
          {"ratio", n / c.done_s / limit_per_s}};
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t tokens = 1'000'000;
  bool as_json = false, quick = false;
  CLI::App app{"One message to a million Mi Push tokens, in messages per second to the final state."};
  app.add_option("--tokens", tokens)->capture_default_str();
  app.add_flag("--quick", quick);
  app.add_flag("--json", as_json);
  CLI11_PARSE(app, argc, argv);
  if (quick) tokens = 200'000;
  spdlog::set_level(spdlog::level::warn);

  double limit = 0;
  {
    bench::VendorFake fake(kSecret);
    limit = bare_client(fake);
  }
  json results;
  for (const Vendor vendor : {Vendor::has_no_callback, Vendor::reports, Vendor::is_silent}) {
    // More than limits.open_deliveries would wait for ten minutes.
    const uint64_t most = vendor == Vendor::is_silent ? std::min<uint64_t>(tokens, 1'000'000) : tokens;
    results.push_back(measure(most, vendor, limit));
  }
  if (as_json)
    std::printf("%s\n", results.dump().c_str());
  else
    for (const json& result : results) bench::print(result, false);
}
