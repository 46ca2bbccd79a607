#include "bench/http_load.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>
#include <vector>

namespace godwit::bench {
namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}
[[noreturn]] void die_of(const char* what) {
  std::fprintf(stderr, "http_load: %s\n", what);
  std::exit(1);
}

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

double thread_cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Connection {
  int fd = -1;
  std::deque<uint64_t> sent_at;  // of the requests on the way
  std::string in;
};

class Worker {
 public:
  Worker(const LoadPlan& plan, unsigned number) : plan_(plan), number_(number) {}

  void run(unsigned connections) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(connections);
    for (Connection& c : connections_) open(c);
    const uint64_t begin = now_ns();
    measure_from_ = begin + static_cast<uint64_t>(plan_.warm_up_s * 1e9);
    const uint64_t end = measure_from_ + static_cast<uint64_t>(plan_.seconds * 1e9);
    double cpu_before = thread_cpu_s();
    bool measuring = false;
    for (Connection& c : connections_) send_next(c, plan_.pipeline);
    std::vector<epoll_event> events(256);
    while (true) {
      const uint64_t now = now_ns();
      if (!measuring && now >= measure_from_) {
        measuring = true;
        cpu_before = thread_cpu_s();
      }
      if (now >= end) break;
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 50);
      for (int i = 0; i < n; ++i) receive(*static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr));
    }
    result.seconds = static_cast<double>(now_ns() - measure_from_) / 1e9;
    result.client_cpu_s = thread_cpu_s() - cpu_before;
    for (Connection& c : connections_) close(c.fd);
    close(epoll_);
  }

  LoadResult result;

 private:
  void open(Connection& c) {
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(plan_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("http_load: connect");
    const int one = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &c;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
  }

  void send_next(Connection& c, size_t requests) {
    out_.clear();
    const uint64_t now = now_ns();
    for (size_t i = 0; i < requests; ++i) {
      plan_.request(number_, next_++, out_);
      c.sent_at.push_back(now);
    }
    for (size_t at = 0; at < out_.size();) {  // small requests: the socket's buffer has room for a pipeline
      const ssize_t n = send(c.fd, out_.data() + at, out_.size() - at, MSG_NOSIGNAL);
      if (n <= 0) die("http_load: send");
      at += static_cast<size_t>(n);
    }
  }

  void receive(Connection& c) {
    char bytes[64 * 1024];
    const ssize_t n = recv(c.fd, bytes, sizeof bytes, 0);
    if (n <= 0) die_of("the server closed a connection");
    c.in.append(bytes, static_cast<size_t>(n));
    const uint64_t now = now_ns();
    size_t at = 0, answers = 0;
    while (size_t used = take_answer(std::string_view(c.in).substr(at))) {
      at += used;
      ++answers;
      if (c.sent_at.empty()) die_of("an answer that nobody asked for");
      if (now >= measure_from_) {
        ++result.answers;
        result.latency.add(now - c.sent_at.front());
      }
      c.sent_at.pop_front();
    }
    c.in.erase(0, at);
    if (answers) send_next(c, answers);
  }

  // How long the first answer is; 0 while it is not whole.
  size_t take_answer(std::string_view in) {
    const size_t head = in.find("\r\n\r\n");
    if (head == in.npos) return 0;
    const std::string_view header = in.substr(0, head + 2);
    const size_t field = header.find("Content-Length: ");
    if (field == header.npos) die_of("an answer without Content-Length");
    const size_t length = std::strtoul(header.data() + field + 16, nullptr, 10);
    const size_t whole = head + 4 + length;
    if (in.size() < whole) return 0;
    const int status = std::atoi(header.data() + 9);
    ++result.statuses[status];
    if (status >= 300 && result.first_failure.empty()) result.first_failure = in.substr(head + 4, length);
    return whole;
  }

  const LoadPlan& plan_;
  const unsigned number_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::string out_;
  uint64_t next_ = 0, measure_from_ = 0;
};

}  // namespace

void LatencyHistogram::add(uint64_t ns) {
  const unsigned power = ns < kSub ? 4 : static_cast<unsigned>(std::bit_width(ns)) - 1;
  const size_t sub = power <= 4 ? ns : (ns >> (power - 4)) - kSub;
  ++buckets_[std::min(buckets_.size() - 1, (power - 4) * kSub + (power <= 4 ? sub : kSub + sub))];
  ++count_;
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
}

double LatencyHistogram::quantile_ms(double q) const {
  const auto wanted = static_cast<uint64_t>(q * static_cast<double>(count_));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen <= wanted) continue;
    if (i < 2 * kSub) return static_cast<double>(i) / 1e6;
    const size_t power = i / kSub + 3;
    return static_cast<double>((kSub + i % kSub + 1) << (power - 4)) / 1e6;
  }
  return 0;
}

bool LoadResult::all_succeeded() const {
  return std::all_of(statuses.begin(), statuses.end(), [](const auto& s) { return s.first < 300; });
}

LoadResult run_load(const LoadPlan& plan) {
  std::vector<Worker> workers;
  for (unsigned t = 0; t < plan.threads; ++t) workers.emplace_back(plan, t);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < plan.threads; ++t)
    threads.emplace_back([&, t] { workers[t].run(std::max(1u, plan.connections / plan.threads)); });
  for (std::thread& thread : threads) thread.join();
  LoadResult out;
  for (const Worker& w : workers) {
    out.answers += w.result.answers;
    out.seconds = std::max(out.seconds, w.result.seconds);
    out.latency.merge(w.result.latency);
    for (const auto& [status, n] : w.result.statuses) out.statuses[status] += n;
    if (out.first_failure.empty()) out.first_failure = w.result.first_failure;
    out.client_cpu_s += w.result.client_cpu_s;
  }
  return out;
}

std::string http_request(const std::string& method, const std::string& path, const std::string& key,
                         const std::string& body) {
  return method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + key +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace godwit::bench
