// Start with a million registered devices: from opening the catalogue's file to a registry that answers, against the
// physical limit, a plain scan of the same table with SQLite's C API in the same run. Then memory and look-ups.
//
// The operating system has the file in its cache in both cases; SQLite has not.
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench/registry_fleet.hpp"
#include "bench/support/report.hpp"
#include "broker/base/random.hpp"
#include "broker/registry/device_codec.hpp"
#include "broker/registry/registry.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"

namespace godwit::bench {
namespace {

double now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double seconds_of(const std::function<void()>& work) {
  const double start = now(CLOCK_MONOTONIC);
  work();
  return now(CLOCK_MONOTONIC) - start;
}

// Both times of a work: what a clock on the wall shows, and what the process was given.
struct Times {
  std::vector<double> wall, cpu;
  void add(const std::function<void()>& work) {
    const double start = now(CLOCK_PROCESS_CPUTIME_ID);
    wall.push_back(seconds_of(work));
    cpu.push_back(now(CLOCK_PROCESS_CPUTIME_ID) - start);
  }
};

size_t heap_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "registry_load: %s\n", why.c_str());
  std::exit(1);
}

std::unique_ptr<SqliteCatalogue> open_catalogue(const std::filesystem::path& file) {
  auto opened = SqliteCatalogue::open(file);
  if (!opened) die(opened.error().message);
  return std::move(*opened);
}

void build(const std::filesystem::path& file, uint64_t devices) {
  const auto catalogue = open_catalogue(file);
  std::vector<DeviceRow> rows;
  DeviceFields fields;
  for (uint64_t i = 0; i < devices; ++i) {
    const Device device = fleet_device(i);
    fields.borrow(device);
    rows.push_back(encode_device_row(fields));
    if (rows.size() < 10'000 && i + 1 < devices) continue;
    if (catalogue->put_devices(rows) != Fate::ok) die("the catalogue refused rows");
    rows.clear();
  }
}

// The limit: every column of every row, looked at and nothing else.
uint64_t scan(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  sqlite3_stmt* rows = nullptr;
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK ||
      sqlite3_prepare_v2(db, "select number, app, device_id, subject, version, packed from device order by number", -1,
                         &rows, nullptr) != SQLITE_OK)
    die(sqlite3_errmsg(db));
  uint64_t sum = 0;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    sum += static_cast<uint64_t>(sqlite3_column_int64(rows, 0) + sqlite3_column_int64(rows, 4));
    for (const int column : {1, 2, 3, 5}) {
      const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(rows, column));
      sum += bytes[sqlite3_column_bytes(rows, column) - 1];
    }
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  return sum;
}

nlohmann::json look_ups(const Registry& registry, uint64_t devices) {
  constexpr size_t kLookUps = 200'000;
  Random random(7);
  std::vector<uint64_t> which(kLookUps);
  for (uint64_t& i : which) i = random.below(devices);
  std::vector<std::string> apps, keys(kLookUps);
  for (const uint64_t i : which) apps.push_back(fleet_device(i).app);
  size_t found = 0;
  const auto rate = [&](auto&& key, auto&& look) {
    for (size_t k = 0; k < kLookUps; ++k) keys[k] = key(which[k]);
    return kLookUps / seconds_of([&] {
             for (size_t k = 0; k < kLookUps; ++k) found += look(k);
           });
  };
  nlohmann::json result;
  result["by_id_per_s"] = rate(fleet_device_id, [&](size_t k) { return registry.find(apps[k], keys[k]) != kNoDevice; });
  result["by_token_per_s"] =
      rate([](uint64_t i) { return fleet_token(i, 1); },
           [&](size_t k) { return registry.find_token(apps[k], kFleetChannels[1], keys[k]) != kNoDevice; });
  result["by_user_per_s"] =
      rate(fleet_user_id, [&](size_t k) { return !registry.user_devices(apps[k], keys[k]).empty(); });
  result["token_of_device_per_s"] = rate(
      [](uint64_t) { return std::string(); },
      [&](size_t k) { return registry.token(static_cast<DeviceNo>(which[k] + 1), kFleetChannels[2]).has_value(); });
  if (found != 4 * kLookUps) die("a look-up did not find its device");
  size_t walked = 0;
  const double seconds = seconds_of([&] {
    for (const char* app : {"shop", "news"})
      for (DeviceNo no = registry.next_of_app(app, 0); no != kNoDevice; no = registry.next_of_app(app, no + 1))
        ++walked;
  });
  if (walked != devices) die("the walk over the apps missed devices");
  result["walk_per_s"] = static_cast<double>(walked) / seconds;
  return result;
}

// New registrations of devices that are there: what the engine does for each record, without journal.
double apply_rate(Registry& registry, uint64_t devices) {
  constexpr size_t kRecords = 100'000;
  Random random(8);
  std::vector<std::string> records;
  for (size_t k = 0; k < kRecords; ++k) {
    Device device = fleet_device(random.below(devices));
    device.channels[0].token = fleet_token(devices + k, 0);
    records.push_back(registry_record::put(device, 1'790'000'000'000));
  }
  uint64_t position = devices;
  return kRecords / seconds_of([&] {
           for (const std::string& record : records)
             if (!registry.apply(record, position++)) die("a record was refused");
         });
}

int run(uint64_t devices, unsigned rounds, bool json, std::filesystem::path file) {
  const bool keep = !file.empty();
  if (!keep) file = std::filesystem::temp_directory_path() / ("godwit-registry-load-" + std::to_string(getpid()));
  if (!std::filesystem::exists(file)) build(file, devices);

  Times peer, ours;
  nlohmann::json godwit;
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    peer.add([&] { checksum ^= scan(file); });
    const size_t heap_before = heap_bytes();
    Registry registry;
    ours.add([&] {
      const auto catalogue = open_catalogue(file);
      const auto loaded = registry.load(*catalogue);
      if (!loaded || loaded->devices != devices || loaded->damaged != 0) die("not every device was loaded");
      registry.end_replay();
    });
    if (round + 1 < rounds) continue;
    const double n = static_cast<double>(devices), heap = static_cast<double>(heap_bytes() - heap_before);
    size_t token_text = 0;
    for (uint64_t i = 0; i < devices; ++i)
      for (unsigned c = 0; c < 3; ++c) token_text += fleet_token(i, c).size();
    godwit["devices"] = devices;
    godwit["bytes_per_device"] = heap / n;
    godwit["token_text_per_device"] = static_cast<double>(token_text) / n;
    godwit["bytes_per_device_beside_tokens"] = (heap - static_cast<double>(token_text)) / n;
    godwit["counted_by_registry_per_device"] = static_cast<double>(registry.bytes()) / n;
    godwit["look_ups"] = look_ups(registry, devices);
    godwit["apply_put_per_s"] = apply_rate(registry, devices);
  }
  godwit["seconds_to_ready"] = median(ours.wall);
  godwit["cpu_seconds"] = median(ours.cpu);
  nlohmann::json result;
  result["bench"] = "registry_load";
  result["machine"] = machine();
  result["godwit"] = godwit;
  result["peer"] = {{"name", "sqlite3 select of the same rows"},
                    {"seconds", median(peer.wall)},
                    {"cpu_seconds", median(peer.cpu)},
                    {"file_mib", static_cast<double>(std::filesystem::file_size(file)) / (1 << 20)}};
  result["ratio"] = median(peer.wall) / median(ours.wall);
  result["goal"] = {{"seconds_to_ready", 3}, {"bytes_per_device_beside_tokens", 200}};
  print(result, json);
  if (!keep) std::filesystem::remove(file);
  return checksum == 1;  // never; keeps the scan from being optimised away
}

}  // namespace
}  // namespace godwit::bench

int main(int argc, char** argv) {
  CLI::App app{"Start with a million registered devices"};
  uint64_t devices = 1'000'000;
  unsigned rounds = 3;
  std::string file;
  bool json = false, quick = false;
  app.add_option("--devices", devices, "how many")->check(CLI::Range(1000u, 100'000'000u));
  app.add_option("--rounds", rounds, "loads; the median counts")->check(CLI::Range(1u, 100u));
  app.add_option("--file", file, "keep the catalogue here, and use it when it is there (made with the same --devices)");
  app.add_flag("--json", json, "print JSON");
  app.add_flag("--quick", quick, "100,000 devices, one round");
  CLI11_PARSE(app, argc, argv);
  spdlog::set_level(spdlog::level::warn);  // its lines would stand among the figures
  if (quick) devices = 100'000, rounds = 1;
  return godwit::bench::run(devices, rounds, json, file);
}
