// HttpLoad: a closed-loop HTTP/1.1 load client on epoll, for benchmarks. Each connection keeps `pipeline` requests on
// the way and sends the next one when an answer has come, so the rate is what the server can take, and the latency is
// what a caller waits.
//
// It is meant to cost little, because it runs on the same cores as what it measures; it says what it cost. It trusts
// the server to frame its answers by Content-Length, and ends the process with a message when it does not.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace godwit::bench {

struct LoadPlan {
  int port = 0;
  unsigned connections = 64, pipeline = 1, threads = 1;
  double warm_up_s = 0.5, seconds = 3;
  // Appends the n-th request of thread `thread`, whole. Called on the load threads.
  std::function<void(unsigned thread, uint64_t n, std::string& out)> request;
};

// Latencies in buckets of 1/16 of their power of two: at most 6 % wide.
class LatencyHistogram {
 public:
  void add(uint64_t ns);
  void merge(const LatencyHistogram& other);
  double quantile_ms(double q) const;
  uint64_t count() const { return count_; }

 private:
  static constexpr size_t kSub = 16;
  std::array<uint64_t, 64 * kSub> buckets_{};
  uint64_t count_ = 0;
};

struct LoadResult {
  uint64_t answers = 0;  // inside the measured time
  double seconds = 0;
  LatencyHistogram latency;
  std::map<int, uint64_t> statuses;
  std::string first_failure;  // body of the first answer that is no success
  double client_cpu_s = 0;

  double rate() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
  bool all_succeeded() const;
};

LoadResult run_load(const LoadPlan& plan);

// A POST or GET with the headers that the API wants.
std::string http_request(const std::string& method, const std::string& path, const std::string& key,
                         const std::string& body);

}  // namespace godwit::bench
