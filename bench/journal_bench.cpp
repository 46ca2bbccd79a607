// The journal against the physical limit: SQLite segments beside a plain file that gets the same bytes by write +
// fdatasync, in alternating rounds of one run.
//
//   bench_journal [--json] [--quick] [--dir DIRECTORY]
//
// batches: one thread appends batches of 20,000 records. load: single records arrive at a fixed rate (an open loop: a
// late answer does not slow the arrivals) and go through GroupCommit; the latency counts from when a record was due.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "broker/storage/batch.hpp"
#include "broker/storage/group_commit.hpp"
#include "broker/storage/sqlite/sqlite_journal.hpp"

using namespace godwit;  // NOLINT: a program of one file
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

constexpr size_t kBodyBytes = 200;  // an ACCEPT record of a short notification
const SystemClock kClock;

// The same batches, only write and fdatasync.
class PlainFile final : public Journal {
 public:
  explicit PlainFile(const fs::path& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~PlainFile() override { ::close(fd_); }
  Result<Opened> open() override { return Opened{1, 0}; }
  Appended append(std::string_view records, uint32_t count, WallMs now) override {
    encode_batch(buffer_, {.offset = head_, .count = count, .written_ms = now}, records);
    const auto size = static_cast<ssize_t>(buffer_.size());
    if (::write(fd_, buffer_.data(), buffer_.size()) != size || ::fdatasync(fd_) != 0)
      return {Fate::unknown, 0, "disk"};
    return {Fate::ok, std::exchange(head_, head_ + count), {}};
  }
  Result<void> read(uint64_t, const Sink&) override { return {}; }
  Result<void> trim(uint64_t) override { return {}; }
  std::vector<SegmentInfo> segments() const override { return {}; }

 private:
  const int fd_;
  uint64_t head_ = 0;
  std::string buffer_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Round {
  std::vector<double> ms;  // of each commit, or of each record
  double seconds = 0, cpu = 0;
  uint64_t records = 0;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

Json summary(std::vector<Round> rounds) {
  std::vector<double> rate, cpu, p50, p99;
  for (Round& round : rounds) {
    std::sort(round.ms.begin(), round.ms.end());
    rate.push_back(static_cast<double>(round.records) / round.seconds);
    cpu.push_back(round.cpu / static_cast<double>(round.records) * 1e6);
    p50.push_back(round.ms[round.ms.size() / 2]);
    p99.push_back(round.ms[round.ms.size() * 99 / 100]);
  }
  const auto rounded = [](double v) { return static_cast<double>(static_cast<int64_t>(v * 1000)) / 1000; };
  return {{"records_per_second", static_cast<int64_t>(median(rate))},
          {"p50_ms", rounded(median(p50))},
          {"p99_ms", rounded(median(p99))},
          {"cpu_seconds_per_million", rounded(median(cpu))}};
}

Round measure(const std::function<void(Round&)>& body) {
  Round round;
  const double cpu = cpu_seconds();
  const MonoNs started = kClock.mono_ns();
  body(round);
  round.seconds = static_cast<double>(kClock.mono_ns() - started) / kNsPerSecond;
  round.cpu = cpu_seconds() - cpu;
  return round;
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench_journal: %s\n", why.c_str());
  std::exit(1);
}

Round batches(Journal& journal, int count) {
  std::string records;
  for (int i = 0; i < 20'000; ++i) append_record(records, RecordType::accept, 1, std::string(kBodyBytes, 'x'));
  return measure([&](Round& round) {
    for (int i = 0; i < count; ++i) {
      const MonoNs started = kClock.mono_ns();
      const Appended appended = journal.append(records, 20'000, kClock.wall_ms());
      if (appended.fate != Fate::ok) fail(appended.error);
      round.ms.push_back(static_cast<double>(kClock.mono_ns() - started) / kNsPerMs);
      round.records += 20'000;
    }
  });
}

// `rate` records a second for `seconds`, each submitted alone when it is due.
Round load(Journal& journal, uint64_t rate, double seconds) {
  std::string record;
  append_record(record, RecordType::accept, 1, std::string(kBodyBytes, 'x'));
  const auto total = static_cast<uint64_t>(static_cast<double>(rate) * seconds);
  return measure([&](Round& round) {
    round.ms.reserve(total);
    GroupCommit commit(journal, kClock);
    const MonoNs started = kClock.mono_ns();
    const double ns_each = 1e9 / static_cast<double>(rate);
    for (uint64_t sent = 0; sent < total;) {
      const auto due =
          std::min(total, static_cast<uint64_t>(static_cast<double>(kClock.mono_ns() - started) / ns_each) + 1);
      for (; sent < due; ++sent) {
        const MonoNs due_ns = started + static_cast<MonoNs>(static_cast<double>(sent) * ns_each);
        const auto done = [&round, due_ns](Fate fate, RecordRef) {  // on the writer's thread, one at a time
          if (fate != Fate::ok) fail("a commit failed");
          round.ms.push_back(static_cast<double>(kClock.mono_ns() - due_ns) / kNsPerMs);
        };
        if (!commit.submit(record, 1, done)) fail("the queue is full: this disk cannot take the rate");
      }
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    commit.stop();
    round.records = total;
  });
}

Json machine() {
  std::string cpu = "unknown", line;
  for (std::ifstream info("/proc/cpuinfo"); std::getline(info, line);) {
    if (line.starts_with("model name")) cpu = line.substr(line.find(": ") + 2);
  }
  return {{"cpu", cpu}, {"cores", std::thread::hardware_concurrency()}};
}

// Runs both sides in alternating rounds.
Json compare(const std::string& name, const fs::path& directory, int rounds, const std::function<Round(Journal&)>& body,
             const std::string& ratio_of, Json goal) {
  std::vector<Round> godwit, peer;
  for (int i = 0; i < rounds; ++i) {
    {
      SqliteJournal journal({directory / ("journal" + std::to_string(i)), 128ull << 20, {}}, kClock);
      if (const auto opened = journal.open(); !opened) fail(opened.error().message);
      godwit.push_back(body(journal));
    }
    {
      PlainFile file(directory / "plain");
      peer.push_back(body(file));
    }
    for (const auto& entry : fs::directory_iterator(directory)) fs::remove_all(entry.path());
  }
  Json result = {{"bench", name}, {"machine", machine()}, {"godwit", summary(godwit)}};
  result["peer"] = {{"name", "write+fdatasync"}};
  result["peer"].update(summary(peer));
  result["ratio"] = result["godwit"][ratio_of].get<double>() / result["peer"][ratio_of].get<double>();
  result["ratio_of"] = ratio_of;
  if (!goal.is_null()) result["goal"] = std::move(goal);
  return result;
}

void print_table(const Json& results) {
  std::printf("%-20s %-16s %12s %9s %9s %10s %7s\n", "", "", "records/s", "p50 ms", "p99 ms", "CPU s/M", "ratio");
  for (const Json& result : results) {
    for (const char* side : {"godwit", "peer"}) {
      const Json& row = result[side];
      const bool is_peer = std::strcmp(side, "peer") == 0;
      std::printf("%-20s %-16s %12lld %9.2f %9.2f %10.2f", is_peer ? "" : result["bench"].get<std::string>().c_str(),
                  is_peer ? row["name"].get<std::string>().c_str() : side, row["records_per_second"].get<long long>(),
                  row["p50_ms"].get<double>(), row["p99_ms"].get<double>(),
                  row["cpu_seconds_per_million"].get<double>());
      if (is_peer) {
        std::printf("\n");
      } else {
        std::printf(" %7.2f\n", result["ratio"].get<double>());
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false, quick = false;
  fs::path directory = fs::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--json") {
      json = true;
    } else if (option == "--quick") {
      quick = true;
    } else if (option == "--dir" && i + 1 < argc) {
      directory = argv[++i];
    } else {
      fail("options are --json, --quick and --dir DIRECTORY");
    }
  }
  std::string pattern = (directory / "godwit-bench-XXXXXX").string();
  if (!mkdtemp(pattern.data())) fail("cannot make a directory in " + directory.string());
  directory = pattern;

  const int rounds = quick ? 3 : 5;
  const double seconds = quick ? 2 : 5;
  Json results = Json::array();
  results.push_back(compare(
      "journal_batches", directory, rounds, [&](Journal& j) { return batches(j, quick ? 30 : 100); },
      "records_per_second", nullptr));
  for (const uint64_t rate : {50'000, 100'000}) {
    results.push_back(compare("journal_load_" + std::to_string(rate / 1000) + "k", directory, rounds,
                              [&](Journal& j) { return load(j, rate, seconds); }, "p99_ms",
                              {{"p99_ms", rate == 50'000 ? 8 : 10}, {"cpu_seconds_per_million", 10}}));
  }
  fs::remove_all(directory);
  if (json) {
    std::printf("%s\n", results.dump(1).c_str());
  } else {
    print_table(results);
  }
}
